"""An application with every way to be slow, and the commands that show where it hangs."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.server import Server, serving
from tests.e2e.surroundings import environment

APP = """
import os, threading, time

LOCK = threading.Lock()
LOCK.acquire()
OVER = threading.Event()  # /over ends one that waits and all that compute

def waits_for_ever(seconds):
    LOCK.acquire(timeout=seconds)

def computes(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end and not OVER.is_set():
        sum(number * number for number in range(1000))

def reads(environ):
    while environ["wsgi.input"].read(1 << 16):
        pass

def application(environ, start_response):
    path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
    seconds = float(query.partition("=")[2] or 0)
    if path == "/lock":
        waits_for_ever(seconds)
    elif path == "/spin":
        computes(seconds)
    elif path == "/read":
        reads(environ)
    elif path == "/over":
        OVER.set()
        LOCK.release()
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


@contextmanager
def stuck(tmp: Path, *options: str, expect: int | None = 0) -> Iterator[Server]:
    """It runs, with its control socket and its files in ``tmp``."""
    (tmp / "app.py").write_text(APP)
    words = ("--wsgi-file", str(tmp / "app.py"), "--control-socket", str(tmp / "ctl"), *options)
    with serving(tmp, *words, app="", expect=expect) as server:
        yield server


def ctl(tmp: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """``penstock ctl`` towards it."""
    return subprocess.run(
        [sys.executable, "-m", "penstock", "ctl", *words, "--socket", str(tmp / "ctl")],
        env=environment(), capture_output=True, text=True, timeout=60, check=False, cwd=tmp,
    )  # fmt: skip


def told(tmp: Path, *words: str) -> dict[str, Any]:
    """The same in JSON."""
    found: dict[str, Any] = json.loads(ctl(tmp, *words, "--json").stdout)
    return found
