"""Servers under test in a folder of their own: their site, their configuration, their processes.

Used by the scenarios. penstock is the one that is tried; gunicorn and uWSGI are here to be compared with, and
because the counting client must find what they are known to lose.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.nginx import PROGRAM, configuration, free_port, nginx
from tests.e2e.server import Client
from tests.e2e.surroundings import environment
from tests.supervision.proc import children, memory, stat, threads, tree, wait_until
from tests.supervision.site import Site, environ
from tests.supervision.wire import Address, Lane

STARTS = 30.0  # seconds
SETTLES = 0.3  # seconds from a worker's threads to its first look at its listeners, generously


# ---- The server -------------------------------------------------------------------------------------


@dataclass
class Place:
    """One server that runs: where it answers, where it lives."""

    site: Site
    program: str
    port: int
    workers: int
    process: "subprocess.Popen[bytes]"
    log: Path
    front: int = 0  # nginx's port
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Everything of it is there."""
        return self.site.folder

    @property
    def pid(self) -> int:
        """The first process."""
        return self.process.pid

    def text(self) -> str:
        """The log."""
        return self.log.read_text(errors="replace")

    def address(self, way: str) -> Address:
        """Where that way leads: ``http``, ``uwsgi`` (a UNIX socket) or ``nginx``."""
        if way == "uwsgi":
            return str(self.folder / "app.sock")
        return "127.0.0.1", self.front if way == "nginx" else self.port

    def lanes(self, *ways: str, path: str = "/id/", query: str = "") -> list[Lane]:
        """All ways that there are: kept connections and new ones straight to it, by uwsgi, and through
        nginx."""
        every = {
            "kept": Lane("kept", self.address("http"), kept=True, path=path, query=query),
            "new": Lane("new", self.address("http"), path=path, query=query),
            "uwsgi": Lane("uwsgi", self.address("uwsgi"), "uwsgi", path=path, query=query),
            "nginx": Lane("nginx", self.address("nginx"), kept=True, path=path, query=query),
        }
        if not ways:
            ways = ("kept", "new")
            ways += ("uwsgi",) if (self.folder / "app.sock").exists() else ()
            ways += ("nginx",) if self.front else ()
        return [every[way] for way in ways]

    # ---- What there is ----------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """What ``penstock ctl status --json`` says."""
        return dict(self.control("status")["status"])

    def control(self, *words: str, ok: bool = True, timeout: float = 90.0) -> dict[str, Any]:
        """``penstock ctl`` with ``--json``; raises RuntimeError when it fails, unless not ``ok``."""
        done = self.ctl(*words, "--json", timeout=timeout)
        if ok and done.returncode:
            raise RuntimeError(f"ctl {words}: {done.returncode} {done.stdout} {done.stderr}")
        return dict(json_of(done.stdout))

    def ctl(self, *words: str, timeout: float = 90.0) -> "subprocess.CompletedProcess[str]":
        """``penstock ctl`` as an operator calls it."""
        return subprocess.run(
            [sys.executable, "-m", "penstock", "ctl", "--socket", str(self.folder / "control"), *words],
            capture_output=True, text=True, timeout=timeout, env=environment(), cwd=self.folder, check=False,
        )  # fmt: skip

    def crew(self) -> list[int]:
        """The worker processes that live, oldest first, by what is known from outside: children with more
        than one thread (a prototype has none beside its first); of the others' servers all children."""
        if self.program != "penstock":
            return children(self.pid)
        return [pid for pid in children(self.pid) if len(threads(pid)) > 1]

    def prototypes(self) -> list[int]:
        """Children with one thread that live."""
        return [pid for pid in children(self.pid) if len(threads(pid)) == 1 and stat(pid)[:1] != ["Z"]]

    def pss(self) -> int:
        """Kilobytes of the whole tree."""
        return sum(memory(pid) for pid in tree(self.pid))

    # ---- What is done to it -----------------------------------------------------------------------

    def send(self, number: int) -> None:
        """A signal to the first process."""
        self.process.send_signal(number)

    def ends(self, timeout: float = 40.0) -> int:
        """TERM, and its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not stop:\n{self.text()[-3000:]}") from None

    def kill(self) -> None:
        """All of it, at once: each by its number, while it is surely still a child of ours."""
        for pid in reversed(tree(self.pid)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()


def json_of(text: str) -> Any:
    """The JSON that a command has printed. Raises ValueError."""
    return json.loads(text)


# ---- Starting ---------------------------------------------------------------------------------------


def ini(options: dict[str, object]) -> str:
    """A configuration file; a list is a key that is repeated."""
    lines = ["[uwsgi]"]
    for key, value in options.items():
        lines += [f"{key} = {one}" for one in (value if isinstance(value, list) else [value])]
    return "\n".join([*lines, ""])


def options_of(site: Site, port: int, workers: int, more: dict[str, object]) -> dict[str, object]:
    """The usual configuration of penstock, and ``more``."""
    place = site.folder
    return {
        "master": "true",
        "processes": workers,
        "threads": 4,
        "chdir": place,
        "module": site.application,
        "http-socket": f"127.0.0.1:{port}",
        "uwsgi-socket": place / "app.sock",
        "chmod-socket": 666,
        "control-socket": place / "control",
        "disable-logging": "true",
        **more,
    }


def command(site: Site, program: str, python: str, port: int, workers: int) -> list[str]:
    """How each server is started; ``python`` is that of its environment."""
    folder, programs = site.folder, Path(python).parent
    if program == "penstock":
        return [python, "-m", "penstock", "--ini", str(folder / "app.ini")]
    if program == "gunicorn":
        return [
            *(str(programs / "gunicorn"), site.application, "--chdir", str(folder)),
            *("--worker-class", "gthread", "--workers", str(workers), "--threads", "4"),
            *("--bind", f"127.0.0.1:{port}", "--keep-alive", "75", "--no-control-socket"),
        ]
    return [
        *(str(programs / "uwsgi"), "--master", "--processes", str(workers), "--threads", "4"),
        *("--module", site.application, "--chdir", str(folder), "--http-socket", f"127.0.0.1:{port}"),
        *("--listen", "1024", "--die-on-term", "--need-app", "--disable-logging"),
        *("--virtualenv", str(programs.parent)),
    ]


@dataclass(frozen=True)
class Start:
    """How a server is started: which program, by which interpreter, with how many workers; penstock's
    ``options`` beyond the usual ones; ``front``: nginx before it; ``first``: how many workers it starts with,
    where those are not all; ``eager``: see ``Site``."""

    program: str = "penstock"
    workers: int = 2
    front: bool = False
    options: dict[str, object] = field(default_factory=dict)
    python: str = sys.executable
    first: int = 0
    eager: bool = True


@contextmanager
def running(folder: Path, kind: str = "plain", **words: Any) -> Iterator[Place]:
    """A server in ``folder`` (made, if it is not there) that answers; killed afterwards if it still runs.

    ``words`` are those of ``Start``.
    """
    start = Start(**words)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    site, port = Site(folder, kind, start.eager), free_port()
    site.build()
    site.warm(start.python)
    (folder / "app.ini").write_text(ini(options_of(site, port, start.workers, start.options)))
    log = folder / "log"
    with log.open("wb") as out:
        began = time.monotonic()
        process = subprocess.Popen(
            command(site, start.program, start.python, port, start.workers),
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environ(folder), cwd=folder,
        )  # fmt: skip
    notes = {"began": began, "first": start.first or start.workers}
    place = Place(site, start.program, port, start.workers, process, log, extra=notes)
    with ExitStack() as stack:
        stack.callback(lambda: place.kill() if process.poll() is None else None)
        ready(place)
        wait_until(lambda: len(place.crew()) >= place.extra["first"], STARTS, "not all workers came")
        time.sleep(SETTLES)
        if start.front:
            place.front = stack.enter_context(fronted(place))
        yield place


def ready(place: Place) -> None:
    """Wait until it answers. Raises AssertionError with its log."""
    until = time.monotonic() + STARTS
    while time.monotonic() < until and place.process.poll() is None:
        try:
            with Client(("127.0.0.1", place.port)) as client:
                if client.get("/id/0?size=100").status == 200:
                    return
        except (OSError, EOFError):
            pass
        time.sleep(0.05)
    raise AssertionError(f"{place.program} does not serve:\n{place.text()[-4000:]}")


@contextmanager
def fronted(place: Place) -> Iterator[int]:
    """nginx before its uwsgi socket; yields nginx's port."""
    if PROGRAM is None:
        raise RuntimeError("nginx is not installed")
    folder = place.folder / "nginx"
    folder.mkdir()
    folder.chmod(0o755)
    port = free_port()
    words = {
        "listen 80;": f"listen 127.0.0.1:{port};",
        "/run/penstock/app.sock": str(place.folder / "app.sock"),
    }
    path = configuration("nginx-uwsgi-unix.conf", folder, **words)
    path.write_text(path.read_text().replace(f"access_log {folder}/access.log", "access_log off"))
    with nginx(folder, path, port):
        yield port
