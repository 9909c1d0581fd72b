"""The logs of all processes, by pipes through the supervisor: ``log-alarm`` wants to see every line.

Runs in the supervisor, on its one thread, and only where an option asks for it. Lines go on whole and in
their order; whoever writes does not wait for whoever reads the log, and the supervisor waits for nobody.
"""

import fcntl
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from penstock.logs.setup import Diary
from penstock.process.alarms.outlet import Outlet
from penstock.process.boot import Lent
from penstock.process.supervisor.watch import Timer, Watch

SET_SIZE = 1031  # F_SETPIPE_SZ (fcntl(2))
SIZE = 1 << 20  # bytes that processes may write before somebody has read them
BLOCK = 1 << 16
TURN = 4  # blocks of one pipe that are read before the supervisor looks at anything else
LONGEST = 1 << 16  # bytes of a line that is not whole yet
HOLD = 0.5  # seconds that a line may take to become whole
LAST = 1.0  # seconds at the end in which the log may take what waits
ERRORS, ACCESS, STDERR, STDOUT = "errors", "access", "stderr", "stdout"

Look = Callable[[bytes], None]


class Stream:
    """One pipe and where it leads. ``writing`` is what programs print to; ``quick`` the same pipe for those
    that rather lose a line than wait for a supervisor that does not read.

    ``fds``: reading, writing and quick ends that there are already.
    """

    def __init__(self, watch: Watch, outlet: Outlet, look: Look, fds: tuple[int, int, int] | None) -> None:
        self.watch = watch
        self.outlet = outlet
        self.look = look
        self.reading, self.writing, self.quick = fds or opened()
        self.rest = b""
        self.shown = b""
        self.timer: Timer | None = None
        self.busy = False
        watch.add(self.reading, self.read)

    @property
    def fds(self) -> tuple[int, int, int]:
        """Its descriptors."""
        return self.reading, self.writing, self.quick

    def read(self) -> None:
        """There may be something. What follows from a line may be a line again: only the first one reads."""
        if self.busy:
            return
        self.busy = True
        try:
            for _ in range(TURN):
                self.feed(os.read(self.reading, BLOCK))
        except BlockingIOError:
            pass
        finally:
            self.busy = False

    def feed(self, data: bytes) -> None:
        """Whole lines go on; what begins one waits for its end."""
        end = data.rfind(b"\n") + 1
        if end:
            whole, self.rest = self.rest + data[:end], data[end:]
            self.outlet.write(whole)
            shown, self.shown = self.shown, b""
            self.look(shown + whole)
        else:
            self.rest += data
        if len(self.rest) >= LONGEST:
            self.release()
        elif self.rest and self.timer is None:
            self.timer = self.watch.later(HOLD, self.release)

    def release(self) -> None:
        """Its end takes too long (a prompt, a row of dots): it is shown as it is."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        rest, self.rest = self.rest, b""
        self.outlet.write(rest)
        self.shown = (self.shown + rest)[:LONGEST]

    def end(self) -> None:
        """Nobody writes any more: what is in the pipe is read."""
        self.watch.remove(self.reading)
        with suppress(OSError):
            while data := os.read(self.reading, BLOCK):
                self.feed(data)
        self.release()
        if self.shown:
            self.look(self.shown)
        self.outlet.end(LAST)
        for fd in {*self.fds}:
            os.close(fd)


def opened() -> tuple[int, int, int]:
    """A pipe: its end to read, which never waits, its end to write, and another one that never waits (the
    same again where the system has no way to it). Raises OSError."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with suppress(OSError):  # the user's pipes are large enough in sum
        fcntl.fcntl(writing, SET_SIZE, SIZE)
    try:
        quick = os.open(f"/proc/self/fd/{writing}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        quick = writing
    return reading, writing, quick


class LogTap:
    """The streams of a supervisor: one for each file that its logs, its standard output and its standard
    error go to. ``look`` is given whole lines of all of them.

    ``data``: what the penstock before us had (``state``).
    """

    def __init__(self, watch: Watch, diary: Diary, look: Look, data: Mapping[str, Any] | None = None) -> None:
        self.diary = diary
        self.look = look
        self.watch = watch
        self.streams: dict[str, Stream] = {}
        for name, number in self.numbers().items() if data is None else ():
            like = next((other for other in self.streams if same(self.numbers()[other], number)), None)
            self.streams[name] = self.streams[like] if like is not None else self.stream(name, None)
        for names, fds, shown, rest, waiting in data["streams"] if data is not None else ():
            stream = self.stream(names[0], tuple(fds))
            stream.outlet.write(waiting)
            stream.shown = shown
            stream.feed(rest)
            for name in names:
                self.streams[name] = stream

    def stream(self, name: str, fds: Any) -> Stream:
        """One that leads to where the supervisor itself writes by that name, whatever it becomes."""
        outlet = Outlet(self.watch, lambda: self.numbers()[name])
        return Stream(self.watch, outlet, self.look, fds)

    def numbers(self) -> dict[str, int]:
        """Where they lead to now."""
        found = {ERRORS: self.diary.error_sink.fd}
        if self.diary.access_sink is not None:
            found[ACCESS] = self.diary.access_sink.fd
        return {**found, STDERR: 2, STDOUT: 1}

    def lend(self) -> Lent:
        """What processes are given to write to, to begin with and when the logs have moved. By no path: they
        open nothing anew."""
        for stream in self.all:
            with suppress(OSError):  # a terminal that is left must not stay open with us
                stream.outlet.look()
        errors, access = self.streams[ERRORS], self.streams.get(ACCESS)
        return Lent(
            errors=(errors.quick, ""),
            access=(access.quick, "") if access is not None else None,
            output=(self.streams[STDOUT].writing, self.streams[STDERR].writing),
            anew=tuple(dict.fromkeys(one.writing for one in (errors, access or errors))),
        )

    # ---- What the supervisor itself says --------------------------------------------------------------

    def attend(self, on: bool) -> None:
        """See the supervisor's own lines too, or not. It writes no access log."""
        self.diary.error_sink.aside = self.write if on else None

    def write(self, text: str) -> bool:
        """Lines of the supervisor's own, behind those that are in the pipe: the last words of a worker come
        before its death."""
        self.streams[ERRORS].read()
        data = self.pass_on(text)
        self.look(data)
        return True

    def pass_on(self, text: str) -> bytes:
        """The same, and nobody looks at it."""
        data = text.encode("utf-8", "backslashreplace")
        self.streams[ERRORS].outlet.write(data)
        return data

    # ---- Its end, or another program ------------------------------------------------------------------

    @property
    def all(self) -> list[Stream]:
        """Each stream once."""
        return list(dict.fromkeys(self.streams.values()))

    def state(self) -> dict[str, Any]:
        """Plain data for the penstock that takes over; "fds" are to be inherited by it."""
        streams = []
        for stream in self.all:
            names = [name for name, other in self.streams.items() if other is stream]
            waiting = b"".join(stream.outlet.waiting)
            streams.append((names, stream.fds, stream.shown, stream.rest, waiting))
        return {"streams": streams, "fds": [fd for stream in self.all for fd in stream.fds]}

    def end(self) -> None:
        """After the last process that writes."""
        self.attend(False)
        for stream in self.all:
            stream.end()


def same(one: int, other: int) -> bool:
    """Whether two descriptors are of one file."""
    try:
        return os.path.samestat(os.fstat(one), os.fstat(other))
    except OSError:
        return False
