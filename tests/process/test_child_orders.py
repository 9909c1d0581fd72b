"""What a supervised worker does when it is told, what it tells of itself, and its warm-up."""

import os
import time
from pathlib import Path

import pytest

from penstock.interprocess.scoreboard import ACCEPTING, PAUSED
from penstock.process.lasting import STACKS
from tests.cases import covering, turns
from tests.e2e.server import LOOPS
from tests.process.nursery import nursery, wait_for
from tests.process.test_child import GET_HELD, HELD, arrived, ends, go
from tests.waiting import until

# ---- Orders ---------------------------------------------------------------------------------


@pytest.mark.parametrize("loop", turns(LOOPS, "uvloop"))
def test_paused_it_takes_nobody_and_finishes_what_runs(tmp_path: Path, loop: str) -> None:
    with nursery(tmp_path, HELD, loop=loop) as it:
        worker, other = it.fork(1), it.fork(2)
        worker.tell("pause")
        wait_for(lambda: it.cell(worker).state == PAUSED)
        assert {it.get() for _ in range(8)} == {str(other.pid)}
        other.tell("pause")
        wait_for(lambda: it.cell(other).state == PAUSED)
        with it.client() as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            worker.tell("resume")
            assert client.reply().body == str(worker.pid).encode()
        assert it.cell(worker).state == ACCEPTING


@pytest.mark.parametrize("given", [False, True])
def test_rotated_logs_are_opened_anew_and_what_is_printed_follows(tmp_path: Path, given: bool) -> None:
    out = os.dup(1)
    try:
        with nursery(tmp_path, HELD) as it:
            os.dup2(os.open(it.log, os.O_WRONLY | os.O_APPEND), 1)
        # Again, now that standard output is the log's file, as a supervisor has it.
        with nursery(tmp_path, HELD) as it:
            worker = it.fork()
            it.log.rename(tmp_path / "old")
            fds = [os.open(it.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)] if given else []
            worker.channel.send({"do": "reopen"}, fds)
            for fd in fds:
                os.close(fd)
            wait_for(it.log.exists)
            wait_for(lambda: it.get("/print") and "printed" in it.text())
            worker.tell("leave", final=False, seconds=5)
            assert ends(worker) == 0
            assert "GET /print" in it.text()
    finally:
        os.dup2(out, 1)
        os.close(out)


@pytest.mark.parametrize("loop", turns(LOOPS, "asyncio"))
def test_what_runs_is_told_with_the_stack_of_its_thread(tmp_path: Path, loop: str) -> None:
    with nursery(tmp_path, HELD, loop=loop, threads=1) as it:
        worker = it.fork()
        with it.client() as client, it.client() as second:
            client.send(GET_HELD)
            arrived(it)
            second.send(b"GET /waits HTTP/1.1\r\nHost: a\r\n\r\n")
            wait_for(lambda: it.cell(worker).queued == 1)
            worker.tell("tell", what="requests", id=17)
            answer = worker.until("told")
            assert answer["id"] == 17
            running, waiting = answer["value"]
            assert (running["method"], running["uri"], running["remote"]) == ("GET", "/held?a=b", "127.0.0.1")
            assert (running["phase"], running["thread"]) == ("in the application", "penstock-0")
            assert 0 <= running["age"] < 15
            assert "time.sleep(0.005)" in running["stack"] or "exists" in running["stack"]
            assert (waiting["uri"], waiting["phase"]) == ("/waits", "waiting for a thread")
            assert waiting["thread"] == waiting["stack"] == ""
            go(it)
            assert client.reply().status == 200


def test_orders_that_make_no_sense_are_let_alone(tmp_path: Path) -> None:
    with nursery(tmp_path, HELD) as it:
        worker = it.fork()
        for message in ({"do": "dance"}, {"do": None}, {}, {"do": ["leave"]}):
            worker.channel.send(message, [0, 1])
        worker.tell("tell", what="requests")
        assert worker.until("told") == {"is": "told", "id": None, "value": []}
        worker.tell("tell", what="its name", id=2)
        assert worker.until("told")["reason"] == "the worker knows nothing of that"
        worker.tell("leave", final=False, seconds="soon")
        assert ends(worker) == 0


# ---- What it tells of itself ---------------------------------------------------------------------------


def test_the_scoreboard_says_how_it_fares(tmp_path: Path) -> None:
    with nursery(tmp_path, HELD, threads=3) as it:
        worker = it.fork()
        cell = it.cell(worker)
        wait_for(lambda: cell.ticks > 1)
        assert (cell.pid, cell.state, cell.threads, cell.requests) == (worker.pid, ACCEPTING, 3, 0)
        assert cell.first == cell.oldest == cell.busy == 0
        before = time.monotonic_ns()
        with it.client() as client:
            client.get("/")
            client.send(GET_HELD)
            arrived(it)
            wait_for(lambda: cell.busy == 1 and cell.oldest and cell.connections == 1)
            assert before <= cell.oldest <= time.monotonic_ns()
            wait_for(lambda: cell.requests == 1 and cell.first)
            assert before < cell.beat
            ticks = cell.ticks
            wait_for(lambda: cell.ticks >= ticks + 2)
            assert cell.busy_ticks >= 2
            go(it)
            client.reply()
        wait_for(lambda: cell.busy == cell.oldest == cell.connections == 0)
        assert cell.gate == 1


