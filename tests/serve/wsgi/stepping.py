"""Calls that are watched instruction by instruction, and can be interrupted at any of them."""

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

Step = Callable[[CodeType], None]
Run = Callable[[Callable[[], object]], None]
TOOL = 4  # of sys.monitoring's; coverage and profilers have others


@contextmanager
def stepping(step: Step) -> Iterator[Run]:
    """Gives ``run(call)``, which calls ``step(code)`` before each instruction of this thread in ``call()``;
    what ``step`` raises is raised there. Nothing is collected during a call: what others left behind would
    be finalised step by step."""
    with monitored(step) if sys.version_info >= (3, 12) else traced(step) as run:

        def alone(call: Callable[[], object]) -> None:
            gc.disable()
            try:
                run(call)
            finally:
                gc.enable()

        gc.collect()
        yield alone


@contextmanager
def traced(step: Step) -> Iterator[Run]:
    """By ``sys.settrace``, which is switched off when ``step`` raises."""

    def trace(frame: FrameType, event: str, word: object) -> Any:
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode":
            step(frame.f_code)
        return trace

    def run(call: Callable[[], object]) -> None:
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            call()
        finally:
            sys.settrace(before)

    yield run


@contextmanager
def monitored(step: Step) -> Iterator[Run]:
    """By ``sys.monitoring``: in CPython 3.13 tracing loses instructions after an exception."""
    if sys.version_info < (3, 12):
        raise RuntimeError("sys.monitoring came with Python 3.12")
    here, running, monitoring = threading.get_ident(), [False], sys.monitoring

    def instruction(code: CodeType, offset: int) -> None:
        if running[0] and threading.get_ident() == here and code.co_filename != __file__:
            step(code)

    def run(call: Callable[[], object]) -> None:
        running[0] = True
        try:
            call()
        finally:
            running[0] = False

    monitoring.use_tool_id(TOOL, __name__)
    monitoring.register_callback(TOOL, monitoring.events.INSTRUCTION, instruction)
    monitoring.set_events(TOOL, monitoring.events.INSTRUCTION)
    try:
        yield run
    finally:
        monitoring.set_events(TOOL, 0)
        monitoring.register_callback(TOOL, monitoring.events.INSTRUCTION, None)
        monitoring.free_tool_id(TOOL)
