"""Programs beside the application: started without waiting, their output brought to the log line by line.

Runs in the supervisor, on its one thread, and in whoever else keeps a ``Watch``. It knows neither why a
program runs nor what follows its end; what the new process does before it is the program is ``becoming``.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol

from penstock.interprocess.inmemory import filled
from penstock.logs.setup import Diary
from penstock.process.programs.becoming import become, forked
from penstock.process.supervisor.watch import Timer, Watch

SHELL = "/bin/sh"
LONGEST = 8192  # bytes of one line; a longer one goes on in the next
CHUNK = 65536  # bytes of one look at a program's output
RATE = 1 << 20  # bytes a second that are taken of one program; one that writes faster waits for us
WEIGHT = 64  # bytes that a line counts beside its own: the log adds the time and the label
LAST = 16  # chunks of what a program leaves behind that are taken at its end

Ended = Callable[[int], None]
Line = Callable[[str], None]


class House(Protocol):
    """Whose programs they are: a supervisor, as far as programs know it. ``children`` are called with the
    exit status of their process, or with minus the signal that killed it."""

    watch: Watch
    diary: Diary
    children: dict[int, Callable[[int], None]]


@dataclass(frozen=True, kw_only=True)
class Program:
    """What is to be run: ``command``, one line for ``shell -c``, which the log calls ``label``.

    ``folder``          "" for the one that we are in
    ``uid``, ``gid``    whom it becomes, with the groups of that user; None for what we are
    ``session``         in a session of its own, so that signals reach its whole group
    ``stdin``           what it is to read; None for nothing (/dev/null)
    ``keep_stdin``      our standard input instead
    ``dies_with_us``    the kernel kills it when we are killed
    ``own_pid_space``   in a PID namespace of its own: whatever it starts ends with it
    ``fds``             descriptors: number there -> number here
    ``output``          a descriptor for what it writes, for one that outlives us; else we read it
    ``pidfile``         a file that gets its number before it runs
    """

    command: str
    label: str
    environ: Mapping[str, str]
    shell: str = SHELL
    folder: str = ""
    uid: int | None = None
    gid: int | None = None
    session: bool = True
    stdin: bytes | None = None
    keep_stdin: bool = False
    dies_with_us: bool = True
    own_pid_space: bool = False
    fds: Mapping[int, int] = field(default_factory=dict)
    output: int | None = None
    pidfile: str = ""


class Running:
    """A program that was started. ``started`` is of ``time.monotonic``; ``ended`` once it is reaped."""

    def __init__(self, house: House, program: Program, pid: int, fd: int, told: tuple[Ended, Line | None]):
        self.house = house
        self.program = program
        self.pid = pid
        self.fd = fd
        self.started = monotonic()
        self.ended = False
        self.tell, self.line = told
        self.rest = b""
        self.spent = 0
        self.since = self.started
        self.pause: Timer | None = None
        if fd >= 0:
            house.watch.add(fd, self.read)

    def signal(self, number: int) -> None:
        """To its group; to it alone where it has none (yet). One that has ended gets nothing."""
        if self.ended:
            return
        try:
            if self.program.session:
                os.killpg(self.pid, number)
                return
        except ProcessLookupError:
            pass  # it has not come to its setsid(2) yet
        except PermissionError:
            return  # it has become somebody else's
        try:
            os.kill(self.pid, number)
        except (ProcessLookupError, PermissionError):
            pass

    def finish(self, status: int) -> None:
        """It was reaped. Whatever it started may live on, and write on."""
        self.ended = True
        for _ in range(LAST):
            if self.fd < 0 or not self.take():
                break
        self.flush()
        self.tell(status)

    # ---- What it writes -----------------------------------------------------------------------------

    def read(self) -> None:
        """There is something, or the end."""
        self.take()
        wait = self.spent / RATE - (monotonic() - self.since)
        if self.fd < 0 or wait <= 0:
            self.spent = 0
            self.since = monotonic()
        elif self.spent > RATE:
            # The log is everybody's, and so is our thread: the pipe fills up, and the program waits.
            self.house.watch.remove(self.fd)
            self.pause = self.house.watch.later(wait, self.resume)

    def resume(self) -> None:
        """It has waited long enough."""
        self.pause = None
        if self.fd >= 0:
            self.house.watch.add(self.fd, self.read)

    def take(self) -> bool:
        """One chunk; whether there was one."""
        try:
            data = os.read(self.fd, CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self.close()
            return False
        lines = (self.rest + data).split(b"\n")
        self.rest = lines.pop()
        while len(self.rest) > LONGEST:
            lines.append(self.rest[:LONGEST])
            self.rest = self.rest[LONGEST:]
        self.spent += len(data) + WEIGHT * len(lines)
        self.say(lines)
        return True

    def say(self, lines: Sequence[bytes]) -> None:
        """To the log in one go, or to whoever wants them."""
        texts = [text for line in lines for text in pieces(line)]
        if self.line is not None:
            for text in texts:
                self.line(text)
        elif texts:
            self.house.diary.say("\n".join(f"[{self.program.label}] {text}" for text in texts))

    def flush(self) -> None:
        """What is left is a line, too."""
        rest, self.rest = self.rest, b""
        if rest:
            self.say([rest])

    def close(self) -> None:
        """Read no more; again does no harm."""
        if self.pause is not None:
            self.pause.cancel()
        if self.fd >= 0:
            self.house.watch.remove(self.fd)
            os.close(self.fd)
            self.fd = -1
        self.flush()

    # ---- Over a change of our own program -----------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """What the penstock that takes over must know, for ``regain``; ``fd`` is to be inherited by it."""
        found = {"pid": self.pid, "fd": self.fd, "started": self.started, "rest": self.rest}
        return found | {"ended": self.ended}


def pieces(line: bytes) -> list[str]:
    """A line as text, in pieces where it is too long."""
    line = line.rstrip(b"\r")
    cut = [line[start : start + LONGEST] for start in range(0, len(line), LONGEST)] or [b""]
    return [piece.decode("utf-8", "backslashreplace") for piece in cut]


def shell_of(asked: Sequence[str]) -> str:
    """uWSGI's ``binsh``: the first that can be executed, else /bin/sh."""
    return next((path for path in asked if os.access(path, os.X_OK) and os.path.isfile(path)), SHELL)


