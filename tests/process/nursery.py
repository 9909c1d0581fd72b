"""What a supervisor does for a prototype and its workers, in the test's own process: start it, order workers,
hear them, reap them. It decides nothing."""

import ctypes
import os
import select
import signal
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from penstock.config.assemble import from_keywords
from penstock.config.settings import Settings
from penstock.interprocess.channel import Channel, pair
from penstock.interprocess.scoreboard import ACCEPTING, Cell, Scoreboard
from penstock.process import binding, diaries
from penstock.process.boot import Boot
from penstock.process.supervisor.generation import Prototype, spawn
from tests.e2e.server import Client
from tests.e2e.surroundings import environment

PR_SET_CHILD_SUBREAPER = 36
SLOTS = 4
PATIENCE = 15.0  # seconds

HELLO = """
    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"hello"]
"""


@dataclass(eq=False)
class Hearing:
    """One end of a channel, and what came over it."""

    channel: Channel
    heard: list[dict[str, Any]] = field(default_factory=list)

    def until(self, kind: str, seconds: float = PATIENCE) -> dict[str, Any]:
        """The next message of a kind, which may have come already; each is given once."""
        end = time.monotonic() + seconds
        while True:
            for message in self.heard:
                if message["is"] == kind:
                    self.heard.remove(message)
                    return message
            left = end - time.monotonic()
            assert left > 0, f"no {kind!r}, only {self.heard}"
            assert not self.channel.ended, f"the channel ended before {kind!r}, after {self.heard}"
            select.select([self.channel.sock], [], [], left)
            self.take()

    def take(self) -> None:
        for message, fds in self.channel.receive():
            assert not fds
            self.heard.append(message)

    def tell(self, do: str, **more: Any) -> None:
        self.channel.send({"do": do, **more})


@dataclass(eq=False)
class Forked(Hearing):
    """A worker that was ordered; ``pid`` is known once it has said hello."""

    wid: int = 0
    slot: int = 0
    pid: int = 0


@dataclass(eq=False)
class Nursery:
    """The supervisor's side of one generation."""

    folder: Path
    boot: Boot
    board: Scoreboard
    address: tuple[str, int]
    log: Path
    lifeline: int
    prototype: Prototype
    ear: Hearing
    workers: list[Forked] = field(default_factory=list)

    def fork(self, wid: int = 1, ready: bool = True) -> Forked:
        """Order a worker, and wait until it is ready."""
        worker = self.order(wid)
        if ready:
            self.ready(worker)
        return worker

    def order(self, wid: int) -> Forked:
        ours, theirs = pair()
        worker = Forked(ours, wid=wid, slot=len(self.workers))
        self.workers.append(worker)
        self.prototype.channel.send({"do": "fork", "wid": wid, "slot": worker.slot}, [theirs.fileno()])
        theirs.close()
        return worker

    def ready(self, worker: Forked) -> None:
        worker.pid = worker.until("hello")["pid"]
        self.board.claim(worker.slot, worker.pid)
        worker.until("ready")

    def cell(self, worker: Forked) -> Cell:
        return self.board.cell(worker.slot)

    def client(self) -> Client:
        return Client(self.address)

    def text(self) -> str:
        return self.log.read_text()

    def get(self, path: str = "/") -> str:
        """What a request on a new connection is answered with."""
        with self.client() as client:
            reply = client.get(path)
            assert reply.status == 200, reply
            return reply.body.decode()

    def end_lifeline(self) -> None:
        fd, self.lifeline = self.lifeline, -1
        os.close(fd)


def reap(pid: int, seconds: float = PATIENCE) -> int:
    """Wait for a child's end; its exit status, or minus the signal that killed it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    raise AssertionError(f"process {pid} still lives")


def wait_for(what: Callable[[], object], seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.005)


@contextmanager
def subreaper() -> Iterator[None]:
    """Orphans of our descendants are ours inside the block; none is left after it."""
    prctl = ctypes.CDLL(None).prctl
    assert prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    try:
        yield
    finally:
        prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@contextmanager
def nursery(
    folder: Path,
    code: str = HELLO,
    *,
    lazy: bool = False,
    watch_files: bool = False,
    supervisor: int = 0,
    busy: bool = False,
    doors: tuple[tuple[str, int, int], ...] = (),
    kind: tuple[bool, bool] = (False, True),
    **options: Any,
) -> Iterator[Nursery]:
    """A prototype that was started, with an application of its own in ``folder``.

    ``supervisor``: another pid than ours; ``busy``: the scoreboard says that somebody serves; ``doors``: of
    mules; ``kind``: ``again`` and ``fresh`` of a ``Boot``.
    """
    (folder / "site_of_test.py").write_text(textwrap.dedent(code))
    words = {"bind": "127.0.0.1:0", "threads": 2, "linger": 0.2, "module": "site_of_test", **options}
    settings = from_keywords({**words, "logto": str(folder / "log"), "processes": 2})
    diary = diaries.open_diary(settings)
    bound = binding.bind(settings)
    board = Scoreboard.create(SLOTS)
    if busy:
        board.claim(SLOTS - 1, os.getpid()).state = ACCEPTING
    reading, writing = os.pipe()
    boot = boot_of(settings, bound, (board.fd, reading, diary.error_sink.fd), supervisor)
    boot = replace(boot, lazy=lazy, watch_files=watch_files, doors=doors, again=kind[0], fresh=kind[1])
    with subreaper():
        prototype = spawn(boot, environment())
        address, ear = bound[0][1].getsockname(), Hearing(prototype.channel)
        it = Nursery(folder, boot, board, address, folder / "log", writing, prototype, ear)
        try:
            yield it
        finally:
            sweep(it)
            binding.unbind(bound)
            diary.close()
            os.close(reading)
            board.close()


def boot_of(
    settings: Settings, bound: Sequence[binding.Bound], fds: tuple[int, int, int], supervisor: int = 0
) -> Boot:
    """What a prototype is given; ``fds`` are the scoreboard's, the lifeline's and the log's."""
    log = (fds[2], settings.logto)
    return Boot(
        settings=settings,
        generation=1,
        lazy=False,
        supervisor=supervisor or os.getpid(),
        listeners=tuple((settings.listeners.index(spec), sock.fileno(), path) for spec, sock, path in bound),
        scoreboard=fds[0],
        lifeline=fds[1],
        errors=log,
        access=log,
        path=(os.path.dirname(settings.logto), *environment()["PYTHONPATH"].split(os.pathsep), *sys.path),
        watch_files=False,
    )


def sweep(it: Nursery) -> None:
    """Nothing of a test outlives it."""
    if it.lifeline >= 0:
        it.end_lifeline()
    it.prototype.channel.close()
    pids = [worker.pid for worker in it.workers if worker.pid] + [it.prototype.pid]
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)
    for worker in it.workers:
        worker.channel.close()
