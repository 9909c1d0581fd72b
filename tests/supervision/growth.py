"""A hundred reloads: the supervisor's memory, its descriptors and its dead children stay what they were.

``python -m tests.supervision.growth --count 100``
"""

import argparse
import sys
import time

from tests.supervision.load import Load
from tests.supervision.place import running
from tests.supervision.proc import descriptors, memory, wait_until, zombies
from tests.supervision.reloads import WAYS, reload
from tests.supervision.scene import Scene, parser, perform

WARM = 0.3  # of the reloads, before which memory may still grow
MORE = 512  # kilobytes that it may grow afterwards
EVERY = 10


def play(scene: Scene, given: argparse.Namespace) -> None:
    """The reloads, with a light load, and a look at the supervisor every ten."""
    way = WAYS[given.how]
    looks: list[tuple[int, int, int]] = []
    with running(scene.folder / "site", workers=2, options=dict(way.options)) as place:
        (place.folder / "touched").touch()
        with Load(place.lanes(), scene.folder, rate=given.rate) as load:
            load.wait_for(20)
            for number in range(1, given.count + 1):
                reload(place, way, number + 1)
                if number % max(1, min(EVERY, given.count // 5)) == 0:
                    time.sleep(0.3)
                    kilobytes = memory(place.pid, "Private_Dirty")
                    looks.append((number, kilobytes, descriptors(place.pid)))
                    scene.tell(f"{number} reloads: {kilobytes} KB private, {looks[-1][2]} descriptors")
        scene.count(load)
        wait_until(lambda: zombies(place.pid) == 0, 5, f"{zombies(place.pid)} zombies")
        warm = [look for look in looks if look[0] >= given.count * WARM]
        grown = warm[-1][1] - warm[0][1]
        scene.put(reloads=given.count, first_kb=warm[0][1], last_kb=warm[-1][1], grown_kb=grown)
        scene.put(descriptors=sorted({look[2] for look in looks}))
        scene.check(grown <= MORE, f"the supervisor has grown by {grown} KB")
        scene.check(len({look[2] for look in warm}) == 1, f"descriptors: {[look[2] for look in looks]}")
        scene.check(place.ends() == 0, "the server's exit status is not 0")


def words() -> argparse.ArgumentParser:
    """The command line."""
    made = parser("growth", __doc__)
    made.add_argument("--count", type=int, default=100)
    made.add_argument("--how", choices=WAYS, default="hup")
    made.add_argument("--rate", type=float, default=50.0)
    return made


if __name__ == "__main__":
    sys.exit(perform("growth", play, words()))
