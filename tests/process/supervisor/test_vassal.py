"""A vassal's side of the pipe."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from penstock.config.settings import Settings
from penstock.interprocess.scoreboard import Scoreboard
from penstock.process.emperor.bond import bond
from penstock.process.supervisor.vassal import Fealty, Pulse
from tests.process.emperor.swearing import given, sworn
from tests.process.supervisor.recording import Recording

LOYAL, RETIRE, HEARTBEAT, HELP = b"\x11", b"\x16", b"\x1a", b"\x1e"


class Supervised(Recording):
    """What a vassal asks of its supervisor."""

    def __init__(self, log: Path, settings: Settings) -> None:
        super().__init__(log, settings)
        self.carrying: dict[str, Any] = {}
        self.children: dict[int, Any] = {}
        self.on_serving: list[Any] = []
        self.on_change: list[Any] = []
        self.on_stop: list[Any] = []
        self.unfinished: list[Any] = []
        self.board = Scoreboard.create(2)
        self.ending: Any = None
        self.current: Any = None
        self.herd = SimpleNamespace(serving=[])
        self.lineage = SimpleNamespace(reload=lambda asked: self.note("reload-anew", asked.why))

    def stop(self, why: str) -> None:
        self.ending = SimpleNamespace(why=why, code=0, now=False)
        self.note("stop", why)

    def look_whether_done(self) -> None:
        self.note("done?", any(unfinished() for unfinished in self.unfinished))


@contextmanager
def supervised(tmp: Path, **options: Any) -> Iterator[tuple[Supervised, Fealty, socket.socket]]:
    with sworn() as emperor:
        supervisor = Supervised(tmp / "log", given(**options))
        fealty = Fealty(supervisor)  # type: ignore[arg-type]  # as far as it is asked
        fealty.start()
        try:
            yield supervisor, fealty, emperor
        finally:
            supervisor.watch.close()
            supervisor.diary.close()


def worker(**words: int) -> Any:
    cell = SimpleNamespace(requests=0, beat=0, threads=2, busy=0)
    vars(cell).update(words)
    return SimpleNamespace(cell=cell)


def silent(emperor: socket.socket) -> bool:
    emperor.setblocking(False)
    try:
        emperor.recv(9)
    except BlockingIOError:
        return True
    finally:
        emperor.settimeout(5)
    return False


def test_it_tells_what_it_has_come_to(tmp_path: Path) -> None:
    with supervised(tmp_path) as (supervisor, fealty, emperor):
        supervisor.on_serving[0]()
        assert emperor.recv(9) == b"\x01\x05"
        supervisor.on_change[0]()
        assert emperor.recv(9) == b"\x01\x05"
        fealty.look()
        assert silent(emperor)
        supervisor.workers.append(worker(requests=1))
        fealty.look()
        fealty.look()
        assert emperor.recv(9) == LOYAL


@pytest.mark.parametrize("word", [b"\x00", b"\x02"])
def test_it_stops_once_when_it_is_told_to(word: bytes, tmp_path: Path) -> None:
    with supervised(tmp_path) as (supervisor, fealty, emperor):
        emperor.send(word)
        fealty.hear()
        emperor.send(word)
        fealty.hear()
        supervisor.on_stop[0]()
        assert [asked[0] for asked in supervisor.asked if asked[0] != "done?"] == ["stop"]
        assert silent(emperor)


def test_it_stops_when_nobody_governs_it(tmp_path: Path) -> None:
    with supervised(tmp_path) as (supervisor, fealty, emperor):
        emperor.close()
        fealty.hear()
        assert ("stop", "the emperor is gone") in supervisor.asked
        assert bond.number not in supervisor.watch.calls


def test_it_reloads_with_its_file_also_where_that_is_lazy(tmp_path: Path) -> None:
    with supervised(tmp_path) as (supervisor, fealty, emperor):
        emperor.send(b"\1")
        fealty.hear()
        assert supervisor.asked == [("reload", "the emperor's order", "graceful")]
    with supervised(tmp_path, lazy=True) as (supervisor, fealty, emperor):
        emperor.send(b"\1")
        fealty.hear()
        assert supervisor.asked == [("reload-anew", "the emperor's order")]


def test_its_own_wish_to_end_is_told_and_a_failure_is_not(tmp_path: Path) -> None:
    with supervised(tmp_path) as (supervisor, fealty, emperor):
        supervisor.ending = SimpleNamespace(code=1)
        fealty.part()
        assert silent(emperor)
        supervisor.ending = SimpleNamespace(code=0)
        fealty.part()
        assert emperor.recv(9) == RETIRE


def test_its_heart_beats_while_any_worker_lives(tmp_path: Path) -> None:
    with supervised(tmp_path, heartbeat="60") as (supervisor, fealty, emperor):
        supervisor.herd.serving = [worker(beat=1)]
        fealty.look()
        assert silent(emperor)
        supervisor.herd.serving.append(worker())  # it has not ticked yet
        fealty.look()
        fealty.look()
        assert emperor.recv(9) == HEARTBEAT
        fealty.beat = 0.0
        supervisor.herd.serving = []  # it sleeps
        fealty.look()
        assert emperor.recv(9) == HEARTBEAT


def test_it_asks_for_help_when_all_are_busy(tmp_path: Path) -> None:
    with supervised(tmp_path, vassal_sos="60") as (supervisor, fealty, emperor):
        supervisor.herd.serving = [worker(busy=2), worker(busy=1)]
        fealty.look()
        assert silent(emperor)
        supervisor.herd.serving[1].cell.busy = 2
        fealty.look()
        fealty.look()
        assert emperor.recv(9) == HELP


def test_it_asks_for_help_when_too_many_wait(tmp_path: Path) -> None:
    with supervised(tmp_path, vassal_sos_backlog=2) as (supervisor, fealty, emperor):
        with socket.create_server(("127.0.0.1", 0)) as server:
            supervisor.current = SimpleNamespace(listening=[SimpleNamespace(sock=server)])
            first = socket.create_connection(server.getsockname())
            fealty.look()
            assert silent(emperor)
            with first, socket.create_connection(server.getsockname()):
                fealty.look()
        assert emperor.recv(9) == HELP


def test_its_hooks_end_before_it_does(tmp_path: Path) -> None:
    hook = f"exec:sleep 0.1; touch {tmp_path}/hooked"
    with supervised(tmp_path, hook_emperor_stop=[hook]) as (supervisor, fealty, emperor):
        emperor.send(b"\0")
        fealty.hear()
        (pid, ended), *_ = supervisor.children.items()
        supervisor.look_whether_done()
        ended(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        assert [asked for asked in supervisor.asked if asked[0] == "done?"] == [
            ("done?", True),
            ("done?", False),
        ]
        assert (tmp_path / "hooked").exists()


@pytest.mark.parametrize(
    ("option", "said"),
    [("hook-emperor-stop", b"\0"), ("hook-emperor-reload", b"\1"), ("hook-emperor-lost", b"")],
)
def test_each_of_its_hooks(tmp_path: Path, option: str, said: bytes) -> None:
    given = {option.replace("-", "_"): [f"create:{tmp_path}/hooked"]}
    with supervised(tmp_path, **given) as (supervisor, fealty, emperor):
        emperor.send(said) if said else emperor.close()
        fealty.hear()
        for pid, ended in supervisor.children.items():
            ended(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        assert f'penstock: {option}: "create:{tmp_path}/hooked"' in supervisor.log.read_text()
        assert (tmp_path / "hooked").exists()


def test_another_penstock_goes_on_with_it(tmp_path: Path) -> None:
    with supervised(tmp_path) as (_, fealty, _emperor):
        state = fealty.state()
        assert state["fds"] == [bond.number]
        number = bond.number
        bond.number = -1
        fealty.resume(state)
        assert bond.number == number and fealty.loyal is False


# ---- A server that is one process ---------------------------------------------------------------------


def test_the_pulse_of_one_process() -> None:
    with sworn() as emperor:
        server = SimpleNamespace(pool=SimpleNamespace(done=0))
        pulse = Pulse(server, 10.0)  # type: ignore[arg-type]  # as far as it is asked
        pulse.tick(100.0)
        assert emperor.recv(9) == HEARTBEAT
        server.pool.done = 1
        pulse.tick(101.0)
        pulse.tick(102.0)
        assert emperor.recv(9) == LOYAL
        pulse.tick(110.0)
        assert emperor.recv(9) == HEARTBEAT
