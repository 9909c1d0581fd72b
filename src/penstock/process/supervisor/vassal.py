"""A vassal's side of its pipe to an emperor: what it says there, and what it is told.

Runs in a supervisor, and in a server that is one process. What both are made of is ``bond``.
"""

from time import monotonic, monotonic_ns
from typing import TYPE_CHECKING, Any

from penstock.config.settings import Settings
from penstock.process.emperor.bond import (
    ACCEPTING,
    GONE,
    HEARTBEAT,
    HELP,
    LOYAL,
    READY,
    RELOAD,
    RETIRE,
    STOP,
    STOP_GRACEFULLY,
    bond,
    swear,
)

if TYPE_CHECKING:
    from penstock.process.supervisor.supervisor import Supervisor
    from penstock.process.worker import Worker

LOOK = 1.0  # seconds between two looks at whether the first request was answered, and at the load
ALIVE = 5.0  # seconds since a worker's last tick within which it counts as alive


class Fealty:
    """What a supervisor owes its emperor."""

    def __init__(self, supervisor: "Supervisor") -> None:
        self.supervisor = supervisor
        self.loyal = False
        self.ordered = False
        self.hooks = 0
        self.beat = 0.0
        self.asked = 0.0
        supervisor.carrying["vassal"] = self

    def start(self) -> None:
        """Hear and be heard, where there is an emperor."""
        if bond.number < 0:
            return
        supervisor = self.supervisor
        supervisor.watch.add(bond.number, self.hear)
        supervisor.watch.every(LOOK, self.look)
        supervisor.on_serving.append(self.announce)
        supervisor.on_change.append(self.announce)
        supervisor.on_stop.append(self.part)
        supervisor.unfinished.append(lambda: self.hooks > 0)

    def state(self) -> dict[str, Any]:
        """For another penstock that takes over."""
        return {"fd": bond.number, "fds": [bond.number], "loyal": self.loyal}

    def resume(self, data: dict[str, Any]) -> None:
        """In that one."""
        swear(data["fd"])
        self.loyal = data["loyal"]

    def announce(self) -> None:
        """A generation serves."""
        bond.tell(READY, ACCEPTING)

    def look(self) -> None:
        """The first request makes us loyal; ``heartbeat``; ``vassal-sos``."""
        settings, now = self.supervisor.settings, monotonic()
        if not self.loyal and self.answered():
            self.loyal = True
            self.supervisor.diary.info("the first request is answered: the emperor is told of it (loyalty)")
            bond.tell(LOYAL)
        if settings.heartbeat and now >= self.beat + settings.heartbeat - LOOK / 2 and self.alive():
            self.beat = now
            bond.tell(HEARTBEAT)
        self.look_for_help(settings, now)

    def answered(self) -> bool:
        """Whether there was a request."""
        supervisor = self.supervisor
        return bool(
            supervisor.board.totals["requests"] or any(one.cell.requests for one in supervisor.handles())
        )

    def alive(self) -> bool:
        """Whether the loop of any worker still ticks; a supervisor that needs none is alive."""
        workers = self.supervisor.herd.serving
        since = monotonic_ns() - int(ALIVE * 1e9)
        return not workers or any(not one.cell.beat or one.cell.beat > since for one in workers)

    def look_for_help(self, settings: Settings, now: float) -> None:
        """``vassal-sos`` and ``vassal-sos-backlog``."""
        if not settings.vassal_sos and not settings.vassal_sos_backlog:
            return
        cells = [one.cell for one in self.supervisor.herd.serving]
        busy = bool(cells) and all(cell.threads and cell.busy >= cell.threads for cell in cells)
        if settings.vassal_sos and busy and now - self.asked > settings.vassal_sos:
            self.ask("all workers are busy")
        if settings.vassal_sos_backlog and (waiting := self.backlog()) >= settings.vassal_sos_backlog:
            self.ask(f"{waiting} connections wait")

    def backlog(self) -> int:
        """Connections that wait on all sockets."""
        from penstock.process.supervisor.backlog import backlog_of

        current = self.supervisor.current
        return sum(backlog_of(one.sock) for one in (current.listening if current is not None else ()))

    def reinforce(self, why: str) -> bool:
        """Ask for reinforcement; False where nobody is our emperor."""
        if bond.number < 0:
            return False
        self.ask(why)
        return True

    def ask(self, why: str) -> None:
        """Ask for reinforcement."""
        self.asked = monotonic()
        self.supervisor.diary.info(f"{why}: the emperor is asked for help")
        bond.tell(HELP)

    # ---- Orders -------------------------------------------------------------------------------------

    def hear(self) -> None:
        """The emperor has said something."""
        said = bond.heard()
        if said is None:
            self.supervisor.watch.remove(bond.number)
            self.lost()
            return
        for word in said:
            if word == RELOAD:
                self.hook("emperor-reload")
                self.reload("the emperor's order")
            elif word in (STOP, STOP_GRACEFULLY):
                self.order("emperor-stop", "the emperor's order")

    def lost(self) -> None:
        """Nobody governs us."""
        self.order("emperor-lost", GONE)

    def order(self, phase: str, why: str) -> None:
        """Stop, once: asked for a second time it would cut what runs."""
        if not self.ordered and self.supervisor.ending is None:
            self.ordered = True
            self.hook(phase)
            self.supervisor.stop(why)

    def reload(self, why: str) -> None:
        """With the file as it is now; also where ``lazy`` makes a reload one of workers alone."""
        from penstock.process.supervisor.building import Asked

        supervisor = self.supervisor
        if supervisor.settings.lazy and supervisor.ending is None and not supervisor.settings.exit_on_reload:
            supervisor.lineage.reload(Asked(why))
        else:
            supervisor.reload(why)

    def hook(self, phase: str) -> None:
        """``hook-emperor-stop`` and its like, while we go on."""
        from penstock.process.emperor.rites import apart

        self.hooks += 1
        apart(self.supervisor, self.supervisor.settings, (phase, ""), {}, self.hooked)

    def hooked(self) -> None:
        """One has ended."""
        self.hooks -= 1
        if self.supervisor.ending is not None:
            self.supervisor.look_whether_done()

    def part(self) -> None:
        """We stop. Where that is our own wish (``die-on-idle``) the emperor must know: it takes the socket
        that wakes us back."""
        ending = self.supervisor.ending
        if not self.ordered and ending is not None and ending.code == 0:
            bond.tell(RETIRE)


