"""Runs batches of inputs, in this process or in several, and counts what came of them.

A batch is made of the seed and its number alone, so a run's inputs do not depend on how many processes
share them.
"""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import count
from multiprocessing import get_context
from types import FrameType
from typing import Any

from tests.fuzz.case import Case
from tests.fuzz.generate import Source
from tests.fuzz.minimise import minimise
from tests.fuzz.oracle import BYTEWISE, CODECS, ENDED, Broken, Codecs, check_base, examine, problem
from tests.fuzz.reference import compare

COLD = 40  # one input in so many is fed split with empty caches
PATIENCE = 120  # seconds of CPU for a batch; more is a decoder that does not come back
ENOUGH = 10  # failures after which a run stops


@dataclass(frozen=True)
class Plan:
    """What a run does: ``compared`` is N for every Nth input of HTTP held against h11, 0 for none."""

    seed: int
    size: int = 500
    compared: int = 4


@dataclass(frozen=True)
class Failure:
    """An input that broke a promise, as it was made, and which."""

    case: Case
    problem: str
    where: str


@dataclass
class Tally:
    """What came of some inputs."""

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.counts += other.counts
        self.failures += other.failures

    def share(self, name: str) -> float:
        return 100 * self.counts[name] / max(1, self.counts["inputs"])


def whole(case: Case, outcome: Any) -> bool:
    """Whether an input is a complete message or more, and nothing in it was refused."""
    if outcome[0] != 200:
        return False
    if case.kind in ("http", "uwsgi"):
        return bool(outcome[1]) and outcome[1][-1][ENDED]
    return case.kind != "chunked" or bool(outcome[2])


def one(case: Case, number: int, plan: Plan, codecs: Codecs, counts: Counter[str]) -> str:
    """Judge one input; what is wrong, or ""."""
    counts["inputs"] += 1
    counts["octets"] += len(case.raw)
    counts["legal"] += case.expected is not None
    counts["bytewise"] += case.kind != "said" and (len(case.raw) <= BYTEWISE or case.cuts[:1] == (1,))
    try:
        outcome = examine(case, codecs, cold=number % COLD == 0)
        counts[f"{case.kind} {outcome[0]}"] += 1
        counts["taken"] += whole(case, outcome)
        if case.kind == "http" and plan.compared and number % plan.compared == 0 and case.limits == "default":
            rule, wrong = compare(case, codecs)
            counts[f"h11 {rule or 'unknown'}"] += 1
            return wrong
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def batch(plan: Plan, number: int, codecs: Codecs = CODECS) -> Tally:
    """One batch of inputs."""
    tally = Tally()
    source = Source(plan.seed, number)
    for index in range(plan.size):
        case = source.case()
        wrong = one(case, index, plan, codecs, tally.counts)
        if wrong:
            where = f"seed {plan.seed}, batch {number}, input {index}"
            tally.failures.append(Failure(case, wrong, where))
            if len(tally.failures) >= ENOUGH:
                break
    check_base()
    return tally


def too_long(number: int, frame: FrameType | None) -> None:
    raise Broken(f"no end after {PATIENCE} seconds of CPU")


def work(plan: Plan, number: int) -> Tally:
    """One batch in a process of its own, which is not waited for without end."""
    signal.signal(signal.SIGPROF, too_long)
    signal.setitimer(signal.ITIMER_PROF, PATIENCE)  # a machine that sleeps or has other work is no fault
    try:
        return batch(plan, number)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def tallies(plan: Plan, jobs: int) -> Iterator[Tally]:
    """Batches without end, from ``jobs`` processes."""
    if jobs == 1:
        yield from (work(plan, number) for number in count())
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        numbers = count()
        running = {pool.submit(work, plan, next(numbers)) for _ in range(jobs * 2)}
        try:
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                running |= {pool.submit(work, plan, next(numbers)) for _ in done}
                yield from (future.result() for future in done)
        finally:
            pool.shutdown(cancel_futures=True)


def run(
    plan: Plan, inputs: int, jobs: int, minutes: float, tell: Callable[[Tally, float], None] = lambda *_: None
) -> Tally:
    """Run until ``inputs`` are done, ``minutes`` are over, or enough has failed; ``tell`` every 5 seconds."""
    total = Tally()
    began = told = time.monotonic()
    for tally in tallies(plan, jobs):
        total.add(tally)
        now = time.monotonic()
        over = total.counts["inputs"] >= inputs or now - began > minutes * 60 or len(total.failures) >= ENOUGH
        if over or now - told > 5:
            told = now
            tell(total, now - began)
        if over:
            break
    return total


def wrong_with(case: Case, codecs: Codecs = CODECS) -> str:
    """What is wrong with a case, looked at from every side; or ""."""
    found = problem(case, codecs, thorough=True)
    if not found and case.kind == "http" and case.limits == "default":
        found = compare(case, codecs)[1]
    return found


def shortest(failure: Failure, codecs: Codecs = CODECS) -> Case:
    """The failing input made short, failing in the same way."""
    sort = failure.problem.split(":")[0]
    return minimise(failure.case, lambda case: wrong_with(case, codecs).split(":")[0] == sort)
