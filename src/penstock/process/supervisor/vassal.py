"""A vassal's side of its pipe to an emperor: what it says there, and what it is told.

Runs in a supervisor, in a server that is one process, and in an emperor that has an emperor itself. The words
are uWSGI's, one octet each, so that the other side may be a uWSGI.
"""

import os
import socket
from contextlib import suppress
from dataclasses import replace
from time import monotonic, monotonic_ns
from typing import TYPE_CHECKING, Any

from penstock.config.address import Address
from penstock.config.household.vassals import take_bond
from penstock.config.settings import ListenerSpec, Settings
from penstock.process.launch import Launch

if TYPE_CHECKING:
    from penstock.process.supervisor.supervisor import Supervisor
    from penstock.process.worker import Worker

STOP, RELOAD, STOP_GRACEFULLY = 0, 1, 2
"""What an emperor says to a vassal, one octet each (uWSGI's numbers)."""
READY, ACCEPTING, LOYAL, RETIRE, HEARTBEAT, HELP = 1, 5, 17, 22, 26, 30
"""What a vassal says to its emperor."""
LOOK = 1.0  # seconds between two looks at whether the first request was answered, and at the load
ALIVE = 5.0  # seconds since a worker's last tick within which it counts as alive
GONE = "the emperor is gone"


class Bond:
    """The pipe. ``number`` is its descriptor, -1 without an emperor."""

    def __init__(self, number: int) -> None:
        self.number = number

    def tell(self, *words: int) -> None:
        """Say something. An emperor that does not listen, or is gone, is not waited for."""
        if self.number >= 0:
            with suppress(OSError):
                os.write(self.number, bytes(words))

    def heard(self) -> bytes | None:
        """What the emperor has said; None when nobody is there any more."""
        try:
            return os.read(self.number, 64) or None
        except BlockingIOError:
            return b""
        except OSError:
            return None


bond = Bond(-1)  # of this process, filled in by ``swear``


def swear(number: int | None = None) -> bool:
    """Find out whether there is an emperor (``number``: its descriptor is known), and so whether we are a
    vassal. What we start is none."""
    bond.number = take_bond() if number is None else number
    if bond.number >= 0:
        try:
            os.set_inheritable(bond.number, False)
            os.set_blocking(bond.number, False)
        except OSError:
            bond.number = -1  # left over by whoever started us
    return bond.number >= 0


# ---- What a vassal's settings are ---------------------------------------------------------------------


def governed(settings: Settings) -> Settings:
    """Settings as a vassal has them: it does not leave its emperor for the background, but logs where it
    would have; and it listens on the socket that has woken it, in place of opening that address."""
    changes: dict[str, Any] = {}
    if bond.number >= 0:
        for daemonize, log in (("daemonize", "logto"), ("daemonize2", "logto2")):
            if getattr(settings, daemonize):
                changes |= {log: getattr(settings, daemonize), daemonize: ""}
    found = woken(settings.listeners)
    if found is not settings.listeners:
        changes["listeners"] = found
    return replaced(settings, changes) if changes else settings


def replaced(settings: Settings, changes: dict[str, Any]) -> Settings:
    """The same with other values."""
    return Settings(**{name: getattr(settings, name) for name in settings.__dataclass_fields__} | changes)


def governing(launch: Launch) -> Launch:
    """How a vassal was started: what is read again for a reload is a vassal's too."""
    read = launch.read
    return launch if read is None else replace(launch, read=lambda: governed(read()))


def woken(specs: tuple[ListenerSpec, ...]) -> tuple[ListenerSpec, ...]:
    """``specs``, where a socket that was handed over (by an emperor as standard input, by systemd) takes the
    place of the one whose address it has, as in uWSGI; the same where no two belong together."""
    for given in [spec for spec in specs if spec.parsed.kind == "fd"]:
        name = name_of(given.parsed.fd)
        asked = next((spec for spec in specs if name is not None and same(spec.parsed, name)), None)
        if asked is not None:
            here = ListenerSpec(given.address, asked.protocol, asked.origin, given.parsed)
            specs = tuple(here if spec is asked else spec for spec in specs if spec is not given)
    return specs


def name_of(fd: int) -> Any:
    """The address of a socket, None for what is none."""
    try:
        with socket.socket(fileno=os.dup(fd)) as sock:
            return sock.getsockname()
    except OSError:
        return None


def same(address: Address, name: Any) -> bool:
    """Whether an address is that of a socket."""
    if isinstance(name, tuple):
        hosts = ("", name[0]) if name[0] in ("0.0.0.0", "::") else (name[0],)
        return address.kind == "tcp" and address.port == name[1] and address.host in hosts
    path = os.fsdecode(name)
    if address.kind == "abstract" or path[:1] in ("", "\0"):
        return address.kind == "abstract" and path == f"\0{address.path}"
    return address.kind == "unix" and os.path.realpath(path) == os.path.realpath(address.path)


# ---- A supervisor -------------------------------------------------------------------------------------


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
        worker.diary.info(f"{why}: finishing what runs, at most {worker.shutdown_timeout:g} s")
        worker.leave()

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
