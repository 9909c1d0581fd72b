"""Workers, prototypes and the supervisor killed under load: only what was inside the dead worker fails, each
visibly, and everything is as it was right afterwards.

``python -m tests.supervision.kills --workers-killed 1000 --prototypes-killed 20``
"""

import argparse
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

from tests.e2e.nginx import PROGRAM
from tests.supervision.ledger import Kill, Ledger, kill, unexplained
from tests.supervision.load import Load, kinds, latency
from tests.supervision.place import Place, running
from tests.supervision.proc import descriptors, stat, tree, wait_until, zombies
from tests.supervision.scene import Scene, parser, perform
from tests.supervision.wire import VISIBLE, Kind, Lane

BACK = 40.0  # seconds until there are as many workers as there should be, whatever happens
AT_ONCE = 1.5  # seconds in which a worker that had answered something is to be replaced
ORPHANS = 10.0  # seconds that workers may live on without a supervisor


def gone(place: Place, pid: int) -> bool:
    """Whether a worker is there no more."""
    return pid not in place.crew()


def rebuilt(place: Place, old: Sequence[int]) -> bool:
    """Whether there is one prototype, another than before."""
    return len(place.prototypes()) == 1 and not set(old) & set(place.prototypes())


def whole(place: Place) -> bool:
    """Whether there are as many workers as there should be."""
    return len(place.crew()) == place.workers


def lanes_of(place: Place) -> list[Lane]:
    """All ways, with requests that take a moment, so that a kill meets some."""
    return [
        *place.lanes(query="sleep=0.01"),
        *[Lane("slow", lane.address, lane.protocol, lane.kept, 0.3, query="sleep=0.15")
          for lane in place.lanes("kept")],
    ]  # fmt: skip


def kill_workers(scene: Scene, place: Place, load: Load, count: int, chance: random.Random) -> list[Kill]:
    """So many, at random moments, each of those that have answered something; the next when all places are
    filled again."""
    kills: list[Kill] = []
    returns: list[float] = []
    while len(kills) < count:
        time.sleep(chance.uniform(0.02, 0.12))
        known = load.answered_by() & set(place.crew())
        done = kill(chance.choice(sorted(known))) if known else None
        if done is None:
            continue
        kills.append(done)
        wait_until(partial(gone, place, done.pid), BACK, "a killed worker is still there")
        returns.append(wait_until(lambda: whole(place), BACK, "a worker did not come back"))
        if len(kills) % 100 == 0:
            scene.tell(f"{len(kills)} workers killed")
    scene.put(workers_killed=len(kills), slowest_return=round(max(returns), 2))
    late = sum(took > AT_ONCE for took in returns)
    scene.check(not late, f"{late} workers that had answered were not replaced within {AT_ONCE} s")
    return kills


def kill_prototypes(scene: Scene, place: Place, count: int, chance: random.Random) -> None:
    """So many, each when the one before has been followed by another; the workers stay."""
    crew = place.crew()
    slowest = 0.0
    for _ in range(count):
        old = place.prototypes()
        for pid in old:
            os.kill(pid, signal.SIGKILL)
        took = wait_until(
            partial(rebuilt, place, old),
            30, "a prototype was not built again",
        )  # fmt: skip
        slowest = max(slowest, took)
        time.sleep(chance.uniform(0.1, 0.4))
    scene.put(prototypes_killed=count, slowest_rebuilt=round(slowest, 2))
    scene.check(place.crew() == crew, "workers have changed with their prototype")