def test_a_cell_that_the_supervisor_clears_late_is_filled_again(tmp_path: Path) -> None:
    with nursery(tmp_path, HELD) as it:
        worker = it.fork()
        it.board.claim(worker.slot, worker.pid)
        wait_for(lambda: it.cell(worker).state == ACCEPTING and it.cell(worker).gate == 1)


def test_a_worker_that_is_worn_out_asks_and_serves_on(tmp_path: Path) -> None:
    with nursery(tmp_path, HELD, max_requests=2, min_worker_lifetime=0) as it:
        worker = it.fork()
        for _ in range(3):
            it.get()
        assert worker.until("replace")["why"].startswith("max-requests")
        assert it.get() == str(worker.pid)


@pytest.mark.parametrize("loop", turns(LOOPS, "uvloop"))
def test_a_request_that_takes_too_long_is_ended_and_its_worker_asks_to_be_replaced(
    tmp_path: Path, loop: str
) -> None:
    with nursery(tmp_path, HELD, loop=loop, harakiri=1) as it:
        worker = it.fork()
        with it.client() as client:
            client.send(GET_HELD)
            assert client.reply().status == 504
        asked = worker.until("replace")
        assert asked["why"].startswith("harakiri: ")
        wait_for(lambda: "GET /held?a=b" in it.text())
        wait_for(lambda: it.cell(worker).deadlines == 1)
        assert it.get() == str(worker.pid)


def test_where_the_whole_process_is_to_end_it_asks_for_that(tmp_path: Path) -> None:
    with nursery(tmp_path, HELD, harakiri=1, harakiri_mode="process") as it:
        worker = it.fork()
        with it.client() as client:
            client.send(GET_HELD)
            assert worker.until("kill-me")["why"].startswith("harakiri: GET /held?a=b")


def test_whoever_asks_by_its_signal_has_all_stacks_in_the_log(tmp_path: Path) -> None:
    with nursery(tmp_path, HELD) as it:
        worker = it.fork()
        with it.client() as client:
            client.send(GET_HELD)
            arrived(it)
            os.kill(worker.pid, STACKS)
            wait_for(lambda: "in application" in it.text())
            wait_for(lambda: it.text().count("hread 0x") >= 2)  # the one that heard it is the current thread
            go(it)
            assert client.reply().status == 200


# ---- The warm-up ---------------------------------------------------------------------------------------

WARM = """
    import os, pathlib, time
    here = pathlib.Path(__file__).parent
    seen = []

    def application(environ, start_response):
        path = environ["PATH_INFO"]
        seen.append(f"{path} {environ['REMOTE_ADDR']} {environ['QUERY_STRING']}")
        if path == "/slow":
            time.sleep(60)
        if path == "/gone":
            os._exit(5)
        if path == "/cut":
            raise OSError
        start_response({"/bad": "503 Not Yet", "/odd": "404 Not Found"}.get(path, "200 OK"), [])
        return [repr(seen).encode()]
"""


@pytest.mark.parametrize(("loop", "path"), covering(LOOPS, ["/warm", "/odd"]))
def test_a_worker_asks_itself_before_anybody_else_can(tmp_path: Path, loop: str, path: str) -> None:
    with nursery(tmp_path, WARM, loop=loop, warmup=f"{path}?q=a b") as it, it.client() as client:
        client.send(b"GET /first HTTP/1.1\r\nHost: a\r\n\r\n")
        it.fork()
        seen = client.reply().body.decode()
        assert seen == f"['{path} 127.0.0.1 q=a%20b', '/first 127.0.0.1 ']"


def test_a_server_of_uwsgi_alone_is_warmed_up_too(tmp_path: Path) -> None:
    with nursery(tmp_path, WARM, bind=[], uwsgi_socket="127.0.0.1:0", warmup="/warm") as it:
        worker = it.fork()
        until(lambda: it.cell(worker).requests == 1)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/bad", "warmup /bad: the answer was 503 Not Yet"),
        ("/cut", "warmup /cut: the answer was 500 Internal Server Error"),
        ("/slow", "warmup /slow: it was not answered within "),
    ],
)
def test_a_warm_up_that_fails_is_a_start_that_failed(tmp_path: Path, path: str, reason: str) -> None:
    with nursery(tmp_path, WARM, warmup=path, start_timeout=1.5) as it:
        worker = it.order(1)
        worker.pid = worker.until("hello")["pid"]
        failed = worker.until("failed")
        assert failed["reason"].startswith(reason)
        assert failed["code"] == ends(worker) == 22


def test_a_worker_that_is_told_to_leave_while_it_warms_up_goes(tmp_path: Path) -> None:
    with nursery(tmp_path, WARM, warmup="/slow") as it:
        worker = it.order(1)
        worker.pid = worker.until("hello")["pid"]
        wait_for(lambda: it.cell(worker).busy == 1)
        worker.tell("leave", final=False, seconds=0.1)
        assert ends(worker) == 30
        worker.take()
        assert worker.heard == []
