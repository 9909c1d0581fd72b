"""Reloads under load: no request fails, and none waits much longer than beside a process that only computes.

``python -m tests.supervision.reloads --how hup --count 50`` serves a Django site over keep-alive and new
connections, by HTTP and by uwsgi behind nginx, at half of what it can do, and reloads it again and again.
"""

import argparse
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.nginx import PROGRAM
from tests.supervision import burner
from tests.supervision.load import Load, Record, Window, capacity, lag, latency, within
from tests.supervision.place import Place, running
from tests.supervision.proc import wait_until
from tests.supervision.scene import Scene, parser, perform
from tests.supervision.wire import Kind

TAKES = 60.0  # seconds that one reload may take
REST = 0.7  # seconds between two windows
ALLOWED_MORE = 50.0  # milliseconds
ALLOWED_TIMES = 2.0


# ---- Ways to reload ---------------------------------------------------------------------------------


def by_hup(place: Place) -> None:
    place.send(signal.SIGHUP)


def by_touch(place: Place) -> None:
    (place.folder / "touched").write_text(str(time.monotonic()))


def by_ctl(place: Place) -> None:
    place.control("reload")


def by_chain(place: Place) -> None:
    place.control("reload", "chain")


def by_workers(place: Place) -> None:
    place.control("reload", "workers")


def by_upgrade(place: Place) -> None:
    place.send(signal.SIGUSR2)


@dataclass(frozen=True)
class Way:
    """How a reload is asked for; ``fresh``: the code is loaded anew."""

    ask: Callable[[Place], None]
    fresh: bool = True
    options: dict[str, object] = field(default_factory=dict)


WAYS = {
    "hup": Way(by_hup),
    "touch": Way(by_touch, options={"touch-reload": "%(chdir)/touched"}),
    "ctl": Way(by_ctl),
    "chain": Way(by_chain),
    "workers": Way(by_workers, fresh=False),
    "upgrade": Way(by_upgrade),
}


# ---- The course of it -------------------------------------------------------------------------------


@dataclass
class Course:
    """What is noted while it goes on: windows of reloads, with the generation after each, and of burners."""

    reloads: list[tuple[Window, int]] = field(default_factory=list)
    burns: list[Window] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)

    @property
    def windows(self) -> list[Window]:
        return [window for window, _ in self.reloads]


def changed_over(place: Place, old: Sequence[int]) -> bool:
    """Whether as many new workers as there should be live, and no old one, and one prototype."""
    crew = place.crew()
    return len(crew) == place.workers and not set(crew) & set(old) and len(place.prototypes()) == 1


def reload(place: Place, way: Way, number: int) -> Window:
    """Deploy generation ``number`` and reload. Raises TimeoutError."""
    place.site.deploy(number)
    old, begun = place.crew(), time.monotonic()
    way.ask(place)
    wait_until(
        lambda: changed_over(place, old), TAKES, f"reload {number} did not end: {place.text()[-2000:]}"
    )
    return begun, time.monotonic()


def alternate(scene: Scene, place: Place, way: Way, count: int) -> Course:
    """Reloads and burners in turn, so that both meet the same machine."""
    course, pid = Course(), place.pid
    (place.folder / "touched").touch()
    for number in range(2, count + 2):
        window = reload(place, way, number)
        course.reloads.append((window, number if way.fresh else 1))
        course.costs.append(sum(burner.cost(one) for one in place.prototypes()) if way.fresh else 0.2)
        time.sleep(REST)
        usual = statistics.median(end - start for start, end in course.windows)
        course.burns.append(burner.burn(statistics.median(course.costs), usual))
        time.sleep(REST)
        if number % 5 == 1 or count < 5:
            scene.tell(f"{number - 1} reloads, the last in {window[1] - window[0]:.2f} s")
    scene.check(place.pid == pid and place.process.poll() is None, "the supervisor is another process")
    return course


