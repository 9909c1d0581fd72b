"""The emperor of a server that also serves for itself: a process that its supervisor starts and looks after.

Runs in the supervisor; what the process does is ``emperor``'s affair.
"""

import marshal
import os
import signal
import sys
from contextlib import suppress
from time import monotonic
from typing import Any

from penstock.config.option import settings_of
from penstock.config.settings import Settings
from penstock.config.settings.emperor import EmperorOptions, VassalOptions
from penstock.interprocess.inmemory import filled
from penstock.process.boot import FORMAT
from penstock.process.supervisor.generation import QUIET, interpreter_flags, lending, program
from penstock.process.supervisor.reaper import how
from penstock.process.supervisor.supervisor import Supervisor
from penstock.process.supervisor.watch import Timer

PAUSE, LONGEST = 1.0, 60.0  # seconds until one that died is followed by another, at first and at most
LOOK = 0.25  # seconds between two looks at whether the end has become urgent
OTHERS = ("reload_mercy", "binsh", "env")
"""Fields of other groups that an emperor goes by."""


class Throne:
    """Of one supervisor. ``pid`` is the emperor's, 0 without one; ``given`` the settings that it has."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self.pid = 0
        self.given: Settings | None = None
        self.pause = PAUSE
        self.began = 0.0
        self.retry: Timer | None = None
        self.urged = False
        supervisor.carrying["emperor"] = self
        supervisor.scan = self.scan
        supervisor.on_reopen.append(self.reopen)

    def start(self) -> None:
        """One emperor, where the settings ask for one."""
        supervisor = self.supervisor
        supervisor.on_change.append(self.renew)
        supervisor.on_stop.append(self.end)
        supervisor.unfinished.append(lambda: self.pid != 0)
        if supervisor.settings.early_emperor and supervisor.settings.emperor:
            supervisor.diary.warning(
                "early-emperor: beside a server the emperor has that server's rights; one that is to keep "
                "those of the start is started alone"
            )
        self.enthrone()

    def state(self) -> dict[str, Any]:
        """For another penstock that takes over: the emperor and its vassals live on."""
        return {"pid": self.pid}

    def resume(self, data: dict[str, Any]) -> None:
        """In that one."""
        if data["pid"]:
            self.pid = data["pid"]
            self.given = self.supervisor.settings
            self.supervisor.children[self.pid] = self.dead

    # ---- One after the other ------------------------------------------------------------------------

    def enthrone(self) -> None:
        """Start an emperor, where there is none and one is asked for."""
        supervisor = self.supervisor
        self.retry = None
        if self.pid or not supervisor.settings.emperor or supervisor.ending is not None:
            return
        self.given = supervisor.settings
        self.began = monotonic()
        try:
            self.pid = self.spawn(self.given)
        except OSError as error:
            supervisor.diary.error(f"no emperor could be started: {error.strerror}")
            self.again()
            return
        supervisor.children[self.pid] = self.dead
        supervisor.diary.info(f"the emperor is process {self.pid}")

    def spawn(self, settings: Settings) -> int:
        """The process. Raises OSError."""
        supervisor = self.supervisor
        sink = supervisor.diary.error_sink
        told = {
            "settings": settings.as_data(),
            "folder": supervisor.lineage.launch.folder,
            "supervisor": os.getpid(),
            "errors": (sink.fd, sink.path),
        }
        fd = filled("penstock-emperor", marshal.dumps(told, FORMAT))
        try:
            words = [sys.executable, *interpreter_flags(), *program("penstock.process.emperor"), str(fd)]
            environ = supervisor.environ()
            return lending(
                [fd, sink.fd], lambda: os.posix_spawn(sys.executable, words, environ, setsigmask=QUIET)
            )
        finally:
            os.close(fd)

    def dead(self, status: int) -> None:
        """It was reaped; its vassals have died with it."""
        supervisor = self.supervisor
        self.pid = 0
        if supervisor.ending is not None:
            supervisor.look_whether_done()
        elif status == 0 and self.given is not None and differ(self.given, supervisor.settings):
            self.enthrone()
        else:
            supervisor.diary.error(f"the emperor has ended: {how(status)}")
            if monotonic() - self.began > LONGEST:
                self.pause = PAUSE
            self.again()

    def again(self) -> None:
        """The next one, after a pause."""
        self.retry = self.supervisor.watch.later(self.pause, self.enthrone)
        self.pause = min(LONGEST, self.pause * 2)

    def renew(self) -> None:
        """Another generation serves. Where it says something else of vassals, another emperor follows; else
        this one stays: uWSGI ends every vassal whenever the server beside them is reloaded."""
        if self.given is None or differ(self.given, self.supervisor.settings):
            if self.pid:
                self.signal(signal.SIGTERM)
            elif self.retry is None:
                self.enthrone()

    # ---- Commands -----------------------------------------------------------------------------------

    def scan(self) -> bool:
        """Have it look for vassals now; False without one."""
        self.signal(signal.SIGWINCH)
        return self.pid != 0

    def reopen(self, fds: tuple[int, ...], leave: str) -> None:
        """The logs were opened anew: it opens its own, and tells its vassals."""
        self.signal(signal.SIGUSR1)

    def signal(self, number: int) -> None:
        """It is our child and not reaped, so the number is its own."""
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def end(self) -> None:
        """The server stops, and so do all vassals."""
        if self.retry is not None:
            self.retry.cancel()
        if self.pid:
            self.signal(signal.SIGTERM)
            self.supervisor.watch.every(LOOK, self.urge)

    def urge(self) -> None:
        """The end has become urgent."""
        ending = self.supervisor.ending
        if ending is not None and ending.now and not self.urged:
            self.urged = True
            self.signal(signal.SIGTERM)


def differ(given: Settings, now: Settings) -> bool:
    """Whether two settings say different things of vassals."""
    names = (*settings_of(EmperorOptions), *settings_of(VassalOptions))
    return any(getattr(given, name) != getattr(now, name) for name in (*names, *OTHERS))
