"""What both sides of the write lease do to a socket: send a file's slice, shut it, end it.

Called by whoever holds the lease. Nothing here keeps state or takes a lock.
"""

import _socket
import errno
import os
import socket
import struct
from typing import Any, Final

Socket = _socket.socket
"""The type beneath ``socket.socket``: it has all that is needed here, and a connection of one request costs a
sixth less without what Python puts on top of it."""

PLAIN = (Socket, socket.socket)
"""Those that sendfile may write to: with any other one it would write past what encrypts."""

NOW: Final = int(socket.MSG_DONTWAIT)
"""Without waiting, whatever the socket is set to: one that a thread takes at the door is made non-blocking
when the loop gets it, and most never come there."""

SLICE = 4 << 20  # bytes of one sendfile: a cold file blocks, and never longer than for this
RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close() resets (TCP)


def shut(sock: Socket) -> None:
    """End both directions; the descriptor stays open."""
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def send_slice(sock: Any, fd: int, offset: int, end: int) -> int:
    """One sendfile of at most SLICE bytes, from ``offset`` of the file ``fd``; how many went. A socket that
    is no plain one (TLS) has a way of its own.

    0 when the socket is full. Raises OSError; EIO when the file ends before ``end`` (it was truncated).
    """
    if type(sock) not in PLAIN:
        sent: int = sock.send_slice(fd, offset, end)
        return sent
    sock.setblocking(False)  # sendfile has no word for not waiting
    try:
        count = os.sendfile(sock.fileno(), fd, offset, min(SLICE, end - offset))
    except (BlockingIOError, InterruptedError):
        return 0
    if count == 0:
        raise OSError(errno.EIO, "the file ended before its announced length")
    return count


def end(sock: Socket, how: int, reset: bool) -> None:
    """Close a socket for good: after shutdown(``how``), or with a reset where it is TCP.

    The shutdown reaches the client even while a child that the application forked holds a copy of the
    descriptor; close() alone would not. A reset is the one sign of a cut that a close-delimited reply can
    give; on UNIX sockets nothing can tell it from an end.
    """
    try:
        if reset and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        else:
            sock.shutdown(how)
    except OSError:
        pass
    sock.close()


def at_end(sock: Socket) -> bool:
    """Whether the peer has gone, by a look that takes nothing and does not wait."""
    try:
        return sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except (BlockingIOError, InterruptedError):
        return False
    except OSError:
        return True
