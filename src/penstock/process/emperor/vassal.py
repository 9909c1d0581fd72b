"""One vassal as its emperor sees it: a file, a process that serves what it says, and the pipe between.

Runs in the emperor. It knows neither how a vassal is started nor when.
"""

import socket
from dataclasses import dataclass, field
from enum import Enum
from time import time
from typing import Any

from penstock.process.emperor.scan import Found, Realm
from penstock.process.supervisor.watch import Timer


class State(Enum):
    """Where a vassal stands."""

    DUE = "is to be started, now or after a pause"
    WAITING = "is started by the first connection"
    RUNNING = "is a process"
    LEAVING = "was told to end, or has let go of its pipe"
    MOURNED = "is dead; its stop hook runs"
    GONE = "is no vassal any more"


STATES: dict[State, dict[str, State]] = {
    State.DUE: {"start": State.RUNNING, "wait": State.WAITING, "drop": State.MOURNED},
    State.WAITING: {"start": State.RUNNING, "drop": State.MOURNED},
    State.RUNNING: {"leave": State.LEAVING, "dead": State.MOURNED},
    State.LEAVING: {"dead": State.MOURNED},
    State.MOURNED: {"again": State.DUE, "gone": State.GONE},
    State.GONE: {},
}


@dataclass(slots=True)
class Times:
    """When what happened to a vassal, seconds since the epoch; 0 never."""

    first_run: int = 0
    last_run: int = 0
    ready: int = 0
    accepting: int = 0
    loyal: int = 0
    heartbeat: int = 0
    cursed: int = 0


@dataclass(eq=False)
class Vassal:
    """``wanted``: whether it is to be started again when it is dead. ``told``: its end is our doing.

    ``helper`` is 0, or the number of one that a broodlord has called to help. ``address`` is the socket that
    wakes it, "" where it always runs; ``own``: its user has chosen that.
    ``beat`` is when its heart was last heard (``time.monotonic``).
    """

    realm: Realm
    found: Found
    helper: int = 0
    address: str = ""
    own: bool = False
    listening: socket.socket | None = None
    path: str = ""
    state: State = State.DUE
    pid: int = 0
    bond: socket.socket | None = None
    ready: bool = False
    accepting: bool = False
    loyal: bool = False
    wanted: bool = True
    told: bool = False
    respawns: int = 0
    beat: float = 0.0
    times: Times = field(default_factory=Times)
    timer: Timer | None = None

    @property
    def name(self) -> str:
        """Its file, as it was found; a helper's with its section."""
        return f"{self.found.name}:zerg" if self.helper else self.found.name

    @property
    def key(self) -> tuple[int, str]:
        """What it is known by: in uWSGI the name alone, so that of two folders' ``a.ini`` one is not seen."""
        return self.realm.number, self.name

    def move(self, event: str) -> bool:
        """One step of ``STATES``; False where the table has no such step."""
        following = STATES[self.state].get(event)
        if following is not None:
            self.state = following
        return following is not None

    def calm(self) -> None:
        """What was planned for it is not done any more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def born(self, pid: int, bond: socket.socket) -> None:
        """It is a process now."""
        self.pid, self.bond = pid, bond
        now = int(time())
        self.times.first_run = self.times.first_run or now
        self.times.last_run = now
        self.times.heartbeat = self.times.cursed = 0
        self.unready()
        self.loyal = self.told = False

    def unready(self) -> None:
        """It starts, or starts anew."""
        self.ready = self.accepting = False

    def part(self) -> None:
        """The pipe is closed."""
        if self.bond is not None:
            self.bond.close()
            self.bond = None

    def figures(self) -> dict[str, Any]:
        """As uWSGI's ``emperor-stats`` has them."""
        times = self.times
        return {
            "id": self.name,
            "pid": self.pid or -1,
            "born": int(self.found.changed // 10**9),
            "last_mod": int(self.found.changed // 10**9),
            "last_heartbeat": times.heartbeat,
            "loyal": int(self.loyal),
            "ready": int(self.ready),
            "accepting": int(self.accepting),
            "last_loyal": times.loyal,
            "last_ready": times.ready,
            "last_accepting": times.accepting,
            "first_run": times.first_run,
            "last_run": times.last_run,
            "cursed": times.cursed,
            "zerg": int(self.helper > 0),
            "on_demand": self.address,
            "uid": self.found.uid,
            "gid": self.found.gid,
            "monitor": self.realm.place,
            "respawns": self.respawns,
        }
