"""The two servers, run one after the other with one command line behind one nginx.

Used by the fixtures. The servers take the same ports in turn, so that even SERVER_PORT is the same; the
record of a run is what the comparison reads.
"""

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.compat.cases import CASES
from tests.compat.wire import Reply, ask
from tests.e2e.nginx import PROGRAM, nginx
from tests.e2e.server import serving
from tests.e2e.surroundings import TOP, environment

HERE = Path(__file__).parent
UWSGI = TOP / ".venv-uwsgi" / "bin" / "uwsgi"
MISSING = "uWSGI is not built: tools/uwsgi.sh .venv-uwsgi (it needs gcc and python3-dev)"
PORTS = ("unix", "tcp", "stream", "underscores", "uwsgi", "http")
Environ = dict[str, str]


@dataclass(frozen=True)
class Seen:
    """One request on one way: the environ that the application saw (None: it was not called), the reply."""

    environ: Environ | None
    reply: Reply


Record = dict[tuple[str, str], Seen]
"""By way and name of the case."""


@dataclass(frozen=True)
class Bench:
    """Where both servers stand: a folder, and ports that stay the same for both."""

    folder: Path
    ports: dict[str, int]

    @property
    def options(self) -> list[str]:
        """The one command line."""
        http, uwsgi = self.ports["http"], self.ports["uwsgi"]
        sockets = ["--uwsgi-socket", "app.sock", "--chmod-socket=666", "--uwsgi-socket", f"127.0.0.1:{uwsgi}"]
        application = ["--wsgi-file", str(HERE / "app.py"), "--need-app", "--threads", "2"]
        return [
            *sockets,
            "--http-socket",
            f"127.0.0.1:{http}",
            *application,
            *("--buffer-size", "32768", "--vacuum", "--die-on-term", "--disable-logging"),
        ]

    def environment(self, name: str) -> dict[str, str]:
        kept = {key: value for key, value in environment().items() if not key.startswith("UWSGI_")}
        return {**kept, "COMPAT_SEEN": str(self.seen(name))}

    def seen(self, name: str) -> Path:
        """Where the application writes down what it saw."""
        return self.folder / f"{name}.seen"


def free_ports() -> dict[str, int]:
    """Ports that nobody listens on, all different: held together before they are let go."""
    with ExitStack() as held:
        return {
            name: held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
            for name in PORTS
        }


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    """A folder with an nginx that waits for either server."""
    made = Bench(folder, free_ports())
    text = (HERE / "nginx.conf").read_text().replace("FOLDER", str(folder))
    text = re.sub(r"\bPORT_([A-Z]+)\b", lambda found: str(made.ports[found[1].lower()]), text)
    path = folder / "nginx.conf"
    path.write_text(text)
    with nginx(folder, path, made.ports["unix"]):
        yield made


@contextmanager
def uwsgi(made: Bench) -> Iterator[None]:
    """A real uWSGI while the block runs."""
    log = made.folder / "uwsgi.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(UWSGI), *made.options],
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            cwd=made.folder,
            env=made.environment("uwsgi"),
        )
    try:
        until = time.monotonic() + 20
        # Its workers are born after the application is loaded; before that a connection only waits.
        while "spawned uWSGI worker" not in log.read_text(errors="replace"):
            assert process.poll() is None and time.monotonic() < until, log.read_text(errors="replace")
            time.sleep(0.02)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def penstock(made: Bench) -> Iterator[None]:
    """The penstock under test while the block runs."""
    with serving(made.folder, *made.options, app="", listeners=3, env=made.environment("penstock")):
        yield


def uwsgi_version() -> str:
    """uWSGI's own word."""
    found = subprocess.run([str(UWSGI), "--version"], capture_output=True, text=True, timeout=20, check=True)
    return found.stdout.strip()


def nginx_version() -> tuple[int, ...]:
    """(1, 22, 1) and the like."""
    assert PROGRAM is not None
    found = subprocess.run([PROGRAM, "-v"], capture_output=True, text=True, timeout=20, check=True)
    number = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", found.stderr)
    assert number is not None, found.stderr
    return tuple(int(part) for part in number.groups())


def run(made: Bench, name: str) -> Record:
    """Ask every case on each of its ways."""
    path = made.seen(name)
    path.touch()
    record: Record = {}
    with path.open(encoding="ascii") as seen:
        for case in CASES:
            for way in case.ways:
                port = made.ports["http" if way == "http10" else way]
                reply = ask(port, case.data(way), head=case.method == "HEAD", to_end=case.close)
                lines = seen.read().splitlines()
                assert len(lines) <= 1, (name, way, case.name, lines)
                environ = normal(json.loads(lines[0]), reply.port) if lines else None
                record[way, case.name] = Seen(environ, reply)
    return record


def normal(environ: Environ, port: int) -> Environ:
    """Without what no two runs share: the client's own port, and this machine's name."""
    if environ.get("REMOTE_PORT") == f"str '{port}'":
        environ["REMOTE_PORT"] = "str '<client port>'"
    name = os.uname().nodename
    return {key: value.replace(f"'{name}'", "'<host>'") for key, value in environ.items()}
