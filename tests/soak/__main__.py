"""``python -m tests.soak``: mixed real traffic with faults, for as long as wanted; nothing may be left of it.

The exit status is 1 when anything was wrong, with the reasons; the server's log is kept then.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.e2e.server import LOOPS
from tests.soak.run import Plan, soak


def words() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    add = parser.add_argument
    add("--minutes", type=float, default=20, help="of load, for each loop (%(default)s)")
    add("--loop", choices=(*LOOPS, "both"), default="both", help="(%(default)s)")
    add("--seed", type=int, default=None, help="of the clients' dice; the clock's if it is not given")
    add("--jobs", type=int, default=1, help="processes of clients (%(default)s)")
    add("--clients", type=int, default=24, help="in each process (%(default)s)")
    return parser


def main() -> int:
    given = words().parse_args()
    seed = int(time.time()) if given.seed is None else given.seed
    folder = Path(tempfile.mkdtemp(prefix="penstock-soak-"))
    print(f"seed {seed}; logs in {folder}", flush=True)
    wrongs: list[str] = []
    for loop in LOOPS if given.loop == "both" else (given.loop,):
        plan = Plan(loop, given.minutes * 60, seed, given.jobs, given.clients)
        wrongs += [f"{loop}: {text}" for text in soak(plan, folder)]
    for text in wrongs:
        print(f"WRONG {text}")
    if not wrongs:
        shutil.rmtree(folder)
        print("everything came right, and nothing is left of it")
    return 1 if wrongs else 0


if __name__ == "__main__":
    sys.exit(main())
