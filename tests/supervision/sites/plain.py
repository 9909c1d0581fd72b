"""The application of the supervision tests without a framework: says who answered, and goes wrong on demand.

Copied beside a ``mark.py`` that holds the generation, and run by the server under test. Where ``LEDGER``
names a file it notes there when each request begins and ends, and in which process.
"""

import ctypes
import importlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

Environ = dict[str, Any]
GENERATION: int = importlib.import_module("mark").GENERATION
LEDGER = (
    os.open(os.environ["LEDGER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT) if "LEDGER" in os.environ else -1
)
held = threading.Lock()
fat: list[bytearray] = []


def note(what: str, number: str) -> None:
    """One line, in one write, so that lines of several processes never mix."""
    if LEDGER >= 0:
        os.write(LEDGER, f"{what} {number} {os.getpid()}\n".encode())


def said(number: str, size: int) -> bytes:
    """The reply that the client expects."""
    return f"{number} {os.getpid()} {GENERATION} ".encode().ljust(size, b".")


def burn(seconds: float) -> None:
    """Compute for so long, in time of this thread."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        sum(range(200))


def stuck_in_python_code(seconds: float) -> None:
    """Goes round and round."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        sum(range(1000))


def sleep_and_spin(seconds: float) -> None:
    """Waits nearly all the time, then runs a little: an exception may meet any line of the end."""
    time.sleep(max(0.0, seconds - 0.01))
    stuck_in_python_code(0.01)


def stuck_in_sleep(seconds: float) -> None:
    """As a driver of a database that waits without a timeout."""
    time.sleep(seconds)


def stuck_in_a_call_that_holds_the_gil(seconds: float) -> None:
    """As an extension that never lets the interpreter's lock go."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        ctypes.PyDLL(None).usleep(int(min(seconds, 900) * 1_000_000))


def stuck_at_a_lock(seconds: float) -> None:
    """Waits for what another thread never gives back."""
    with held:
        held.acquire(timeout=seconds)


def grow(megabytes: float) -> None:
    """Keep so much more."""
    fat.append(bytearray(os.urandom(1 << 12)) * int(megabytes * 256))


def end(status: float) -> None:
    """Leave the process without a word."""
    os._exit(int(status))


def fault(_: float) -> None:
    """What a broken extension does."""
    os.kill(os.getpid(), signal.SIGSEGV)


DEEDS: dict[str, Callable[[float], None]] = {
    "cpu": burn,
    "sleep": time.sleep,
    "python": stuck_in_python_code,
    "edge": sleep_and_spin,
    "nap": stuck_in_sleep,
    "gil": stuck_in_a_call_that_holds_the_gil,
    "lock": stuck_at_a_lock,
    "grow": grow,
    "exit": end,
    "fault": fault,
}


def application(environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
    """``/id/NUMBER?size=N`` and any of ``DEEDS`` with its number."""
    number = environ["PATH_INFO"].rpartition("/")[2] or "0"
    words = parse_qs(environ.get("QUERY_STRING", ""))
    note("B", number)
    for name, values in words.items():
        if name in DEEDS:
            DEEDS[name](float(values[0]))
    body = said(number, int(words.get("size", ["100"])[0]))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    note("E", number)
    return [body]
