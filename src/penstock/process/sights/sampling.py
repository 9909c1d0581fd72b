"""Where a worker's threads are: the stacks of all of them now, or of its pool threads many times a second.

Samples are taken on a thread of its own, for the seconds that a profile takes; threads that are looked at go
on meanwhile. It ends nothing and writes nothing.
"""

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic, sleep, thread_time
from types import CodeType, FrameType
from typing import Any

from penstock.handoff.offload import Offload
from penstock.handoff.pool import Slot
from penstock.handoff.threads import names
from penstock.net.sight import stack_of, trace
from penstock.process.sights.current import LEAST, ROOM, innermost
from penstock.process.sights.saying import Asked, Say, Untold

RATE = 100.0  # samples of each thread in a second
SHARE = 0.1  # of a processor that sampling may take: where stacks are deep there are fewer samples
LONGEST = 600.0  # seconds of a profile
DEEPEST = 200  # frames of a stack, from the innermost out
MOST = 5000  # stacks that differ; the rarest beyond that are one
FRAMES = 400_000  # of all stacks together: a message has an end
LABEL = 200  # characters
OTHERS = "(other stacks)"
OURS = ("penstock.", "penstock:", "threading:")

Labels = dict[int, str]
Chain = tuple[int, ...]
"""A stack as the identities of its code objects, outermost first."""


def all_stacks() -> list[dict[str, Any]]:
    """Every Python thread of this process: ``thread`` its name and ``stack`` as Python writes one, innermost
    last. Reads source files."""
    known = names()
    threads = list(sys._current_frames())
    room = max(LEAST, ROOM // len(threads))
    return [
        {
            "thread": known.get(ident, f"thread {ident}"),
            "stack": innermost(trace(stack_of(ident, whole=True)), room),
        }
        for ident in threads
    ]


# ---- A profile ------------------------------------------------------------------------------------------


def begin(worker: Asked, question: dict[str, Any], say: Say) -> None:
    """Answer with a profile of ``seconds``; one at a time."""
    seconds = question.get("seconds")
    if worker.profiling:
        say(Untold("another profile is being taken of this worker"))
        return
    if not isinstance(seconds, int | float) or not 0 < seconds <= LONGEST:
        say(Untold(f"seconds: a number up to {LONGEST:g} is expected"))
        return
    worker.profiling = True
    own = Offload(worker.doorway, "profile")

    def done(result: Any, error: BaseException | None) -> None:
        worker.profiling = False
        own.stop(0.0)  # it has nothing more to do, and is not waited for
        say(result if error is None else Untold(f"the profile failed: {error!r}"))

    def ended() -> bool:
        return not worker.door.ticking  # read on the other thread, where a late answer is none too late

    own.submit(partial(profile, worker.pool.slots, float(seconds), ended), done)


def profile(slots: Sequence[Slot], seconds: float, ended: Callable[[], bool]) -> dict[str, Any]:
    """Sample threads that have a request, for so long or until it has ``ended``.

    Plain data: ``seconds`` it took, ``samples``, ``threads``, ``busy`` how many looks found a thread with a
    request, ``cost`` seconds of a processor, ``labels`` of functions, and ``stacks``: of each how often it
    was seen, then the indexes of its labels, outermost first.
    """
    samples = Samples()
    since, used = monotonic(), thread_time()
    due = since
    while (now := monotonic()) < since + seconds and not ended():
        if now < due:
            sleep(min(due, since + seconds) - now)
            continue
        before = thread_time()
        samples.take(slots)
        took = thread_time() - before
        due = max(due + 1 / RATE, monotonic() + took * (1 - SHARE) / SHARE)
    return {
        "seconds": round(monotonic() - since, 3),
        "samples": samples.count,
        "threads": len(slots),
        "busy": samples.busy,
        "cost": round(thread_time() - used, 4),
        **samples.plain(),
    }


class Samples:
    """What was seen so far."""

    def __init__(self) -> None:
        self.count = 0
        self.busy = 0
        self.seen: Counter[Chain] = Counter()
        self.labels: Labels = {}
        self.codes: list[CodeType] = []  # kept, so that no other gets the identity of one

    def take(self, slots: Sequence[Slot]) -> None:
        """One look at all threads."""
        frames = sys._current_frames()
        self.count += 1
        for slot in slots:
            thread = slot.thread
            if slot.exchange is not None and thread is not None:
                self.busy += 1
                self.seen[self.chain(frames.get(thread.ident or 0))] += 1

    def chain(self, frame: FrameType | None) -> Chain:
        """A stack, without what of the server called the application, unless nothing but the server runs."""
        found: list[int] = []
        whole = 0
        while frame is not None and len(found) < DEEPEST:
            code = frame.f_code
            label = self.labels.get(id(code))
            if label is None:
                label = self.labels[id(code)] = label_of(frame)
                self.codes.append(code)
            found.append(id(code))
            if not label.startswith(OURS):
                whole = len(found)
            frame = frame.f_back
        return tuple(reversed(found[:whole] or found))

    def plain(self) -> dict[str, Any]:
        """``labels`` and ``stacks``."""
        kept, room = [], FRAMES
        for chain, count in self.seen.most_common(MOST):
            room -= len(chain)
            if room < 0:
                break
            kept.append((chain, count))
        used = list(dict.fromkeys(code for chain, _ in kept for code in chain))
        index = {code: at for at, code in enumerate(used)}
        stacks = [[count, *(index[code] for code in chain)] for chain, count in kept]
        labels = [self.labels[code] for code in used]
        others = sum(self.seen.values()) - sum(count for _, count in kept)
        if others:
            stacks.append([others, len(labels)])
            labels.append(OTHERS)
        return {"labels": labels, "stacks": stacks}


def label_of(frame: FrameType) -> str:
    """A function as ``module:name:line``, where it begins."""
    code = frame.f_code
    module = str(frame.f_globals.get("__name__") or "?")
    text = f"{module}:{code.co_qualname}:{code.co_firstlineno}"
    return "".join("_" if c == ";" or not c.isprintable() else c for c in text[:LABEL])
