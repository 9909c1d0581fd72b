"""A few service threads for what may wait on a disk: the rest of a file, spooled uploads, log lines.

The loop hands over a job and is called back with its outcome; nothing is waited for. The threads start
with the first job.
"""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from penstock.handoff.doorway import Doorway

Job = tuple[Callable[[], Any], Callable[[Any, BaseException | None], None] | None]


class Offload:
    """At most ``threads`` daemon threads named ``name``; jobs of one Offload with one thread run in order."""

    def __init__(self, doorway: Doorway, name: str, threads: int = 1) -> None:
        self.doorway = doorway
        self.name = name
        self.limit = threads
        self.jobs: SimpleQueue[Job | None] = SimpleQueue()
        self.threads: list[threading.Thread] = []

    def submit(
        self, work: Callable[[], Any], done: Callable[[Any, BaseException | None], None] | None = None
    ) -> None:
        """Loop: run ``work()`` on a thread; ``done(result, error)`` is called on the loop after it."""
        self.jobs.put((work, done))
        if len(self.threads) < self.limit:
            thread = threading.Thread(target=self._turn, name=f"penstock-{self.name}", daemon=True)
            self.threads.append(thread)
            thread.start()

    def _turn(self) -> None:
        while self._one(self.jobs.get()):
            pass

    def _one(self, job: Job | None) -> bool:
        """One job, of which nothing is kept alive while the thread waits for the next; False at the end."""
        if job is None:
            return False
        work, done = job
        result, failure = None, None
        try:
            result = work()
        except BaseException as error:
            failure = error
        if done is not None:
            self.doorway.bell.ring(done, result, failure)
        elif failure is not None:
            self.doorway.bell.failed(f"penstock-{self.name}: {failure!r}")
        return True

    def stop(self, seconds: float) -> bool:
        """Let the threads finish what is queued and leave; False when one is stuck."""
        for _ in self.threads:
            self.jobs.put(None)
        for thread in self.threads:
            thread.join(seconds)
        return not any(thread.is_alive() for thread in self.threads)
