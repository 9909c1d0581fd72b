"""A TLS connection's socket, which the loop reads while a thread writes.

Used by whoever uses a plain socket, by the same methods. OpenSSL's object of a connection must never be used
by two threads at once, so each use of it is made under a lock of the socket's own, which nobody holds while
waiting: the socket never blocks. The handshake is a part of the first read. It does not know what is said,
nor to whom. Imported only where something listens for TLS.
"""

import errno
import os
import select
import socket
import ssl
from _thread import LockType, allocate_lock
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from penstock.handoff.sockets import SLICE

RECORD = 16 << 10  # bytes of content in the longest record (RFC 8446, 5.1)
BLOCK = 256 << 10  # bytes of a file that are read at once
GATHER = 64 << 10  # bytes of short pieces that go out together
DISCARDED = b"\0"  # what a read gives of bytes that nobody is to see
PASSING = (ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLZeroReturnError)
PLAIN = "HTTP_REQUEST"
"""OpenSSL's word for a client that speaks HTTP without TLS."""


class TlsSocket(ssl.SSLSocket):
    """Made by ``secured``.

    ``shaken``       the handshake is complete, and something was said after it
    ``over``         something went wrong that ends TLS here; nothing is sent or read any more
    ``ended``        we have said that nothing more comes; what is read is thrown away
    ``held``         OpenSSL has a record that the kernel did not take: the next send begins with its bytes
    ``wants_write``  the handshake waits for room in the socket, not for the client
    ``told``         is called with what the log is to say of a client, never under the lock
    ``apology``      makes what a client is answered that speaks HTTP without TLS
    """

    _sslobj: Any
    lock: LockType
    shaken = over = ended = held = wants_write = False
    told: Callable[[str], None]
    apology: Callable[[], bytes]

    def __new__(cls, *words: Any, **more: Any) -> "TlsSocket":
        """A context makes them without calling ``__init__``."""
        made = super().__new__(cls, *words, **more)
        made.lock = allocate_lock()
        return made

    # ---- In -----------------------------------------------------------------------------------------

    def recv(self, size: int = RECORD, flags: int = 0) -> bytes:
        """What has come, up to a whole record whatever ``size`` is: of what OpenSSL has decrypted the kernel
        would not tell. b"" at the end. Raises BlockingIOError and other OSErrors; with ``flags`` see
        ``peeked``."""
        if flags:
            return self.peeked()
        try:
            with self.lock:
                return self.taken()
        except ssl.SSLWantReadError:
            raise BlockingIOError(errno.EAGAIN, "nothing has come") from None
        except ssl.SSLWantWriteError:
            self.wants_write = True
            raise BlockingIOError(errno.EAGAIN, "the handshake waits") from None
        except ssl.SSLZeroReturnError:
            return b""
        except (BlockingIOError, ConnectionError):
            raise
        except OSError as error:
            return self.stopped(error)

    def taken(self) -> bytes:
        """Under the lock: one record's content."""
        tls = self._sslobj
        if tls is None or self.over:
            raise ConnectionResetError(errno.ECONNRESET if self.over else errno.ENOTCONN, "no TLS here")
        if self.ended:
            return DISCARDED if socket.socket.recv(self, GATHER) else b""
        try:
            data: bytes = tls.read(RECORD)
        except PASSING:
            raise
        except OSError:
            self.over = True
            raise
        self.shaken = True
        return data

    def stopped(self, error: OSError) -> bytes:
        """What a read that failed means to whoever knows sockets."""
        if isinstance(error, ssl.SSLEOFError) and not self.shaken:
            return b""
        # SSLEOFError: what 3.11 says of a reset. An end without a word is none (see the context's options).
        if not isinstance(error, ssl.SSLError) or isinstance(error, ssl.SSLSyscallError | ssl.SSLEOFError):
            raise ConnectionResetError(errno.ECONNRESET, "the connection was reset") from error
        if error.reason == PLAIN:
            self.apologise()
            self.told("HTTP without TLS came to a port for https")
        else:
            self.told(f"{'TLS' if self.shaken else 'the TLS handshake'} failed: {reason_of(error)}")
        self.discard()
        raise ConnectionAbortedError(errno.ECONNABORTED, "TLS failed") from error

    def apologise(self) -> None:
        """Answer a client in the clear, since it would understand nothing else."""
        try:
            socket.socket.send(self, self.apology())
        except OSError:
            pass

    def discard(self) -> None:
        """Read what is there, so that the close does not reset the connection: the reset would overtake what
        the client is told (our alert, the answer to HTTP)."""
        try:
            socket.socket.recv(self, GATHER)
            socket.socket.shutdown(self, socket.SHUT_WR)
        except OSError:
            pass

    def peeked(self) -> bytes:
        """b"" where the client has gone, by a look that takes nothing; else it raises BlockingIOError. What
        has come may be the client's last word by TLS, so it is the kernel that is asked."""
        poll = select.poll()
        poll.register(self.fileno(), getattr(select, "POLLRDHUP", 0))
        if poll.poll(0):
            return b""
        raise BlockingIOError(errno.EAGAIN, "nothing has come")

    # ---- Out ----------------------------------------------------------------------------------------

    def send(self, data: Any, flags: int = 0) -> int:
        """Send, record by record, until the kernel takes no more; how many bytes went. What did not go is to
        be sent again before all else, or OpenSSL refuses it. Raises BlockingIOError and other OSErrors."""
        total = len(data)
        if total <= RECORD:
            sent = self.put(data)
        else:
            view, sent = memoryview(data), 0
            while sent < total and (count := self.put(view[sent : sent + RECORD])):
                sent += count
        if not sent and total:
            raise BlockingIOError(errno.EAGAIN, "the socket is full")
        return sent

    def put(self, data: Any) -> int:
        """Send one record; 0 where the socket is full."""
        with self.lock:
            tls = self._sslobj
            if tls is None or self.over or self.ended:
                raise BrokenPipeError(errno.EPIPE, "nothing is sent any more")
            try:
                count: int = tls.write(data)
                self.held = False
                return count
            except ssl.SSLWantWriteError:
                self.held = True
                return 0
            except OSError as error:
                # SSLWantReadError too: a handshake that is not complete, and will not be.
                self.over = True
                raise ConnectionResetError(errno.ECONNRESET, "the client is gone") from error

    def sendmsg(self, *words: Any, **more: Any) -> Any:
        """``send`` of several pieces."""
        sent = 0
        for piece in gathered(words[0]):
            try:
                count = self.send(piece)
            except BlockingIOError:
                if sent:
                    break
                raise
            sent += count
            if count < len(piece):
                break
        return sent

    def send_slice(self, fd: int, offset: int, end: int) -> int:
        """What ``sockets.send_slice`` does, of a file that must be read to be encrypted."""
        begun, stop = offset, min(end, offset + SLICE)
        while offset < stop:
            data = os.pread(fd, min(BLOCK, stop - offset), offset)
            if not data:
                raise OSError(errno.EIO, "the file ended before its announced length")
            try:
                count = self.send(data)
            except BlockingIOError:
                break
            offset += count
            if count < len(data):
                break
        return offset - begun

    # ---- The end ------------------------------------------------------------------------------------

    def goodbye(self) -> bool:
        """Say that nothing more comes (close_notify): without it a client cannot tell an end from a cut.
        False where the socket has no room for that now."""
        with self.lock:
            tls = self._sslobj
            if tls is None or self.over or self.ended or self.held:
                return True
            try:
                tls.shutdown()
            except ssl.SSLWantWriteError:
                return False
            except OSError:
                pass  # sent, and the client's own has not come; or there is nobody to hear it
            self.ended = True
            return True

    def shutdown(self, how: int) -> None:
        """End our side, in the way of TLS first; or both, without that: where a reply is cut it would pass
        for a whole one. Raises OSError."""
        if how == socket.SHUT_WR:
            self.goodbye()
        socket.socket.shutdown(self, how)

    def close(self) -> None:
        """Give the descriptor back."""
        with self.lock:
            super().close()

    # ---- Who is there -------------------------------------------------------------------------------

    def peer(self) -> tuple[dict[str, Any], bytes]:
        """The client's certificate, in words and as it is; ({}, b"") where it has shown none."""
        with self.lock:
            tls = self._sslobj
            if tls is None:
                return {}, b""
            return tls.getpeercert(False) or {}, tls.getpeercert(True) or b""


def secured(
    sock: Any, context: ssl.SSLContext, told: Callable[[str], None], apology: Callable[[], bytes]
) -> TlsSocket:
    """The socket of a client that has just been accepted, and does not block, for TLS; ``sock`` is used up.
    Raises OSError; then it is closed."""
    try:
        made = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
    except BaseException:
        sock.close()
        raise
    assert isinstance(made, TlsSocket)
    made.told, made.apology = told, apology
    return made


def gathered(buffers: Iterable[Any]) -> Iterator[Any]:
    """The same bytes, short pieces joined: each record costs a system call."""
    pieces: list[Any] = []
    size = 0
    for piece in buffers:
        pieces.append(piece)
        size += len(piece)
        if size >= GATHER:
            yield pieces[0] if len(pieces) == 1 else b"".join(pieces)
            pieces, size = [], 0
    if pieces:
        yield pieces[0] if len(pieces) == 1 else b"".join(pieces)


def reason_of(error: ssl.SSLError) -> str:
    """OpenSSL's words for people: ``no shared cipher``."""
    return (error.reason or str(error)).replace("_", " ").lower()