def run(house: House, program: Program, ended: Ended, line: Line | None = None) -> Running:
    """Start ``program`` and go on; ``ended(status)`` is called when it is reaped. What it writes goes to the
    log, each line behind its label, or to ``line``.

    Raises OSError when the system gives no process. What fails after that (the folder, the user, the shell)
    is exit status 127, with a line that says what.
    """
    reading, writing = (-1, program.output) if program.output is not None else os.pipe()
    stdin = -1
    try:
        if reading >= 0:
            os.set_blocking(reading, False)
        if program.stdin is not None:
            stdin = filled("penstock-stdin", program.stdin)
        parent = os.getpid()
        pid = forked(lambda: become(program, stdin, writing, parent))
    except OSError:
        if reading >= 0:
            os.close(reading)
        raise
    finally:
        if reading >= 0:
            os.close(writing)
        if stdin >= 0:
            os.close(stdin)
    running = Running(house, program, pid, reading, (ended, line))
    house.children[pid] = running.finish
    return running


def regain(
    house: House, program: Program, state: Mapping[str, Any], ended: Ended, line: Line | None = None
) -> Running:
    """A program that was started by the penstock before us (``Running.state``). The number of one that had
    ended is nobody's any more, but it may have left others behind."""
    running = Running(house, program, state["pid"], state["fd"], (ended, line))
    running.started = state["started"]
    running.rest = state["rest"]
    running.ended = state.get("ended", False)
    if not running.ended:
        house.children[running.pid] = running.finish
    return running