def judge(scene: Scene, place: Place, load: Load, kills: Sequence[Kill]) -> None:
    """Each failure was inside a killed worker, and looks like one."""
    failures, ledger = load.failures(), Ledger.read(place.folder / "ledger")
    scene.put(requests=len(load.records()), failed=len(failures), kinds=kinds(load.records()))
    odd = [words for words in failures if not visible(words)]
    scene.check(not odd, f"{len(odd)} failed otherwise than by a closed connection: {odd[:3]}")
    lost = unexplained(failures, ledger, kills)
    scene.check(not lost, f"{len(lost)} failed that were in no killed worker: {lost[:3]}")
    again = ledger.twice()
    scene.check(not again, f"{len(again)} requests began twice: {again[:5]}")
    struck = {k.pid for k in kills}
    right = [r for r in load.records() if r.kind == Kind.OK]
    ends = {k.pid: k.at for k in kills}
    ghosts = [r for r in right if r.pid in struck and r.sent > ends[r.pid]]
    scene.check(not ghosts, f"{len(ghosts)} replies by processes that were dead")
    scene.put(**latency(load.records()))


def visible(words: dict[str, Any]) -> bool:
    """A closed connection; nginx says 502 in its place."""
    if words["lane"] == "nginx" and words["kind"] == "STATUS":
        return str(words["seen"]).startswith("502")
    return words["kind"] in {kind.name for kind in VISIBLE} - {"REFUSED"}


def settled(scene: Scene, place: Place, before: dict[str, int]) -> None:
    """Workers, scoreboard, descriptors and zombies, when all is quiet."""
    time.sleep(1.0)
    status = place.status()
    workers = status["workers"]
    scene.check(len(workers) == place.workers, f"status has {len(workers)} workers")
    scene.check({w["pid"] for w in workers} == set(place.crew()), f"status and /proc differ: {workers}")
    scene.check(all(w["state"] == "serving" for w in workers), f"states: {[w['state'] for w in workers]}")
    scene.check(all(w["busy"] == w["queued"] == 0 for w in workers), f"not idle: {workers}")
    held = sum(w["connections"] for w in workers)
    scene.check(held == 0, f"the scoreboard has {held} connections when all clients are gone")
    now = {"descriptors": descriptors(place.pid), "zombies": zombies(place.pid)}
    scene.check(now == before, f"the supervisor had {before}, now {now}")
    scene.put(deaths=status["deaths"], answered=status["totals"]["requests"], **now)


def orphans(scene: Scene, place: Place) -> None:
    """The supervisor killed: nothing of it is left."""
    members = [pid for pid in tree(place.pid) if pid != place.pid]
    begun = time.monotonic()
    place.process.kill()
    place.process.wait()
    wait_until(lambda: not any(alive(pid) for pid in members), ORPHANS, f"orphans: {members}")
    scene.put(orphans_for=round(time.monotonic() - begun, 2))


def alive(pid: int) -> bool:
    """Whether it runs; a zombie that nobody reaps does not."""
    return stat(pid)[:1] not in ([], ["Z"])


def play(scene: Scene, given: argparse.Namespace) -> None:
    """Workers, then prototypes, then the supervisor."""
    scene.put(seed=given.seed)
    chance = random.Random(given.seed)
    with running(scene.folder / "site", "plain", workers=given.workers, front=PROGRAM is not None) as place:
        before = {"descriptors": descriptors(place.pid), "zombies": 0}
        with Load(lanes_of(place), scene.folder, rate=given.rate) as load:
            load.wait_for(100)
            kills = kill_workers(scene, place, load, given.workers_killed, chance)
            time.sleep(0.3)
        judge(scene, place, load, kills)
        settled(scene, place, before)
        scene.put(by_lane=dict(Counter(words["lane"] for words in load.failures())))
        with Load(lanes_of(place), scene.folder, rate=given.rate) as calm:
            calm.wait_for(100)
            kill_prototypes(scene, place, given.prototypes_killed, chance)
        scene.count(calm, "prototypes:")
        settled(scene, place, before)
        orphans(scene, place)


def words() -> argparse.ArgumentParser:
    """The command line."""
    made = parser("kills", __doc__)
    made.add_argument("--workers-killed", type=int, default=1000)
    made.add_argument("--prototypes-killed", type=int, default=20)
    made.add_argument("--workers", type=int, default=3)
    made.add_argument("--rate", type=float, default=300.0)
    made.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    return made


if __name__ == "__main__":
    sys.exit(perform("kills", play, words()))
