"""One program that outlives the server: it is known by its pidfile, and started when that names nobody.

Runs in the supervisor, which looks at the pidfile once a second, as uWSGI's master does: a pidfile on a file
system that hangs makes it hang. The program is neither ended nor waited for.
"""

import os
import stat
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from time import monotonic
from typing import Any

from penstock.config.household.daemons import Daemon
from penstock.core.errors import StartError
from penstock.process.household.attached import Make, Pace, known, label_of, number_of
from penstock.process.programs.kin import process
from penstock.process.programs.programs import House, Running, regain, run
from penstock.process.supervisor.reaper import how
from penstock.process.supervisor.watch import Timer

LONGEST = 64  # bytes of a pidfile that count


class Smart:
    """``ours()`` are numbers that a pidfile cannot mean: in a container a server that starts anew often gets
    the number that its program had before, and waits for itself."""

    def __init__(self, house: House, daemon: Daemon, make: Make, ours: Callable[[], Collection[int]]) -> None:
        self.house = house
        self.daemon = daemon
        self.make = make
        self.ours = ours
        self.path = os.path.abspath(daemon.pidfile)
        self.pace = Pace(daemon.max_throttle)
        self.running: Running | None = None
        self.timer: Timer | None = None
        self.pid = 0
        self.steady = False
        self.looks = 0
        self.starts = 0
        self.launched = 0.0
        self.closed = False

    busy = False

    @property
    def pids(self) -> set[int]:
        """Who stays when the server ends."""
        own = {self.running.pid} if self.running is not None else set()
        # It may have come up since the last look, or be long gone where nobody looks any more.
        found = (process(pid) for pid in {self.pid, self.found()} - {0})
        return own | {one.pid for one in found if one is not None and not one.dead}

    def start(self) -> None:
        """See whether it runs; else run it."""
        self.timer = None
        if self.closed:
            return
        self.pid = self.found()
        if self.pid:
            self.steady = True
            self.house.diary.info(f"{label_of(self.daemon)} runs already (pid {self.pid}, {self.path})")
        else:
            self.launch()

    def launch(self) -> None:
        """Run it."""
        self.timer = None
        self.steady = False
        self.looks = 0
        self.pid = 0
        self.launched = monotonic()
        try:
            self.running = run(self.house, self.make(self.daemon), self.ended)
        except (OSError, StartError) as error:
            self.house.diary.error(f"{label_of(self.daemon)} could not be started: {error}")
            return
        self.starts += 1
        if self.daemon.daemonize:
            self.pid = self.running.pid
        verb = "is started" if self.starts == 1 else "is started again"
        self.house.diary.info(f"{self.running.program.label} {verb} (pid {self.running.pid})")

    def ended(self, status: int) -> None:
        """What we started is gone: to the background, if it is to go there."""
        running, self.running = self.running, None
        if running is None or self.closed:
            return
        if status != 0 or self.daemon.daemonize:
            self.house.diary.warning(f"{running.program.label} (pid {running.pid}) has ended: {how(status)}")
        if self.daemon.daemonize:
            self.lost()

    # ---- The pidfile --------------------------------------------------------------------------------

    def tick(self) -> None:
        """Once a second."""
        if self.timer is not None or self.closed:
            return
        pid = self.found()
        if pid and pid != self.pid:
            self.house.diary.info(f"{label_of(self.daemon)} is pid {pid} now ({self.path})")
            self.pid = pid
        elif pid:
            self.steady = True
        elif self.steady:
            self.house.diary.warning(f"{label_of(self.daemon)} (pid {self.pid}) is gone")
            self.lost()
        else:
            self.missing()

    def missing(self) -> None:
        """It was started, and has not come up yet."""
        self.looks += 1
        self.pid = 0
        if self.looks < self.daemon.freq:
            return
        if self.running is not None:
            self.looks = 0
            text = f"there is no pid in {self.path} yet, and the command (pid {self.running.pid}) still runs"
            self.house.diary.warning(f"{label_of(self.daemon)}: {text}: it did not go to the background")
        else:
            self.launch()

    def lost(self) -> None:
        """It ran, and is gone."""
        self.steady = False
        self.pid = 0
        pause = self.pace.after(monotonic() - self.launched)
        if pause and self.timer is None:
            self.house.diary.warning(f"{label_of(self.daemon)} is started again in {pause} s")
            self.timer = self.house.watch.later(pause, self.start)  # somebody else may have, by then
        elif self.timer is None:
            self.launch()

    def found(self) -> int:
        """Whom the pidfile means, 0 for nobody who lives."""
        pid = read_pid(self.path)
        return pid if pid > 1 and pid not in self.ours() and lives(pid) else 0

    def touched(self) -> None:
        """A file that it depends on has changed: it is ended, and missed at the next look."""
        self.signal(number_of(self.daemon.stop_signal))

    def signal(self, number: int) -> None:
        """To its group, where it leads one, else to it alone; to nobody whom the pidfile may not name."""
        with suppress(ProcessLookupError, PermissionError):
            if self.pid and self.running is None and not may_name(self.path, self.pid):
                self.house.diary.warning(
                    f"{label_of(self.daemon)}: {self.path} names process {self.pid}, which is another user's "
                    "than the file: it is not signalled"
                )
            elif self.pid and os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, number)
            elif self.pid:
                os.kill(self.pid, number)

    # ---- What becomes of the server -----------------------------------------------------------------

    def end(self, after: Callable[[], None]) -> None:
        """The server stops: it lives on, and hears of it with ``notifypid``."""
        self.hold()
        if self.daemon.notify:
            self.signal(number_of(self.daemon.stop_signal))
        after()

    def hurry(self, seconds: float) -> None:
        """Nothing is waited for."""

    def hold(self) -> None:
        """The server is about to end: nothing is started any more."""
        self.closed = True
        if self.timer is not None:
            self.timer.cancel()

    def renew(self) -> None:
        """The server has reloaded."""
        if self.daemon.notify:
            self.signal(number_of(self.daemon.reload_signal or "HUP"))

    def drop(self, after: Callable[[], None]) -> None:
        """The settings do not name it any more: as in uWSGI it is only not looked after. It is never over: at
        the end of the server it is to be spared still."""
        self.hold()
        self.renew()
        self.house.diary.info(f"{label_of(self.daemon)} (pid {self.pid}) is left to itself")

    # ---- For others ---------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """What another penstock must know that takes over."""
        found: dict[str, Any] = {"starts": self.starts, "quick": self.pace.quick, "pid": self.pid}
        found |= {"steady": self.steady, "looks": self.looks, "launched": self.launched, "file": self.path}
        if self.running is not None:
            found["running"] = self.running.state()
        return found

    def resume(self, data: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.starts, self.pace.quick, self.pid = data["starts"], data["quick"], data["pid"]
        self.steady, self.looks, self.launched = data["steady"], data["looks"], data["launched"]
        if "running" in data:
            self.running = regain(self.house, known(self.daemon), data["running"], self.ended)

    def figures(self) -> dict[str, Any]:
        """For ``status``."""
        state = "running" if self.steady else "waiting" if self.timer is not None else "starting"
        return {"command": self.daemon.command, "pid": self.pid, "state": state, "starts": self.starts}


def read_pid(path: str) -> int:
    """The number at the beginning of a file, 0 without one. Anything but a file is not waited for."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except (OSError, ValueError):
        return 0
    try:
        text = os.read(fd, LONGEST) if stat.S_ISREG(os.fstat(fd).st_mode) else b""
    except OSError:
        return 0
    finally:
        os.close(fd)
    word = text.split()[0] if text.split() else b""
    return int(word) if word.isdigit() and len(word) <= 10 else 0


def may_name(path: str, pid: int) -> bool:
    """Whether a process is that of whoever owns a pidfile, or the file is root's: nobody has us signal, who
    may be root, what they could not signal themselves."""
    try:
        owner = os.lstat(path).st_uid
        with open(f"/proc/{pid}/status", "rb") as file:
            users = next(line.split()[1:4] for line in file if line.startswith(b"Uid:"))
    except (OSError, StopIteration):
        return False
    return owner == 0 or owner in (int(users[0]), int(users[2]))  # real and saved, as kill(2) has it


def lives(pid: int) -> bool:
    """Whether there is such a process; one of another user's counts (uWSGI takes it for dead, and starts a
    second)."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True
