"""``python -m benchmarks``: penstock and its peers side by side, in one run (``make bench``).

The benchmark's own process: it installs the peers, runs the scenarios, and writes the report to
``benchmarks/results``. Ends with 1 when a target is missed (``--targets``) or nothing could be measured.
"""

import argparse
import dataclasses
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.clients import raise_limit
from benchmarks.environments import PLOT, Environments, install, prepare
from benchmarks.pages import write
from benchmarks.peers import BY_NAME, PEERS, TOP, Peer
from benchmarks.report import Results, dump, load, machine, markdown
from benchmarks.runner import Run, ours_first
from benchmarks.scenarios import BY_NAME as BY_TITLE
from benchmarks.scenarios import SCENARIOS, Scenario
from benchmarks.servers import two_cores
from benchmarks.targets import check, needed

RESULTS = TOP / "benchmarks" / "results"
SPARE = 1024


def words(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="penstock beside its peers")
    add = parser.add_argument
    add(
        "--scenario",
        nargs="+",
        action="extend",
        choices=[*BY_TITLE],
        metavar="NAME",
        help=f"of {', '.join(BY_TITLE)}",
    )
    add(
        "--peer",
        nargs="+",
        action="extend",
        choices=[*BY_NAME],
        metavar="NAME",
        help=f"of {', '.join(BY_NAME)}",
    )
    # Rounds of several short slices: what else a shared machine does comes and goes by the second.
    add("--rounds", type=int, default=5, help="interleaved; lesser scenarios at most 3 [5]")
    add("--seconds", type=float, default=1, help="of each of a round's slices; lesser have their own [1]")
    add("--quick", action="store_true", help="one round of one second of each: does it run?")
    add("--idle", type=int, default=5000, help="idle connections [5000]")
    add(
        "--targets",
        action="store_true",
        help="check the project's bounds; without --scenario only theirs run",
    )
    add("--json", type=Path, help="where the results go [benchmarks/results/<Python>.json]")
    add("--docs", action="store_true", help="write docs/benchmarks.md and README's table from the results")
    add(
        "--from",
        type=Path,
        dest="earlier",
        metavar="JSON",
        help="report these results again, measure nothing",
    )
    return parser.parse_args(arguments)


def chosen(options: argparse.Namespace) -> list[Scenario]:
    """The scenarios to run."""
    names = options.scenario or (needed() if options.targets else [*BY_TITLE])
    found = [scenario for scenario in SCENARIOS if scenario.name in names]
    count = options.idle
    return [dataclasses.replace(one, clients=count) if one.kind == "idle" else one for one in found]


def command(options: argparse.Namespace) -> str:
    """How to have the same again."""
    parts = ["python -m benchmarks", f"--rounds {options.rounds} --seconds {options.seconds:g}"]
    parts += [f"--scenario {' '.join(options.scenario)}"] if options.scenario else []
    parts += [f"--peer {' '.join(options.peer)}"] if options.peer else []
    parts += [f"--idle {options.idle}"] if options.idle != 5000 else []
    parts += ["--targets"] if options.targets else []
    return " ".join(parts)


def known_as(known: Environments) -> dict[str, str]:
    """All versions that count: ours with the commit, the programs beside the peers."""
    found = dict(known.versions)
    git = ["git", "--no-optional-locks", "-C", str(TOP), "describe", "--always", "--dirty"]
    programs = {"commit": git, "nginx": ["nginx", "-v"], "wrk": ["wrk", "-v"]}
    for name, line in programs.items():
        try:
            done = subprocess.run(line, capture_output=True, text=True, timeout=10)
        except OSError:
            continue
        said = (done.stdout or done.stderr).partition("\n")[0]
        if name == "commit" and done.returncode == 0 and "penstock" in found:
            found["penstock"] += f" ({said})"
        elif name != "commit":
            found[name] = said.removeprefix("nginx version: nginx/").removeprefix("wrk ").partition(" [")[0]
    return found


def measured(options: argparse.Namespace) -> Results:
    """Install and run everything."""
    # A server needs a descriptor for each connection, and some to serve with beside them.
    asked, options.idle = options.idle, min(options.idle, raise_limit(options.idle + SPARE) - SPARE)
    scenarios = chosen(options)
    protocols = {scenario.protocol for scenario in scenarios}
    names = options.peer or [*BY_NAME]
    peers: list[Peer] = [one for one in PEERS if one.name in names and one.protocol in protocols]
    run = Run(prepare(peers), two_cores(), options.rounds, options.seconds)
    pinned = "pinned to one core, the load on another" if run.cores.load is not None else "not pinned"
    about = machine() | {"command": command(options), "rounds": options.rounds, "pinned": pinned}
    about["load_average"] = round(os.getloadavg()[0], 2)
    results = Results(about, known_as(run.known), run.known.failures, run.done)
    if options.idle < asked and any(scenario.kind == "idle" for scenario in scenarios):
        results.notes.append(
            f"The limit on descriptors allows {options.idle:,} idle connections, not {asked:,}."
        )
    for scenario in scenarios:
        run.scenario(scenario, ours_first(peers))
    return results


def plotted(results: Results, source: Path) -> Path | None:
    """Draw the plot in its own environment; where it is, or ``None`` with the reason in the notes."""
    if not any(scenario.kind == "load" for scenario in results.scenarios()):
        return None
    out = source.with_suffix(".png")
    try:
        python = install("plot", PLOT) / "python"
        line = [str(python), "-m", "benchmarks.plot", str(source), str(out)]
        env = {**os.environ, "PYTHONPATH": str(TOP)}
        subprocess.run(line, cwd=TOP, env=env, check=True, capture_output=True, text=True, timeout=120)
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        results.notes.append(f"No plot: {said.strip().splitlines()[-1]}")
        return None
    return out


def report(results: Results, options: argparse.Namespace) -> None:
    """Write JSON, Markdown and the plot, and the documentation when asked."""
    out = options.json or options.earlier or RESULTS / f"{results.about['tag']}.json"
    out = out.absolute()
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(dump(results))
    plot = plotted(results, out)
    out.write_text(dump(results))
    out.with_suffix(".md").write_text(f"# Benchmarks\n\n{markdown(results)}")
    print(markdown(results))
    written = [out, out.with_suffix(".md"), *([plot] if plot else [])]
    written += write(results, plot) if options.docs else []
    print(f"written: {', '.join(map(os.path.relpath, map(str, written)))}", file=sys.stderr)


def main(arguments: Sequence[str]) -> int:
    """The whole command; its exit status."""
    options = words(arguments)
    if options.quick:
        options.rounds, options.seconds = 1, 1.0
    if options.earlier:
        results = load(options.earlier.read_text())
    elif shutil.which("wrk") is None:
        print("wrk is not installed: apt-get install wrk", file=sys.stderr)
        return 1
    else:
        results = measured(options)
    report(results, options)
    verdicts = check(results, [scenario.name for scenario in results.scenarios()]) if options.targets else []
    for verdict in verdicts:
        print(verdict.line())
    return int(not all(verdict.kept for verdict in verdicts) or not any(r.figures for r in results.rounds))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
