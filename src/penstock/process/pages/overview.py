"""What there is to see of a server now, gathered for whoever looks: ``penstock top``, the status page.

Runs on the supervisor's loop, or on a single process's. Workers are asked once a second at most, however many
look. It does not know what is drawn, nor who may see it.
"""

from collections.abc import Callable, Mapping, Sequence
from time import monotonic, monotonic_ns, time
from typing import Any, Protocol

from penstock.process.supervisor.figures import Watched, status_of
from penstock.process.supervisor.inquiry import Answers, Inquiry, merged
from penstock.services.view import History, Merged, taken, view_of

FRESH = 0.9  # seconds for which what was gathered is good
PERIOD = 10.0  # seconds between two looks of our own, so that there is a history when somebody comes
SECOND = 1_000_000_000  # ns

Done = Callable[[dict[str, Any]], None]


class Overseen(Watched, Protocol):
    """What is read of a supervisor, or of a single process."""

    overview: Any

    @property
    def watch(self) -> Any:
        """For the time."""


class Overview:
    """One per supervisor (``of``)."""

    def __init__(self, watched: Overseen, inquiry: Inquiry) -> None:
        self.watched = watched
        self.inquiry = inquiry
        self.history = History()
        self.offset = round(time() - monotonic())  # one for all, or the plots' seconds would not be distinct
        self.found: dict[str, Any] = {}
        self.gathered = 0.0
        self.waiting: list[tuple[Done, int]] = []
        self.parts: dict[str, Answers] = {}
        self.timer: Any = None

    def keep(self) -> None:
        """Look now and then, also when nobody asks."""
        if self.timer is None:
            self.timer = self.watched.watch.every(PERIOD, self.look)

    def rest(self) -> None:
        """Look only when somebody asks; once or again."""
        timer, self.timer = self.timer, None
        if timer is not None:
            timer.cancel()

    def look(self) -> None:
        """Nobody has asked for a while."""
        if monotonic() - self.gathered >= PERIOD / 2:
            self.ask(unseen)

    def ask(self, done: Done, since: int = 0) -> None:
        """``done`` is given the document (``services.view``) with ``points`` of the seconds after ``since``
        (since 1970), at once or within the time that workers have to answer."""
        if self.found and monotonic() - self.gathered < FRESH:
            done(self.document(since))
            return
        self.waiting.append((done, since))
        if len(self.waiting) == 1:
            self.parts = {}
            pids = [handle.pid for handle in self.watched.handles()]
            self.inquiry.ask("requests", lambda answers: self.came("requests", answers))
            self.inquiry.ask(
                "paths", lambda answers: self.came("paths", answers), since=self.history.since(pids)
            )

    def came(self, name: str, answers: Answers) -> None:
        """All that there will be of one kind."""
        self.parts[name] = answers
        if len(self.parts) == 2:
            waiting, self.waiting = self.waiting, []
            try:
                self.gather(self.parts["requests"], self.parts["paths"])
            finally:  # who waits must hear something whatever happens
                for done, since in waiting:
                    done(self.document(since))

    def gather(self, requests: Answers, paths: Answers) -> None:
        """Add up."""
        both = Merged()
        now, history = monotonic(), self.history
        last = [taken(answer.value, answer.pid, both, history, now) for answer in paths if answer.value]
        status = status_of(self.watched)
        self.history.end([second for second in last if second], [answer.pid for answer in paths])
        running = [one for one in merged(requests) if "method" in one]
        silent = {answer.pid: answer.reason for answer in (*paths, *requests) if answer.reason}
        self.describe(status["workers"], silent, both.rates)
        self.found = view_of(status, running, both, self.history)
        self.gathered = monotonic()

    def describe(
        self, workers: Sequence[dict[str, Any]], silent: Mapping[int, str], rates: Mapping[int, float]
    ) -> None:
        """Of each worker how old its oldest request is, why it says nothing, and how much it does."""
        oldest = {
            handle.pid: age_of(handle.cell.read().get("oldest", 0)) for handle in self.watched.handles()
        }
        for worker in workers:
            pid = worker["pid"]
            worker["oldest"], worker["silent"] = oldest.get(pid, 0.0), silent.get(pid, "")
            worker["rate"] = rates.get(pid, 0.0)

    def document(self, since: int) -> dict[str, Any]:
        """What was gathered, with the points that whoever asks does not have."""
        points = self.history.points(since - self.offset)
        return {
            **self.found,
            "at": round(self.gathered + self.offset, 3),
            "points": [[point[0] + self.offset, *point[1:]] for point in points],
        }


def of(watched: Overseen, inquiry: Inquiry) -> Overview:
    """The one of a supervisor."""
    if watched.overview is None:
        watched.overview = Overview(watched, inquiry)
    found: Overview = watched.overview
    return found


def age_of(begun: int) -> float:
    """Seconds since a time in ns of the monotonic clock; 0 for none."""
    return round(max(0, monotonic_ns() - begun) / SECOND, 3) if begun else 0.0


def unseen(document: dict[str, Any]) -> None:
    """Nobody looks; the history is kept."""
