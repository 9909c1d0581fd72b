"""What a pool thread is doing for a request right now: the request, its age, its phase, the thread's stack.

Runs on the loop, which looks while the thread goes on; so what was seen counts only if the request is the
same afterwards. It ends nothing and writes nothing.
"""

import linecache
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NamedTuple

from penstock.handoff.exchange import Exchange
from penstock.handoff.inbox import Inbox
from penstock.handoff.pool import Slot

DEEPEST = 100  # frames of a stack that are kept, from the innermost out
LONGEST = 2000  # characters of one variable
MOST_VARIABLES = 200
OURS = ("penstock", "threading")

QUEUED = "waiting for a thread"
READING = "reading the body"
WORKING = "in the application"
SENDING = "sending the reply"
AFTER = "after the reply"
"""The phases of a request."""


class Frame(NamedTuple):
    """One step of a stack: a file's name, a line in it, a function's name and its module's."""

    file: str
    line: int
    name: str
    module: str


class Phases(NamedTuple):
    """Where a request's seconds have gone so far, as its record will have them (``core/record.py``)."""

    receive: float
    queue: float
    run: float
    write: float

    def __str__(self) -> str:
        parts = (f"{name} {seconds:.3f} s" for name, seconds in self._asdict().items())
        return ", ".join(parts)


class Sight(NamedTuple):
    """A request as it was seen. ``age`` in seconds since its first byte was here; ``thread`` is the name of
    the thread that has it, "" while none does, ``core`` that one's index, -1 for none; ``stack`` is that
    thread's, innermost last; ``vars`` are its variables as ``K=V``, if they were asked for; ``id`` is
    its own, "" without one."""

    method: str
    uri: str
    protocol: str
    remote: str
    age: float
    phase: str
    phases: Phases
    id: str = ""
    thread: str = ""
    core: int = -1
    stack: tuple[Frame, ...] = ()
    vars: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The request line, with the request's id where it has one."""
        return f"{self.method} {self.uri} {self.protocol}{f' ({self.id})' * bool(self.id)}"

    def trace(self) -> str:
        """The stack as Python writes one, with the source's lines: reads files."""
        return trace(self.stack)


def trace(stack: Sequence[Frame]) -> str:
    """A stack as Python writes one, innermost last, with the source's lines: reads files."""
    pieces = []
    for frame in stack:
        pieces.append(f'  File "{frame.file}", line {frame.line}, in {frame.name}')
        source = linecache.getline(frame.file, frame.line).strip()
        if source:
            pieces.append(f"    {source}")
    return "\n".join(pieces)


def sight(x: Exchange, now: float, phase: str) -> Sight:
    """``x`` as it is said, without its thread."""
    return Sight(
        method=said(x, "REQUEST_METHOD"),
        uri=said(x, "REQUEST_URI"),
        protocol=said(x, "SERVER_PROTOCOL"),
        remote=said(x, "REMOTE_ADDR"),
        age=now - x.began_at,
        phase=phase,
        phases=phases_of(x, now),
        id=clean(str(x.request.vars.get("penstock.request_id") or "")),
    )


def phases_of(x: Exchange, now: float) -> Phases:
    """Where its time has gone. What it waits for the client just now still counts as ``run``: the wait is
    added when it ends."""
    begun = x.started_at or now
    waited = x.waited + (x.body.waited if isinstance(x.body, Inbox) else 0.0)
    run = now - begun - waited
    found = (x.received_at - x.began_at, queued(x, begun), run, waited)
    return Phases(*(max(0.0, seconds) for seconds in found))


def queued(x: Exchange, begun: float) -> float:
    """Seconds that it waited until ``begun``, with those that a proxy told of."""
    told = x.request.vars.get("penstock.queue_time")
    here = begun - x.received_at
    if type(told) is float and told >= 0.0:
        # Until a thread has it that is the time before us alone; the thread adds what it waited here.
        return told if x.started_at else told + here
    return here


def variables(x: Exchange) -> tuple[str, ...]:
    """The request's variables that are text, as ``K=V``: at most 200 of them. The environ may be the
    application's by now, which changes it meanwhile."""
    names = [name for name in list(x.request.vars) if type(name) is str and name[:1].isupper()]
    kept = [name for name in names if type(x.request.vars.get(name)) is str][:MOST_VARIABLES]
    return tuple(f"{clean(name)}={clean(str(x.request.vars.get(name, '')))}" for name in kept)


def said(x: Exchange, name: str) -> str:
    """A variable of the request's as one line of text, "-" without it. The environ may be the application's
    by now, with anything in it."""
    return clean(str(x.request.vars.get(name) or "-"))


def clean(text: str) -> str:
    """One line of it, not too long."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text[:LONGEST])


def look(slot: Slot, now: float) -> Sight | None:
    """What ``slot``'s thread does now; None when it does nothing, or came to the end meanwhile."""
    x, thread = slot.exchange, slot.thread
    if x is None or thread is None:
        return None
    stack = stack_of(thread.ident or 0)
    seen = sight(x, now, phase_of(x, stack))
    return seen._replace(thread=thread.name, core=slot.index, stack=stack) if slot.exchange is x else None


def phase_of(x: Exchange, stack: Sequence[Frame]) -> str:
    """Where a request is that a thread has taken."""
    if x.outbox.exchange is not x:
        return AFTER
    if x.outbox.waiter is not None:
        return SENDING
    return READING if stack and stack[-1].module == Inbox.__module__ else WORKING


def stack_of(thread: int, whole: bool = False) -> tuple[Frame, ...]:
    """The stack of the thread with that identifier, without what of the server called the application; all
    of it where nothing but the server runs, or if the ``whole`` is asked for."""
    frame: FrameType | None = sys._current_frames().get(thread)
    frames: list[Frame] = []
    while frame is not None and len(frames) < DEEPEST:
        code, module = frame.f_code, str(frame.f_globals.get("__name__"))
        frames.append(Frame(code.co_filename, frame.f_lineno or 0, code.co_name, module))
        frame = frame.f_back
    frames.reverse()
    if whole:
        return tuple(frames)
    first = next((at for at, step in enumerate(frames) if step.module.partition(".")[0] not in OURS), 0)
    return tuple(frames[first:])
