"""The logs of a supervisor where lines have to be looked at on their way, or files to be renamed: loggers,
encoders, routes, ``log-alarm``, ``log-maxsize``, ``log-reopen``.

Runs in the supervisor, on its one thread; nothing of it waits. It is loaded when settings first ask for it.
"""

from collections.abc import Callable, Mapping
from functools import partial
from time import monotonic
from typing import Any

from penstock.config.logs.lines import Rules, log_rules, plain_loggers, request_rules
from penstock.config.logs.loggers import PIPE, STDIO, Logger
from penstock.config.settings import Settings
from penstock.config.settings.logs import RULES
from penstock.core.errors import StartError
from penstock.logs.complaints import Losses
from penstock.logs.outlets import outlet
from penstock.logs.routing import Routing
from penstock.logs.sinks import Sink
from penstock.process.diaries import Lent, direct
from penstock.process.household.keeper import Keeper
from penstock.process.logs.patient import Patient
from penstock.process.logs.pipes import Piped
from penstock.process.logs.rotation import LOOK, Rotation
from penstock.process.logs.tap import ACCESS, ERRORS, REQUESTS, STDERR, STDOUT, LogTap
from penstock.process.supervisor.watch import Timer

ANEW = 60.0  # seconds between two look-ups of a host's name
SOON, TELL = 1.0, 10.0  # seconds until a warning of lines that were lost, and between two of them
NONE = Rules()
Found = Callable[[int, str], None]
Looking = tuple[Callable[[Settings], bool], Callable[[bytes], None]]


