"""A process that hammers a cache with eight threads; run by the tests beside it.

Every value that is read must prove that it belongs to its key. Says ``ready`` once all threads run; ends when
its standard input does, and then prints wrong values, reads that found something, and how often ``n`` was
counted up.
"""

import json
import os
import signal
import sys
import threading
import time
from random import Random

from penstock.config.site.caches import parse
from penstock.interprocess.cache.memory import DIRTY, Memory
from penstock.interprocess.cache.store import Store
from tests.interprocess.cache.stores import proof, proves

THREADS = 8
KEYS = [b"/page/%d" % number for number in range(40)]
THREAD = 0x3FFFFFFF
"""The bits of a robust lock's first word that are the number of the thread that holds it (linux/futex.h)."""


class Blows:
    """What all threads of a process do to a store, and what came of it."""

    def __init__(self, store: Store, counting: bool) -> None:
        self.store = store
        self.counting = counting
        self.ending = False
        self.wrong = self.found = self.counted = 0
        self.lock = threading.Lock()

    def run(self, seed: int) -> None:
        """One thread."""
        random = Random(seed)
        wrong = found = counted = 0
        while not self.ending:
            key = random.choice(KEYS)
            what = random.random()
            if what < 0.45:
                value = self.store.get(key)
                found += value is not None
                wrong += value is not None and not proves(key, value)
            elif what < 0.85:
                self.store.set(key, proof(key, random), random.choice((0, 0, 1)), random.random() < 0.8)
            elif what < 0.95:
                self.store.delete(key)
            elif self.counting:
                counted += self.store.alter(b"n", int.__add__, 1) is not None
            else:
                wrong += len(set(there := self.store.keys())) != len(there)
        with self.lock:
            self.wrong += wrong
            self.found += found
            self.counted += counted

    def threads(self, seed: int, count: int = THREADS) -> list[threading.Thread]:
        """So many of them, started."""
        made = [threading.Thread(target=self.run, args=(seed + n,), daemon=True) for n in range(count)]
        for thread in made:
            thread.start()
        return made


def serve(text: str, fd: int, seed: int, counting: bool) -> None:
    """Hammer until the input ends."""
    store = Store(Memory.attach(parse(text), fd), lambda key, line: None)
    blows = Blows(store, counting)
    threads = blows.threads(seed)
    print("ready", flush=True)
    sys.stdin.read()
    blows.ending = True
    for thread in threads:
        thread.join(20)
    ended = not any(thread.is_alive() for thread in threads)
    print(json.dumps({"wrong": blows.wrong, "found": blows.found, "counted": blows.counted, "ended": ended}))


def die(text: str, fd: int, times: int) -> None:
    """Fork a child that hammers, kill it in mid-write, ``times`` times over."""
    store = Store(Memory.attach(parse(text), fd), lambda key, line: None)
    print("ready", flush=True)
    for seed in range(times):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            Blows(store, False).threads(seed * THREADS)
            os.write(writer, b"!")
            threading.Event().wait()
        os.read(reader, 1)
        while not writing(store, child):
            os.kill(child, signal.SIGCONT)
            time.sleep(0.0005)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reader)
        os.close(writer)
    print(json.dumps({"killed": times}))


def writing(store: Store, child: int) -> bool:
    """Stop the child; whether that was in mid-write. The word alone does not say whose write it is: on a busy
    machine another process may be off its processor in the middle of one for as long as anybody looks."""
    os.kill(child, signal.SIGSTOP)
    os.waitpid(child, os.WUNTRACED)
    holder = int.from_bytes(store.memory.bytes[:4], "little") & THREAD
    return bool(store.words[DIRTY]) and os.path.exists(f"/proc/{child}/task/{holder}")


if __name__ == "__main__":
    if sys.argv[1] == "die":
        die(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        serve(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[1] == "count")
