"""The vassals of an emperor and what happens to them: started, told, heard, mourned, and started again.

Runs in the emperor, on its one thread; nothing here waits. Whose files there are is told by ``emperor``,
which looks; how a vassal is started is ``spawn``.
"""

import os
import signal
from collections import deque
from collections.abc import Callable
from functools import partial
from time import monotonic, time

from penstock.config.household.vassals import ambiguous
from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.process.emperor import bond as words
from penstock.process.emperor import demand
from penstock.process.emperor.blacklist import Blacklist, Key
from penstock.process.emperor.rites import apart, nobody, stop_hook
from penstock.process.emperor.scan import Found, Realm
from penstock.process.emperor.spawn import EXILE, spawn
from penstock.process.emperor.vassal import State, Vassal
from penstock.process.programs.programs import House
from penstock.process.supervisor.reaper import how

GAP = 0.01  # seconds between two starts, so that many at once leave the machine some air
ROOT = 0


class Court:
    """``buried`` is called whenever one is a vassal no more."""

    def __init__(self, house: House, settings: Settings, buried: Callable[[], None]) -> None:
        self.house = house
        self.settings = settings
        self.buried = buried
        self.vassals: dict[Key, Vassal] = {}
        self.blacklist = Blacklist(
            settings.emperor_throttle, settings.emperor_max_throttle, settings.emperor_no_blacklist
        )
        self.demand = demand.Demand(house, settings)
        self.queue: deque[Vassal] = deque()
        self.refused: dict[Key, str] = {}
        self.helpers = 0
        self.ending = False

    # ---- Files --------------------------------------------------------------------------------------

    def found(self, realm: Realm, found: Found) -> None:
        """There is such a file."""
        key = (realm.number, found.name)
        if key in self.vassals:
            for vassal in list(self.vassals.values()):
                if vassal.found.name == found.name and vassal.realm is realm:
                    self.renew(vassal, found)
        elif not self.ending and self.allowed(realm, found):
            self.demand.ask(realm, found, partial(self.enter, Vassal(realm, found)))

    def allowed(self, realm: Realm, found: Found) -> bool:
        """Whether it may be a vassal: a tyrant lets nobody's be root's, and a file that a folder and a
        pattern both name is one vassal (in uWSGI two, of which the second finds its socket taken)."""
        key = (realm.number, found.name)
        if self.settings.emperor_tyrant and ROOT in (found.uid, found.gid):
            self.refuse(key, "its file is root's, or of root's group, and emperor-tyrant starts none as root")
            return False
        if self.settings.emperor_tyrant and ambiguous(found.name):
            self.refuse(key, "its name may mean another file, and emperor-tyrant goes by the file's owner")
            return False
        path = os.path.normpath(realm.path(found.name))
        for other in self.vassals.values():
            if other.realm is not realm and path == os.path.normpath(other.realm.path(other.found.name)):
                self.refuse(key, f"its file is that of {other.name} already")
                return False
        return True

    def refuse(self, key: Key, why: str) -> None:
        """It is no vassal for now; said once."""
        if self.refused.get(key) != why:
            self.refused[key] = why
            self.house.diary.warning(f"vassal {key[1]} is not started: {why}")

    def enter(self, vassal: Vassal, address: str) -> None:
        """A new one; ``address``: it is started by the first connection there."""
        if self.ending or vassal.key in self.vassals:
            return
        vassal.address = address
        vassal.own = vassal.key in self.demand.theirs
        if address:
            try:
                demand.listen(self.settings, vassal)
            except StartError as error:
                self.refuse(vassal.key, str(error))
                return
        self.refused.pop(vassal.key, None)
        self.vassals[vassal.key] = vassal
        self.resume(vassal, self.blacklist.pause(vassal.key))

    def renew(self, vassal: Vassal, found: Found) -> None:
        """Its file was looked at: another owner's is another vassal, a changed one is loaded anew."""
        before = vassal.found
        if not vassal.wanted:
            return
        if self.settings.emperor_tyrant and (found.uid, found.gid) != (before.uid, before.gid):
            self.dismiss(vassal, "its file has changed hands")
        elif found.renewed(before):
            vassal.found = found
            self.changed(vassal)

    def changed(self, vassal: Vassal) -> None:
        """Its file has changed. One that has failed is tried again: it was another file that has."""
        if vassal.state is State.RUNNING:
            self.reload(vassal)
        elif vassal.state is State.WAITING:
            self.house.diary.info(f"vassal {vassal.name}: its file has changed; it waits for a connection")
            self.rites(vassal, "as-on-config-vassal")
        elif vassal.state is State.DUE:
            self.resume(vassal, 0.0)

    def gone(self, vassal: Vassal) -> None:
        """Its file is gone."""
        self.dismiss(vassal, "its file is gone")

    # ---- Starting -----------------------------------------------------------------------------------

    def resume(self, vassal: Vassal, pause: float) -> None:
        """Start it, or have its socket wait for somebody, after a pause."""
        vassal.calm()
        if pause > 0:
            vassal.timer = self.house.watch.later(pause, lambda: self.resume(vassal, 0.0))
        elif vassal.address:
            self.wait(vassal)
        elif vassal not in self.queue:
            self.queue.append(vassal)
            if len(self.queue) == 1:
                self.house.watch.later(0.0, self.next)

    def next(self) -> None:
        """One of those that are to be started."""
        vassal = self.queue.popleft()
        if self.queue:
            self.house.watch.later(GAP, self.next)
        if vassal.state is State.DUE:
            self.start(vassal)

    def wait(self, vassal: Vassal) -> None:
        """The first connection starts it."""
        if vassal.listening is not None and vassal.move("wait"):
            self.house.watch.add(vassal.listening.fileno(), lambda: self.wake(vassal))
            self.house.diary.info(f"vassal {vassal.name} waits for a connection on {vassal.address}")
            self.rites(vassal, "as-on-demand-vassal")

    def wake(self, vassal: Vassal) -> None:
        """Somebody has connected, and waits in the kernel's queue."""
        self.unwatch(vassal)
        self.start(vassal)

    def unwatch(self, vassal: Vassal) -> None:
        """Nobody is waited for."""
        if vassal.listening is not None:
            self.house.watch.remove(vassal.listening.fileno())

    def start(self, vassal: Vassal) -> None:
        """It becomes a process."""
        try:
            pid, bond = spawn(self.settings, vassal)
        except OSError as error:
            self.house.diary.error(f"vassal {vassal.name}: no process could be started: {error.strerror}")
            vassal.state = State.DUE
            self.resume(vassal, max(self.settings.emperor_throttle, GAP))
            return
        vassal.move("start")
        vassal.born(pid, bond)
        self.house.children[pid] = lambda status: self.dead(vassal, status)
        self.house.watch.add(bond.fileno(), lambda: self.hear(vassal))
        self.house.diary.info(f"vassal {vassal.name} is started (pid {pid})")
        self.rites(vassal, "as-emperor")

    def rites(self, vassal: Vassal, phase: str) -> None:
        """The hooks of a phase that is about one vassal."""
        environ = {
            "UWSGI_VASSAL_CONFIG": vassal.name,
            "UWSGI_VASSAL_PID": str(vassal.pid),
            "UWSGI_VASSAL_UID": str(vassal.found.uid),
            "UWSGI_VASSAL_GID": str(vassal.found.gid),
        }
        apart(self.house, self.settings, (phase, vassal.name), environ, nobody)

    # ---- What is said between the two ---------------------------------------------------------------

    def hear(self, vassal: Vassal) -> None:
        """It has said something, or has let go of the pipe."""
        if vassal.bond is None:
            return
        try:
            said = vassal.bond.recv(256)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        for octet in said:
            self.heard(vassal, octet)
        if not said:
            self.house.watch.remove(vassal.bond.fileno())
            vassal.part()
            self.curse(vassal, "it has let go of its pipe")

    def heard(self, vassal: Vassal, octet: int) -> None:
        """One word of it; what is none is nothing. Said to the log when it is news: one that repeats itself
        for ever fills no disk."""
        if octet == words.READY:
            self.note(not vassal.ready, vassal, "is ready")
            vassal.ready, vassal.times.ready = True, int(time())
        elif octet == words.ACCEPTING:
            self.note(not vassal.accepting, vassal, "accepts requests")
            vassal.accepting, vassal.times.accepting = True, int(time())
        elif octet == words.LOYAL:
            self.note(not vassal.loyal, vassal, "is loyal")
            vassal.loyal, vassal.times.loyal = True, int(time())
            self.blacklist.forgive(vassal.key)
        elif octet == words.HEARTBEAT:
            vassal.times.heartbeat, vassal.beat = int(time()), monotonic()
        elif octet == words.RETIRE:
            self.retire(vassal)
        elif octet == words.HELP:
            self.help(vassal)

    def note(self, news: bool, vassal: Vassal, text: str) -> None:
        """To the log, where it is new."""
        if news:
            self.house.diary.info(f"vassal {vassal.name} {text}")

    def tell(self, vassal: Vassal, word: int) -> bool:
        """Say something to it; False when it cannot hear."""
        try:
            return vassal.bond is not None and vassal.bond.send(bytes((word,))) == 1
        except OSError:
            return False

    def reload(self, vassal: Vassal) -> None:
        """Have it load its file anew."""
        if not self.tell(vassal, words.RELOAD):
            self.curse(vassal, "it does not hear")
            return
        vassal.respawns += 1
        vassal.times.last_run = int(time())
        vassal.unready()
        self.house.diary.info(f"vassal {vassal.name} is told to reload")

    def retire(self, vassal: Vassal) -> None:
        """It wants to end: to come back by its socket, or by its file at the next look; a helper for good."""
        if vassal.state is State.RUNNING:
            vassal.wanted = not vassal.helper
            self.leave(vassal, "it wants to")

    def help(self, vassal: Vassal) -> None:
        """It is overloaded: ``emperor-broodlord`` sends so many helpers in all."""
        brood = sum(1 for one in self.vassals.values() if one.helper)
        if self.ending or brood >= self.settings.emperor_broodlord:
            return
        self.helpers += 1
        helper = Vassal(vassal.realm, vassal.found, helper=self.helpers)
        if helper.key not in self.vassals:
            self.house.diary.info(f"vassal {vassal.name} asks for help: {helper.name} is started")
            self.enter(helper, "")

    # ---- Ending -------------------------------------------------------------------------------------

    def dismiss(self, vassal: Vassal, why: str) -> None:
        """It is a vassal no more."""
        vassal.wanted = False
        if vassal.state is State.RUNNING:
            self.leave(vassal, why)
        elif vassal.state in (State.DUE, State.WAITING):
            vassal.calm()
            self.unwatch(vassal)
            self.house.diary.info(f"vassal {vassal.name}: {why}")
            vassal.move("drop")
            self.mourn(vassal, 0.0)

    def leave(self, vassal: Vassal, why: str) -> None:
        """Have it end."""
        self.house.diary.info(f"vassal {vassal.name} is told to stop: {why}")
        vassal.told = True
        self.tell(vassal, words.STOP_GRACEFULLY if self.settings.emperor_graceful_shutdown else words.STOP)
        self.curse(vassal, "")

    def curse(self, vassal: Vassal, why: str) -> None:
        """It has ``emperor-curse-tolerance`` to be dead."""
        if not vassal.move("leave"):
            return
        if why:
            self.house.diary.info(f"vassal {vassal.name}: {why}")
        vassal.times.cursed = int(time())
        vassal.calm()
        vassal.timer = self.house.watch.every(
            max(self.settings.emperor_curse_tolerance, GAP), lambda: self.kill(vassal, "it does not end")
        )

    def kill(self, vassal: Vassal, why: str) -> None:
        """SIGKILL."""
        if vassal.state in (State.RUNNING, State.LEAVING):
            self.house.diary.error(f"vassal {vassal.name} (pid {vassal.pid}) is killed: {why}")
            self.signal(vassal, signal.SIGKILL)

    def signal(self, vassal: Vassal, number: int) -> None:
        """To its process alone; it is our child and not reaped, so the number is its own."""
        if vassal.pid:
            os.kill(vassal.pid, number)

    def dead(self, vassal: Vassal, status: int) -> None:
        """It was reaped."""
        own = not vassal.told
        if vassal.bond is not None:
            self.house.watch.remove(vassal.bond.fileno())
            vassal.part()
        vassal.calm()
        vassal.pid = 0
        vassal.unready()
        vassal.move("dead")
        said = self.house.diary.warning if own and vassal.wanted else self.house.diary.info
        said(f"vassal {vassal.name} has ended: {how(status)}")
        pause = 0.0 if vassal.address else self.settings.emperor_throttle
        if vassal.wanted and not self.ending and own:
            pause = self.failed(vassal, status)
        self.mourn(vassal, pause)

    def failed(self, vassal: Vassal, status: int) -> float:
        """It has ended by itself; seconds until it is tried again."""
        pause = self.settings.emperor_throttle
        if not vassal.loyal or status == EXILE:
            attempts = self.blacklist.failed(vassal.key)
            pause = max(pause, self.blacklist.pause(vassal.key))
            if attempts > 1:
                self.house.diary.warning(
                    f"vassal {vassal.name} has failed {attempts} times before it had answered anything; the "
                    f"next try is in {pause:.3g} s, or when its file changes"
                )
        return pause

    def mourn(self, vassal: Vassal, pause: float) -> None:
        """``vassals-stop-hook``, and what follows when it has ended."""
        stop_hook(
            self.house, self.settings, vassal.name, vassal.realm.folder, partial(self.settle, vassal, pause)
        )

    def settle(self, vassal: Vassal, pause: float) -> None:
        """What becomes of a dead one."""
        if vassal.wanted and not self.ending:
            vassal.move("again")
            self.resume(vassal, pause)
            return
        vassal.move("gone")
        demand.close(vassal)
        del self.vassals[vassal.key]
        self.house.diary.info(f"vassal {vassal.name} is removed")
        self.buried()

    # ---- All of them --------------------------------------------------------------------------------

    def reload_all(self) -> None:
        """SIGHUP."""
        for vassal in list(self.vassals.values()):
            if vassal.state is State.RUNNING:
                self.reload(vassal)

    def forgive_all(self) -> None:
        """SIGURG: whoever waits because it has failed is tried now."""
        self.blacklist.clear()
        for vassal in list(self.vassals.values()):
            if vassal.state is State.DUE:
                self.resume(vassal, 0.0)

    def end(self) -> None:
        """All are to end, and none begins."""
        self.ending = True
        self.queue.clear()
        for vassal in list(self.vassals.values()):
            self.dismiss(vassal, "the emperor ends")

    def hasten(self, number: int) -> None:
        """A signal for all that are still there."""
        for vassal in self.vassals.values():
            self.signal(vassal, number)

    def check_hearts(self, now: float) -> None:
        """Kill those that have sent heartbeats, and then none for too long. ``now`` of ``time.monotonic``: a
        clock that is put right, or a night of sleep, is nobody's silence."""
        longest = self.settings.emperor_required_heartbeat
        for vassal in list(self.vassals.values()):
            if vassal.times.heartbeat and vassal.beat + longest < now:
                vassal.times.heartbeat = 0
                self.kill(vassal, f"no heartbeat for more than {longest:g} s")
