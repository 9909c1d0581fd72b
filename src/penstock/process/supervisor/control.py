"""The control socket: commands as lines of JSON, for ``penstock ctl`` and other programs.

Runs in the supervisor and never holds it up: nothing here waits for a visitor, what may be kept for one is
bounded, and so is their number. It does not know what the commands do.
"""

import json
import os
import select
import socket
from collections.abc import Mapping
from contextlib import suppress
from time import monotonic
from typing import Any

from penstock.config.judge import surroundings
from penstock.core.errors import StartError
from penstock.net.listener import bind_unix, inode_of
from penstock.process.supervisor import places
from penstock.process.supervisor.commands import FAILED, MISUSED, Commands, Told

OFF = "off"
BACKLOG = 16
VISITORS = 16  # at a time
LINE = 64 << 10  # bytes of a request
REPLY = 16 << 20  # bytes that may wait for one visitor
PATIENCE = 10.0  # seconds for a request to come, and for each piece of the reply to be taken
LOOK = 2.0  # seconds between two looks at who is slow
AT_ONCE = 1 << 16  # bytes of one turn


class Visitor:
    """One connection. ``busy``: its command has not ended yet; ``moved`` when it last did something."""

    def __init__(self, sock: socket.socket, who: str) -> None:
        self.sock = sock
        self.who = who
        self.came = bytearray()
        self.waits = bytearray()
        self.busy = False
        self.heard_all = False
        self.gone = False
        self.moved = monotonic()
        self.interest = 0

    @property
    def slow(self) -> bool:
        """Whether it keeps us waiting; while its command runs it is we who do."""
        return (not self.busy or bool(self.waits)) and monotonic() - self.moved > PATIENCE


