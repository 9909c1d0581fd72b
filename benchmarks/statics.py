"""``python -m benchmarks.statics``: files over keep-alive, penstock beside uWSGI, nginx and WhiteNoise.

The benchmark's own process. All servers are up at once on one core, wrk is on another, the rounds go around,
and what is compared is CPU of the server's whole tree per request. Ends with 1 when a target is missed.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.environments import install
from benchmarks.measure import drive, joined, loaded
from benchmarks.peers import BY_NAME, FRAMEWORKS, GUNICORN, PENSTOCK, THREADS, UWSGI, Peer
from benchmarks.runner import FAULTS
from benchmarks.scenarios import Scenario, app
from benchmarks.servers import (
    HOST,
    Cores,
    Refused,
    Server,
    ask,
    environment,
    free_port,
    launch,
    stop,
    two_cores,
)

SIZES = {"1k": 1 << 10, "100k": 100 << 10, "10m": 10 << 20}
NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; {user}
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; keepalive_requests 1000000000; keepalive_timeout 75s;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; uwsgi_temp_path {folder}/uwsgi;
  fastcgi_temp_path {folder}/fastcgi; scgi_temp_path {folder}/scgi;
  server {{ listen {host}:{port} backlog=4096; location /static/ {{ alias {static}/; }} }}
}}
"""
MAP = ("--static-map", "/static={static}")
PEERS = (
    replace(BY_NAME["penstock"], command=(*PENSTOCK, "--bind", "{host}:{port}", "--disable-logging", *MAP)),
    replace(
        BY_NAME["uwsgi-http11"],
        name="uwsgi",
        # Without tcp-nodelay it sends head and file 40 ms apart, and pays for the wait in CPU, too.
        command=(*UWSGI, "--http11-socket", "{host}:{port}", "--disable-logging", "--tcp-nodelay", *MAP),
    ),
    Peer("nginx", "nginx, sendfile", "", "nginx", (), ("nginx",)),
    Peer(
        *("whitenoise", "WhiteNoise in Django, gunicorn", "whitenoise", "whitenoise"),
        ("gunicorn==27.0.1", "whitenoise==6.12.0"),
        (*GUNICORN, "--bind", "{host}:{port}"),
    ),
)
NAMES = tuple(peer.name for peer in PEERS)
APPLICATIONS = {"whitenoise": "benchmarks.whitenoise_page:application"}


@dataclass(frozen=True)
class Target:
    """penstock's CPU for a file of ``size`` is at most ``most`` times that of ``peer``."""

    size: str
    peer: str
    most: float


TARGETS = (
    Target("1k", "uwsgi", 1.3),
    Target("100k", "uwsgi", 1.0),
    Target("10m", "uwsgi", 1.0),
    Target("10m", "nginx", 1.6),
    Target("1k", "whitenoise", 0.2),
)


@dataclass
class Figures:
    """CPU in microseconds per request, and requests a second, by (size, peer): all rounds of each."""

    cpu: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    rate: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def keep(self, key: tuple[str, str], cpu: float, rate: float) -> None:
        """Note a round."""
        self.cpu.setdefault(key, []).append(cpu)
        self.rate.setdefault(key, []).append(rate)

    def median(self, size: str, peer: str) -> float | None:
        """The middle of a peer's rounds, None without any."""
        rounds = self.cpu.get((size, peer))
        return statistics.median(rounds) if rounds else None


def scenario_of(size: str, folder: Path, connections: int) -> Scenario:
    """The load for one size; its script says which path wrk asks for."""
    script = folder / f"{size}.lua"
    script.write_text(f'wrk.path = "/static/{size}.bin"\n')
    return Scenario(size, size, app("hello"), connections=connections, script=str(script), size=SIZES[size])


def start(peer: Peer, folder: Path, static: Path, core: int | None) -> Server:
    """One server on ``core``. Raises RuntimeError or OSError where it cannot be had."""
    home = folder / peer.name
    home.mkdir()
    port, log = free_port(), home / "log"
    words = {"app": APPLICATIONS.get(peer.name, app("hello")), "host": HOST, "port": str(port)}
    words |= {"threads": str(THREADS), "static": str(static)}
    if peer.name == "nginx":
        user = "user root;" if os.getuid() == 0 else ""
        text = NGINX.format(folder=home, user=user, host=HOST, port=port, static=static)
        (home / "nginx.conf").write_text(text)
        command = ["nginx", "-p", str(home), "-c", str(home / "nginx.conf"), "-e", str(home / "error.log")]
        env = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin"}
    else:
        words["program"] = str(install(peer.venv, (*peer.requires, *FRAMEWORKS)))
        command = [part.format(**words) for part in peer.command]
        env = environment(words["app"]) | {"BENCHMARK_STATIC": str(static)}
    return Server(peer, port, launch(command, core, log, env), log)


