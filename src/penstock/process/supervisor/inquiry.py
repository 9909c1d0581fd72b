"""Asking every worker which requests it runs, with the stack of each, for whoever wants to know.

Runs in the supervisor. A worker whose interpreter is held by C code cannot answer; after a moment the
answer goes without it and says so.
"""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Protocol

PATIENCE = 2.0  # seconds that a worker has to answer
AT_ONCE = 100  # questions that may be open

Requests = list[dict[str, Any]]
Done = Callable[[Requests], None]


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
    """One that is open: which workers have not answered, and what the others said."""

    def __init__(self, waiting: dict[int, Any], done: Done) -> None:
        self.waiting = waiting
        self.done = done
        self.found: Requests = []


class Inquiry:
    """Made once for a supervisor."""

    def __init__(self, supervisor: Heard) -> None:
        self.supervisor = supervisor
        self.numbers = count(1)
        self.open: dict[int, Question] = {}
        supervisor.on_message.append(self.heard)

    def ask(self, done: Done) -> None:
        """``done`` is given what runs: method, uri, age, phase, stack, thread, remote, and the worker's wid
        and pid; for a worker that does not answer its wid, pid and a phase that says so."""
        handles = [h for h in self.supervisor.handles() if h.state.name in ("SERVING", "LEAVING")]
        if not handles or len(self.open) >= AT_ONCE:
            done([])
            return
        number = next(self.numbers)
        self.open[number] = Question({handle.slot: handle for handle in handles}, done)
        for handle in handles:
            handle.channel.send({"do": "requests", "id": number})
        self.supervisor.watch.later(PATIENCE, lambda: self.close(number))

    def heard(self, handle: Any, message: dict[str, Any]) -> None:
        """A worker says something; whatever it is, only its own lines can be wrong."""
        number = message.get("id")
        if message.get("is") != "requests" or not isinstance(number, int):
            return
        question = self.open.get(number)
        if question is None or question.waiting.pop(handle.slot, None) is not handle:
            return
        requests = message.get("requests")
        for request in requests if isinstance(requests, list) else []:
            if isinstance(request, dict):
                question.found.append({**request, "wid": handle.wid, "pid": handle.pid})
        if not question.waiting:
            self.close(number)

    def close(self, number: int) -> None:
        """All have answered, or the time is over."""
        question = self.open.pop(number, None)
        if question is None:
            return
        for handle in question.waiting.values():
            if handle.state.name == "GONE":
                continue  # with all that it ran
            question.found.append(
                {
                    "wid": handle.wid,
                    "pid": handle.pid,
                    "phase": f"the worker did not answer within {PATIENCE:g} s",
                }
            )
        question.done(question.found)
