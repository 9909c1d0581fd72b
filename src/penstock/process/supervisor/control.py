"""The control socket: commands as lines of JSON, for ``penstock ctl`` and other programs.

Runs in the supervisor, or on the loop of a single process, and never holds it up: who comes is a visitor
(``process/pages/visitors.py``), of whom as much is kept as may be. It does not know what the commands do.
"""

import json
import os
import socket
from collections.abc import Mapping
from typing import Any

from penstock.process.pages.visitors import Visitor, Visitors
from penstock.process.supervisor import places
from penstock.process.supervisor.berth import Berth
from penstock.process.supervisor.commands import Commands
from penstock.process.supervisor.order import FAILED, MISUSED, Told

VISITORS = 16  # at a time
LINE = 64 << 10  # bytes of a request


class Control:
    """The socket of one supervisor: ``open`` at start, ``close`` at the end and before an exec."""

    def __init__(self, commands: Commands) -> None:
        self.commands = commands
        self.diary = commands.supervisor.diary
        self.guests: Visitors | None = None
        self.berth = Berth(self.diary.warning)

    # ---- Opening and closing ------------------------------------------------------------------------

    def open(self, watch: Any, where: str, environ: Mapping[str, str] | None = None) -> None:
        """Listen. ``where``: "" for the default place, ``off``, or a path; raises StartError for a path that
        cannot be had. Without a default place there is a warning, and no socket."""
        listener = self.berth.open(where, environ)
        if listener is not None:
            self.host(watch, listener)

    def host(self, watch: Any, listener: socket.socket) -> None:
        """Let in who comes to a socket that listens; it is ours to close."""
        self.guests = Visitors(watch, self, VISITORS)
        self.guests.listen(listener)

    @property
    def path(self) -> str:
        """Of the socket, "" without one."""
        return self.berth.path

    def close(self) -> None:
        """Listen no more. Who waits for the end of a command sees the connection end."""
        if self.guests is not None:
            self.guests.close()
        self.berth.close()

    @property
    def visitors(self) -> dict[int, Visitor]:
        """Who is here, by descriptor."""
        return {} if self.guests is None else self.guests.here

    # ---- Requests and replies -----------------------------------------------------------------------

    def enter(self, sock: socket.socket, address: Any, full: bool) -> tuple[str, bytes]:
        """Who comes in, if there is room and it may."""
        pid, uid = places.credentials(sock)
        refused = ""
        if uid not in (0, os.geteuid()):
            refused = f"user {uid} may not command this server"
        elif full:
            refused = f"{VISITORS} others are being served"
        refusal = as_line(Told(False, refused, FAILED)) if refused else b""
        return f"penstock ctl (process {pid})", refusal

    def met(self, visitor: Visitor) -> None:
        """It speaks first."""

    def heard(self, visitor: Visitor) -> None:
        """What a visitor says, as far as it is there."""
        if visitor.heard_all:
            visitor.came += b"\n"  # its last line may lack the end
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

    def answer(self, visitor: Visitor, told: Told) -> None:
        """The last line of a command."""
        self.send(visitor, as_line(told))

    def send(self, visitor: Visitor, data: bytes) -> None:
        """Send, or keep what does not go now."""
        if self.guests is not None:
            self.guests.send(visitor, data)


def as_line(told: Told) -> bytes:
    """The end of a command as a line."""
    reply = {"is": "done", "ok": told.ok, "code": told.code, "text": told.text, **told.data}
    return json.dumps(reply, separators=(",", ":")).encode() + b"\n"