def ready(server: Server, scenario: Scenario) -> None:
    """Wait until a server gives the whole file; Refused where it does not."""
    until, why = time.monotonic() + 20, "no answer"
    while time.monotonic() < until and server.process.poll() is None:
        try:
            status, body = ask(server, scenario, f"/static/{scenario.name}.bin")
        except FAULTS as error:
            why = repr(error)
        else:
            if status == 200 and len(body) == scenario.size:
                return
            why = f"status {status}, {len(body)} bytes"
        time.sleep(0.05)
    raise Refused(f"{server.peer.name}: {why}: {server.log.read_text(errors='replace')[-400:]}")


@contextmanager
def up(peers: Sequence[Peer], folder: Path, static: Path, cores: Cores) -> Iterator[list[Server]]:
    """The servers, all of them started and stopped again; one that cannot be started is said."""
    servers: list[Server] = []
    try:
        for peer in peers:
            try:
                servers.append(start(peer, folder, static, cores.server))
            except FAULTS as error:
                say(f"{peer.name}: not measured: {error}")
        yield servers
    finally:
        for server in servers:
            stop(server)


def measure(servers: list[Server], scenario: Scenario, options: argparse.Namespace, figures: Figures) -> None:
    """All rounds of one size."""
    cores = two_cores()
    able = []
    for server in servers:
        try:
            ready(server, scenario)
            drive(server, scenario, 1, cores)
            able.append(server)
        except FAULTS as error:
            say(f"{scenario.name}: not measured: {error}")
    for number in range(options.rounds):
        turn = number % max(1, len(able))
        for server in able[turn:] + able[:turn]:
            got = joined([loaded(server, scenario, options.seconds, cores)])
            cpu, rate = got["cpu"], got["rate"]
            if cpu is None or rate is None or got["errors"]:
                say(f"{scenario.name} {server.peer.name}: {got['errors']} errors")
                continue
            figures.keep((scenario.name, server.peer.name), cpu, rate)
            say(f"{scenario.name} {number + 1} {server.peer.name}: {cpu:.1f} us, {rate:.0f}/s")


def report(figures: Figures) -> bool:
    """Print the tables; whether every target that could be checked is kept, and any could."""
    print(f"{'CPU us/request':24}" + "".join(f"{size:>12}" for size in SIZES))
    for peer in PEERS:
        cells = [figures.median(size, peer.name) for size in SIZES]
        print(
            f"{peer.title[:23]:24}"
            + "".join(f"{'-' if cell is None else f'{cell:.1f}':>12}" for cell in cells)
        )
    kept = []
    for target in TARGETS:
        ours, theirs = figures.median(target.size, "penstock"), figures.median(target.size, target.peer)
        if ours is None or not theirs:
            continue
        kept.append(ours / theirs <= target.most)
        word = "kept" if kept[-1] else "MISSED"
        print(f"{target.size} beside {target.peer}: {ours / theirs:.2f}, at most {target.most}: {word}")
    return bool(kept) and all(kept)


def say(text: str) -> None:
    """A line of progress."""
    print(text, file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> int:
    """The whole command; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.statics")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved [5]")
    parser.add_argument("--seconds", type=float, default=3, help="of each [3]")
    parser.add_argument("--connections", type=int, default=THREADS, help=f"of wrk [{THREADS}]")
    parser.add_argument("--size", nargs="+", choices=[*SIZES], default=[*SIZES])
    parser.add_argument("--peer", nargs="+", choices=NAMES, default=[*NAMES])
    options = parser.parse_args(arguments)
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder, static = Path(name), Path(name) / "files"
        static.mkdir()
        for size, count in SIZES.items():
            (static / f"{size}.bin").write_bytes(os.urandom(count))
        peers = [peer for peer in PEERS if peer.name in options.peer]
        with up(peers, folder, static, two_cores()) as servers:
            for size in options.size:
                # WhiteNoise has no sendfile: only its small files are of interest.
                able = [one for one in servers if size == "1k" or one.peer.name != "whitenoise"]
                measure(able, scenario_of(size, folder, options.connections), options, figures)
    return int(not report(figures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
