"""Sinks of loggers: files that are renamed when they are large, and messages to sockets and to syslog.

Used by the supervisor, or by any thread of a process that is alone. Like every sink they never wait; who is
not there to be written to may come back, so what is for him waits, within bounds.
"""

import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from errno import EADDRNOTAVAIL, EMSGSIZE
from time import ctime, time
from typing import Any

from penstock.config.address import parse_address
from penstock.config.logs.loggers import FD, FILE, RSYSLOG, SOCKET, SYSLOG, Logger
from penstock.core.errors import StartError
from penstock.logs.sinks import MOST, Sink, old_name, open_log
from penstock.logs.wires import DATAGRAM

DEV_LOG = "/dev/log"
LINE_OF_SYSLOG = 1024  # bytes of a packet (RFC 3164 §4.1), unless rsyslog-packet-size says otherwise
RETRY = 60.0  # seconds after which a file is renamed that could not be

Pack = Callable[[bytes], list[bytes]]
Address = str | tuple[str, int]
LookUp = Callable[[Callable[[int, str], None], str, int], None]


class RotatedFile(Sink):
    """A file that is renamed when it is larger than ``logger.size`` bytes (0 for never)."""

    def __init__(self, logger: Logger) -> None:
        super().__init__(open_log(logger.target), os.path.abspath(logger.target))
        self.logger = logger
        self.again = 0.0
        self.rotating = False

    def put(self, data: bytes) -> bool:
        """Write; then look at the size."""
        kept = super().put(data)
        if self.logger.size and not self.waiting:
            with self.guard:
                if self.rotating:  # by another thread, or by what is said of it below
                    return kept
                self.rotating = True
            try:
                self.look_at_size()
            finally:
                self.rotating = False
        return kept

    def look_at_size(self) -> None:
        """Rename it and begin a new one where it is too large."""
        with suppress(OSError):
            size = os.fstat(self.fd).st_size
            if size > self.logger.size and time() >= self.again:
                self.again = 0.0 if rotate(self, size, self.logger.backup) else time() + RETRY

    def forked(self) -> None:
        """In a new process nobody rotates."""
        super().forked()
        self.rotating = False


def rotate(sink: Sink, size: int, backup: str) -> bool:
    """Rename the file of a sink, of ``size`` bytes, and open a new one; whether it could be. Both are told
    in it, as uWSGI does."""
    target = backup or old_name(sink.path)
    sink.put(sink.own_line(f"logsize: {size}, triggering rotation to {target}..."))
    try:
        os.rename(sink.path, target)
    except OSError as error:
        sink.put(sink.own_line(f"penstock warning: it cannot be renamed to {target}: {error.strerror}"))
        return False
    sink.reopen()
    return True


