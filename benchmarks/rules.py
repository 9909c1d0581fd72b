"""What rules cost a request that none of them is for: ``python -m benchmarks.rules``.

A hello request as ``benchmarks.path`` makes it, once without rules and once behind fifty that begin with a
literal each; callgrind counts both, and the difference is held against the whole request. ``--check`` fails
where it is more than 0.6 of it; ``--time`` measures CPU time in this process instead.
"""

import argparse
import shutil
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.applications import hello
from benchmarks.path import LONG, SHORT, Wire, arrange, instructions

MODULE = "benchmarks.rules"  # also where it runs as __main__
MOST = 0.6  # of a hello request
COUNT = 50
REQUEST = b"GET /shop/item HTTP/1.1\r\nHost: shop.example:8000\r\n\r\n"

ANCHORED = [("route", rf"^/section{at}/(.*)\.html$ addvar:NEW=/new{at}/$1") for at in range(COUNT)]
CONDITIONS = [("route-if", f"startswith:${{PATH_INFO}};/section{at}/ last:") for at in range(COUNT)]
NEAR = [("route", rf"^/shop/item{at}/(.*)\.html$ addvar:NEW=/new{at}/$1") for at in range(COUNT)]

SCENARIOS: dict[str, list[tuple[str, str]] | None] = {
    "no rules": None,
    "50 anchored": ANCHORED,
    "50 with the path's own beginning": NEAR,
    "50 anchored, and one for all": [("route-run", "addvar:SEEN=yes"), *ANCHORED],
    "50 conditions": CONDITIONS,
}
HELD = ("50 anchored", "50 anchored, and one for all")


def step_of(name: str) -> tuple[Wire, Callable[[], None]]:
    """A wire, and what answers one request of a scenario."""
    from penstock.codecs.http1_reply import fields
    from penstock.serve.finish.call import FinishedCall
    from penstock.serve.finish.finish import Finish
    from penstock.serve.routing.table import compile_rules
    from penstock.serve.routing.tools import Tools
    from penstock.serve.send import Manner
    from penstock.serve.wsgi.call import Call
    from penstock.serve.wsgi.input import NO_BODY

    said = SCENARIOS[name]
    if said is None:
        return arrange("http", [REQUEST])
    rules = compile_rules([(*rule, "benchmark") for rule in said], Tools())
    manner, finish = Manner(extra=fields([]), warn=lambda key, text: None), Finish()

    quiet = rules.quiet

    def answer(x: Any, index: int) -> None:
        environ = x.request.vars
        environ["penstock.disconnected"] = x.outbox.disconnected
        environ["wsgi.input"] = NO_BODY
        call = Call(x, manner)
        if quiet is None or not quiet(environ):
            call = finished = FinishedCall(x, manner, finish)
            if not rules.request(finished, environ):
                return
        call.run(hello, environ)

    return arrange("http", [REQUEST], answer=answer)


def run(name: str, count: int) -> float:
    """Answer ``count`` requests; the seconds of CPU that it took."""
    wire, step = step_of(name)
    begun = time.process_time()
    for _ in range(count):
        step()
    seconds = time.process_time() - begun
    assert wire.replies == count, f"{wire.replies} replies to {count} requests"
    return seconds


def counted(name: str) -> float:
    """Instructions of one request."""
    return (instructions(name, LONG, MODULE) - instructions(name, SHORT, MODULE)) / (LONG - SHORT)


def timed(name: str) -> float:
    """Microseconds of CPU of one request, the least of five rounds."""
    return min(run(name, 10_000) for _ in range(5)) / 10_000 * 1e6


def main() -> int:
    """Measure and print; 1 when ``--check`` finds too much."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--check", action="store_true", help=f"fail where it is more than {MOST} of a request"
    )
    parser.add_argument("--time", action="store_true", help="microseconds of CPU instead")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, default=10_000, help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.run:
        run(words.run, words.count)
        return 0
    measure = timed if words.time or shutil.which("valgrind") is None else counted
    whole = measure("no rules")
    unit = "µs of CPU" if measure is timed else "instructions"
    print(f"{'no rules':34} {whole:10,.1f} {unit}")
    dear = False
    for name in list(SCENARIOS)[1:]:
        more = measure(name) - whole
        dear = dear or (name in HELD and more > MOST * whole)
        print(f"{name:34} {more:+10,.1f} {unit}, {more / whole:.2f} of a request", flush=True)
    return 1 if words.check and dear else 0


if __name__ == "__main__":
    sys.exit(main())
