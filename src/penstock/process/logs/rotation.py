"""Log files that are renamed when they are large: ``log-maxsize``, and ``maxsize`` of a logger that all lines
go to.

Runs in the supervisor or in a process that is alone, once a second. It knows the files and not who writes
into them.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from penstock.config.logs.lines import plain_loggers
from penstock.config.logs.loggers import Logger
from penstock.config.settings import Settings
from penstock.logs.outlets import RETRY, rotate
from penstock.logs.setup import Diary
from penstock.logs.sinks import Sink

LOOK = 1.0  # seconds between two looks, as uWSGI's master


class Rotation:
    """That of one server's logs; ``rotated`` is called when a file is another one by now."""

    def __init__(self, settings: Settings, diary: Diary, rotated: Callable[[], None]) -> None:
        self.diary = diary
        self.rotated = rotated
        self.again = 0.0
        usual = Logger(kind="", size=settings.log_maxsize, backup=settings.log_backupname)
        plain = plain_loggers(settings)
        self.limits = tuple(one or usual for one in plain)

    @property
    def wanted(self) -> bool:
        """Whether there is any limit."""
        return any(limit.size for limit in self.limits)

    def look(self) -> None:
        """Rename those that are too large."""
        now = monotonic()
        if now < self.again:
            return
        done = [self.look_at(sink, limit) for sink, limit in zip(self.sinks(), self.limits, strict=False)]
        if False in done:
            self.again = now + RETRY
        if True in done:
            self.rotated()

    def sinks(self) -> list[Sink]:
        """Of the log, and of requests where they have another."""
        errors, access = self.diary.error_sink, self.diary.access_sink
        return [errors] if access is None or access.fd == errors.fd else [errors, access]

    def look_at(self, sink: Sink, limit: Logger) -> bool | None:
        """Whether it is renamed; None where it is to stay."""
        if not sink.path or not limit.size:
            return None
        with suppress(OSError):
            size = os.fstat(sink.fd).st_size
            if size > limit.size:
                return rotate(sink, size, limit.backup)
        return None
