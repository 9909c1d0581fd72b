"""What a command is given and what it tells: the words between the table of commands and who does them.

Runs in the supervisor, or on the loop of a single process. It does not know which commands there are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from penstock.process.supervisor.figures import Watched
from penstock.process.supervisor.inquiry import Heard, Inquiry

if TYPE_CHECKING:
    from penstock.config.settings import Settings
    from penstock.logs.setup import Diary

FAILED, MISUSED = 1, 2


class Told(NamedTuple):
    """How a command went: ``text`` for people, ``code`` 0 when all is well, ``data`` what was asked for."""

    ok: bool
    text: str
    code: int = 0
    data: dict[str, Any] = {}


Done = Callable[[Told], None]


class Outcome(Protocol):
    """How a reload ended."""

    @property
    def ok(self) -> bool:
        """Whether the new generation serves."""

    @property
    def text(self) -> str:
        """What happened, for people."""

    @property
    def code(self) -> int:
        """0, or what the start of a server would have ended with."""


class Supervisor(Watched, Heard, Protocol):
    """What the commands ask of a supervisor, beside what ``figures`` and ``inquiry`` read.

    None of these waits.
    """

    overview: Any  # of Occasions

    @property
    def settings(self) -> "Settings":
        """The settings of now."""

    @property
    def diary(self) -> "Diary":
        """Where it is said."""

    def stop(self, why: str, now: bool = False) -> None:
        """Finish what runs and end; ``now``: cut it, also when it ends already."""

    def reload(self, why: str, how: str = "graceful", done: Callable[[Any], None] | None = None) -> None:
        """New workers, then the old ones leave; ``done`` is given an Outcome, in the end."""

    def pause(self) -> None:
        """Take no requests, or take them again."""

    def resize(self, delta: int) -> None:
        """So many workers more, or less."""

    def replace(self, handle: Any, why: str) -> None:
        """Another worker in place of this one, which serves until then."""

    def cheap(self, why: str) -> None:
        """No workers until a request comes."""

    def reopen_logs(self) -> None:
        """Open the log files anew, everywhere."""

    def write_pidfiles(self) -> None:
        """Write the pidfiles anew."""

    def reinforce(self, why: str) -> bool:
        """Ask the emperor whose vassal this is for help; False where it is nobody's."""

    def scan(self) -> bool:
        """Have our own emperor look for vassals; False where there is none."""

    def upgrade(self, why: str, done: Callable[[Any], None] | None = None) -> None:
        """Run the program anew in place, sockets kept; ``done`` is given an Outcome where that fails."""


@dataclass(frozen=True, slots=True)
class Order:
    """A command that has come: ``why`` says by what, for the log; ``done`` is told the end, once; ``message``
    is all that was said, unjudged."""

    supervisor: Supervisor
    why: str
    done: Done
    count: int
    inquiry: Inquiry
    message: Mapping[str, Any] = field(default_factory=dict)
