"""``py-autoreload``: a reload when a source file of the application changes.

Runs in the supervisor, which looks at no file itself: a process beside it does (``process/watcher``), from
the first file on that a prototype or a worker names. It does not know what a reload does.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from time import time
from typing import Any

from penstock.process.supervisor.generation import interpreter_flags
from penstock.process.supervisor.seen import Seen
from penstock.process.supervisor.watch import Timer

SLOWEST = 0.5  # seconds between two looks: a save is to be noticed in under a second
MOST = 20_000  # files
LATER = 0.05  # seconds until a full pipe is tried again
PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds until a watcher that ended is followed by another
SAID = 5  # files that the log names at once
LINE = 1 << 20  # bytes
BACK = {"files": 1.25}  # seconds of import where a message does not say: workers tell once a second
MARGIN = 0.1  # seconds until we hear of it

Names = Sequence[str]


class Autoreload:
    """Told of files by ``heard(message)``; ``environ`` is the watcher's environment, given anew for each.

    While a generation has failed, new modules beside the known files count too: the missing one may be
    what is to be put right.
    """

    def __init__(self, supervisor: Seen, environ: Callable[[], Mapping[str, str]]) -> None:
        self.supervisor = supervisor
        self.environ = environ
        self.files: dict[str, None] = {}
        self.failed = False
        self.since = 0.0
        self.sock: socket.socket | None = None
        self.pid = 0
        self.unsent = b""
        self.unread = b""
        self.pause = PAUSE
        self.timer: Timer | None = None

    @property
    def wanted(self) -> bool:
        """Whether the settings ask for it."""
        return self.supervisor.settings.py_autoreload > 0

    def heard(self, message: Mapping[str, Any]) -> None:
        """What a prototype or a worker says: its files, with ``loaded``, ``failed`` and ``files``."""
        kind = message.get("is")
        if kind in ("loaded", "failed", "files"):
            failed = {"loaded": False, "failed": True}.get(kind, self.failed)
            self.told(texts(message.get("files")), failed, time() - seconds_of(message) - MARGIN)

    def told(self, files: Names, failed: bool, since: float) -> None:
        """These belong to the application too, and were imported ``since`` then; ``failed``: its last import
        did. Whoever saves a file while it is being imported wants the one that was saved."""
        new = [path for path in files if path not in self.files][: MOST - len(self.files)]
        self.files.update(dict.fromkeys(new))
        turned, self.failed = failed != self.failed, failed
        if not self.wanted:
            self.close()
        elif self.sock is not None:
            if new:
                self.say(add=new, since=since)
            if turned:
                self.say(new=failed)
        elif self.files and self.timer is None:
            self.since = since
            self.start()

    # ---- The watcher --------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it, and tell it all."""
        self.timer = None
        if not self.wanted:
            return
        try:
            self.pid, self.sock = spawn(min(SLOWEST, self.supervisor.settings.py_autoreload), self.environ())
        except OSError as error:
            self.supervisor.diary.warning(f"py-autoreload: no watcher could be started: {error.strerror}")
            self.again()
            return
        self.supervisor.watch.add(self.sock.fileno(), self.read)
        self.say(add=list(self.files), since=self.since)
        self.say(new=self.failed)

    def again(self) -> None:
        """Start another one, later each time."""
        self.timer = self.supervisor.watch.later(self.pause, self.start)
        self.pause = min(LONGEST_PAUSE, self.pause * 2)

    def say(self, **message: object) -> None:
        """A line for it."""
        self.unsent += json.dumps(message).encode() + b"\n"
        self.send()

    def send(self) -> None:
        """As much as there is room for, the rest later."""
        while self.unsent and self.sock is not None:
            try:
                count = self.sock.send(self.unsent)
            except BlockingIOError:
                self.supervisor.watch.later(LATER, self.send)
                return
            except OSError:
                return  # it has ended; that is heard as such
            self.unsent = self.unsent[count:]

    def read(self) -> None:
        """It says something, or has ended."""
        if self.sock is None:
            return
        try:
            data = self.sock.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        *lines, self.unread = (self.unread + data).split(b"\n")
        for line in lines:
            self.obey(line)
        if not data or len(self.unread) > LINE:
            self.ended()

    def obey(self, line: bytes) -> None:
        """One line of it."""
        message = json.loads(line)
        changed = texts(message.get("changed"))
        if "notice" in message:
            self.supervisor.diary.warning(f"py-autoreload: {message['notice']}")
        if changed and self.wanted:
            self.pause = PAUSE
            more = f", and {len(changed) - SAID} more" if len(changed) > SAID else ""
            self.supervisor.reload(f"py-autoreload: {', '.join(changed[:SAID])}{more} changed")

    def ended(self) -> None:
        """It ended by itself, which it does not."""
        self.close()
        self.since = time() - MARGIN
        self.supervisor.diary.warning(
            f"py-autoreload: the process that watches the files has ended; another one in {self.pause:g} s"
        )
        self.again()

    def close(self) -> None:
        """End it: it ends with its input."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        if self.sock is not None:
            self.supervisor.watch.remove(self.sock.fileno())
            self.sock.close()
            self.sock = None
        self.unsent = self.unread = b""


def spawn(seconds: float, environ: Mapping[str, str]) -> tuple[int, socket.socket]:
    """Start a watcher: its pid, and a socket that is its input and output. Raises OSError."""
    ours, theirs = socket.socketpair()
    words = ["-m", "penstock.process.watcher", f"{seconds:g}"]
    arguments = [sys.executable, *interpreter_flags(), *words]
    ends = [(os.POSIX_SPAWN_DUP2, theirs.fileno(), fd) for fd in (0, 1)]
    try:
        pid = os.posix_spawn(
            sys.executable,
            arguments,
            environ,
            file_actions=ends,
            setsigmask=(),
            setsigdef=(signal.SIGPIPE, signal.SIGTERM),
        )
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    ours.setblocking(False)
    return pid, ours


def seconds_of(message: Mapping[str, Any]) -> float:
    """How long the import took of which a message tells."""
    seconds = message.get("seconds")
    if isinstance(seconds, int | float):
        return min(600.0, max(0.0, seconds))
    return BACK.get(str(message.get("is")), 0.0)


def texts(value: object) -> list[str]:
    """The texts of a list, whatever a message really has there."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
