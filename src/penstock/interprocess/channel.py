"""A channel: messages and descriptors between two processes, whole and in order. Runs in every process.

Each end is used by one thread of one process, never waits, and takes the other for broken: what that one
sends can neither block nor end whoever receives it. It does not know what the messages say.
"""

import array
import errno
import fcntl
import json
import os
import select
import socket
from collections import deque
from collections.abc import Sequence
from typing import Any

Message = dict[str, Any]

PACKET = 64 << 10  # bytes of one packet: well below what a socket's buffer takes in one piece
WHOLE = 4 << 20  # bytes of a message in parts: beyond it what comes is no message
TEXT = 8 << 10  # characters from which on a string may be cut to make a message fit
MARK = " [… cut …] "
MORE = b"+"  # first byte of a part that others follow; JSON never begins with it
DESCRIPTORS = 16  # descriptors of one message
AT_ONCE = 256  # packets of one ``receive``: who sends without an end must not have the reader for itself
WAITING = 1000  # messages that wait for a peer that does not read
ANCILLARY = socket.CMSG_SPACE(DESCRIPTORS * array.array("i").itemsize)
LATER = {errno.EAGAIN, errno.EINTR, errno.ENOBUFS, errno.ENOMEM, errno.ETOOMANYREFS}


def pair() -> "tuple[Channel, Channel]":
    """Two ends that are each other's peer; neither blocks, neither outlives an exec by itself."""
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return Channel(one), Channel(other)


class Channel:
    """One end of a channel.

    ``ended``        the peer is gone, or this end was closed
    ``pending``      packets that did not fit yet, with the copies of their descriptors
    ``malformed``    packets that were no message, and thrown away
    ``dropped``      messages that could not be sent: the peer reads nothing, or they are too large
    ``descriptors``  whether descriptors are taken; set it False where none are to come, so that a peer
                     cannot fill the table of open files
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.ended = False
        self.descriptors = True
        self.pending: deque[tuple[bytes, list[int]]] = deque()
        self.malformed = 0
        self.dropped = 0
        self.part = bytearray()

    def fileno(self) -> int:
        """The descriptor; -1 once closed."""
        return self.sock.fileno()

    # ---- sending ------------------------------------------------------------------------------------

    def send(self, message: Message, fds: Sequence[int] = ()) -> None:
        """Send a message and copies of at most 16 descriptors (the caller's stay the caller's).

        What does not fit now waits in order and goes with the next ``send`` or ``flush``. A peer that is
        gone is no error. Raises TypeError or ValueError for what JSON cannot say, OSError when the
        descriptors cannot be kept until there is room.
        """
        packets = _packets(message)
        if len(fds) > DESCRIPTORS:
            raise ValueError(f"{len(fds)} descriptors in one message, {DESCRIPTORS} is the most")
        if self.ended:
            return
        self.flush()
        if not packets or len(self.pending) >= WAITING:
            self.dropped += 1
            return
        last = len(packets) - 1
        for index, packet in enumerate(packets):
            with_it = fds if index == last else ()
            if self.ended or (not self.pending and self._put(packet, with_it)):
                continue
            self.pending.append((packet, _copies(with_it)))

    def flush(self) -> None:
        """Send what waits, as far as there is room."""
        while self.pending and not self.ended:
            packet, fds = self.pending[0]
            if not self._put(packet, fds):
                return
            self.pending.popleft()
            _close(fds)
        if self.ended:
            self._forget()

    def _put(self, packet: bytes, fds: Sequence[int]) -> bool:
        """Send one packet; False when there is no room. What can never be sent counts as sent."""
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        try:
            self.sock.sendmsg([packet], rights, socket.MSG_NOSIGNAL)
        except OSError as error:
            if error.errno in LATER:
                return False
            if error.errno in {errno.EMSGSIZE, errno.EBADF} and self.sock.fileno() >= 0:
                self.dropped += 1
                return True
            self.ended = True
        return True

    # ---- receiving ----------------------------------------------------------------------------------

    def receive(self) -> list[tuple[Message, list[int]]]:
        """All messages that are there, each with its descriptors, which are the caller's to close.

        At most 256 packets: what is left makes the socket readable still. Never raises for what the peer
        sent. After the last message of a peer that is gone ``ended`` is True.
        """
        messages: list[tuple[Message, list[int]]] = []
        for _ in range(AT_ONCE):
            try:
                packet, ancillary, flags, _ = self.sock.recvmsg(
                    PACKET, ANCILLARY if self.descriptors else 0, socket.MSG_CMSG_CLOEXEC
                )
            except ConnectionResetError:
                continue  # it went without reading all of ours; what it sent before is still there
            except (BlockingIOError, InterruptedError):
                break
            except OSError:
                self.ended = True
                break
            fds = _fds(ancillary)
            if not packet and not fds and self._hung_up():
                self.ended = True
                break
            self._take(packet, fds, flags, messages)
        return messages

    def _take(self, packet: bytes, fds: list[int], flags: int, into: list[tuple[Message, list[int]]]) -> None:
        """One packet: a message, the part of one, or nothing that could be read."""
        whole = not flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC)
        if whole and packet[:1] == MORE and not fds and len(self.part) + len(packet) <= WHOLE:
            self.part += packet[1:]
            return
        message = _message(bytes(self.part) + packet) if whole else None
        self.part.clear()
        if message is None:
            self.malformed += 1
            _close(fds)
        else:
            into.append((message, fds))

    def _hung_up(self) -> bool:
        """Whether nothing that was read is the end, or an empty packet: only the poll tells."""
        poll = select.poll()
        poll.register(self.sock, 0)
        return bool(poll.poll(0))

    # ---- the end ------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close this end, once or again. The peer hears it when no other process holds a copy."""
        self.ended = True
        self._forget()
        self.sock.close()

    def _forget(self) -> None:
        for _, fds in self.pending:
            _close(fds)
        self.pending.clear()


