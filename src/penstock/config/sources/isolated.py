"""Runs one function in a forked child with bounds, and brings its result back as plain data.

Used by the starting process and the verbs, before there are threads. What reads other people's formats is so
never loaded where the application runs, and a hostile file costs a second and some memory of a child; this
module does not know what is run.
"""

import marshal
import os
import select
import time
from collections.abc import Callable
from typing import Any, NamedTuple

MEMORY = 256 << 20  # octets beyond what the parent has mapped
PROCESSOR = 1  # seconds
PATIENCE = 8.0  # seconds of anybody's clock
RESULT = 64 << 20  # octets that may come back
KILL, TIME_OUT = 9, 24  # SIGKILL, SIGXCPU


class Overrun(Exception):
    """The child did not come to a result; ``message`` says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Child(NamedTuple):
    """A process of ours and the reading end of its pipe."""

    pid: int
    pipe: int


def isolated(call: Callable[..., object], *words: object, seconds: float = PATIENCE) -> object:
    """``call(*words)`` in a child; its result is anything that marshal takes, exact types only.

    Raises Overrun when it takes more than ``seconds``, a second of processor time or 256 MB, dies, or raises.
    """

    def body(pipe: int) -> None:
        bound()
        try:
            result: Any = call(*words)
            answer = b"+" + marshal.dumps(result)
        except MemoryError:
            answer = f"-more than {MEMORY >> 20} MB of memory would be needed".encode()
        except Exception as error:
            answer = f"-{type(error).__name__}: {error}".encode(errors="replace")
        send(pipe, answer)

    answer, status = gather(start(body), seconds, RESULT)
    if os.WIFSIGNALED(status):
        died = os.WTERMSIG(status)
        if died == TIME_OUT:
            raise Overrun(f"more than {PROCESSOR} s of processor time would be needed")
        raise Overrun(f"the reading child died of signal {died}")
    if answer[:1] != b"+":
        raise Overrun(answer[1:].decode(errors="replace") or "no result")
    return marshal.loads(answer[1:])


def start(body: Callable[[int], None]) -> Child:
    """Fork; the child runs ``body(pipe)`` in a process group of its own and ends without cleaning up.

    Raises Overrun where the system has no process left.
    """
    reading, writing = os.pipe()
    try:
        pid = os.fork()
    except OSError as error:
        os.close(reading)
        os.close(writing)
        raise Overrun(f"no child process: {error.strerror}") from None
    if pid:
        os.close(writing)
        return Child(pid, reading)
    try:
        os.setpgid(0, 0)
        os.close(reading)
        body(writing)
        os._exit(0)
    finally:
        os._exit(1)


def gather(child: Child, seconds: float, most: int) -> tuple[bytes, int]:
    """All that a child writes, and its wait status. Raises Overrun, and never leaves the child behind."""
    finished = False
    try:
        said = drain(child.pipe, seconds, most)
        finished = True
    finally:
        os.close(child.pipe)
        if not finished:
            end(child.pid)
        status = reaped(child.pid)
    return said, status


def reaped(pid: int) -> int:
    """The wait status of a child that has said all; one that stays for a second is killed."""
    due = time.monotonic() + 1
    while time.monotonic() < due:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return status
        time.sleep(0.0005)
    end(pid)
    return os.waitpid(pid, 0)[1]


def end(pid: int) -> None:
    """Kill a child and what it started, also before it has its group."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, KILL)
        except OSError:
            pass


def drain(pipe: int, seconds: float | None, most: int) -> bytes:
    """Read to the end of a descriptor. Raises Overrun beyond ``seconds`` or ``most`` octets, and OSError."""
    said = bytearray()
    due = None if seconds is None else time.monotonic() + seconds
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    while True:
        left = None if due is None else (due - time.monotonic()) * 1000
        if (left is not None and left <= 0) or not poll.poll(left):
            raise Overrun(f"no end after {seconds:g} s")
        piece = os.read(pipe, 1 << 16)
        if not piece:
            return bytes(said)
        said += piece
        if len(said) > most:
            raise Overrun(f"more than {most >> 20} MB")


def send(pipe: int, answer: bytes) -> None:
    """Write all of it."""
    rest = memoryview(answer)
    while rest:
        rest = rest[os.write(pipe, rest) :]


def bound() -> None:
    """Limit this process's memory and processor time, and let it leave no core."""
    import resource

    lower(resource.RLIMIT_CPU, PROCESSOR)
    lower(resource.RLIMIT_CORE, 0)
    try:
        with open("/proc/self/statm") as file:
            mapped = int(file.read().split()[0]) * resource.getpagesize()
        lower(resource.RLIMIT_AS, mapped + MEMORY)
    except (OSError, ValueError):
        pass  # no /proc, as on macOS, which does not hold RLIMIT_AS either


def lower(kind: int, most: int) -> None:
    """Set a soft limit, unless it is lower already."""
    import resource

    soft, hard = resource.getrlimit(kind)
    if soft == resource.RLIM_INFINITY or soft > most:
        resource.setrlimit(kind, (most, hard))
