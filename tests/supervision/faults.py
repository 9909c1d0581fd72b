"""Everything at once, at random, under load: workers and prototypes killed, reloads in the middle of an
import and of a drain, broken deploys, workers stopped and resumed, more of them and fewer.

``python -m tests.supervision.faults --seconds 120 --seed 7``. Only what was inside a killed worker may fail,
each visibly; the same seed plays the same deeds.
"""

import argparse
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.e2e.nginx import PROGRAM
from tests.supervision.kills import judge, lanes_of, settled
from tests.supervision.ledger import Kill, kill
from tests.supervision.load import Load
from tests.supervision.place import Place, running
from tests.supervision.proc import descriptors, wait_until
from tests.supervision.scene import Scene, parser, perform
from tests.supervision.wire import Lane

CALM = 60.0  # seconds until all is in order again
SLOW_IMPORT = "import time; time.sleep(0.8)"


@dataclass
class Play:
    """What is done, and what was done so far."""

    place: Place
    load: Load
    chance: random.Random
    generation: int = 1
    wanted: int = 2
    kills: list[Kill] = field(default_factory=list)
    deeds: Counter[str] = field(default_factory=Counter)

    def nap(self, most: float) -> None:
        """A moment of the dice's choice."""
        time.sleep(self.chance.uniform(0.0, most))

    def deploy(self, code: str = "") -> None:
        """Other code, and a reload."""
        self.generation += 1
        self.place.site.deploy(self.generation, code)
        self.place.send(signal.SIGHUP)

    def worker(self) -> int:
        """One of the workers that have answered, 0 where there is none."""
        known = sorted(set(self.place.crew()) & self.load.answered_by())
        return self.chance.choice(known) if known else 0

    # ---- Deeds --------------------------------------------------------------------------------------

    def kill_worker(self) -> None:
        done = kill(self.worker()) if self.worker() else None
        if done is not None:
            self.kills.append(done)

    def kill_prototype(self) -> None:
        for pid in self.place.prototypes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def reload(self) -> None:
        self.deploy()

    def reload_in_mid_import(self) -> None:
        """The second while the first still imports."""
        self.deploy(SLOW_IMPORT)
        self.nap(0.7)
        self.deploy()

    def kill_in_mid_import(self) -> None:
        """The prototype that imports, or a worker that serves meanwhile."""
        self.deploy(SLOW_IMPORT)
        self.nap(0.7)
        self.chance.choice((self.kill_prototype, self.kill_worker))()

    def reload_in_mid_drain(self) -> None:
        """The second while the old workers still finish requests of a second."""
        old = self.place.crew()
        self.deploy()
        wait_until(lambda: bool(set(self.place.crew()) - set(old)), CALM, "no new worker")
        self.nap(0.3)
        self.deploy()

    def kill_in_mid_drain(self) -> None:
        old = self.place.crew()
        self.deploy()
        wait_until(lambda: bool(set(self.place.crew()) - set(old)), CALM, "no new worker")
        self.nap(0.3)
        self.kill_worker()

    def break_it(self) -> None:
        self.deploy("1 / 0")
        self.nap(0.5)

    def resize(self) -> None:
        more = self.wanted < 4 and (self.wanted < 2 or self.chance.random() < 0.5)
        self.wanted += 1 if more else -1
        self.place.send(signal.SIGTTIN if more else signal.SIGTTOU)

    def stop_and_go(self) -> None:
        """A worker that does not run for a while: its requests are late, and right."""
        pid = self.worker()
        if pid:
            os.kill(pid, signal.SIGSTOP)
            self.nap(0.8)
            os.kill(pid, signal.SIGCONT)

    def lasting_calm(self) -> bool:
        """Calm for a while: a death or a signal is not heard at once."""
        for _ in range(8):
            if not self.calm():
                return False
            time.sleep(0.05)
        return True

    def calm(self) -> bool:
        """Whether there are as many workers as wanted, and one prototype."""
        return len(self.place.crew()) == self.wanted and len(self.place.prototypes()) == 1


DEEDS: dict[str, Callable[[Play], None]] = {
    deed.__name__: deed
    for deed in (
        *(Play.kill_worker, Play.kill_prototype, Play.reload, Play.reload_in_mid_import),
        *(Play.kill_in_mid_import, Play.reload_in_mid_drain, Play.kill_in_mid_drain),
        *(Play.break_it, Play.resize, Play.stop_and_go),
    )
}


def storm(scene: Scene, play: Play, seconds: float) -> None:
    """Deeds until the time is over; now and then a calm, by which everything must be in order."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        name = play.chance.choice(list(DEEDS))
        DEEDS[name](play)
        play.deeds[name] += 1
        play.nap(0.5)
        if play.chance.random() < 0.35:
            why = f"no calm after {name}: {play.place.crew()}, wanted {play.wanted}"
            took = wait_until(play.lasting_calm, CALM, why)
            scene.tell(f"{play.deeds.total()} deeds, the last {name}; calm after {took:.2f} s")
    play.deploy()
    wait_until(play.lasting_calm, CALM, "no calm at the end")


def perform_it(scene: Scene, given: argparse.Namespace) -> None:
    """The storm, and what is left afterwards."""
    scene.put(seed=given.seed)
    with running(scene.folder / "site", workers=2, front=PROGRAM is not None) as place:
        before = {"descriptors": descriptors(place.pid), "zombies": 0}
        lanes = [*lanes_of(place), Lane("long", place.address("http"), kept=True, share=0.1, query="sleep=1")]
        with Load(lanes, scene.folder, rate=given.rate) as load:
            load.wait_for(50)
            play = Play(place, load, random.Random(given.seed))
            storm(scene, play, given.seconds)
            time.sleep(1.5)
        scene.put(deeds=dict(play.deeds), workers_killed=len(play.kills))
        judge(scene, place, load, play.kills)
        # A channel for each worker more, or one less.
        before["descriptors"] += play.wanted - place.workers
        place.workers = play.wanted
        settled(scene, place, before)
        scene.check(place.ends() == 0, "the server's exit status is not 0")


def words() -> argparse.ArgumentParser:
    """The command line."""
    made = parser("faults", __doc__)
    made.add_argument("--seconds", type=float, default=120)
    made.add_argument("--rate", type=float, default=200)
    made.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    return made


if __name__ == "__main__":
    sys.exit(perform("faults", perform_it, words()))
