"""Exceptions from outside, which may come at any step of a thread: the lock is never left behind."""

import ctypes
import threading
from random import Random
from time import perf_counter, sleep

import pytest

from penstock.interprocess.cache.store import Store
from tests.interprocess.cache.stores import Said, proof, proves, store_of

KEYS = [b"/page/%d" % number for number in range(12)]


class Struck(Exception):
    """What is thrown."""


class Target:
    """A thread that uses a store until it is told to end, whatever hits it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.hits = self.wrong = self.rounds = 0
        self.ending = False
        self.thread = threading.Thread(target=self.live, daemon=True)
        self.thread.start()

    def live(self) -> None:
        """Until the end, through all hits."""
        while not self.ending:
            try:
                self.work(Random(self.rounds))
            except Struck:
                self.hits += 1

    def work(self, random: Random) -> None:
        """Until it is hit."""
        while not self.ending:
            self.rounds += 1
            key = random.choice(KEYS)
            self.store.set(key, proof(key, random, 300))
            value = self.store.get(key)
            self.wrong += value is not None and not proves(key, value)
            self.store.alter(b"n", int.__add__, 1)
            self.store.delete(random.choice(KEYS))


@pytest.mark.parametrize("form", ["purge_lru=1", "bitmap=1,blocks=20,blocksize=64"])
def test_a_thread_that_is_struck_leaves_no_lock(form: str) -> None:
    throw = ctypes.pythonapi["PyThreadState_SetAsyncExc"]
    throw.argtypes = (ctypes.c_ulong, ctypes.py_object)
    said, random = Said(), Random(1)
    with store_of(f"name=a,items=10,{form}", said) as store:
        target = Target(store)
        thrown = slow = 0
        until = perf_counter() + 0.5
        while perf_counter() < until:
            hits = target.hits
            throw(target.thread.ident or 0, Struck)
            thrown += 1
            while target.hits == hits and target.thread.is_alive():
                began = perf_counter()
                store.get(KEYS[0])
                slow += perf_counter() - began > 0.8  # the patience of a lock that nobody gives back is 1
            rounds = target.rounds
            while target.rounds == rounds:  # it is at work again: nothing else is to be hit
                sleep(random.random() / 1000)
        target.ending = True
        target.thread.join(10)
        assert not target.thread.is_alive() and thrown == target.hits > 3 and slow == target.wrong == 0
        store.clear()
        assert store.set(b"k", b"v") and store.get(b"k") == b"v"
