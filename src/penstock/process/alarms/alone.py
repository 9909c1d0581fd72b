"""Alarms of a server that is one process: the application was given as an object.

Lines are looked at by the thread that writes them; what follows is done on the loop, at its next quarter
second. It knows the loop and the log, and no supervisor. What is printed past the log, nobody sees.
"""

import os
import signal
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic, strftime
from typing import Any, Protocol

from penstock.config.household.alarms import Readable
from penstock.config.settings import Settings
from penstock.config.sources.env import environment
from penstock.interprocess.inmemory import filled
from penstock.logs.setup import Diary
from penstock.logs.sinks import Sink
from penstock.process.alarms.alarms import never_waits
from penstock.process.alarms.loglines import Lines
from penstock.process.alarms.raising import Ended, Job, Raising, readables
from penstock.process.programs.programs import shell_of
from penstock.process.supervisor.backlog import backlog_of

PENDING = 1000  # alarms that wait for the loop; of more the oldest are lost
LOOK = 1.0  # seconds between two looks at the queues


class Loop(Protocol):
    """What is needed of an event loop."""

    def add_reader(self, fd: int, call: Callable[..., Any], /, *args: Any) -> None: ...
    def remove_reader(self, fd: int, /) -> Any: ...


@dataclass(frozen=True)
class Child:
    """A program that runs; ``until`` of time.monotonic it may."""

    pid: int
    until: float
    ended: Ended


class Alone:
    """Those of one process. ``sockets()``: what is listened on, with names."""

    def __init__(
        self, settings: Settings, diary: Diary, sockets: Callable[[], Sequence[tuple[str, Any]]]
    ) -> None:
        self.settings = settings
        self.diary = diary
        self.sockets = sockets
        self.lines = Lines(settings)
        self.raising = Raising(self)
        self.raising.take(settings)
        self.pending: deque[tuple[str, bytes]] = deque(maxlen=PENDING)
        self.children: list[Child] = []
        self.looked = 0.0

    def begin(self, loop: Loop) -> None:
        """Attend from now on; ``tick`` is the caller's to call."""
        if self.lines:
            self.attend(self.diary.error_sink)
            access = self.diary.access_sink
            if access is not None and access is not self.diary.error_sink:
                self.attend(access)
        for fd, found in readables(self.settings).items():
            if never_waits(fd):
                self.diary.error(f"alarm-fd {fd}: this is no open descriptor, or one that is always ready")
            else:
                loop.add_reader(fd, self.ready, loop, fd, found)

    def attend(self, sink: Sink) -> None:
        """See what is written there."""
        pass_on = sink.pass_on

        def write(text: str) -> bool:
            written = pass_on(text)
            data = text.encode("utf-8", "backslashreplace")
            self.lines.check(data, lambda name, line: self.pending.append((name, line)))
            return written

        sink.aside = write

    def tick(self, now: float) -> None:
        """Every quarter second, on the loop."""
        while self.pending:
            self.raising.raise_(*self.pending.popleft())
        for child in list(self.children):
            status = ended_with(child, now)
            if status is not None:
                self.children.remove(child)
                child.ended(status)
        if self.settings.alarm_backlog and now - self.looked >= LOOK:
            self.looked = now
            self.look_at_queues()

    def look_at_queues(self) -> None:
        """``alarm-backlog``."""
        for name, sock in self.sockets():
            count = backlog_of(sock)
            if count >= self.settings.backlog:
                text = f"the listen queue of {name} is full ({count} of {self.settings.backlog})"
                for alarm in self.settings.alarm_backlog:
                    self.raising.tell(alarm, text)

    def ready(self, loop: Loop, fd: int, found: Sequence[Readable]) -> None:
        """``alarm-fd``: something to read, or an end, which raises them too and would be there for ever."""
        try:
            data = os.read(fd, found[0].size)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        for readable in found:
            self.raising.tell(readable.name, readable.text)
        if not data:
            loop.remove_reader(fd)
            self.diary.warning(f"alarm-fd {fd}: it has ended and is not watched any more")

    # ---- The means of alarms (``raising.Means``) ------------------------------------------------------

    def say(self, text: str) -> None:
        """A line that raises no alarm itself."""
        self.diary.error_sink.pass_on(f"{strftime('%Y-%m-%d %H:%M:%S')} penstock: {text}\n")

    def run(self, job: Job, ended: Ended) -> None:
        """Start a program whose output is the log. Raises OSError."""
        shell, log = shell_of(self.settings.binsh), self.diary.error_sink.fd
        stdin = filled("penstock-stdin", job.stdin)
        try:
            numbers = enumerate((stdin, log, log))
            pid = os.posix_spawn(
                shell,
                [shell, "-c", job.command],
                environment(self.settings.env_pairs),
                file_actions=[(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in numbers],
                setpgroup=0,
                setsigdef=(signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT),
                setsigmask=(),
            )
        finally:
            os.close(stdin)
        self.children.append(Child(pid, monotonic() + job.seconds, ended))

    def tell_mule(self, number: int, message: bytes) -> bool:
        """There are none."""
        return False


def ended_with(child: Child, now: float) -> int | None:
    """The exit status of a program, or minus the signal that killed it; None for one that runs. One that
    takes too long is killed."""
    try:
        pid, status = os.waitpid(child.pid, os.WNOHANG)
    except ChildProcessError:  # the application reaps whatever ends
        return 0
    if pid:
        return os.waitstatus_to_exitcode(status)
    if now > child.until:
        os.killpg(child.pid, signal.SIGKILL)
    return None
