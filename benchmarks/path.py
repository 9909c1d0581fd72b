"""What the path from bytes to reply bytes costs, in instructions: ``python -m benchmarks.path``.

One process, no sockets, no threads: a connection reads prepared bytes, its exchange is answered at once,
the reply goes to a socket that only counts. Callgrind counts the instructions of two runs of different
length with the hash seed fixed; their difference, divided, is the cost of one request, the same to a few
in ten thousand on a noisy machine. ``--check`` fails where it is dearer than the committed baseline. In an
environment with the compiled build it counts that; its figures hang on mypyc's version and have no baseline.
"""

import argparse
import itertools
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import penstock
from benchmarks.applications import hello
from penstock.core.build import COMPILED
from penstock.serve.answer import Answer

TOP = Path(__file__).parents[1]
INSTALLED = Path(penstock.__file__).parents[1]  # the sources, or the compiled build's environment
BASELINE = Path(__file__).with_name("path-baseline.json")
VERSION = "{}.{}".format(*sys.version_info[:2])
BUILD = VERSION + (", compiled" if COMPILED else "")
SHORT, LONG = 100, 500  # requests of the two runs
TOLERANCE = 0.01  # of the baseline, with the same build of CPython
TOLERANCE_OTHER = 0.08  # with another build, by the ratio to the reference loop

REFERENCE = "reference loop"
LINE = b"GET /shop/item?number=%d HTTP/1.1\r\n"
BROWSER = (
    b"Host: shop.example:8000\r\nConnection: keep-alive\r\nAccept: text/html,application/xhtml+xml\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/%d.0\r\nAccept-Encoding: gzip, deflate, br\r\n"
    b"Accept-Language: en-US,en;q=0.5\r\nCookie: sessionid=%032x; csrftoken=%032x\r\n"
    b"Referer: http://shop.example:8000/list?page=%d\r\nCache-Control: max-age=0\r\n"
    b"Upgrade-Insecure-Requests: 1\r\n\r\n"
)
PACKET = {
    "QUERY_STRING": "number=%d",
    "REQUEST_METHOD": "GET",
    "CONTENT_TYPE": "",
    "CONTENT_LENGTH": "",
    "REQUEST_URI": "/shop/item?number=%d",
    "PATH_INFO": "/shop/item",
    "DOCUMENT_ROOT": "/srv/www",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REQUEST_SCHEME": "http",
    "REMOTE_ADDR": "192.0.2.7",
    "REMOTE_PORT": "50123",
    "SERVER_PORT": "80",
    "SERVER_NAME": "shop.example",
    "HTTP_HOST": "shop.example",
    "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64)",
    "HTTP_ACCEPT": "text/html,application/xhtml+xml",
}


class Wire:
    """A socket that gives prepared bytes, one request a read, and counts the replies."""

    family = 2

    def __init__(self, requests: list[bytes]) -> None:
        self.requests = requests
        self.at = 0
        self.replies = 0

    def recv(self, size: int) -> bytes:
        self.at += 1
        return self.requests[self.at % len(self.requests)]

    def send(self, data: bytes, flags: int = 0) -> int:
        self.replies += 1
        return len(data)

    def fileno(self) -> int:
        return -1

    def setblocking(self, on: bool) -> None:
        """It never waits."""

    def setsockopt(self, *words: Any) -> None:
        """Nothing to set."""

    def shutdown(self, how: int) -> None:
        """Nothing to shut."""

    def close(self) -> None:
        """Nothing to close."""


def packet(number: int) -> bytes:
    """A uwsgi packet as nginx sends it."""
    body = b""
    for key, value in PACKET.items():
        text = value.replace("%d", str(number)).encode()
        body += len(key).to_bytes(2, "little") + key.encode() + len(text).to_bytes(2, "little") + text
    return b"\0" + len(body).to_bytes(2, "little") + b"\0" + body


def varied(number: int) -> bytes:
    """A browser's request, different from its neighbours in five places."""
    seed = number * 0x9E3779B97F4A7C15 % (1 << 64)
    return LINE % number + BROWSER % (100 + number % 9, seed, seed >> 3, number)


SCENARIOS: dict[str, tuple[str, Callable[[], list[bytes]], dict[str, Any]]] = {
    "hello": ("http", lambda: [b"GET / HTTP/1.1\r\nHost: shop.example:8000\r\n\r\n"], {}),
    "browser": ("http", lambda: [varied(7)], {}),
    "varied": ("http", lambda: [varied(number) for number in range(3000)], {}),
    "varied, logged": ("http", lambda: [varied(number) for number in range(3000)], {"log": True}),
    "uwsgi": ("uwsgi", lambda: [packet(number) for number in range(3000)], {}),
}


def run(name: str, count: int) -> float:
    """Answer ``count`` requests; the seconds that it took."""
    if name == REFERENCE:
        return reference(count)
    protocol, make, words = SCENARIOS[name]
    wire, step = arrange(protocol, make(), **words)
    begun = time.perf_counter()
    for _ in range(count):
        step()
    seconds = time.perf_counter() - begun
    assert wire.replies == count, f"{wire.replies} replies to {count} requests"
    return seconds


