"""A worker process as the supervisor knows it: its life as a table, its number, its end of the channel.

Runs in the supervisor. ``docs/architecture.md`` draws the table from here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from time import monotonic
from typing import TYPE_CHECKING, Any

from penstock.process.supervisor.watch import Timer

if TYPE_CHECKING:
    from penstock.interprocess.channel import Channel


class State(Enum):
    """Where a worker stands."""

    STARTING = "is forked, loads or warms up"
    SERVING = "takes requests"
    LEAVING = "finishes what runs"
    GONE = "is dead and reaped"


LIFE: dict[State, dict[str, State]] = {
    State.STARTING: {"ready": State.SERVING, "leave": State.LEAVING, "gone": State.GONE},
    State.SERVING: {"leave": State.LEAVING, "gone": State.GONE},
    State.LEAVING: {"gone": State.GONE},
    State.GONE: {},
}


@dataclass(eq=False)
class Handle:
    """``wid`` the worker's number, from 1; ``slot`` its place in the scoreboard; ``pid`` 0 until it has said
    hello; ``born`` and ``ready_at`` are readings of time.monotonic; ``why`` it leaves, or "";
    ``asked`` another one is asked for in its place; ``brutal`` it goes at once when
    that one is there; ``counts`` what it cuts counts for the exit status; ``mercy``
    seconds for its requests, should it turn out that it has some; ``status`` how it has ended, as
    ``reaper`` gives it, None while it lives or where nobody can tell"""

    wid: int
    slot: int
    generation: int
    channel: "Channel"
    cell: Any
    pid: int = 0
    state: State = State.STARTING
    born: float = field(default_factory=monotonic)
    ready_at: float = 0.0
    why: str = ""
    reason: str = ""
    asked: bool = False
    counts: bool = False
    brutal: bool = False
    mercy: float = 0.0
    status: int | None = None
    timer: Timer | None = None
    ready: Callable[["Handle"], None] | None = None
    gone: Callable[["Handle", int], None] | None = None

    def move(self, event: str) -> bool:
        """One step of ``LIFE``; False where the table has no such step, and nothing changes."""
        following = LIFE[self.state].get(event)
        if following is not None:
            self.state = following
        return following is not None

    @property
    def name(self) -> str:
        """For the log."""
        return f"worker {self.wid} (pid {self.pid})" if self.pid else f"worker {self.wid}"

    def set_timer(self, timer: Timer | None) -> None:
        """What is due for it next, in place of what was."""
        if self.timer is not None:
            self.timer.cancel()
        self.timer = timer
