"""When whom a supervisor tells: lists of calls for the occasions of its life.

Runs in the supervisor; ``attendants`` fills the lists. It knows neither who tells nor who is told.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from penstock.interprocess.ledger import Ledger
    from penstock.process.supervisor.handle import Handle

Call = Callable[[], None]


class Carrying(Protocol):
    """Who has something that another penstock must know when it takes over by exec."""

    def state(self) -> dict[str, Any]:
        """Plain data; "fds" are the descriptors among it, which go along."""

    def resume(self, data: dict[str, Any]) -> None:
        """The same in the new program, before anything else; it may be another version's."""


class Occasions:
    """``on_serving``     the first generation serves
    ``on_change``      another one does, perhaps with other settings
    ``on_generation``  the same, with the kind of the reload
    ``on_reload``      a reload begins (True) or has ended, whichever way
    ``on_message``     what a worker says beyond its life
    ``on_gone``        a worker has ended
    ``on_stop``        the end begins
    ``on_drained``     the end has begun, and the last worker is gone
    ``on_reopen``      every process is to write to these descriptors from now on, and leave the terminal to
                       that file
    ``on_exec``        another program is about to take over
    ``on_stay``        it could not
    ``unfinished``     not told but asked: while one is true, the end waits
    ``postpone``, ``make_cheap``, ``alarm``, ``household``, ``reinforce`` and ``scan`` are not lists: one
    attendant does it
    ``shared``         descriptors of memory that all workers have, by their names in a ``Boot``
    ``ledger``         what requests add up to, where somebody asks for it
    ``carrying``       by name, who is asked for what goes along when another program takes over; ``carried``
                       what came so
    """

    def __init__(self) -> None:
        self.on_serving: list[Call] = []
        self.on_change: list[Call] = []
        self.on_generation: list[Callable[[str], None]] = []
        self.on_reload: list[Callable[[bool], None]] = []
        self.on_message: list[Callable[[Handle, dict[str, Any]], None]] = []
        self.on_gone: list[Callable[[Handle], None]] = []
        self.on_stop: list[Call] = []
        self.on_drained: list[Call] = []
        self.on_reopen: list[Callable[[tuple[int, ...], str], None]] = []
        self.on_exec: list[Call] = []
        self.on_stay: list[Call] = []
        self.unfinished: list[Callable[[], bool]] = []
        # (why, code): whether a stop is put off; it is asked for again then.
        self.postpone: Callable[[str, int], bool] = lambda why, code: False
        # (why): no workers until a connection comes.
        self.make_cheap: Callable[[str], None] = lambda why: None
        # (name, text): raise an alarm that is configured.
        self.alarm: Callable[[str, str], None] = lambda name, text: None
        # The figures of what runs beside the workers.
        self.household: Callable[[], dict[str, Any]] = dict
        # (why): ask our emperor for help, and have our own look for vassals; False where there is none.
        self.reinforce: Callable[[str], bool] = lambda why: False
        self.scan: Callable[[], bool] = lambda: False
        self.shared: dict[str, Any] = {}
        self.ledger: Ledger | None = None
        # What there is to see, once somebody looks (``process/pages/overview.py``).
        self.overview: Any = None
        self.carrying: dict[str, Carrying] = {}
        self.carried: dict[str, dict[str, Any]] = {}

    def take_up(self) -> None:
        """Give what came with a takeover to those who are there for it by now."""
        for name in self.carrying.keys() & self.carried.keys():
            self.carrying[name].resume(self.carried.pop(name))
