"""Building a generation while the old one serves: its prototype, all its workers, and only then the change.

Runs in the supervisor. What is built is not in the herd's places until ``finished``; a build that fails
leaves nothing behind.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from penstock.core.errors import NO_APPLICATION
from penstock.process.supervisor.generation import Generation
from penstock.process.supervisor.handle import Handle, State
from penstock.process.supervisor.herd import Herd
from penstock.process.supervisor.loading import FAILED, Loading, Workshop

GRACEFUL, BRUTAL, CHAIN, WORKERS, BRUTAL_WORKERS = "graceful", "brutal", "chain", "workers", "brutal-workers"
ANEW = (GRACEFUL, BRUTAL)
"""Kinds of a reload for which uWSGI starts itself anew, and with it all that it runs beside its workers."""


@dataclass(frozen=True)
class Outcome:
    """How something that was asked for ended; ``code`` is an exit status for whoever asked."""

    ok: bool
    text: str
    code: int = 0


Done = Callable[[Outcome], None]


@dataclass
class Asked:
    """A reload that was asked for: why, how, and who wants to know how it ends."""

    why: str
    how: str = GRACEFUL
    done: list[Done] = field(default_factory=list)

    def answer(self, outcome: Outcome) -> None:
        """Tell all who asked, once."""
        calls, self.done = self.done, []
        for call in calls:
            call(outcome)


class Build:
    """``wids`` the numbers to fill. ``swap(handle)`` puts one worker into its place (for a chain, one at a
    time), ``finished(build)`` and ``failed(build, text, code)`` end it."""

    def __init__(
        self, herd: Herd, shop: Workshop, generation: Generation, asked: Asked, wids: list[int]
    ) -> None:
        self.herd = herd
        self.generation = generation
        self.asked = asked
        self.wids = wids
        self.made: dict[int, Handle] = {}
        self.swapped: list[int] = []
        self.over = False
        self.wanted_before = len(wids)
        self.full = False  # whether what serves now has an application
        self.loading = Loading(shop, generation, self.loaded, self.fail)
        self.swap: Callable[[Handle], None] = lambda handle: None
        self.finished: Callable[[Build], None] = lambda build: None
        self.failed: Callable[[Build, str, int], None] = lambda build, text, code: None

    def start(self) -> None:
        """Begin with the prototype."""
        self.loading.start()

    @property
    def chain(self) -> bool:
        """Whether one worker after the other is changed."""
        return self.asked.how == CHAIN

    def loaded(self) -> None:
        """The prototype can fork."""
        if self.generation.empty and self.full:
            self.fail("the application did not load; need-app = false would answer 500 in its place", FAILED)
            return
        for wid in self.wids[:1] if self.chain else self.wids:
            self.fork(wid)
        if not self.wids:
            self.finish()

    def fork(self, wid: int) -> None:
        """One worker of it."""
        if self.over:
            return
        # None of them answers before all could: what fails has then answered nothing with the new code.
        timeout = self.generation.settings.start_timeout
        handle = self.herd.fork(wid, self.generation, timeout, hold=not self.chain)
        if handle is None:
            self.fail("there is no slot left for a new worker while so many old ones finish", FAILED)
            return
        self.made[wid] = handle
        handle.ready = self.ready
        handle.gone = self.gone

    def ready(self, handle: Handle) -> None:
        """One is ready."""
        if self.over:
            return
        if self.chain:
            handle.gone = None
            self.swapped.append(handle.wid)
            self.swap(handle)
            following = self.wids[len(self.swapped) : len(self.swapped) + 1]
            for wid in following:
                self.fork(wid)
            if not following:
                self.finish()
        elif len(self.made) == len(self.wids) and all(h.state is State.SERVING for h in self.made.values()):
            self.finish()

    def gone(self, handle: Handle, status: int) -> None:
        """One died before all were ready."""
        code = NO_APPLICATION if status == NO_APPLICATION else FAILED
        self.fail(f"its {handle.name} did not become ready: {handle.reason}", code)

    def finish(self) -> None:
        """All are ready."""
        self.over = True
        for handle in self.made.values():
            handle.gone = None
        self.finished(self)

    def fail(self, text: str, code: int) -> None:
        """It comes to nothing."""
        if not self.over:
            self.cancel()
            self.failed(self, text, code)

    def cancel(self) -> None:
        """Take back what was made, but for what serves already."""
        self.over = True
        self.loading.end()
        for wid, handle in self.made.items():
            handle.gone = handle.ready = None
            if wid not in self.swapped and self.chain:
                mercy = self.generation.settings.worker_reload_mercy
                self.herd.retract(handle, "its generation is not used", mercy)
            elif wid not in self.swapped:  # it was never told to take requests
                self.herd.halt(handle, "its generation is not used")