def reference(count: int) -> float:
    """Work that never changes, to compare builds of CPython by."""
    begun = time.perf_counter()
    for number in range(count):
        words = {f"KEY_{at}": f"value {at} of {number}" for at in range(20)}
        text = b"".join(f"{key}: {value}\r\n".encode("latin-1") for key, value in words.items())
        assert len(text.split(b"\r\n")) == 21
    return time.perf_counter() - begun


def arrange(
    protocol: str, requests: list[bytes], log: bool = False, answer: Answer | None = None
) -> tuple[Wire, Callable[[], None]]:
    """A wire, and what takes one request from it and answers it; by ``answer``, if there is one."""
    from penstock.config.assemble import from_keywords
    from penstock.net.connection import Connection
    from penstock.process import binding, build, diaries
    from penstock.process.single import make_worker
    from penstock.serve.answer import make_answer

    option = "http_socket" if protocol == "http" else "uwsgi_socket"
    words = {option: "127.0.0.1:0", "access_log": "/dev/null" if log else "off"}
    settings = from_keywords(words, application=True)
    diary = diaries.open_diary(settings)
    worker = make_worker(settings, hello, diary)
    listener = build.make_listeners(binding.bind(settings), settings, diary)[0]
    wire = Wire(requests)
    answer, work = answer or make_answer(worker.kitchen), worker.door.pool.work  # no thread is ever started
    if protocol == "http":
        connection = Connection(worker.door, listener, wire, ("192.0.2.7", 50123))  # type: ignore[arg-type]  # it offers what is used
        connection.outbox.registered = connection.reading = True

        def next_one() -> None:
            connection.on_readable()
            answer(work.popleft(), 0)  # type: ignore[arg-type]  # nobody stops the pool

        return wire, logged(next_one, worker.scribe.drain) if log else next_one

    def one() -> None:
        Connection(worker.door, listener, wire, ("192.0.2.7", 50123)).open()  # type: ignore[arg-type]  # see above
        answer(work.popleft(), 0)  # type: ignore[arg-type]  # see above
        worker.door.strike_gone()

    return wire, one


def logged(step: Callable[[], None], flush: Callable[[], object]) -> Callable[[], None]:
    """``step``, with the log's batch written after each 64 requests, as under load."""
    turns = itertools.count(1)

    def both() -> None:
        step()
        if next(turns) % 64 == 0:
            flush()

    return both


def instructions(name: str, count: int, module: str = "benchmarks.path") -> int:
    """Of a whole process in which ``module`` answers ``count`` requests of that name."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable]
    command += ["-m", module, "--run", name, "--count", str(count)]
    env = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": f"{INSTALLED}{os.pathsep}{TOP}"}
    done = subprocess.run(command, cwd=TOP, env=env, capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        raise SystemExit(f"{name}: {done.stderr}")
    return int(found[1])


def cost(name: str) -> int:
    """Instructions of one request."""
    return (instructions(name, LONG) - instructions(name, SHORT)) // (LONG - SHORT)


def build_of_python() -> str:
    """What must be the same for counts to be compared as they are."""
    return f"{sys.version} {platform.machine()} {platform.libc_ver()[1]}"


def verdict(name: str, figure: int, known: dict[str, Any], scale: float) -> tuple[str, bool]:
    """How a figure stands to the baseline, and whether it is too dear."""
    if name not in known:
        return "no baseline", False
    exact = scale == 1.0
    ratio = figure / known[name] / scale
    return f"{(ratio - 1) * 100:+.1f} %", ratio > 1 + (TOLERANCE if exact else TOLERANCE_OTHER)


def main() -> int:
    """Count, print, compare; 1 when ``--check`` finds something dearer than its baseline."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail where it is dearer than the baseline")
    parser.add_argument("--write", action="store_true", help="make these figures the baseline")
    parser.add_argument("--time", action="store_true", help="microseconds on the clock instead")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, default=30_000, help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.run:
        run(words.run, words.count)
        return 0
    if words.time:
        for name in SCENARIOS:
            print(f"{name:16} {min(run(name, words.count) for _ in range(5)) / words.count * 1e6:7.2f} µs")
        return 0
    if shutil.which("valgrind") is None:
        print("valgrind is not installed: apt-get install valgrind", file=sys.stderr)
        return 1
    return compare(check=words.check, write=words.write)


def compare(check: bool, write: bool) -> int:
    """Count every scenario and hold it to the baseline of this version of CPython."""
    everything = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    baseline = everything.get(BUILD, {})
    known = baseline.get("instructions", {})
    figures = {REFERENCE: cost(REFERENCE)}
    same = baseline.get("build") == build_of_python()
    scale = 1.0 if same or not known else figures[REFERENCE] / known[REFERENCE]
    print(f"CPython {BUILD}, instructions a request ({'the same' if same else 'another'} build)")
    dear = False
    for name in (REFERENCE, *SCENARIOS):
        figure = figures.setdefault(name, 0) or cost(name)
        figures[name] = figure
        text, worse = verdict(name, figure, known, scale)
        dear = dear or (worse and name != REFERENCE)
        print(f"  {name:16} {figure:8,}  {text}", flush=True)
    if write:
        everything[BUILD] = {"build": build_of_python(), "instructions": figures}
        BASELINE.write_text(json.dumps(dict(sorted(everything.items())), indent=1) + "\n")
    return 1 if check and dear else 0


if __name__ == "__main__":
    sys.exit(main())