def _close(fds: Sequence[int]) -> None:
    for fd in fds:
        os.close(fd)


def _copies(fds: Sequence[int]) -> list[int]:
    """Copies to keep, since the caller may close its own; all or none."""
    copies: list[int] = []
    try:
        for fd in fds:
            copies.append(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3))
    except OSError:
        _close(copies)
        raise
    return copies


def _fds(ancillary: list[tuple[int, int, bytes]]) -> list[int]:
    found = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            found.frombytes(data[: len(data) - len(data) % found.itemsize])
    return list(found)


def _message(text: bytes) -> Message | None:
    """What it says; None for what is no message. RecursionError: brackets within brackets."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def _packets(message: Message) -> list[bytes]:
    """The packets of a message; none when it is larger than a reader would take.

    One whose size is in long strings (a stack, a traceback) is cut to fit one packet; one of many short
    ones (the files of an application) goes in parts, because each of them counts.
    """
    text = json.dumps(message, separators=(",", ":"))
    while len(text) > PACKET:
        longest = _longest(message)
        if len(longest) <= TEXT:
            break
        # Escapes make a character up to twelve bytes; cutting too little only costs another round.
        keep = max(TEXT, len(longest) - (len(text) - PACKET) - len(MARK)) - len(MARK)
        keep = min(keep, len(longest) * 3 // 4)
        message = _with(message, longest, longest[: keep // 2] + MARK + longest[len(longest) - keep // 2 :])
        text = json.dumps(message, separators=(",", ":"))
    data = text.encode()
    if len(data) <= PACKET:
        return [data]
    if len(data) > WHOLE:
        return []
    step = PACKET - len(MORE)
    parts = [data[at : at + step] for at in range(0, len(data), step)]
    return [*(MORE + part for part in parts[:-1]), parts[-1]]


def _longest(value: Any) -> str:
    """The longest string among the values, however deep."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return max(map(_longest, value), key=len, default="")
    return ""


def _with(value: Any, old: str, new: str) -> Any:
    """A copy in which ``new`` stands for ``old``."""
    if isinstance(value, str):
        return new if value == old else value
    if isinstance(value, dict):
        return {key: _with(each, old, new) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_with(each, old, new) for each in value]
    return value
