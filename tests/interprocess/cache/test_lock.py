"""The lock: who has it, who waits, who is refused, and what becomes of it when its holder dies."""

import mmap
import os
import signal
import threading
from collections.abc import Iterator
from time import monotonic, sleep

import pytest

from penstock.interprocess.cache.lock import Lock
from tests.interprocess.cache.stores import Said, store_of


@pytest.fixture
def lock() -> Iterator[Lock]:
    memory = mmap.mmap(-1, 4096)
    made = Lock(memory, make=True)
    yield made
    made.close()
    memory.close()


def test_one_has_it(lock: Lock) -> None:
    lock.patience = 0.1
    assert lock.attempt(lock.address) == 0
    found: list[object] = []

    def other() -> None:
        result = lock.attempt(lock.address)
        began = monotonic()
        found.extend([result != 0, lock.settle(result), monotonic() - began > 0.05])
        lock.release(lock.address)  # what one does not hold one does not release

    thread = threading.Thread(target=other)
    thread.start()
    thread.join(10)
    assert found == [True, False, True]
    lock.patience = 10.0
    waits = threading.Event()

    def patient() -> None:
        result = lock.attempt(lock.address)
        waits.set()
        found.append(result != 0 and lock.settle(result))
        lock.release(lock.address)

    thread = threading.Thread(target=patient)
    thread.start()
    waits.wait(10)
    lock.release(lock.address)
    thread.join(10)
    assert found[3:] == [True]


def test_its_holder_is_refused(lock: Lock) -> None:
    result = lock.attempt(lock.address)
    again = lock.attempt(lock.address)
    assert result == 0 != again and not lock.settle(again)
    lock.release(lock.nobodys)
    assert lock.attempt(lock.address) != 0
    lock.release(lock.address)
    assert lock.attempt(lock.address) == 0
    lock.release(lock.address)


def test_the_dead_hold_nothing(lock: Lock) -> None:
    child = os.fork()
    if child == 0:
        os._exit(lock.attempt(lock.address))
    assert os.waitpid(child, 0)[1] == 0
    result = lock.attempt(lock.address)
    assert result != 0 and lock.settle(result)
    lock.release(lock.address)
    assert lock.attempt(lock.address) == 0
    lock.release(lock.address)


def test_who_is_woken_by_nobody_has_it_all_the_same() -> None:
    """A holder that dies is followed by a sleeper, if the lock's first word says that there are any. Whoever
    was woken before is to say so; where he is killed, too, the word is as it is here, and all sleep on."""
    died = 0x40000000  # FUTEX_OWNER_DIED, and nobody waits (linux/futex.h)
    waits = 0x80000000  # FUTEX_WAITERS
    with mmap.mmap(-1, 4096) as memory:
        lock = Lock(memory, make=True)
        lock.patience = 20.0
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writer, bytes([lock.attempt(lock.address)]))
            threading.Event().wait()
        words = memoryview(memory).cast("I")
        found: list[bool] = []

        def sleeper() -> None:
            result = lock.attempt(lock.address)
            found.append(result != 0 and lock.settle(result))
            lock.release(lock.address)

        thread = threading.Thread(target=sleeper)
        try:
            assert os.read(reader, 1) == b"\0"
            thread.start()
            while not words[0] & waits:
                sleep(0.001)
            words[0] = died
            thread.join(5)
            in_time = not thread.is_alive()
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(reader)
            os.close(writer)
        thread.join(30)
        assert in_time and found == [True]
        words.release()
        lock.close()


def test_nobody_has_what_is_closed(lock: Lock) -> None:
    lock.close()
    result = lock.attempt(lock.address)
    assert result != 0 and not lock.settle(result)
    lock.release(lock.address)


def test_a_cache_within_itself_is_refused_and_stays_whole() -> None:
    """A finalizer or a signal's function that asks the cache in the middle of it."""
    said = Said()
    with store_of("name=a,items=10", said) as store:
        inner: list[object] = []

        def within(there: int, number: int) -> int:
            inner.extend([store.set(b"k", b"v"), store.get(b"k"), store.keys(), store.delete(b"n")])
            return there + number

        assert store.alter(b"n", within, 5) == 5 and inner == [False, None, [], False]
        assert store.num(b"n") == 5 and store.keys() == [b"n"] and said.lines == []


def test_who_was_stopped_in_the_middle_stops_nobody_else() -> None:
    said = Said()
    with store_of("name=a,items=10", said) as store:
        store.lock.patience = 0.05
        assert store.set(b"k", b"v")
        held, over = threading.Event(), threading.Event()

        def stops(there: int, number: int) -> int:
            held.set()
            over.wait(10)
            return number

        thread = threading.Thread(target=store.alter, args=(b"n", stops, 5))
        thread.start()
        assert held.wait(10) and store.get(b"k") is None and not store.set(b"k", b"w")
        over.set()
        thread.join(10)
        assert store.get(b"k") == b"v" and store.num(b"n") == 5
        assert set(said.lines) == {"cache a is not asked: somebody who was stopped holds it"}


def test_an_exception_in_the_middle_empties_the_cache() -> None:
    """As a deadline's, which may come at any step."""
    said = Said()
    with store_of("name=a,items=10", said) as store:
        assert store.set(b"k", b"v")

        def breaks(there: int, number: int) -> int:
            raise TimeoutError

        with pytest.raises(TimeoutError):
            store.alter(b"n", breaks, 1)
        assert store.get(b"k") is None and store.figures()["emptied"] == 1
        assert store.set(b"k", b"v") and store.get(b"k") == b"v"
        assert said.lines == ["cache a is empty again: somebody died while changing it"]
