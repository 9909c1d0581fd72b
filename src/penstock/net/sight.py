"""What a pool thread is doing for a request right now: the request, its age, its phase, the thread's stack.

Runs on the loop, which looks while the thread goes on; so what was seen counts only if the request is the
same afterwards. It ends nothing and writes nothing.
"""

import linecache
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType

from penstock.handoff.exchange import Exchange
from penstock.handoff.inbox import Inbox
from penstock.handoff.pool import Slot

DEEPEST = 100  # frames of a stack that are kept, from the innermost out
LONGEST = 2000  # characters of one variable
OURS = ("penstock", "threading")

QUEUED = "waiting for a thread"
READING = "reading the body"
WORKING = "in the application"
SENDING = "sending the reply"
AFTER = "after the reply"
"""The phases of a request."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One step of a stack: a file's name, a line in it, a function's name and its module's."""

    file: str
    line: int
    name: str
    module: str


@dataclass(frozen=True, slots=True)
class Sight:
    """A request as it was seen. ``age`` in seconds since its head was complete; ``thread`` is the name of
    the thread that has it, "" while none does; ``stack`` is that thread's, innermost last."""

    method: str
    uri: str
    protocol: str
    remote: str
    age: float
    phase: str
    thread: str = ""
    stack: tuple[Frame, ...] = ()

    @property
    def line(self) -> str:
        """The request line."""
        return f"{self.method} {self.uri} {self.protocol}"

    def trace(self) -> str:
        """The stack as Python writes one, with the source's lines: reads files."""
        pieces = []
        for frame in self.stack:
            pieces.append(f'  File "{frame.file}", line {frame.line}, in {frame.name}')
            source = linecache.getline(frame.file, frame.line).strip()
            if source:
                pieces.append(f"    {source}")
        return "\n".join(pieces)


def sight(x: Exchange, now: float, phase: str, thread: str = "", stack: tuple[Frame, ...] = ()) -> Sight:
    """``x`` as it is said."""
    return Sight(
        method=said(x, "REQUEST_METHOD"),
        uri=said(x, "REQUEST_URI"),
        protocol=said(x, "SERVER_PROTOCOL"),
        remote=said(x, "REMOTE_ADDR"),
        age=now - x.received_at,
        phase=phase,
        thread=thread,
        stack=stack,
    )


def said(x: Exchange, name: str) -> str:
    """A variable of the request's as one line of text, "-" without it. The environ may be the application's
    by now, with anything in it."""
    text = str(x.request.vars.get(name) or "-")[:LONGEST]
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def look(slot: Slot, now: float) -> Sight | None:
    """What ``slot``'s thread does now; None when it does nothing, or came to the end meanwhile."""
    x, thread = slot.exchange, slot.thread
    if x is None or thread is None:
        return None
    stack = stack_of(thread.ident or 0)
    phase = phase_of(x, stack)
    return sight(x, now, phase, thread.name, stack) if slot.exchange is x else None


def phase_of(x: Exchange, stack: Sequence[Frame]) -> str:
    """Where a request is that a thread has taken."""
    if x.outbox.exchange is not x:
        return AFTER
    if x.outbox.waiter is not None:
        return SENDING
    return READING if stack and stack[-1].module == Inbox.__module__ else WORKING


def stack_of(thread: int) -> tuple[Frame, ...]:
    """The stack of the thread with that identifier, without what of the server called the application; all
    of it where nothing but the server runs."""
    frame: FrameType | None = sys._current_frames().get(thread)
    frames: list[Frame] = []
    while frame is not None and len(frames) < DEEPEST:
        code, module = frame.f_code, str(frame.f_globals.get("__name__"))
        frames.append(Frame(code.co_filename, frame.f_lineno or 0, code.co_name, module))
        frame = frame.f_back
    frames.reverse()
    first = next((at for at, step in enumerate(frames) if step.module.partition(".")[0] not in OURS), 0)
    return tuple(frames[first:])
