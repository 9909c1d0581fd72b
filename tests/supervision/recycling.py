"""Workers that are replaced one by one under load, for each cause of their own: no request fails.

``python -m tests.supervision.recycling --cause max-requests``, reload-on-rss, lifetime, exception, resize or
cheaper: how often workers were replaced is counted by the processes that have answered.
"""

import argparse
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from tests.e2e.nginx import PROGRAM
from tests.supervision.load import Load, latency
from tests.supervision.place import Place, running
from tests.supervision.proc import wait_until
from tests.supervision.scene import Scene, parser, perform
from tests.supervision.wire import Lane

RATE = 300.0


def only_wait(scene: Scene, place: Place, load: Load, count: int) -> None:
    """Until so many processes have answered."""
    enough = place.workers + count
    wait_until(lambda: len(load.answered_by()) >= enough, 30 + count * 6, f"fewer than {enough} processes")


def resize(scene: Scene, place: Place, load: Load, count: int) -> None:
    """A worker more, a worker less, by signals."""
    for _ in range(count):
        for number, wanted in ((signal.SIGTTIN, place.workers + 1), (signal.SIGTTOU, place.workers)):
            place.send(number)
            wait_until(lambda n=wanted: len(place.crew()) == n, 20, f"never {wanted} workers")  # type: ignore[misc]  # a default binds
            time.sleep(0.3)


def swell(scene: Scene, place: Place, load: Load, count: int) -> None:
    """Crowds of slow requests that come and go; workers follow."""
    most = 0
    for _ in range(count):
        slow = [Lane("slow", place.address("http"), query="sleep=0.2")]
        with Load(slow, scene.folder, rate=30, seconds=4) as crowd:
            while crowd.answered() < 110 and crowd.processes[0].poll() is None:
                most = max(most, len(place.crew()))
                time.sleep(0.05)
            crowd.wait()
        scene.count(crowd, "slow")
        took = wait_until(lambda: len(place.crew()) == 1, 60, "the workers never became fewer")
        scene.tell(f"{most} workers at most, one again after {took:.1f} s")
    scene.check(most > 1, "the workers never became more")


Course = Callable[[Scene, Place, Load, int], None]


@dataclass(frozen=True)
class Cause:
    """What makes workers go: options, what is asked of them, what is done meanwhile."""

    options: dict[str, object] = field(default_factory=dict)
    query: str = ""
    course: Course = only_wait
    workers: int = 2
    first: int = 0


CAUSES = {
    "max-requests": Cause({"max-requests": 200, "min-worker-lifetime": 0}),
    "reload-on-rss": Cause(
        {"reload-on-rss": 120, "min-worker-lifetime": 0, "mem-collector-freq": 1}, query="grow=0.2"
    ),
    "lifetime": Cause({"max-worker-lifetime": 2, "max-worker-lifetime-delta": 1, "min-worker-lifetime": 0}),
    "resize": Cause(course=resize),
    "cheaper": Cause(
        {"cheaper": 1, "cheaper-algo": "spare", "cheaper-step": 1, "cheaper-overload": 1, "threads": 2,
         "check-interval": 1},
        course=swell, workers=4, first=1,
    ),
}  # fmt: skip


def play(scene: Scene, given: argparse.Namespace) -> None:
    """One cause."""
    cause = CAUSES[given.cause]
    with ExitStack() as stack:
        place = stack.enter_context(
            running(scene.folder / "site", given.site, workers=cause.workers, front=PROGRAM is not None,
                    options=dict(cause.options), first=cause.first)
        )  # fmt: skip
        rate = given.rate if cause.course is not swell else 20.0
        with Load(place.lanes(query=cause.query), scene.folder, rate=rate) as load:
            load.wait_for(20)
            cause.course(scene, place, load, given.count)
        scene.count(load)
        scene.put(cause=given.cause, processes=len(load.answered_by()), **latency(load.records()))
        scene.check(place.ends() == 0, "the server's exit status is not 0")


def words() -> argparse.ArgumentParser:
    """The command line."""
    made = parser("recycling", __doc__)
    made.add_argument("--cause", choices=CAUSES, default="max-requests")
    made.add_argument("--count", type=int, default=20, help="replacements, or rounds (%(default)s)")
    made.add_argument("--rate", type=float, default=RATE)
    made.add_argument("--site", choices=("plain", "django"), default="plain")
    return made


if __name__ == "__main__":
    sys.exit(perform("recycling", play, words()))