# ---- A server that is one process ---------------------------------------------------------------------


def serve_under(worker: "Worker", settings: Settings) -> None:
    """The same for a server without a supervisor: it cannot load its file anew, and ends for it; the emperor
    starts it again."""
    if bond.number < 0:
        return
    from penstock.process.hooks.start import run

    def leave(phase: str, why: str) -> None:
        worker.loop.remove_reader(bond.number)
        run(settings, phase, worker.diary.say)
        worker.retire(why)

    def hear() -> None:
        said = bond.heard()
        if said is None:
            leave("emperor-lost", GONE)
        elif RELOAD in said:
            leave("emperor-reload", "the emperor's order, to begin anew")
        elif said:
            leave("emperor-stop", "the emperor's order")

    worker.loop.add_reader(bond.number, hear)
    worker.loop.call_soon(bond.tell, READY, ACCEPTING)
    worker.door.on_tick.append(Pulse(worker, settings.heartbeat).tick)


class Pulse:
    """Loyalty and heartbeats of such a server, from its loop: where it hangs there are none."""

    def __init__(self, worker: "Worker", period: float) -> None:
        self.worker = worker
        self.period = period
        self.loyal = False
        self.last = 0.0

    def tick(self, now: float) -> None:
        """Every quarter second."""
        if not self.loyal and self.worker.pool.done:
            self.loyal = True
            bond.tell(LOYAL)
        if self.period and now - self.last >= self.period:
            self.last = now
            bond.tell(HEARTBEAT)
