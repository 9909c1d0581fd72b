"""Server CPU per request for a keep-alive hello, penstock beside gunicorn: ``python benchmarks/hello.py``.

Both run with one worker process of 8 threads, access log off, pinned to one core, while wrk drives them
from another; rounds alternate, so that what else the machine does falls on both. Wall-clock figures of a
shared machine mean little: what is compared is user plus system time of the server's whole process tree,
per request that wrk counted. ``--profile`` adds where penstock's own time goes.
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

TOP = Path(__file__).parents[1]
TICKS = os.sysconf("SC_CLK_TCK")
PEER = "gunicorn==27.0.1"
THREADS = 8


@dataclass(frozen=True)
class Round:
    """One server under one load. ``cpu`` in microseconds per request, ``errors`` as wrk counts them."""

    server: str
    connections: int
    requests: int
    errors: int
    cpu: float
    throughput: float


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def tree(pid: int) -> Iterator[int]:
    """A process and all that descend from it."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from tree(int(child))


def cpu_seconds(pid: int) -> float:
    """User and system time of the process tree so far."""
    total = 0
    for one in tree(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def peer_program() -> str:
    """gunicorn in an environment of its own; the path of the program."""
    folder = TOP / ".venv-gunicorn"
    program = folder / "bin" / "gunicorn"
    if not program.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([folder / "bin" / "pip", "install", "-q", PEER], check=True)
    return str(program)


def commands(port: int) -> dict[str, list[str]]:
    """How each server is started, with equal settings."""
    app = "benchmarks.application:hello"
    penstock = [sys.executable, "-m", "penstock", app, "--bind", f"127.0.0.1:{port}"]
    gunicorn = [peer_program(), app, "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"]
    return {
        "penstock": [*penstock, "--threads", str(THREADS), "--disable-logging"],
        "gunicorn gthread": [*gunicorn, "--workers", "1", "--threads", str(THREADS), "--keep-alive", "75"],
    }


@contextmanager
def served(command: list[str], port: int, core: int | None) -> Iterator[int]:
    """A server that answers; its process id."""
    pin = ["taskset", "-c", str(core)] if core is not None else []
    env = {**os.environ, "PYTHONPATH": f"{TOP / 'src'}{os.pathsep}{TOP}"}
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen([*pin, *command], cwd=TOP, env=env, stdout=log, stderr=log)
        try:
            for _ in range(200):
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            else:
                log.seek(0)
                raise SystemExit(f"{command[0]} does not answer:\n{log.read().decode()}")
            yield server.pid
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)


def drive(port: int, connections: int, seconds: int, core: int | None) -> tuple[int, int, float]:
    """Requests, errors and requests per second of one run of wrk."""
    pin = ["taskset", "-c", str(core)] if core is not None else []
    command = [*pin, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", f"http://127.0.0.1:{port}/"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    requests = re.search(r"(\d+) requests in", text)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    assert requests and rate, text
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    errors = int(bad[1]) if bad else 0
    errors += sum(map(int, broken.groups())) if broken else 0
    return int(requests[1]), errors, float(rate[1])


def measure(name: str, connections: int, seconds: int, cores: tuple[int, int] | None) -> Round:
    """One round of one server, after a short warm-up that does not count."""
    port = free_port()
    own, other = cores or (None, None)
    with served(commands(port)[name], port, own) as pid:
        drive(port, connections, 1, other)
        before = cpu_seconds(pid)
        requests, errors, rate = drive(port, connections, seconds, other)
        used = cpu_seconds(pid) - before
    return Round(name, connections, requests, errors, used / requests * 1e6, rate)


def report(rounds: list[Round]) -> float:
    """Print a table of medians; returns the ratio of penstock to gunicorn at the most connections."""
    ratio = 0.0
    print("| connections | server | CPU µs/request | requests/s | errors |")
    print("|--:|---|--:|--:|--:|")
    for connections in sorted({r.connections for r in rounds}):
        cpu: dict[str, float] = {}
        for name in dict.fromkeys(r.server for r in rounds):
            mine = [r for r in rounds if r.server == name and r.connections == connections]
            cpu[name] = statistics.median(r.cpu for r in mine)
            rate = statistics.median(r.throughput for r in mine)
            errors = sum(r.errors for r in mine)
            print(f"| {connections} | {name} | {cpu[name]:.1f} | {rate:.0f} | {errors} |")
        ratio = cpu["penstock"] / cpu["gunicorn gthread"]
        print(f"| {connections} | ratio | **{ratio:.3f}** | | |")
    return ratio


PROFILE = """
import cProfile, pstats, sys, threading
from penstock.cli.main import main
# CPython 3.12 and newer profile one thread at a time: the loop's here, a pool thread's by its own hook.
profile = cProfile.Profile()
sys.argv = ["penstock", *sys.argv[1:]]
profile.enable()
try:
    main()
except SystemExit:
    pass
profile.disable()
pstats.Stats(profile, stream=sys.stdout).sort_stats("tottime").print_stats(18)
"""


def profile(seconds: int) -> None:
    """Where the loop's own time goes, function by function."""
    port = free_port()
    command = [sys.executable, "-c", PROFILE, *commands(port)["penstock"][3:]]
    env = {**os.environ, "PYTHONPATH": f"{TOP / 'src'}{os.pathsep}{TOP}"}
    server = subprocess.Popen(command, cwd=TOP, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    time.sleep(2)
    drive(port, 64, seconds, None)
    server.send_signal(signal.SIGTERM)
    print(server.communicate(timeout=30)[0].decode())


def main() -> int:
    """Run the rounds; the exit status is 1 when penstock needs more than ``--most`` of gunicorn's CPU."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=int, default=4, help="of each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 4, 64])
    parser.add_argument("--most", type=float, default=0.15, help="of gunicorn's CPU per request at 64")
    parser.add_argument("--json", type=Path, help="write every round there")
    parser.add_argument("--profile", action="store_true")
    words = parser.parse_args()
    if shutil.which("wrk") is None:
        print("wrk is not installed: apt-get install wrk", file=sys.stderr)
        return 1
    cores = sorted(os.sched_getaffinity(0))
    pair = (cores[0], cores[1]) if len(cores) > 1 and shutil.which("taskset") else None
    rounds: list[Round] = []
    for number in range(words.rounds):
        for connections in words.connections:
            for name in commands(0):
                done = measure(name, connections, words.seconds, pair)
                rounds.append(done)
                print(f"round {number + 1}: {done}", file=sys.stderr, flush=True)
    ratio = report(rounds)
    if words.json:
        words.json.write_text(json.dumps([asdict(r) for r in rounds], indent=1))
    if words.profile:
        profile(words.seconds)
    print(f"at {max(words.connections)} connections: {ratio:.3f} of gunicorn's CPU per request")
    return 0 if ratio <= words.most else 1


if __name__ == "__main__":
    sys.exit(main())