def stale(records: Sequence[Record], course: Course) -> int:
    """Replies of an old generation to requests that were sent after the change was over."""
    wrong = 0
    for at, (window, generation) in enumerate(course.reloads):
        end = course.reloads[at + 1][0][0] if at + 1 < len(course.reloads) else float("inf")
        later = [record for record in records if window[1] + 0.05 < record.sent < end]
        wrong += sum(record.kind == Kind.OK and record.generation != generation for record in later)
    return wrong


def judge(scene: Scene, load: Load, course: Course) -> None:
    """Failures, generations and latencies."""
    records = load.records()
    scene.count(load)
    scene.put(
        reloads=len(course.reloads), seconds=round(statistics.median(b - a for a, b in course.windows), 2)
    )
    scene.put(import_cpu=round(statistics.median(course.costs), 2))
    late = stale(records, course)
    scene.check(not late, f"{late} replies of an old generation after its workers were gone")
    reloading, burning = (latency(within(records, ones)) for ones in (course.windows, course.burns))
    busy = [*course.windows, *course.burns]
    resting = latency(record for record in records if not within([record], busy))
    scene.put(p99_reload=reloading["p99"], p99_burner=burning["p99"], p99_rest=resting["p99"])
    scene.put(p50_reload=reloading["p50"], p50_burner=burning["p50"], max_reload=reloading["max"])
    scene.put(client_lag=lag(records))
    ratio = reloading["p99"] / burning["p99"] if burning["p99"] else 0.0
    scene.put(ratio=round(ratio, 2), more_ms=round(reloading["p99"] - burning["p99"], 1))
    scene.check(
        ratio <= ALLOWED_TIMES or reloading["p99"] <= burning["p99"] + ALLOWED_MORE,
        f"p99 {reloading['p99']} ms while reloading, {burning['p99']} ms beside the burner",
    )


def niceness(place: Place) -> set[int]:
    """The workers' priorities: the import's must not stick to them."""
    return {os.getpriority(os.PRIO_PROCESS, pid) for pid in place.crew()}


def rate_for(scene: Scene, place: Place, share: float, ceiling: float) -> float:
    """That share of what it can do."""
    most = capacity(place.lanes(), scene.folder)
    scene.put(capacity=round(most), rate=round(min(most * share, ceiling)))
    return min(most * share, ceiling)


def play(scene: Scene, given: argparse.Namespace) -> None:
    """One way, ``given.count`` times."""
    way = WAYS[given.how]
    with running(
        scene.folder / "site", given.site, workers=given.workers, front=PROGRAM is not None,
        options={"warmup": given.warmup, **way.options} if given.warmup else dict(way.options),
        eager=not given.warmup,
    ) as place:  # fmt: skip
        before = niceness(place)
        rate = rate_for(scene, place, given.share, given.ceiling)
        with Load(place.lanes(), scene.folder, rate=rate) as load:
            load.wait_for(int(rate))
            course = alternate(scene, place, way, given.count)
            time.sleep(REST)
        judge(scene, load, course)
        scene.check(niceness(place) == before, f"workers' nice is {niceness(place)}, it was {before}")
        scene.check(place.ends() == 0, "the server's exit status is not 0")
    Path(scene.folder / "log").write_text(place.text())


def words() -> argparse.ArgumentParser:
    """The command line."""
    made = parser("reloads", __doc__)
    made.add_argument("--how", choices=WAYS, default="hup")
    made.add_argument("--count", type=int, default=50)
    made.add_argument("--site", choices=("plain", "django"), default="django")
    made.add_argument("--workers", type=int, default=2)
    made.add_argument(
        "--warmup", default="", help="path of the option warmup; the views are imported by it, as Django does"
    )
    made.add_argument("--share", type=float, default=0.5, help="of what it can do (%(default)s)")
    made.add_argument("--ceiling", type=float, default=1500, help="requests a second at most (%(default)s)")
    return made


if __name__ == "__main__":
    sys.exit(perform("reloads", play, words()))