class Messages(Sink):
    """Each line a message to a socket, which is opened anew where that fails. ``address`` is a path, an
    abstract name with its NUL, or host and port; ``pack`` makes messages of a line. ``look_up`` is asked for
    the number of a host that has a name, and tells it to ``found`` by and by."""

    by_line = True

    def __init__(self, address: Address, pack: Pack, look_up: LookUp | None = None) -> None:
        super().__init__(-1)
        self.pack = pack
        self.socket: socket.socket | None = None
        self.family = 0
        self.address: Any = address
        self.gone = look_up is not None and not isinstance(address, str) and not is_number(address[0])
        if look_up is None or not self.gone or isinstance(address, str):
            try:
                self.family, self.address = resolved(address)
            except OSError as error:
                raise StartError(
                    f"the log's address {written(address)} is not known: {error.strerror}"
                ) from error
        else:
            look_up(self.found, *address)

    def found(self, family: int, number: str) -> None:
        """The host's address is known by now."""
        self.family, self.address = family, (number, int(self.address[1]))
        self.retry()

    def put(self, data: bytes) -> bool:
        """One line."""
        kept = True
        for message in self.pack(data):
            kept &= self.message(message[:DATAGRAM])
        return kept

    def message(self, data: bytes) -> bool:
        """One message; while nobody is there, only ``retry`` tries."""
        with self.guard:
            if self.gone and self.size + len(data) <= MOST:
                self.waiting.append(data)
                self.size += len(data)
                return True
        return super().put(data)

    def put_lines(self, lines: Sequence[bytes]) -> None:
        """Each of them."""
        for line in lines:
            self.put(line)

    def send(self, data: bytes) -> int:
        """All of it or nothing. Raises BlockingIOError, and OSError."""
        if self.family == 0:
            raise OSError(EADDRNOTAVAIL, "the address of its host is not known yet")
        if self.socket is None:
            self.socket = datagrams(self.family)
        try:
            self.socket.sendto(data, self.address)
        except OSError as error:
            if error.errno != EMSGSIZE:
                raise
            self.socket.sendto(data[:LINE_OF_SYSLOG], self.address)
        self.gone = self.full = False
        return len(data)

    def own_line(self, text: str) -> bytes:
        """A message like others."""
        return self.pack(super().own_line(text))[0]

    def no_room(self, error: OSError) -> bool:
        """Whoever is not there may come back: it waits, though not the end of the process."""
        self.gone = self.full = not isinstance(error, BlockingIOError)
        return True

    def reopen(self) -> None:
        """There is no file."""

    def let_go(self) -> None:
        """Close the socket."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def is_number(host: str) -> bool:
    """Whether nobody has to be asked for the host's address."""
    try:
        socket.getaddrinfo(host, 0, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)
    except OSError:
        return False
    return True


def written(address: Address) -> str:
    """An address as people write it."""
    return address if isinstance(address, str) else f"{address[0]}:{address[1]}"


def resolved(address: Address) -> tuple[int, Any]:
    """The family of an address, and the address by its number, as ``sendto`` has it. Raises OSError."""
    if isinstance(address, str):
        return socket.AF_UNIX, address
    family, *_, found = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0]
    return family, found


def datagrams(family: int) -> socket.socket:
    """A socket that sends to whoever is there. It is not connected: who was started anew is another one, at
    the same place."""
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setblocking(False)
    return sock


def socket_address(text: str) -> Address:
    """An address as sockets have it; without a host it is this machine's."""
    address = parse_address(text)
    if address.kind == "tcp":
        return address.host or "127.0.0.1", address.port
    return f"\0{address.path}" if address.kind == "abstract" else address.path


# ---- What a message is made of ------------------------------------------------------------------------


def with_prefix(said: str) -> Pack:
    """``socket``: the line behind its prefix."""
    prefix = said.encode()
    return lambda line: [prefix + line]


def stamped(priority: int, said: str, longest: int, split: bool) -> Pack:
    """RFC 3164: the line behind its priority, the time and who says it, in packets of ``longest`` bytes;
    what is longer is cut, or goes into the next one (``split``)."""
    start, tag = f"<{priority}>".encode(), f" {said}: ".encode()

    def pack(line: bytes) -> list[bytes]:
        head = start + ctime()[4:19].encode() + tag
        line = line.rstrip(b"\n")
        room = max(1, longest - len(head))
        pieces = [line[at : at + room] for at in range(0, len(line), room)] or [b""]
        return [head + piece for piece in (pieces if split else pieces[:1])]

    return pack


def outlet(
    logger: Logger, packet: int = LINE_OF_SYSLOG, split: bool = False, look_up: LookUp | None = None
) -> Sink:
    """The sink of a logger, of any kind but ``stdio`` and ``pipe``; names of hosts are waited for unless
    there is a ``look_up``. Raises StartError."""
    if logger.kind == FILE:
        return RotatedFile(logger)
    if logger.kind == FD:
        return Sink(logger.number)
    if logger.kind == SOCKET:
        return Messages(socket_address(logger.target), with_prefix(logger.said), look_up)
    if logger.kind == SYSLOG:
        return Messages(DEV_LOG, stamped(logger.number, logger.said, DATAGRAM, False))
    assert logger.kind == RSYSLOG
    said = logger.said or f"{socket.gethostname()} penstock"
    return Messages(socket_address(logger.target), stamped(logger.number, said, packet, split), look_up)
