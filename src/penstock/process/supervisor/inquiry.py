"""Asking workers what only they know: which requests they run, the stacks of their threads, a profile.

Runs in the supervisor, or on the loop of a single process. A worker whose interpreter is held by C code
cannot answer; after a moment the answer goes without it and says so. It does not know what is asked.
"""

from collections.abc import Callable, Collection, Sequence
from itertools import count
from typing import Any, NamedTuple, Protocol

PATIENCE = 2.0  # seconds that a worker has to answer
AT_ONCE = 100  # questions that may be open
MANY = "the worker was not asked: too many ask at a time"
ANSWERING = ("SERVING", "LEAVING")


class Answer(NamedTuple):
    """What one worker said: ``value`` as it gave it, whatever that is; or None and the ``reason`` why there
    is none, for people."""

    wid: int
    pid: int
    value: Any
    reason: str = ""


Answers = list[Answer]
Done = Callable[[Answers], None]


class Heard(Protocol):
    """What is needed of a supervisor."""

    @property
    def watch(self) -> Any:
        """For the time."""

    @property
    def on_message(self) -> list[Callable[[Any, dict[str, Any]], None]]:
        """Who is told what workers say."""

    def handles(self) -> Sequence[Any]:
        """Every worker that is not gone."""


class Question:
    """One that is open: which workers have not answered, how long they had, and what the others said."""

    def __init__(self, waiting: dict[int, Any], patience: float, done: Done) -> None:
        self.waiting = waiting
        self.patience = patience
        self.done = done
        self.timer: Any = None
        self.found: Answers = []


class Inquiry:
    """Made once for a supervisor."""

    def __init__(self, supervisor: Heard) -> None:
        self.supervisor = supervisor
        self.numbers = count(1)
        self.open: dict[int, Question] = {}
        supervisor.on_message.append(self.heard)

    def ask(
        self,
        what: str,
        done: Done,
        *,
        patience: float = PATIENCE,
        wids: Collection[int] = (),
        **more: Any,
    ) -> None:
        """Ask every worker that serves or leaves (of these ``wids``, if any are given) a question by its
        name in ``Worker.tells``; ``more`` goes along, as JSON has it.

        ``done`` is given an answer for each, once: when all have answered or ``patience`` seconds are over;
        at once where there is nobody to ask, or too many questions are open.
        """
        handles = [h for h in self.supervisor.handles() if h.state.name in ANSWERING]
        handles = [handle for handle in handles if not wids or handle.wid in wids]
        if not handles or len(self.open) >= AT_ONCE:
            done([Answer(handle.wid, handle.pid, None, MANY) for handle in handles])
            return
        number = next(self.numbers)
        question = Question({handle.slot: handle for handle in handles}, patience, done)
        self.open[number] = question
        # Before anything is sent: a single process may answer at once.
        question.timer = self.supervisor.watch.later(patience, lambda: self.close(number))
        for handle in handles:
            handle.channel.send({**more, "do": "tell", "what": what, "id": number})

    def heard(self, handle: Any, message: dict[str, Any]) -> None:
        """A worker says something; whatever it is, only its own answer can be wrong."""
        number = message.get("id")
        if message.get("is") != "told" or not isinstance(number, int):
            return
        question = self.open.get(number)
        if question is None or handle not in question.waiting.values():
            return
        del question.waiting[handle.slot]
        reason = str(message.get("reason") or "")
        value = None if reason else message.get("value")
        question.found.append(Answer(handle.wid, handle.pid, value, reason))
        if not question.waiting:
            self.close(number)

    def close(self, number: int) -> None:
        """All have answered, or the time is over."""
        question = self.open.pop(number, None)
        if question is None:
            return
        question.timer.cancel()
        reason = f"the worker did not answer within {question.patience:g} s"
        for handle in question.waiting.values():
            if handle.state.name != "GONE":  # else all that it ran has gone with it
                question.found.append(Answer(handle.wid, handle.pid, None, reason))
        question.done(question.found)


def merged(answers: Answers) -> list[dict[str, Any]]:
    """Lists of objects from all workers as one: each has its worker's ``wid`` and ``pid``; a worker without
    an answer has an entry whose ``phase`` is the reason."""
    found: list[dict[str, Any]] = []
    for answer in answers:
        own = {"wid": answer.wid, "pid": answer.pid}
        if answer.reason:
            found.append({**own, "phase": answer.reason})
        for entry in answer.value if isinstance(answer.value, list) else []:
            if isinstance(entry, dict):
                found.append({**entry, **own})
    return found
