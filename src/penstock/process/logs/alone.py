"""Loggers, encoders and routes of a server that is one process.

Lines are looked at by the thread that writes them; what waits is tried again on the loop, every quarter
second. It knows the logs and no supervisor. What is printed past the log, nobody sees.
"""

import os
import signal
from collections.abc import Callable
from functools import partial
from time import monotonic

from penstock.config.logs.lines import Rules, log_rules, request_rules
from penstock.config.logs.loggers import PIPE, STDIO, Logger
from penstock.config.settings import Settings
from penstock.config.sources.env import environment
from penstock.logs.complaints import Losses
from penstock.logs.outlets import outlet
from penstock.logs.routing import Routing
from penstock.logs.setup import Diary
from penstock.logs.sinks import Sink
from penstock.process.logs.pipes import Piped
from penstock.process.logs.rotation import LOOK, Rotation
from penstock.process.programs.programs import shell_of

TELL = 10.0  # seconds between two warnings of lines that were lost


class LogsAlone:
    """Those of one process; ``rotated`` is called when a file is another one by now. Raises StartError."""

    def __init__(self, settings: Settings, diary: Diary, rotated: Callable[[], None]) -> None:
        self.settings = settings
        self.diary = diary
        self.sinks: dict[Logger, Sink] = {}
        self.pids: list[int] = []
        self.looked = self.spoke = 0.0
        self.losses = Losses()
        self.rotation = Rotation(settings, diary, rotated)
        diary.led = lambda: sum(sink.dropped for sink in self.sinks.values())
        errors, access = diary.error_sink, diary.access_sink
        requests = request_rules(settings)
        if requests and requests.plain is None and access is not None:
            if access is errors:  # the same file, on a way of its own
                access = diary.access_sink = Sink(errors.fd)
            self.lead(access, requests)
        log = log_rules(settings)
        if log and log.plain is None:
            self.lead(errors, log)

    def lead(self, sink: Sink, rules: Rules) -> None:
        """Have its lines go as the rules say."""
        for logger in rules.loggers:
            if logger.kind != STDIO and logger not in self.sinks:
                self.sinks[logger] = self.opened(logger)
        routing = Routing(rules, self.sinks, sink)

        def onward(data: bytes) -> bool:
            routing.take(data)
            return True

        sink.onward = onward

    def opened(self, logger: Logger) -> Sink:
        """The sink of one. Raises StartError."""
        if logger.kind == PIPE:
            return Piped(partial(self.run, logger.target))
        return outlet(logger, self.settings.rsyslog_packet_size, self.settings.rsyslog_split_messages)

    def run(self, command: str, fd: int) -> None:
        """Start a program that reads from ``fd``; it comes to its end by that of its input. Raises
        OSError."""
        shell, log = shell_of(self.settings.binsh), self.diary.error_sink.fd
        pid = os.posix_spawn(
            shell,
            [shell, "-c", command],
            environment(self.settings.env_pairs),
            file_actions=[(os.POSIX_SPAWN_DUP2, here, there) for there, here in enumerate((fd, log, log))],
            setsid=True,
            setsigdef=(signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT),
            setsigmask=(),
        )
        self.pids.append(pid)

    def tick(self, now: float) -> None:
        """Every quarter second, on the loop."""
        for sink in self.sinks.values():
            sink.retry()
        self.pids = [pid for pid in self.pids if not reaped(pid)]
        if now - self.looked >= LOOK:
            self.looked = now
            self.rotation.look()
        if now - self.spoke >= TELL:
            self.spoke = now
            self.tell_losses()

    def tell_losses(self) -> None:
        """Say where lines of loggers are lost, while they are."""
        for text in self.losses.news((logger.name, sink) for logger, sink in self.sinks.items()):
            self.diary.error_sink.put(f"penstock warning: {text}\n".encode())

    def reopen(self) -> None:
        """The logs were rotated; those of loggers, too."""
        for sink in self.sinks.values():
            sink.reopen()

    def end(self) -> None:
        """After the last line: programs come to the end of their input."""
        until = monotonic() + 1.0
        for sink in (self.diary.error_sink, self.diary.access_sink):
            if sink is not None:
                sink.onward = None
        for sink in self.sinks.values():
            sink.end(max(0.0, until - monotonic()))
            sink.close()
            sink.abandon()
        self.tell_losses()


def reaped(pid: int) -> bool:
    """Whether a program is gone."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:  # the application reaps whatever ends
        return True
