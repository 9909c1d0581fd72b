"""Health: whether a server lives, and whether requests are to be sent to it.

The pages run on a worker's loop, by its lane, so that a probe is answered while every thread is busy; the
words run wherever somebody asks of a whole server. Neither asks the application.
"""

from functools import partial
from typing import TYPE_CHECKING, Protocol

from penstock.config.settings import Settings
from penstock.config.values import OFF
from penstock.core.request import Request
from penstock.net.lane import PLAIN, Lane, Reply

if TYPE_CHECKING:
    from penstock.process.supervisor.figures import Serving

NONE = ("", *OFF)  # no path
FRESH = [("Cache-Control", "no-store")]
ALIVE, SERVING, LEAVING, PAUSED, STARTING = "alive", "serving", "leaving", "paused", "starting"


class Working(Protocol):
    """What is seen of a worker: ``paused``: it takes no connections, or does not yet; ``lame``: the server is
    about to leave; ``ending``: it leaves, and no other process of this server goes on."""

    paused: bool
    lame: bool
    ending: bool


# ---- A worker's pages -----------------------------------------------------------------------------------


def attend(lane: Lane, worker: Working, settings: Settings) -> None:
    """Have the lane answer ``health-live`` and ``health-ready``."""
    if settings.health_live not in NONE:
        lane.pages[settings.health_live] = liveness
    if settings.health_ready not in NONE:
        lane.pages[settings.health_ready] = partial(tell, worker)


def liveness(request: Request, reply: Reply) -> None:
    """A page (``net.lane.Page``): that it is answered is all that there is to it."""
    reply(*said(ALIVE), FRESH)


def tell(worker: Working, request: Request, reply: Reply) -> None:
    """The page of ``health-ready``."""
    reply(*said(readiness(worker)), FRESH)


def readiness(worker: Working) -> str:
    """The worker's state in a word; SERVING where it is ready.

    One that leaves while others go on is ready: whoever asks it on a connection that is kept would else
    take the whole server for leaving at every reload.
    """
    if worker.lame or worker.ending:
        return LEAVING
    return PAUSED if worker.paused else SERVING


def said(word: str) -> tuple[int, str, bytes]:
    """Status, content type and body of a probe's answer."""
    return 200 if word in (ALIVE, SERVING) else 503, PLAIN, f"{word}\n".encode()


# ---- A whole server -------------------------------------------------------------------------------------


def state_of(server: "Serving") -> str:
    """The same of a server, by its supervisor."""
    from penstock.process.supervisor import figures  # which a worker does without

    found = figures.state_of(server)
    return LEAVING if found == figures.STOPPING else found


def answer(path: str, settings: Settings, server: "Serving") -> tuple[int, str, bytes] | None:
    """What a listener of the supervisor's says of ``path``, as ``said`` has it; None where it is not one of
    health's."""
    if path in NONE:
        return None
    if path == settings.health_live:
        return said(ALIVE)
    return said(state_of(server)) if path == settings.health_ready else None
