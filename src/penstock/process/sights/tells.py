"""What a worker answers when it is asked: a table of names, each with who knows the answer.

Runs on the worker's loop; whatever takes its time goes to a service thread. It does not know who asks, nor
how the answer travels.
"""

from collections.abc import Callable, Mapping
from functools import partial
from time import monotonic
from typing import Any

from penstock.process.sights import current
from penstock.process.sights.saying import Asked, Say, Tell, Untold


def own(worker: Asked) -> dict[str, Tell]:
    """What every worker knows: ``requests`` that run (``vars``: with their variables), the ``stacks`` of all
    its threads, a ``profile`` of its pool threads, the table of ``paths``; and what is ``logged``."""
    return {
        "requests": partial(tell_requests, worker),
        "stacks": partial(tell_stacks, worker),
        "profile": partial(tell_profile, worker),
        "paths": partial(tell_paths, worker),
        "logged": partial(hear_metrics, worker),
    }


def answer(tells: Mapping[str, Tell], question: dict[str, Any], send: Say) -> None:
    """Answer a question of an inquiry; ``send`` is given the message. Never raises for what is asked."""
    told = {"is": "told", "id": question.get("id")}

    def say(value: Any) -> None:
        send({**told, "reason": str(value)} if isinstance(value, Untold) else {**told, "value": value})

    tell = tells.get(str(question.get("what")))
    if tell is None:
        say(Untold("the worker knows nothing of that"))
        return
    try:
        tell(question, say)
    except Exception as error:
        say(Untold(f"the worker could not tell: {error!r}"))


# ---- What they know -------------------------------------------------------------------------------------


def later(worker: Asked, work: Callable[[], Any], say: Say) -> None:
    """Have a service thread do ``work``, whose result is the answer."""

    def done(result: Any, error: BaseException | None) -> None:
        say(result if error is None else Untold(f"the worker could not tell: {error!r}"))

    worker.door.files.submit(work, done)


def tell_requests(worker: Asked, question: dict[str, Any], say: Say) -> None:
    """What runs, and what waits for a thread (see ``current``)."""
    seen = current.seen(worker.pool, monotonic(), question.get("vars") is True)
    later(worker, partial(current.told, seen), say)


def tell_stacks(worker: Asked, question: dict[str, Any], say: Say) -> None:
    """Each thread's stack as Python writes one (see ``sampling``)."""
    from penstock.process.sights import sampling

    later(worker, sampling.all_stacks, say)


def tell_profile(worker: Asked, question: dict[str, Any], say: Say) -> None:
    """Where the pool threads are, for ``seconds`` (see ``sampling``)."""
    from penstock.process.sights import sampling

    sampling.begin(worker, question, say)


def hear_metrics(worker: Asked, question: dict[str, Any], say: Say) -> None:
    """The figures that the access log's lines have (``%(metric.NAME)``); nothing is asked."""
    values, made = question.get("values"), worker.diary.format
    if made is not None and isinstance(values, dict):
        made.house.metrics = values
    say(True)


def tell_paths(worker: Any, question: dict[str, Any], say: Say) -> None:
    """How often each path was asked for and how it went, of the last minute (see ``pathing``)."""
    from penstock.process.sights import pathing

    pathing.tell(worker, question, say)