class Logs:
    """Those of one supervisor. ``looking``: who wants to see lines, with the question whether it does."""

    def __init__(self, supervisor: Keeper) -> None:
        self.supervisor = supervisor
        self.settings: Settings | None = None
        self.opened = plain_loggers(supervisor.settings)
        self.looking: list[Looking] = []
        self.tap: LogTap | None = None
        self.sinks: dict[Logger, Sink] = {}
        self.patients: dict[Logger, Patient] = {}
        self.pids: dict[Logger, int] = {}
        self.carried: dict[str, tuple[int, int]] = {}
        self.rotation: Timer | None = None
        self.telling: Timer | None = None
        self.losses = Losses()
        self.waiting: dict[str, list[bytes | int]] = {}  # what was carried over for loggers
        self.gone = 0  # lines that were lost by loggers that are no more
        self.quiet = 0.0
        supervisor.diary.led = lambda: self.dropped
        supervisor.carrying["logs"] = self
        supervisor.lineage.lent = self.lent
        supervisor.on_change.append(self.start)
        supervisor.on_reopen.append(lambda fds, leave: self.reopen())

    def start(self) -> None:
        """Go by the settings as they are now; again does no harm. Raises StartError."""
        settings, before = self.supervisor.settings, self.settings
        if settings is before:
            return
        self.settings = settings
        self.tell_what_stays(settings)
        self.rotate(settings)
        self.follow(settings)
        if before is not None and settings.log_reopen:
            self.supervisor.reopen_logs()

    def follow(self, settings: Settings) -> None:
        """Have lines go as they are to go by now; again does no harm. Raises StartError."""
        if self.tap is not None or self.through(settings):
            self.tapping().attend(self.through(settings))
            self.lead(settings)

    def tell_what_stays(self, settings: Settings) -> None:
        """A logger that was just a file is the log itself, opened at the start; it can be led elsewhere, but
        there is no other log to go back to."""
        rules = (log_rules(settings), request_rules(settings))
        for name, opened, now in zip(("logger", "req-logger"), self.opened, rules, strict=True):
            if opened is not None and not now:
                self.supervisor.diary.warning(
                    f"{name}: {opened.target} stays the log until a restart, for it was opened at the start"
                )

    def through(self, settings: Settings) -> bool:
        """Whether lines come through the supervisor."""
        wanted = any(wants(settings) for wants, _ in self.looking)
        return wanted or settings.log_master or any(self.rules(settings))

    def rules(self, settings: Settings) -> tuple[Rules, Rules]:
        """Those of the log and of requests that are not just the file that is open already."""
        if not settings.any_of(RULES):
            return NONE, NONE
        both = zip((log_rules(settings), request_rules(settings)), self.opened, strict=True)
        first, second = (
            NONE if rules.plain is not None and rules.plain == opened else rules for rules, opened in both
        )
        return first, second

    def lent(self, settings: Settings) -> Lent:
        """What the processes of a generation write to: ours, or pipes that we read. Raises OSError."""
        if not self.through(settings):
            return direct(self.supervisor.diary)
        log, requests = self.rules(settings)
        return self.tapping().lend(apart=bool(requests), gathered=bool(log))

    def tapping(self, data: Mapping[str, Any] | None = None) -> LogTap:
        """The pipes; they stay, once there are some. Raises OSError."""
        if self.tap is None:
            supervisor = self.supervisor
            self.tap = LogTap(supervisor.watch, supervisor.diary, self.look, data)
            self.telling = supervisor.watch.every(SOON, self.look_for_losses)
        return self.tap

    def look(self, data: bytes) -> None:
        """Whole lines of anybody's."""
        for _, look in self.looking:
            look(data)

    def pass_on(self, text: str) -> None:
        """A line of the supervisor's own that nobody looks at."""
        if self.tap is not None:
            self.tap.pass_on(text)
        else:
            self.supervisor.diary.error_sink.pass_on(text)

    # ---- Loggers --------------------------------------------------------------------------------------

    def lead(self, settings: Settings) -> None:
        """Have lines go where they are to. Raises StartError."""
        tap = self.tapping()
        log, requests = self.rules(settings)
        wanted = [logger for logger in (*log.loggers, *requests.loggers) if logger.kind != STDIO]
        for logger in dict.fromkeys(wanted):
            if logger not in self.sinks:
                self.open(logger, settings)
        ways = dict[str, Routing]()
        if log:
            way = Routing(log, self.sinks, tap.sink(ERRORS))
            ways |= {ERRORS: way, STDERR: way, STDOUT: way}
            if tap.streams.get(ACCESS) is tap.streams[ERRORS]:
                ways[ACCESS] = way
        if requests:
            ways[REQUESTS] = Routing(requests, self.sinks, tap.sink(REQUESTS))
        tap.ways = {name: way.take for name, way in ways.items()}
        for logger in self.sinks.keys() - wanted:
            self.leave(logger)

    def open(self, logger: Logger, settings: Settings) -> None:
        """Have one. Raises StartError at the start; later its lines go where all go that have none."""
        try:
            sink = self.opening(logger, settings)
        except StartError as error:
            if self.supervisor.current is None:
                raise
            self.say(f"logger {logger.name}: {error}")
            return
        self.sinks[logger] = sink
        self.patients[logger] = patient = Patient(self.supervisor.watch, sink)
        waiting = self.waiting.pop(repr(logger), [])
        if waiting:
            sink.begin_with(waiting)
            patient.stalled()

    def opening(self, logger: Logger, settings: Settings) -> Sink:
        """The sink of one. Raises StartError."""
        if logger.kind == PIPE:
            fd, pid = self.carried.pop(logger.name, (-1, 0))
            if pid:
                self.pids[logger] = pid
                self.supervisor.children[pid] = partial(self.ended, logger)
            return Piped(partial(self.run, logger), fd)
        look_up = None if self.supervisor.current is None else partial(self.look_up, logger)
        return outlet(logger, settings.rsyslog_packet_size, settings.rsyslog_split_messages, look_up)

    def look_up(self, logger: Logger, found: Found, host: str, port: int) -> None:
        """Of a host's name, while we serve. Where there is no answer it is tried again."""
        from penstock.process.logs.lookup import look_up

        def heard(family: int, text: str) -> None:
            if family:
                found(family, text)
            elif logger in self.sinks:
                self.say(f"logger {logger.name}: the address of {host} is not known: {text}")
                self.supervisor.watch.later(ANEW, lambda: look_up(self.supervisor, heard, host, port))

        look_up(self.supervisor, heard, host, port)

    def leave(self, logger: Logger) -> None:
        """It is not wanted any more."""
        self.patients.pop(logger).end(0.0)
        sink = self.sinks.pop(logger)
        sink.close()
        sink.abandon()
        self.gone += sink.dropped

    def run(self, logger: Logger, fd: int) -> None:
        """Start the program of one. It comes to its end by that of its input, also after ours. Raises
        OSError."""
        from penstock.process.programs.programs import Program, run, shell_of

        supervisor = self.supervisor
        program = Program(
            command=logger.target,
            label=logger.name,
            environ=supervisor.environ(),
            shell=shell_of(supervisor.settings.binsh),
            fds={0: fd},
            dies_with_us=False,
            output=supervisor.diary.error_sink.fd,
        )
        running = run(supervisor, program, partial(self.ended, logger), None)
        self.pids[logger] = running.pid
        supervisor.elders.add(running.pid)  # a sweep at the end spares it: the last lines are its to write

    def ended(self, logger: Logger, status: int) -> None:
        """A program has ended; the next line starts it again."""
        self.supervisor.elders.discard(self.pids.pop(logger, 0))
        self.say(f"logger {logger.name}: its program has ended with status {status}")

    def say(self, text: str) -> None:
        """Past all loggers."""
        self.supervisor.diary.error_sink.put(f"penstock warning: {text}\n".encode())

    def look_for_losses(self) -> None:
        """Every second."""
        if monotonic() >= self.quiet and self.tell_losses():
            self.quiet = monotonic() + TELL

    def tell_losses(self) -> bool:
        """Say where lines of loggers are lost, while they are, or wait; whether there was anything."""
        texts = self.losses.news((logger.name, sink) for logger, sink in self.sinks.items())
        for text in texts:
            self.say(text)
        return bool(texts)

    @property
    def dropped(self) -> int:
        """How many lines were lost here, and on the way of what is printed."""
        printed = () if self.tap is None else self.tap.sinks.values()
        lost: int = sum(sink.dropped for sink in (*self.sinks.values(), *printed))
        return self.gone + lost

    # ---- Files ----------------------------------------------------------------------------------------

    def rotate(self, settings: Settings) -> None:
        """``log-maxsize``."""
        if self.rotation is not None:
            self.rotation.cancel()
            self.rotation = None
        rotation = Rotation(settings, self.supervisor.diary, self.supervisor.reopen_logs)
        if rotation.wanted:
            self.rotation = self.supervisor.watch.every(LOOK, rotation.look)

    def reopen(self) -> None:
        """The logs were rotated; those of loggers, too."""
        for sink in self.sinks.values():
            sink.reopen()

    # ---- Its end, or another program ------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """For the penstock that takes over; processes write on into the same pipes."""
        if self.tap is None:
            return {}
        state = self.tap.state()
        pipes = {
            logger.name: (sink.fd, self.pids.get(logger, 0))
            for logger, sink in self.sinks.items()
            if logger.kind == PIPE and sink.fd >= 0
        }
        return {
            **state,
            "pipes": pipes,
            "waiting": {repr(logger): list(sink.waiting) for logger, sink in self.sinks.items()},
            "lost": self.supervisor.diary.lost,
            "fds": [*state["fds"], *(fd for fd, _ in pipes.values())],
        }

    def resume(self, data: dict[str, Any]) -> None:
        """What ``state`` gave."""
        self.carried = dict(data.get("pipes", {}))
        self.waiting = dict(data.get("waiting", {}))
        self.gone = data.get("lost", 0)
        if data.get("streams"):
            self.tapping(data)

    def end(self) -> None:
        """After the last process: what is still in the pipes goes to the log."""
        tap, self.tap = self.tap, None
        if tap is not None:
            tap.end()
        for logger, sink in self.sinks.items():
            self.patients.pop(logger).end()
            sink.close()
            sink.abandon()
        self.tell_losses()
        self.sinks.clear()
        for timer in (self.rotation, self.telling):
            if timer is not None:
                timer.cancel()


def logs_of(supervisor: Keeper) -> Logs:
    """Those of a supervisor, made when somebody first asks for them."""
    found = supervisor.carrying.get("logs")
    return found if isinstance(found, Logs) else Logs(supervisor)
