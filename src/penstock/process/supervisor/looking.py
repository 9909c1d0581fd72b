"""The commands that change nothing: what a server does, whether it is well, where its threads are.

Runs in the supervisor, or on the loop of a single process. It does not know who asks.
"""

from typing import Any

from penstock.process.supervisor.figures import health_of, lines_of, status_of
from penstock.process.supervisor.inquiry import PATIENCE, Answers, merged
from penstock.process.supervisor.order import FAILED, MISUSED, Order, Told

SECONDS = 10.0  # of a profile
LONGEST = 600.0  # seconds of one
BEYOND = 5.0  # seconds for its answer to be made


def log_status(order: Order) -> None:
    """Write the status to the log."""
    for line in lines_of(status_of(order.supervisor)):
        order.supervisor.diary.info(line)
    order.done(Told(True, "the log has the status"))


def status(order: Order) -> None:
    """The figures."""
    order.done(Told(True, "", 0, {"status": status_of(order.supervisor)}))


def health(order: Order) -> None:
    """Whether it serves, as an exit status has it."""
    well, text = health_of(status_of(order.supervisor))
    order.done(Told(well, text, 0 if well else FAILED))


def requests(order: Order) -> None:
    """What runs; ``vars``: with the variables of each."""

    def done(answers: Answers) -> None:
        order.done(Told(True, "", 0, {"requests": merged(answers)}))

    order.inquiry.ask("requests", done, vars=order.message.get("vars") is True)


def view(order: Order) -> None:
    """All that there is to see, for ``penstock top``; ``since`` as ``Overview.ask`` has it."""
    from penstock.process.pages import overview  # not before somebody looks

    since = order.message.get("since")

    def done(found: dict[str, Any]) -> None:
        order.done(Told(True, "", 0, {"view": found}))

    overview.of(order.supervisor, order.inquiry).ask(done, since if isinstance(since, int) else 0)


def stacks(order: Order) -> None:
    """What all threads do; ``worker``: of one."""

    def done(answers: Answers) -> None:
        order.done(Told(True, "", 0, {"stacks": merged(answers)}))

    wids = wids_of(order)
    if wids is not None:
        order.inquiry.ask("stacks", done, wids=wids)


def profile(order: Order) -> None:
    """Where the pool's threads are for ``seconds``; ``worker``: of one."""
    seconds = order.message.get("seconds", SECONDS)
    if type(seconds) not in (int, float) or not 0 < seconds <= LONGEST:
        order.done(Told(False, f"seconds: a number up to {LONGEST:g} is expected", MISUSED))
        return
    wids = wids_of(order)

    def done(answers: Answers) -> None:
        order.done(profiled(answers))

    if wids is not None:
        patience = seconds + PATIENCE + BEYOND
        order.inquiry.ask("profile", done, patience=patience, wids=wids, seconds=seconds)


def profiled(answers: Answers) -> Told:
    """All workers' profiles; without one it has failed."""
    found: list[dict[str, Any]] = []
    for one in answers:
        value = one.value if isinstance(one.value, dict) else {}
        found.append({**value, "wid": one.wid, "pid": one.pid, "reason": one.reason})
    if any(not one["reason"] for one in found):
        return Told(True, "", 0, {"profile": found})
    reasons = "; ".join(f"worker {one['wid']}: {one['reason']}" for one in found)
    return Told(False, reasons or "no worker serves that could be asked", FAILED)


def wids_of(order: Order) -> tuple[int, ...] | None:
    """Which workers are meant, () for all; None where it was answered that there is no such worker."""
    worker = order.message.get("worker")
    if worker is None:
        return ()
    if type(worker) is int and any(handle.wid == worker for handle in order.supervisor.handles()):
        return (worker,)
    order.done(Told(False, f"there is no worker {worker}", MISUSED))
    return None
