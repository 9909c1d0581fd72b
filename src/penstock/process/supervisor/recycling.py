"""Other workers of the generation that serves, one for each, and who waits to hear that all were replaced.

Runs in the supervisor. It asks for replacements and counts them; how one is brought is the supervisor's.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from penstock.core.errors import NO_APPLICATION
from penstock.process.supervisor.building import BRUTAL_WORKERS, Asked, Outcome
from penstock.process.supervisor.handle import Handle
from penstock.process.supervisor.herd import FAILED

ALL = "all workers were replaced"


class Replacing(Protocol):
    """What is needed of a supervisor."""

    def replace(self, handle: Handle, why: str) -> None:
        """Have another worker built for this one."""

    def note(self, ok: bool, text: str) -> None:
        """How it ended, for ``status``."""


class Recycling:
    """``waiting``: those who wait, each with the worker numbers that are still to be replaced for them."""

    def __init__(self, supervisor: Replacing) -> None:
        self.supervisor = supervisor
        self.waiting: list[tuple[set[int], Asked]] = []

    def begin(self, handles: Iterable[Handle], asked: Asked) -> None:
        """Replace these."""
        found = list(handles)
        self.waiting.append(({handle.wid for handle in found}, asked))
        for handle in found:
            handle.asked = False
            handle.brutal = asked.how == BRUTAL_WORKERS
            self.supervisor.replace(handle, asked.why)
        self.settled(())

    def settled(self, wids: Iterable[int]) -> None:
        """These places have another worker, or need none any more."""
        for left, _ in self.waiting:
            left.difference_update(wids)
        self.end(lambda left: not left, Outcome(True, ALL))

    def failed(self, handle: Handle) -> None:
        """One died before it was ready. It is tried again, and what serves in its place serves on; but who
        waits may wait for ever."""
        code = NO_APPLICATION if handle.why == FAILED else 1
        text = f"{handle.name} did not become ready: {handle.reason}; what ran before serves on"
        self.end(lambda left: handle.wid in left, Outcome(False, text, code))

    def cancel(self, text: str) -> None:
        """It will not be."""
        self.end(lambda left: True, Outcome(False, text, 1))

    def end(self, which: Callable[[set[int]], bool], outcome: Outcome) -> None:
        """Tell those who waited for ``which``."""
        over = [one for one in self.waiting if which(one[0])]
        self.waiting = [one for one in self.waiting if one not in over]
        for _, asked in over:
            self.supervisor.note(outcome.ok, f"{asked.why}: {outcome.text}")
            asked.answer(outcome)
