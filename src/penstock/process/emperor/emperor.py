"""The emperor: looks for vassals' files again and again, hears signals, and ends when it is told to.

One process, one thread, a ``Watch``: started by ``reign`` where nothing else is served, else the child of a
supervisor. It never loads an application, and it waits for nobody.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import monotonic

from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.logs.setup import Diary
from penstock.process.emperor.court import Court
from penstock.process.emperor.rites import rite
from penstock.process.emperor.scan import Scanner, realms_of
from penstock.process.emperor.stats import Stats
from penstock.process.logs.patient import Patient
from penstock.process.pidfile import PidFile
from penstock.process.programs.sweep import sweep
from penstock.process.supervisor.reaper import reap
from penstock.process.supervisor.watch import Timer, Watch

MERCY = 30.0  # seconds that vassals have at the end, unless reload-mercy says otherwise (uWSGI's default)
LAST = 3.0  # seconds between a second signal and SIGKILL
OFTENEST = 0.1  # seconds between two looks
CLEAN = 0


@dataclass(frozen=True, slots=True)
class Life:
    """What an emperor is told of by, and tells: ``started`` when it has begun to look, ``leaving`` when it
    ends, ``reopen`` to open its log anew."""

    started: Callable[[], None]
    leaving: Callable[[], None]
    reopen: Callable[[], None]


class Emperor:
    """A ``House`` of programs. ``start`` is the folder that penstock was started in."""

    def __init__(self, settings: Settings, diary: Diary, start: str, life: Life) -> None:
        self.settings = settings
        self.diary = diary
        self.life = life
        self.watch = Watch(diary.error)
        self.children: dict[int, Callable[[int], None]] = {}
        self.realms = realms_of(settings, os.getcwd(), start)
        self.scanner = Scanner(settings, diary.warning)
        self.court = Court(self, settings, self.look_whether_done)
        self.stats = Stats(self.watch, diary, settings, self.figures)
        self.patients = [Patient(self.watch, sink, diary.complain) for sink in diary.sinks]
        self.ended = False
        self.mercy: Timer | None = None
        self.pidfile: PidFile | None = None

    def begin(self) -> None:
        """All that can fail. Raises StartError."""
        if self.settings.emperor_tyrant and os.geteuid() != 0:
            raise StartError("emperor-tyrant: only root can run vassals as the owners of their files")
        if self.settings.emperor_pidfile:
            self.pidfile = PidFile(self.settings.emperor_pidfile)
            self.pidfile.write(self.diary.warning)
        self.stats.open()
        for realm in self.realms:
            self.diary.info(f"the emperor looks for vassals in {realm.place}")
        rite(self.settings, "emperor-start", self.diary.say)

    def run(self) -> int:
        """Until the end; returns the exit status. Raises StartError."""
        try:
            self.begin()
            self.hear()
            self.life.started()
            self.watch.later(0.0, self.look)
            self.watch.every(max(OFTENEST, self.settings.emperor_freq), self.look)
            self.watch.run()
        finally:
            self.stats.close()
            self.leave_pidfile()
            self.watch.close()
        self.diary.info("the emperor has ended")
        return CLEAN

    def leave_pidfile(self) -> None:
        """It goes with ``vacuum``, as every pidfile does."""
        if self.pidfile is not None:
            (self.pidfile.remove if self.settings.vacuum else self.pidfile.close)()

    def hear(self) -> None:
        """Signals, with uWSGI's meanings."""
        watch = self.watch
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        watch.on_signal(signal.SIGCHLD, self.reap)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            watch.on_signal(number, partial(self.stop, number.name))
        watch.on_signal(signal.SIGHUP, self.reload)
        watch.on_signal(signal.SIGUSR1, self.tell)
        watch.on_signal(signal.SIGURG, self.forgive)
        watch.on_signal(signal.SIGWINCH, self.look)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, set(watch.signals))
        self.reap()

    def reap(self) -> None:
        """Children have ended: vassals, hooks, and what vassals have left behind."""
        for pid, status in reap():
            call = self.children.pop(pid, None)
            if call is not None:
                call(status)

    # ---- Looking ------------------------------------------------------------------------------------

    def look(self) -> None:
        """What is there, what is gone, and whose heart still beats."""
        if self.ended:
            return
        for realm in self.realms:
            found = self.scanner.look(realm)
            if found is None:
                continue
            for one in found:
                self.court.found(realm, one)
            names = {one.name for one in found}
            for vassal in list(self.court.vassals.values()):
                name = vassal.found.name
                if vassal.realm is realm and name not in names and self.scanner.gone(realm, name):
                    self.court.gone(vassal)
        self.court.check_hearts(monotonic())

    # ---- Signals ------------------------------------------------------------------------------------

    def reload(self) -> None:
        """SIGHUP: every vassal loads its file anew."""
        self.diary.info("SIGHUP: all vassals are told to reload")
        self.court.reload_all()

    def forgive(self) -> None:
        """SIGURG: those that wait because they failed are tried at once."""
        self.diary.info("SIGURG: vassals that have failed are tried again")
        self.court.forgive_all()

    def tell(self) -> None:
        """SIGUSR1: how each of them is, to the log, which is opened anew first."""
        self.life.reopen()
        for vassal in self.court.vassals.values():
            state = f"pid {vassal.pid}" if vassal.pid else vassal.state.value
            loyal = ", loyal" if vassal.loyal else ""
            self.diary.info(f"vassal {vassal.name}: {state}{loyal}")

    # ---- The end ------------------------------------------------------------------------------------

    def stop(self, why: str) -> None:
        """All vassals end, and then the emperor. Said a second time: at once."""
        if self.ended:
            self.diary.info(f"{why} again: vassals end at once")
            self.court.hasten(signal.SIGINT)
            self.have_mercy(LAST)
            return
        self.ended = True
        mercy = self.settings.reload_mercy
        seconds = MERCY if mercy is None or mercy <= 0 else mercy
        self.diary.info(f"{why}: all vassals are to end, within {seconds:g} s")
        self.life.leaving()
        self.have_mercy(seconds)
        self.court.end()
        self.look_whether_done()

    def have_mercy(self, seconds: float) -> None:
        """After so long nobody is waited for."""
        if self.mercy is not None:
            self.mercy.cancel()
        self.mercy = self.watch.later(seconds, self.no_mercy)

    def no_mercy(self) -> None:
        """The time is over."""
        names = ", ".join(vassal.name for vassal in self.court.vassals.values())
        self.diary.error(f"they have not ended in time and are killed: {names}")
        self.clean_up()

    def look_whether_done(self) -> None:
        """The end is here when the last vassal is."""
        if self.ended and not self.court.vassals:
            self.clean_up()

    def clean_up(self) -> None:
        """Whatever vassals have left behind goes, and we do."""
        if self.mercy is not None:
            self.mercy.cancel()
        sweep(self, (), self.watch.stop)

    def figures(self) -> dict[str, object]:
        """As uWSGI's ``emperor-stats`` has them."""
        return {
            "emperor": [realm.place for realm in self.realms],
            "emperor_tyrant": int(self.settings.emperor_tyrant),
            "throttle_level": 0,
            "vassals": [vassal.figures() for vassal in self.court.vassals.values()],
            "blacklist": self.court.blacklist.figures(),
        }
