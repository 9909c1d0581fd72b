"""What only workers know of their threads: which of them run a request, since when, and with which variables.

Runs in a supervisor, or on the loop of a single process; a worker that does not answer in half a second is
told of without. It does not know who reads it.
"""

from collections.abc import Callable, Mapping
from time import time
from typing import Any

from penstock.process.supervisor.inquiry import Answers, Inquiry
from penstock.services.stats.figures import BUSY, CoreFigures, ServerFigures

LONGEST = 1e9  # seconds that a request may be said to be there
PATIENCE = 0.5  # seconds: whoever reads statistics every second is not to wait for a worker that hangs


def fill(inquiry: Inquiry, server: ServerFigures, done: Callable[[], None]) -> None:
    """Fill in what threads do; ``done()`` when that is known, at once where nobody is busy."""
    wids = [worker.wid for worker in server.workers if worker.status == BUSY]
    if not wids:
        done()
        return

    def heard(answers: Answers) -> None:
        for answer in answers:
            cores = {worker.wid: worker.cores for worker in server.workers if worker.pid == answer.pid}
            if isinstance(answer.value, list):
                for one in answer.value:
                    note(cores.get(answer.wid, []), one)
        done()

    inquiry.ask("requests", heard, patience=PATIENCE, wids=wids, vars=True)


def note(cores: list[CoreFigures], one: Any) -> None:
    """A request that a thread runs."""
    if not isinstance(one, Mapping):
        return
    at = one.get("core")
    if not isinstance(at, int) or not 0 <= at < len(cores):
        return
    age, variables = one.get("age"), one.get("vars")
    cores[at].busy = True
    # NaN and infinity are no ages.
    known = age if isinstance(age, int | float) and 0 <= age <= LONGEST else 0.0
    cores[at].since = int(time() - known)
    cores[at].variables = [str(each) for each in variables] if isinstance(variables, list) else []
