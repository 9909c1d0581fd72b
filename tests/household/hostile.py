"""Stops of a supervisor whose daemons do not want to end: is anybody left?

``python -m tests.household.hostile --trials 100``: each trial starts a server with a few villains, perhaps
reloads it, stops it one way or another, and looks who is left. One line of JSON comes out; exit status 1 when
somebody was. This process adopts orphans, so that whatever a server leaves behind is its own child then.
"""

import argparse
import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from penstock.process.lasting import adopt_orphans
from penstock.process.programs.kin import below, processes
from tests.e2e.server import Server, serving
from tests.household.villains import VILLAINS

SITE = """
def application(environ, start_response):
    start_response("200 OK", [])
    return [b"ok"]
"""
SETTLE = 0.15  # seconds in which villains get at it
STOPS = ("TERM", "INT", "TERM twice", "reload, then TERM", "takeover, then TERM")


def options_of(commands: list[str]) -> list[str]:
    """The server's; a mercy that a hundred trials can wait for."""
    words = ["--master", "--reload-mercy", "0.3", "--worker-reload-mercy", "2"]
    for command in commands:
        words += ["--attach-daemon", command]
    return words


def stop(server: Server, how: str) -> None:
    """Stop it; raises AssertionError when it does not end."""
    if "then" in how:
        server.process.send_signal(signal.SIGHUP if how.startswith("reload") else signal.SIGUSR2)
        server.wait_for("generation 2 serves", 60)
        time.sleep(random.random() * 0.4)  # in the middle of the daemons' own
    if how == "TERM twice":
        server.process.send_signal(signal.SIGTERM)
        time.sleep(random.random() * 0.2)
    server.stop(signal.SIGINT if how == "INT" else signal.SIGTERM, 30)


def trial(folder: Path, count: int) -> tuple[int, int, float]:
    """Living and dead processes that were left, and the seconds of the stop."""
    names = random.sample(sorted(VILLAINS), count)
    how = random.choice(STOPS)
    with serving(
        folder,
        *options_of([VILLAINS[name] for name in names]),
        app="site_of:application",
        expect=None,
        begun=False,
    ) as server:
        server.wait_for("worker ready", 60)
        until = time.monotonic() + 20
        while server.text().count("] ready\n") < count:
            assert time.monotonic() < until, server.text()
            time.sleep(0.02)
        time.sleep(SETTLE)
        begun = time.monotonic()
        stop(server, how)
        seconds = time.monotonic() - begun
    found = [table[pid] for table in [processes()] for pid in below(table, [os.getpid()])]
    living, dead = [one for one in found if not one.dead], [one for one in found if one.dead]
    if found:
        print(f"{how}; {', '.join(names)}: left {found}\n{server.text()}", file=sys.stderr)
    clear()
    return len(living), len(dead), seconds


def clear() -> None:
    """The next trial begins without them."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        for pid in below(processes(), [os.getpid()]):
            os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.01)


def play(trials: int, count: int, seed: int) -> dict[str, object]:
    """All of them; the figures."""
    random.seed(seed)
    adopt_orphans("what they leave behind is counted")
    left = zombies = 0
    times: list[float] = []
    begun = time.monotonic()
    for _ in range(trials):
        with TemporaryDirectory() as folder:
            (Path(folder) / "site_of.py").write_text(SITE)
            living, dead, seconds = trial(Path(folder), count)
        left, zombies = left + living, zombies + dead
        times.append(seconds)
    return {
        "trials": trials,
        "left": left,
        "zombies": zombies,
        "seconds": round(time.monotonic() - begun, 1),
        "longest_stop": round(max(times), 2),
        "seed": seed,
    }


def main() -> int:
    """From the command line."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--trials", type=int, default=100)
    words.add_argument("--daemons", type=int, default=4, help="villains of one trial")
    words.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    given = words.parse_args()
    figures = play(given.trials, given.daemons, given.seed)
    print(json.dumps(figures))
    return 1 if figures["left"] or figures["zombies"] else 0


if __name__ == "__main__":
    sys.exit(main())
