"""Vassals that come and go at random: none lost, none doubled, no zombie, no descriptor left.

``python -m tests.household.vassals --seconds 300 --vassals 100`` runs an emperor with real vassals, does
something to one of them every so often, looks all the while whether any is there twice, and at the end
whether exactly those are there that should be, with what their files last said. It prints one line of JSON.
"""

import argparse
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.e2e.emperors import Empire, children, descendants, empire

SETTLE = 300.0  # seconds that everything has to come right, on a machine that is busy
WATCHED = 2.0  # seconds between two looks for doubles


class Realm:
    """What should be: ``words`` are what each vassal is to answer; ``broken`` those that cannot start."""

    def __init__(self, emperor: Empire, count: int, seed: int) -> None:
        self.emperor = emperor
        self.count = count
        self.random = random.Random(seed)
        self.words: dict[str, str] = {}
        self.broken: set[str] = set()
        self.done: Counter[str] = Counter()
        self.doubled = 0
        self.serial = 0

    def file(self, name: str) -> Path:
        return self.emperor.folder / "vassals" / f"{name}.ini"

    def write(self, name: str, sound: bool = True) -> None:
        """A vassal's file, with a word that no other had before."""
        self.serial += 1
        word = f"w{self.serial}"
        self.emperor.put(name, f"env = WORD={word}", app="app" if sound else "missing")
        self.words[name] = word
        (self.broken.discard if sound else self.broken.add)(name)

    # ---- What may happen ----------------------------------------------------------------------------

    def come(self) -> None:
        free = [f"v{at}" for at in range(self.count) if f"v{at}" not in self.words]
        if free:
            self.write(self.random.choice(free))

    def go(self) -> None:
        if self.words:
            name = self.pick()
            self.file(name).unlink()
            del self.words[name]
            self.broken.discard(name)

    def change(self) -> None:
        if self.words:
            self.write(self.pick())

    def spoil(self) -> None:
        if self.words:
            self.write(self.pick(), sound=False)

    def replace(self) -> None:
        """Gone and back before anybody may have seen it."""
        if self.words:
            name = self.pick()
            self.file(name).unlink()
            self.write(name)

    def kill(self) -> None:
        """One of the vassals' supervisors, whoever it is."""
        found = self.masters()
        if found:
            os.kill(self.random.choice(found), self.random.choice((signal.SIGKILL, signal.SIGTERM)))

    def pick(self) -> str:
        return self.random.choice(sorted(self.words))

    def happen(self) -> None:
        deeds: list[tuple[Callable[[], None], int]] = [
            *((self.come, 6), (self.go, 3), (self.change, 4)),
            *((self.spoil, 1), (self.replace, 1), (self.kill, 1)),
        ]
        (deed,) = self.random.choices([one for one, _ in deeds], [weight for _, weight in deeds])
        try:
            deed()
        except ProcessLookupError:
            return  # it has ended by itself meanwhile
        self.done[deed.__name__] += 1

    # ---- What is there ------------------------------------------------------------------------------

    def masters(self) -> list[int]:
        return [pid for pid in children(self.emperor.process.pid) if name_of(pid)]

    def check_doubles(self) -> None:
        counted = Counter(name_of(pid) for pid in self.masters())
        self.doubled += sum(1 for name, count in counted.items() if name and count > 1)

    def right(self) -> bool:
        """Whether exactly those serve that should, with their last words. One that was spoiled while it
        served goes on with what it had, so its word is not looked at."""
        sound = [name for name in self.words if name not in self.broken]
        return all(self.emperor.ask(name)[:1] == [self.words[name]] for name in sound)

    def strangers(self) -> list[str]:
        return [name for pid in self.masters() if (name := name_of(pid)) not in self.words]


def name_of(pid: int) -> str:
    """Which vassal's supervisor a process is, "" for any other."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    names = [word.decode() for word in words if word.endswith(b".ini")]
    return names[-1].removesuffix(".ini") if names else ""


def zombies(pids: list[int]) -> int:
    """How many of the processes are dead and not reaped."""
    count = 0
    for pid in pids:
        try:
            count += Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("Z")
        except OSError:
            continue
    return count


def memory(pids: list[int]) -> float:
    """MB that the processes have, shared pages divided among those who share them."""
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += int(text.partition("Pss:")[2].split()[0])
    return total / 1024


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def waited(done: Callable[[], bool], seconds: float = SETTLE) -> float:
    """Seconds until it was so, -1.0 when it never was."""
    begun = time.monotonic()
    while not done():
        if time.monotonic() - begun > seconds:
            return -1.0
        time.sleep(0.2)
    return round(time.monotonic() - begun, 1)


def trouble(realm: Realm, seconds: float, pause: float) -> None:
    """Let things happen for so long."""
    end = time.monotonic() + seconds
    look = 0.0
    while time.monotonic() < end:
        realm.happen()
        if time.monotonic() >= look:
            realm.check_doubles()
            look = time.monotonic() + WATCHED
        time.sleep(realm.random.expovariate(1 / pause))


def prove(folder: Path, count: int, seconds: float, pause: float, seed: int = 1) -> dict[str, Any]:
    """The whole of it; what was seen."""
    with empire(folder, "--emperor-throttle", "500", expect=None) as emperor:
        emperor.wait_for("the emperor looks for vassals")
        pid = emperor.process.pid
        before = descriptors(pid)
        realm = Realm(emperor, count, seed)
        for at in range(count):
            realm.write(f"v{at}")
        seen: dict[str, Any] = {"vassals": count, "all_serve_after": waited(realm.right)}
        seen["mb_each"] = round(memory(descendants(pid)) / count, 1)
        trouble(realm, seconds, pause)
        seen["settled_after"] = waited(lambda: realm.right() and not realm.strangers())
        sound = [name for name in realm.words if name not in realm.broken]
        seen["lost"] = [name for name in sound if emperor.ask(name)[:1] != [realm.words[name]]]
        seen["strangers"] = realm.strangers()
        seen["doubled"] = realm.doubled
        seen["zombies"] = zombies(descendants(pid))
        for name in list(realm.words):
            realm.file(name).unlink()
        seen["empty_after"] = waited(lambda: not descendants(pid))
        seen["left"] = len(descendants(pid))
        seen["descriptors_left"] = descriptors(pid) - before
        seen["deeds"] = dict(realm.done)
        seen["status"] = emperor.stop()
    return seen


def sound(seen: dict[str, Any]) -> bool:
    """Whether nothing went wrong."""
    wrong = [seen[name] for name in ("lost", "strangers", "doubled", "zombies", "left", "descriptors_left")]
    times = [seen[name] for name in ("all_serve_after", "settled_after", "empty_after")]
    return not any(wrong) and min(times) >= 0 and seen["status"] == 0


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--vassals", type=int, default=100)
    words.add_argument("--seconds", type=float, default=300.0)
    words.add_argument("--pause", type=float, default=0.5, help="seconds between two deeds, on average")
    words.add_argument("--seed", type=int, default=1)
    given = words.parse_args()
    with TemporaryDirectory() as folder:
        seen = prove(Path(folder), given.vassals, given.seconds, given.pause, given.seed)
    print(json.dumps(seen))
    return 0 if sound(seen) else 1


if __name__ == "__main__":
    sys.exit(main())
