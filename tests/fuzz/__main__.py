"""``python -m tests.fuzz``: millions of inputs for the codecs, with progress; or one again (``--replay``).

The exit status is 1 when a promise was broken; the input stands, made short, in a file under ``--out``.
"""

import argparse
import sys
import time
from pathlib import Path

from tests.fuzz.case import keep, load
from tests.fuzz.cuts import cut_everywhere
from tests.fuzz.run import Plan, Tally, run, shortest, wrong_with

LEGAL = 30.0  # per cent of all inputs that have to be legal by construction


def words() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    add = parser.add_argument
    add("--inputs", type=int, default=1_000_000, help="how many (%(default)s)")
    add("--jobs", type=int, default=1, help="processes (%(default)s)")
    add("--seed", type=int, default=None, help="of the inputs; the clock's if it is not given")
    add("--minutes", type=float, default=120, help="stop after so many (%(default)s)")
    add(
        "--compared",
        type=int,
        default=4,
        help="hold every Nth HTTP input against h11, 0 for none (%(default)s)",
    )
    add("--out", type=Path, default=Path("fuzz-failures"), help="folder for failing inputs (%(default)s)")
    add("--replay", type=Path, help="run the one input of this file")
    add("--cuts", action="store_true", help="cut and reset the connections of a server at every byte instead")
    return parser


def tell(tally: Tally, seconds: float) -> None:
    counts = tally.counts
    compared = sum(number for name, number in counts.items() if name.startswith("h11 "))
    print(
        f"{seconds:6.0f} s  {counts['inputs']:>11,} inputs  {counts['inputs'] / max(seconds, 0.01):7,.0f}/s"
        f"  legal {tally.share('legal'):.1f} %  taken {tally.share('taken'):.1f} %"
        f"  h11 {compared:,} compared, {counts['h11 unknown']} unknown  failures {len(tally.failures)}",
        flush=True,
    )


def report(tally: Tally, out: Path) -> None:
    """The verdicts, the differences from h11, and the failing inputs in files."""
    print("verdicts and comparisons:")
    for name, number in sorted(tally.counts.items()):
        if " " in name:
            print(f"  {name:28} {number:>11,}")
    for failure in tally.failures:
        path = keep(shortest(failure), failure.problem, failure.where, out)
        print(f"FAILED ({failure.where}): {failure.problem[:400]}\n  kept in {path}")


def main() -> int:
    """Do what the command line says; the exit status."""
    options = words().parse_args()
    if options.replay:
        wrong = wrong_with(load(options.replay))
        print(wrong or "nothing is wrong with it")
        return 1 if wrong else 0
    if options.cuts:
        return cut_everywhere(print)
    seed = options.seed if options.seed is not None else time.time_ns() % 2**32
    print(f"seed {seed}, {options.inputs:,} inputs, {options.jobs} processes", flush=True)
    began = time.monotonic()
    plan = Plan(seed, compared=options.compared)
    tally = run(plan, options.inputs, options.jobs, options.minutes, tell)
    report(tally, options.out)
    counts = tally.counts
    bad = len(tally.failures) or tally.share("legal") < LEGAL
    print(
        f"{'FAILED' if bad else 'PASSED'}: {counts['inputs']:,} inputs ({counts['octets'] / 1e6:,.0f} MB) in "
        f"{time.monotonic() - began:,.0f} s, seed {seed}: {tally.share('legal'):.1f} % legal by construction,"
        f" {tally.share('taken'):.1f} % taken, {tally.share('bytewise'):.1f} % also byte by byte, "
        f"{counts['h11 unknown']} unknown differences from h11, {len(tally.failures)} failures"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
