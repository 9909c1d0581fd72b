"""Health: the pages of a worker on a real loop, and what a server says by its supervisor."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM
from threading import Event
from time import sleep
from typing import Any

import pytest

from penstock.config.assemble import from_keywords
from penstock.core.record import APPLICATION, LANE, NO_THREAD, Record
from penstock.net.lane import PLAIN
from penstock.process.sights import health
from tests.process.running import Held, Running, hello, running


def settings(**more: Any) -> Any:
    return from_keywords({"bind": "127.0.0.1:0", **more}, application=True)


def attended(it: Running, **more: Any) -> None:
    """The worker with its pages, as ``serve`` has it."""
    health.attend(it.worker.door.lane, it.worker, settings(**more))


def told(it: Running, call: Callable[..., object], *args: object) -> None:
    """The same as ``it.call``, and it has been done."""
    done = Event()
    it.call(call, *args)
    it.call(done.set)
    assert done.wait(10)


def test_both_are_answered_while_every_thread_is_busy_and_the_queue_is_full(tmp_path: Path) -> None:
    held = Held()
    with running(tmp_path, held, threads=1, queue=1) as it:
        attended(it)
        busy, queued, turned = it.client(), it.client(), it.client()
        busy.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert held.arrived.wait(10)
        queued.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        while not it.worker.pool.work:
            pass
        assert turned.get("/").status == 503
        with it.client() as probe:
            for path, word in (("/-/live", b"alive\n"), ("/-/ready", b"serving\n"), ("/-/live", b"alive\n")):
                reply = probe.get(path)
                assert (reply.status, reply.body) == (200, word)
                assert reply.headers["cache-control"] == "no-store"
        held.go.set()
        assert busy.reply().status == 200 and queued.reply().status == 200
        for client in (busy, queued, turned):
            client.close()
        assert it.worker.door.lane.served == 3


def test_a_pause_and_the_end_are_not_ready_but_alive(tmp_path: Path) -> None:
    held = Held()
    with running(tmp_path, held, threads=1) as it:
        attended(it)
        with it.client() as busy, it.client() as probe:
            assert probe.get("/-/ready").status == 200
            told(it, it.worker.pause)
            assert probe.get("/-/ready").body == b"paused\n"
            told(it, it.worker.resume)
            busy.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert held.arrived.wait(10)
            told(it, it.worker.leave)
            reply = probe.get("/-/ready")
            assert (reply.status, reply.body) == (503, b"leaving\n")
            held.go.set()
            assert busy.reply().status == 200
        it.thread.join(10)


def test_a_worker_that_others_follow_is_no_reason_to_stay_away(tmp_path: Path) -> None:
    held = Held()
    with running(tmp_path, held, threads=1) as it:
        attended(it)
        with it.client() as busy, it.client() as probe:
            busy.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert held.arrived.wait(10)
            assert probe.get("/-/live").status == 200
            told(it, it.worker.leave, False)
            reply = probe.get("/-/ready")
            assert (reply.status, reply.headers["connection"]) == (200, "close")
            held.go.set()
            assert busy.reply().status == 200


def test_a_lame_duck_serves_on_and_says_that_it_leaves(tmp_path: Path) -> None:
    with running(tmp_path, hello, lame_duck=1) as it:
        attended(it)
        told(it, it.worker.retire, "TERM")
        with it.client() as client:
            assert client.get("/-/ready").status == 503
            assert client.get("/-/live").status == 200
            assert client.get("/").body == b"hello"
            assert client.ended()
        it.thread.join(10)
        assert it.code == 0
    text = it.log.read_text()
    assert "TERM: not ready any more; serving on for 1 s (lame-duck)" in text
    assert "TERM: finishing what runs, at most 25 s" in text


def test_asked_twice_it_is_one_wish_but_a_second_signal_is_another(tmp_path: Path) -> None:
    with running(tmp_path, hello, lame_duck=60) as it:
        attended(it)
        told(it, it.worker.retire, "the emperor's order")
        told(it, it.worker.retire, "TERM")
        with it.client() as client:
            assert client.get("/").body == b"hello"
        while it.worker.pool.in_flight:
            sleep(0.01)  # its thread is still on the way home
        assert it.end(it.worker.on_signal, SIGTERM) == 0


def test_paths_are_options(tmp_path: Path) -> None:
    with running(tmp_path, hello) as it:
        attended(it, health_live="/up", health_ready="off")
        with it.client() as client:
            assert client.get("/up").body == b"alive\n"
            for path in ("/-/live", "/-/ready", "/off"):
                assert client.get(path).body == b"hello"


# ---- A whole server -------------------------------------------------------------------------------------


@dataclass
class Sight:
    """A supervisor, as far as it is looked at."""

    states: tuple[str, ...] = ("SERVING",)
    wanted: int = 1
    paused: bool = False
    lame: bool = False
    ending: Any = None
    asked: list[str] = field(default_factory=list)

    def handles(self) -> list[Any]:
        return [Worker(State(name)) for name in self.states]


@dataclass
class State:
    name: str


@dataclass
class Worker:
    state: State


@pytest.mark.parametrize(
    ("server", "status", "body"),
    [
        (Sight(), 200, b"serving\n"),
        (Sight(("STARTING", "SERVING", "LEAVING")), 200, b"serving\n"),
        (Sight((), wanted=0), 200, b"serving\n"),
        (Sight(("STARTING", "LEAVING")), 503, b"starting\n"),
        (Sight(paused=True), 503, b"paused\n"),
        (Sight(lame=True), 503, b"leaving\n"),
        (Sight(ending="TERM"), 503, b"leaving\n"),
    ],
)
def test_a_server_is_ready_while_one_worker_serves(server: Sight, status: int, body: bytes) -> None:
    given = settings()
    assert health.answer("/-/ready", given, server) == (status, PLAIN, body)
    assert health.answer("/-/live", given, server) == (200, PLAIN, b"alive\n")


def test_other_paths_and_those_that_are_off_are_nothing_of_healths() -> None:
    given = settings(health_live="off", health_ready="/ready")
    assert health.answer("/-/live", given, Sight()) is None
    assert health.answer("off", given, Sight()) is None
    found = health.answer("/ready", given, Sight())
    assert found is not None and found[0] == 200


# ---- What is seen of probes -----------------------------------------------------------------------------


def test_a_probe_is_counted_apart_and_has_no_line(tmp_path: Path) -> None:
    seen: list[Record] = []
    with running(tmp_path, hello) as it:
        attended(it)
        it.worker.scribe.consumers.append(lambda batch: seen.extend(Record._make(made) for made in batch))
        with it.client() as client:
            assert client.get("/-/ready?why=now").status == 200
            assert client.get("/").status == 200
        assert it.end(it.worker.leave) == 0
    probe, page = sorted(seen, key=lambda record: record.logged)
    assert (probe.kind, probe.logged, probe.uri, probe.status) == (LANE, False, "/-/ready?why=now", 200)
    assert 0 < probe.seconds < 1 and probe.core == NO_THREAD
    assert (page.kind, page.logged) == (APPLICATION, True)
    text = it.log.read_text()
    assert "GET / " in text and "/-/ready" not in text
