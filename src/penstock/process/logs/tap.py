"""The logs of all processes, by pipes through the supervisor, where an option wants to see every line.

Runs in the supervisor, on its one thread, and only where an option asks for it. Lines go on whole and in
their order; whoever writes does not wait for whoever reads the log, and the supervisor waits for nobody. It
does not know what is done with a line.
"""

import fcntl
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from penstock.logs.setup import Diary
from penstock.logs.sinks import Sink
from penstock.process.diaries import Lent
from penstock.process.logs.patient import Patient
from penstock.process.supervisor.watch import Timer, Watch

SET_SIZE = 1031  # F_SETPIPE_SZ (fcntl(2))
SIZE = 1 << 20  # bytes that processes may write before somebody has read them
BLOCK = 1 << 16
TURN = 4  # blocks of one pipe that are read before the supervisor looks at anything else
LONGEST = 1 << 16  # bytes of a line that is not whole yet
HOLD = 0.5  # seconds that a line may take to become whole
ERRORS, ACCESS, STDERR, STDOUT, REQUESTS = "errors", "access", "stderr", "stdout", "requests"

Look = Callable[[bytes], None]
Way = Callable[[bytes], object]


class Stream:
    """One pipe, and ``way`` that its lines go. ``writing`` is what programs print to; ``quick`` the same
    pipe for those that rather lose a line than wait for a supervisor that does not read.

    ``fds``: reading, writing and quick ends that there are already. ``printed``: whoever writes may leave a
    line without its end, and it is shown. Whoever writes of requests does not: half a line has no room yet.
    """

    def __init__(
        self, watch: Watch, way: Way, look: Look, fds: tuple[int, int, int] | None, printed: bool = True
    ) -> None:
        self.watch = watch
        self.way = way
        self.look = look
        self.reading, self.writing, self.quick = fds or opened()
        self.printed = printed
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
            self.way(whole)
            shown, self.shown = self.shown, b""
            self.look(shown + whole)
        else:
            self.rest += data
        if len(self.rest) >= LONGEST:
            self.release()
        elif self.rest and self.printed and self.timer is None:
            self.timer = self.watch.later(HOLD, self.release)

    def release(self) -> None:
        """Its end takes too long (a prompt, a row of dots): it is shown as it is."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        rest, self.rest = self.rest, b""
        if rest:
            self.way(rest)
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
    error go to, and one for lines of requests that go a way of their own. ``look`` is given whole lines of
    all of them.

    ``data``: what the penstock before us had (``state``). ``ways`` by name lead elsewhere than to the
    stream's own sink.
    """

    def __init__(self, watch: Watch, diary: Diary, look: Look, data: Mapping[str, Any] | None = None) -> None:
        self.diary = diary
        self.look = look
        self.watch = watch
        self.streams: dict[str, Stream] = {}
        self.ways: dict[str, Way] = {}
        self.patients: dict[int, Patient] = {}
        self.sinks = {STDERR: Sink(2), STDOUT: Sink(1)}
        for name, sink in self.leading().items() if data is None else ():
            like = next((other for other in self.streams if same(self.sink(other).fd, sink.fd)), None)
            self.streams[name] = self.streams[like] if like is not None else self.stream(name, None)
        for names, fds, shown, rest, waiting in data["streams"] if data is not None else ():
            stream = self.stream(names[0], tuple(fds))
            self.sink(names[0]).put(waiting)
            stream.shown = shown
            stream.feed(rest)
            for name in names:
                self.streams[name] = stream

    def stream(self, name: str, fds: Any) -> Stream:
        """One that leads to where the supervisor itself writes by that name, unless it has another way."""
        return Stream(self.watch, partial(self.lead, name), self.look, fds, name not in (ACCESS, REQUESTS))

    def lead(self, name: str, data: bytes) -> None:
        """Lines of one stream go on."""
        self.ways.get(name, self.sink(name).put)(data)

    def leading(self) -> dict[str, Sink]:
        """Where streams lead to by themselves."""
        access = {} if self.diary.access_sink is None else {ACCESS: self.diary.access_sink}
        return {ERRORS: self.diary.error_sink, **access, **self.sinks}

    def sink(self, name: str) -> Sink:
        """The sink of one, which is called again where it has to wait."""
        sink = self.diary.error_sink
        if name in (ACCESS, REQUESTS):
            sink = self.diary.access_sink or sink
        sink = self.sinks.get(name, sink)
        self.attended(sink)
        return sink

    def attended(self, sink: Sink) -> None:
        """Have what waits there tried again."""
        if id(sink) not in self.patients:
            self.patients[id(sink)] = Patient(self.watch, sink, self.diary.complain)

    def lend(self, apart: bool = False, gathered: bool = False) -> Lent:
        """What processes are given to write to, to begin with and when the logs have moved. By no path: they
        open nothing anew. ``apart``: lines of requests go their own way; ``gathered``: what is printed goes
        the way of the log, and an access log of its own does not, even if it is the same terminal."""
        for name in self.streams:
            with suppress(OSError):  # a terminal that is left must not stay open with us
                self.sink(name).look()
        errors, access = self.streams[ERRORS], self.streams.get(ACCESS)
        own = gathered and self.diary.access_sink is not self.diary.error_sink
        if (apart or own) and access is not None:
            access = self.streams[REQUESTS] = self.streams.get(REQUESTS) or self.stream(REQUESTS, None)
        output = (errors, errors) if gathered else (self.streams[STDOUT], self.streams[STDERR])
        return Lent(
            errors=(errors.quick, ""),
            access=(access.quick, "") if access is not None else None,
            output=tuple(stream.writing for stream in output),
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
        self.look(self.pass_on(text))
        return True

    def pass_on(self, text: str) -> bytes:
        """The same, and nobody looks at it."""
        data = text.encode("utf-8", "backslashreplace")
        self.lead(ERRORS, data)
        return data

    # ---- Its end, or another program ------------------------------------------------------------------

    @property
    def all(self) -> list[Stream]:
        """Each stream once."""
        return list(dict.fromkeys(self.streams.values()))

    def state(self) -> dict[str, Any]:
        """Plain data for the penstock that takes over; "fds" are to be inherited by it."""
        streams, seen = [], set[int]()
        for stream in self.all:
            names = [name for name, other in self.streams.items() if other is stream]
            sink = self.sink(names[0])
            waiting = b"" if id(sink) in seen else sink.pending
            seen.add(id(sink))
            streams.append((names, stream.fds, stream.shown, stream.rest, waiting))
        return {"streams": streams, "fds": [fd for stream in self.all for fd in stream.fds]}

    def end(self) -> None:
        """After the last process that writes."""
        self.attend(False)
        for stream in self.all:
            stream.end()
        for patient in self.patients.values():
            patient.end()
        for sink in self.sinks.values():
            sink.let_go()


def same(one: int, other: int) -> bool:
    """Whether two descriptors are of one file."""
    try:
        return os.path.samestat(os.fstat(one), os.fstat(other))
    except OSError:
        return False
