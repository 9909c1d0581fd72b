"""A lock that several threads take, and what becomes of it in a fork."""

import gc
import os
import threading
from collections.abc import Callable

from penstock.handoff.guard import in_forks, make_guard


class Kept:
    """Counts how often it was told of a fork."""

    def __init__(self) -> None:
        self.times = 0

    def told(self) -> None:
        self.times += 1


def in_a_fork(check: Callable[[], int]) -> int:
    """The exit status of a fork in which ``check()`` is the status."""
    child = os.fork()
    if child == 0:
        os._exit(check())
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_one_thread_has_it_and_may_take_it_again() -> None:
    guard = make_guard()
    free: list[bool] = []
    with guard, guard:
        thread = threading.Thread(target=lambda: free.append(guard.acquire(blocking=False)))
        thread.start()
        thread.join()
    assert free == [False]
    thread = threading.Thread(target=lambda: free.append(guard.acquire(blocking=False)))
    thread.start()
    thread.join()
    assert free == [False, True]


def test_whoever_asks_hears_of_forks_while_it_lives() -> None:
    kept, gone = Kept(), Kept()
    in_forks(kept.told)
    in_forks(gone.told)
    del gone
    gc.collect()
    assert in_a_fork(lambda: kept.times) == 1
    assert kept.times == 0
    in_forks(Kept().told)
    assert in_a_fork(lambda: kept.times) == 1