class Control:
    """The socket of one supervisor: ``open`` at start, ``close`` at the end and before an exec."""

    def __init__(self, commands: Commands) -> None:
        self.commands = commands
        self.diary = commands.supervisor.diary
        self.watch: Any = None
        self.poll: Any = None
        self.listener: socket.socket | None = None
        self.visitors: dict[int, Visitor] = {}
        self.looking = False
        self.paths: list[tuple[str, tuple[int, int]]] = []

    # ---- Opening and closing ------------------------------------------------------------------------

    def open(self, watch: Any, where: str, environ: Mapping[str, str] | None = None) -> None:
        """Listen. ``where``: "" for the default place, ``off``, or a path; raises StartError for a path that
        cannot be had. Without a default place there is a warning, and no socket."""
        if where == OFF:
            return
        environ = surroundings() if environ is None else environ
        folder = places.own_folder(environ)
        if folder:
            places.sweep(folder)
        if where:
            self.listener = self.bound(where if where.startswith("@") else os.path.abspath(where))
            self.link(folder)
        elif folder:
            try:
                self.listener = self.bound(places.socket_in(folder, os.getpid()))
            except StartError as error:
                self.diary.warning(f"there is no control socket: {error}")
        else:
            candidates = ", ".join(places.folders(environ, os.geteuid()))
            self.diary.warning(
                f"there is no control socket: none of {candidates} is ours alone to write; name a place with "
                "control-socket, or say off"
            )
        if self.listener is not None:
            self.watch = watch
            self.poll = select.epoll()
            self.poll.register(self.listener, select.EPOLLIN)
            watch.add(self.poll.fileno(), self.turn)

    def bound(self, path: str) -> socket.socket:
        """Listening at ``path``. Raises StartError."""
        before = os.umask(0o177)  # mode 0600 from its birth; the supervisor has one thread
        try:
            sock = bind_unix(path, BACKLOG)
        finally:
            os.umask(before)
        self.paths.append((path, inode_of(path)))
        return sock

    def link(self, folder: str) -> None:
        """Leave word in the default place of where the socket is."""
        link = places.socket_in(folder, os.getpid())
        if folder and self.paths[0][0] != link:
            with suppress(OSError):
                os.symlink(self.paths[0][0], link)
                self.paths.append((link, inode_of(link)))

    @property
    def path(self) -> str:
        """Of the socket, "" without one."""
        return self.paths[0][0] if self.paths else ""

    def close(self) -> None:
        """Listen no more. Who waits for the end of a command sees the connection end."""
        for visitor in list(self.visitors.values()):
            self.drop(visitor)
        if self.listener is not None:
            self.watch.remove(self.poll.fileno())
            self.poll.close()
            self.listener.close()
            self.listener = None
        for path, inode in self.paths:
            if inode_of(path) == inode:
                with suppress(OSError):
                    os.unlink(path)
        self.paths = []

    # ---- Turns --------------------------------------------------------------------------------------

    def turn(self) -> None:
        """Something happened on the listener, or with visitors.

        They are behind one epoll of our own, because the supervisor's loop only looks at what can be read.
        """
        for fd, events in self.poll.poll(0):
            visitor = self.visitors.get(fd)
            if visitor is not None:
                self.serve(visitor, events)
            elif self.listener is not None and fd == self.listener.fileno():
                self.accept(self.listener)

    def accept(self, listener: socket.socket) -> None:
        """One visitor comes in, if there is room and it may."""
        try:
            sock, _ = listener.accept()
        except OSError:
            # Gone already; or no descriptor is left, and poll would say so at once again.
            self.poll.modify(listener, 0)
            self.watch.later(LOOK, self.resume)
            return
        sock.setblocking(False)
        pid, uid = places.credentials(sock)
        refused = ""
        if uid not in (0, os.geteuid()):
            refused = f"user {uid} may not command this server"
        elif len(self.visitors) >= VISITORS:
            refused = f"{VISITORS} others are being served"
        if refused:
            with suppress(OSError):
                sock.send(as_line(Told(False, refused, FAILED)))
            sock.close()
            return
        visitor = Visitor(sock, f"penstock ctl (process {pid})")
        self.visitors[sock.fileno()] = visitor
        self.poll.register(sock, 0)
        self.attend(visitor)
        if not self.looking:
            self.looking = True
            self.watch.later(LOOK, self.look)

    def resume(self) -> None:
        """Look at the listener again."""
        if self.listener is not None:
            self.poll.modify(self.listener, select.EPOLLIN)

    def serve(self, visitor: Visitor, events: int) -> None:
        """A visitor has something for us, takes something, or is gone."""
        if events & select.EPOLLIN and not visitor.heard_all:
            self.read(visitor)
        if events & (select.EPOLLERR | select.EPOLLHUP) and not visitor.gone:
            self.drop(visitor)
        if visitor.waits and not visitor.gone:
            self.write(visitor)
        self.attend(visitor)

    def attend(self, visitor: Visitor) -> None:
        """Watch for what is next, or let go of one with whom all is done."""
        if visitor.gone:
            return
        if visitor.heard_all and not visitor.busy and not visitor.waits:
            self.drop(visitor)
            return
        reading = 0 if visitor.heard_all else select.EPOLLIN
        interest = reading | (select.EPOLLOUT if visitor.waits else 0)
        if interest != visitor.interest:
            visitor.interest = interest
            self.poll.modify(visitor.sock, interest)

    def drop(self, visitor: Visitor) -> None:
        """End a connection. A command that still runs goes on."""
        visitor.gone = True
        del self.visitors[visitor.sock.fileno()]
        self.poll.unregister(visitor.sock)
        visitor.sock.close()

    def look(self) -> None:
        """Let go of those who keep us waiting."""
        for visitor in [visitor for visitor in self.visitors.values() if visitor.slow]:
            self.drop(visitor)
        self.looking = bool(self.visitors)
        if self.looking:
            self.watch.later(LOOK, self.look)

    # ---- Requests and replies -----------------------------------------------------------------------

    def read(self, visitor: Visitor) -> None:
        """What a visitor says, as far as it is there."""
        try:
            data = visitor.sock.recv(AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        visitor.moved = monotonic()
        visitor.heard_all = not data
        visitor.came += data or b"\n"  # its last line may lack the end
        while not visitor.gone:
            text, newline, rest = visitor.came.partition(b"\n")
            if not newline:
                break
            visitor.came = rest
            if text.strip():
                self.ask(visitor, bytes(text))
        if len(visitor.came) > LINE and not visitor.gone:
            visitor.came.clear()
            visitor.heard_all = True
            self.answer(visitor, Told(False, f"a request is a line of at most {LINE} bytes", MISUSED))

    def ask(self, visitor: Visitor, text: bytes) -> None:
        """One request."""
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            self.answer(visitor, Told(False, "a request is a line with an object of JSON", MISUSED))
        elif visitor.busy:
            self.answer(visitor, Told(False, "one command at a time", MISUSED))
        else:
            visitor.busy = True
            try:
                self.commands.ask(message, visitor.who, lambda told: self.ended(visitor, told))
            except BaseException as error:
                self.ended(visitor, Told(False, f"a fault of penstock's own: {error!r}", FAILED))
                raise
            if visitor.busy:
                self.send(visitor, b'{"is":"taken"}\n')

    def ended(self, visitor: Visitor, told: Told) -> None:
        """Its command has ended, perhaps long after it has left."""
        if visitor.busy and not visitor.gone:
            visitor.busy = False
            self.answer(visitor, told)
            self.attend(visitor)

    def answer(self, visitor: Visitor, told: Told) -> None:
        """The last line of a command."""
        self.send(visitor, as_line(told))

    def send(self, visitor: Visitor, data: bytes) -> None:
        """Send, or keep what does not go now."""
        if visitor.gone:
            return
        visitor.waits += data
        if len(visitor.waits) > REPLY:
            self.drop(visitor)
            return
        visitor.moved = monotonic()
        self.write(visitor)
        self.attend(visitor)

    def write(self, visitor: Visitor) -> None:
        """Send what goes now."""
        try:
            count = visitor.sock.send(visitor.waits[:AT_ONCE])
        except BlockingIOError:
            return
        except OSError:
            self.drop(visitor)
            return
        visitor.moved = monotonic()
        del visitor.waits[:count]


def as_line(told: Told) -> bytes:
    """The end of a command as a line."""
    reply = {"is": "done", "ok": told.ok, "code": told.code, "text": told.text, **told.data}
    return json.dumps(reply, separators=(",", ":")).encode() + b"\n"
