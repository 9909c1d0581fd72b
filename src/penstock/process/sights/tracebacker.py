"""The stacks of a process for whoever connects to a socket, as uWSGI's ``py-tracebacker`` has it.

Runs on a worker's loop, which accepts; a service thread looks and writes. It is loaded where the option is
given. It does not know who asks: the socket is the owner's alone.
"""

import linecache
import os
import socket
import stat
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from penstock.handoff.threads import names
from penstock.net.listening import inode_of
from penstock.net.sight import clean, stack_of

if TYPE_CHECKING:
    from penstock.process.worker import Worker

BACKLOG = 16
PATIENCE = 2.0  # seconds that somebody has to take it all
PAUSE = 1.0  # seconds without a look at who comes, when nobody could be let in
HEADING = "*** uWSGI Python tracebacker output ***\n\n"


class Tracebacker:
    """Listens at ``prefix`` and the worker's number; where that cannot be, it is said, and all else works."""

    def __init__(self, worker: "Worker", prefix: str, number: int) -> None:
        self.worker = worker
        self.path = f"{prefix}{number}"
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.setblocking(False)
        self.inode = (0, 0)

    def open(self) -> None:
        """Be there from now on, in place of a worker of the same number that leaves."""
        try:
            self.bind()
        except OSError as error:
            self.sock.close()
            self.worker.diary.warning(f"py-tracebacker: {self.path}: {error.strerror or error}")
            return
        self.hear()
        self.worker.on_end.append(self.close)

    def hear(self) -> None:
        """Let in who comes, unless it has ended meanwhile."""
        if self.sock.fileno() >= 0:
            self.worker.loop.add_reader(self.sock, self.knocked)

    def bind(self) -> None:
        """Only sockets are replaced. Raises OSError."""
        if self.path.startswith("@"):
            self.sock.bind("\0" + self.path[1:])
        else:
            with suppress(FileNotFoundError):
                if stat.S_ISSOCK(os.lstat(self.path).st_mode):  # anything else makes the bind fail
                    os.unlink(self.path)
            before = os.umask(0o177)
            try:
                self.sock.bind(self.path)
            finally:
                os.umask(before)
            self.inode = inode_of(self.path)
        self.sock.listen(BACKLOG)

    def knocked(self) -> None:
        """Somebody wants to see them."""
        try:
            client, _ = self.sock.accept()
        except OSError:
            # Gone already; or no descriptor is left, and the loop would call again at once, for ever.
            self.worker.loop.remove_reader(self.sock)
            self.worker.loop.call_later(PAUSE, self.hear)
            return
        self.worker.door.files.submit(partial(show, client))

    def close(self) -> None:
        """The worker has ended; until then its stacks are worth a look. Again does no harm."""
        if self.sock.fileno() < 0:
            return
        self.worker.loop.remove_reader(self.sock)
        self.sock.close()
        if self.inode != (0, 0) and inode_of(self.path) == self.inode:
            with suppress(OSError):
                os.unlink(self.path)


def show(client: socket.socket) -> None:
    """Write what all threads do, and go."""
    with client, suppress(OSError):
        client.settimeout(PATIENCE)
        client.sendall(text().encode(errors="backslashreplace"))


def text() -> str:
    """A line for each step of each thread, outermost first."""
    known = names()
    lines = []
    for ident in sys._current_frames():
        thread = known.get(ident, "<UnnamedPythonThread>")
        for step in stack_of(ident, whole=True):
            source = linecache.getline(step.file, step.line).strip()
            lines.append(
                f"thread_id = {clean(thread)} filename = {clean(step.file)} lineno = {step.line} "
                f"function = {step.name} line = {clean(source)}\n"
            )
        lines.append("\n")
    return HEADING + "".join(lines)
