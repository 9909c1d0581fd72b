"""Metrics of real servers: sums over workers against a client that counts, whatever becomes of workers."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open
from prometheus_client.parser import text_string_to_metric_families as read_classic

from tests.e2e.server import Client, Reply, Server, serving
from tests.e2e.surroundings import environment
from tests.waiting import until

APP = """
import os, time
STATUS = {"/ok": "200 OK", "/moved": "302 Found", "/missing": "404 Not Found"}

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/boom":
        raise ValueError("boom")
    if path == "/sleep":
        time.sleep(float(environ["QUERY_STRING"]))
    if path == "/die":
        os._exit(1)
    body = str(os.getpid()).encode() + environ["wsgi.input"].read()
    start_response(STATUS.get(path, "200 OK"), [("Content-Length", str(len(body)))])
    return [body]
"""
OPEN = "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
READ: Callable[[str], Iterable[Metric]] = read_open
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@contextmanager
def measured(tmp_path: Path, *options: str) -> Iterator[Server]:
    """A server with its metrics at ``metrics.sock``."""
    (tmp_path / "counted.py").write_text(APP)
    words = ("--metrics", str(tmp_path / "metrics.sock"), "--pythonpath", str(tmp_path), "--threads", "3")
    with serving(tmp_path, *words, "--disable-logging", *options, app="counted") as server:
        server.wait_for("metrics on http://unix:")
        yield server


def scrape(tmp_path: Path, path: str = "/metrics", *headers: str) -> Reply:
    with Client(str(tmp_path / "metrics.sock")) as client:
        return client.get(path, *headers)


def samples(text: bytes) -> Samples:
    return {
        (sample.name.removeprefix("penstock_"), frozenset(sample.labels.items())): sample.value
        for family in READ(text.decode())
        for sample in family.samples
    }


def now(tmp_path: Path) -> Samples:
    return samples(scrape(tmp_path, "/metrics", OPEN).body)


def figures(tmp_path: Path, requests: int = 0) -> Samples:
    """Once so many requests are told of, and what more there may be: workers tell every quarter second."""
    until(lambda: total(now(tmp_path), "requests_total") >= requests)
    time.sleep(0.6)
    return now(tmp_path)


def total(found: Samples, name: str, **labels: str) -> float:
    """The sum of all series of a name that have these labels."""
    return sum(value for (of, have), value in found.items() if of == name and have >= set(labels.items()))


class Counting(threading.Thread):
    """A client that counts what it is answered: requests by class of status, and bytes."""

    PATHS = ("/ok", "/moved", "/missing", "/boom", "/ok")

    def __init__(self, server: Server) -> None:
        super().__init__()
        self.server = server
        self.answers: Counter[str] = Counter()
        self.bytes = 0
        self.ending = threading.Event()

    def run(self) -> None:
        while not self.ending.is_set():
            with self.server.client() as client:
                self.talk(client)

    def talk(self, client: Client) -> None:
        """Some requests on one connection; where it ends none was answered that is not counted."""
        for number in range(7):
            path = self.PATHS[(number + sum(self.answers.values())) % len(self.PATHS)]
            last = "Connection: close" if number == 6 else "X-Number: 1"
            try:
                reply = client.get(path, last)
            except (EOFError, OSError):
                return
            self.answers[f"{reply.status // 100}xx"] += 1
            self.bytes += sum(len(line) + 2 for line in reply.lines) + 2 + len(reply.body)
            if reply.headers.get("connection") == "close":
                return
            time.sleep(0.003)  # nothing is found by keeping all processors busy


def counting(server: Server, count: int = 3) -> list[Counting]:
    made = [Counting(server) for _ in range(count)]
    for one in made:
        one.start()
    return made


def end(clients: list[Counting]) -> tuple[Counter[str], int]:
    """What all of them counted."""
    for one in clients:
        one.ending.set()
    for one in clients:
        one.join(20)
        assert not one.is_alive()
    return sum((one.answers for one in clients), Counter()), sum(one.bytes for one in clients)


def agree(found: Samples, answers: Counter[str], sent: int) -> None:
    """The metrics say what the clients counted, by every way in which they say it."""
    for status, count in answers.items():
        assert total(found, "requests_total", status=status) == count, status
        assert total(found, "request_seconds_count", status=status) == count, status
    everything = sum(answers.values())
    assert total(found, "requests_total") == everything
    for phase in ("receive", "queue", "run", "write"):
        assert total(found, "phase_seconds_count", phase=phase) == everything, phase
        assert total(found, "phase_seconds_bucket", phase=phase, le="+Inf") == everything, phase
    assert total(found, "faults_total", kind="exception") == answers["5xx"]
    assert total(found, "sent_bytes_total") == sent
    assert total(found, "refused_requests_total") == 0


def test_four_workers_and_a_reload_are_one_exact_sum(tmp_path: Path) -> None:
    with measured(tmp_path, "--master", "--processes", "4") as server:
        clients = counting(server)
        time.sleep(0.6)
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("generation 2 serves", 30)
        time.sleep(0.6)
        answers, sent = end(clients)
        found = figures(tmp_path, sum(answers.values()))
        assert sum(answers.values()) > 100
        assert set(answers) == {"2xx", "3xx", "4xx", "5xx"}
        agree(found, answers, sent)
        assert total(found, "reloads_total", outcome="done") == 1
        assert total(found, "generation") == 2
        assert total(found, "workers", state="serving") == 4


def test_a_single_process_counts_alike(tmp_path: Path) -> None:
    with measured(tmp_path, "--metrics-path", "/-/metrics") as server:
        clients = counting(server, 2)
        time.sleep(0.6)
        answers, sent = end(clients)
        found = figures(tmp_path, sum(answers.values()))
        agree(found, answers, sent)
        with server.client() as client:
            reply = client.get("/-/metrics", OPEN)
            again = client.get("/-/metrics")
        own = samples(reply.body)
        assert total(own, "requests_total") == sum(answers.values()), "a scrape is no request"
        assert {name for name, _ in own} == {name for name, _ in found}
        assert again.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert list(read_classic(again.body.decode()))
        assert {dict(labels)["process"] for name, labels in own if name == "cpu_seconds"} == {"worker 1"}


def test_a_path_on_the_applications_socket_tells_of_all_workers(tmp_path: Path) -> None:
    with measured(tmp_path, "--master", "--processes", "3", "--metrics-path", "/m") as server:
        clients = counting(server)
        time.sleep(0.7)
        answers, _ = end(clients)
        figures(tmp_path, sum(answers.values()))
        for _ in range(6):  # whichever worker it is
            with server.client() as client:
                reply = client.get("/m", OPEN)
                assert (reply.status, client.get("/m", method="HEAD").status) == (200, 200)
                assert client.get("/m", method="POST").status == 405
            assert total(samples(reply.body), "requests_total") == sum(answers.values())
        found = figures(tmp_path)
        assert total(found, "lane_requests_total") == 18
        assert total(found, "requests_total") == sum(answers.values())


def test_a_scrape_is_answered_while_every_thread_is_busy(tmp_path: Path) -> None:
    with measured(tmp_path, "--master", "--processes", "1", "--metrics-path", "/m") as server:
        busy = [server.client() for _ in range(5)]
        for client in busy[:3]:
            client.send(b"GET /sleep?4 HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: total(now(tmp_path), "threads", state="busy") == 3)
        for client in busy[3:]:
            client.send(b"GET /ok HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: total(now(tmp_path), "connections", state="queued") == 2)
        until(lambda: total(now(tmp_path), "queue_oldest_seconds") > 0.5)
        begun = time.monotonic()
        with server.client() as client:
            found = samples(client.get("/m", OPEN).body)
        assert time.monotonic() - begun < 1.0
        assert total(found, "threads", state="busy") == 3
        assert total(found, "queue_requests") == 2
        assert 0.5 < total(found, "queue_oldest_seconds") < 4
        assert total(found, "connections", state="running") == 3
        assert total(found, "connections", state="queued") == 2
        for client in busy:
            assert client.reply().status == 200
            client.close()


def test_what_dead_workers_counted_stays(tmp_path: Path) -> None:
    with measured(tmp_path, "--master", "--processes", "1") as server:
        with server.client() as client:
            for _ in range(10):
                assert client.get("/ok").status == 200
            figures(tmp_path, 10)
            client.send(b"GET /die HTTP/1.1\r\nHost: a\r\n\r\n")
            assert client.ended()
        server.wait_for("serves", 20)
        with server.client() as client:
            assert client.get("/ok").status == 200
        found = figures(tmp_path, 11)
        assert total(found, "requests_total") == 11
        assert total(found, "worker_ends_total", cause="died") == 1
        assert total(found, "worker_ends_total") == 1


def test_why_workers_end_is_told_apart(tmp_path: Path) -> None:
    with measured(
        tmp_path, "--master", "--processes", "1", "--max-requests", "5", "--min-worker-lifetime", "0"
    ) as server:
        with server.client() as client:
            for _ in range(5):
                client.get("/ok")
        server.wait_for("has left: max-requests", 20)
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("generation 2 serves", 20)
        found = figures(tmp_path)
        assert total(found, "worker_ends_total", cause="requests") == 1
        assert total(found, "worker_ends_total", cause="reload") == 1
        assert total(found, "worker_ends_total") == 2
        (tmp_path / "counted.py").write_text("def broken(:\n")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("the reload failed", 20)
        assert total(figures(tmp_path), "reloads_total", outcome="failed") == 1


def test_an_upgrade_goes_on_counting(tmp_path: Path) -> None:
    with measured(
        tmp_path, "--master", "--processes", "2", "--control-socket", str(tmp_path / "ctl")
    ) as server:
        clients = counting(server)
        time.sleep(0.7)
        done = subprocess.run(
            [sys.executable, "-m", "penstock", "ctl", "--socket", str(tmp_path / "ctl"), "upgrade"],
            capture_output=True,
            text=True,
            timeout=60,
            env=environment(),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        time.sleep(0.7)
        answers, sent = end(clients)
        found = figures(tmp_path, sum(answers.values()))
        agree(found, answers, sent)
        assert total(found, "upgrades_total") == 1


def test_what_the_loop_refuses_is_counted_apart(tmp_path: Path) -> None:
    with measured(tmp_path, "--master", "--processes", "1", "--queue-timeout", "0.5") as server:
        with server.client() as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n")
            assert client.head().status == 400
        busy = [server.client() for _ in range(5)]
        for client in busy:
            client.send(b"GET /sleep?2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        statuses = Counter(client.reply().status for client in busy)
        for client in busy:
            client.close()
        assert statuses == {200: 3, 503: 2}
        found = figures(tmp_path)
        assert total(found, "malformed_requests_total") == 1
        assert total(found, "refused_requests_total", status="5xx") == 2
        assert total(found, "requests_total") == 3


def test_mount_points_have_figures_of_their_own(tmp_path: Path) -> None:
    words = (
        "--mount",
        "/shop=counted:application",
        "--manage-script-name",
        "--mount",
        "/=counted:application",
    )
    with measured(tmp_path, "--master", "--processes", "2", *words) as server:
        for path in ("/shop/a", "/shop/b", "/c"):
            with server.client() as client:
                assert client.get(path).status == 200
        found = figures(tmp_path, 3)
        assert total(found, "requests_total", mount="/shop") == 2
        assert total(found, "requests_total", mount="/") == 1


def test_the_listener_tells_of_health_and_nothing_else(tmp_path: Path) -> None:
    with measured(tmp_path, "--master", "--processes", "1") as server:
        server.wait_for("ready after")
        assert (scrape(tmp_path, "/-/live").status, scrape(tmp_path, "/-/ready").status) == (200, 200)
        assert scrape(tmp_path, "/").status == 404
        with server.client() as client:
            client.send(b"GET /sleep?2 HTTP/1.1\r\nHost: a\r\n\r\n")
            time.sleep(0.3)
            server.process.send_signal(signal.SIGTERM)
            server.wait_for("finishing what runs")
            assert scrape(tmp_path, "/-/ready").status == 503
            assert scrape(tmp_path, "/-/live").status == 200
            assert total(samples(scrape(tmp_path, "/metrics", OPEN).body), "ready") == 0
            assert client.reply().status == 200
    assert not (tmp_path / "metrics.sock").exists()


def test_a_reload_may_begin_move_and_end_it(tmp_path: Path) -> None:
    (tmp_path / "counted.py").write_text(APP)
    ini = tmp_path / "app.ini"
    head = f"[uwsgi]\nmaster = true\nprocesses = 1\npythonpath = {tmp_path}\nmodule = counted\n"
    ini.write_text(head)

    def change(text: str, number: int) -> None:
        ini.write_text(head + text)
        server.process.send_signal(signal.SIGHUP)
        server.wait_for(f"generation {number} serves", 20)

    with serving(tmp_path, str(ini), "--http-socket", "127.0.0.1:0", app="") as server:
        change(f"metrics = {tmp_path}/first.sock\n", 2)
        with server.client() as client:
            assert client.get("/ok").status == 200
        time.sleep(0.6)
        with Client(str(tmp_path / "first.sock")) as client:
            assert total(samples(client.get("/metrics", OPEN).body), "requests_total") == 1
        change(f"metrics = {tmp_path}/metrics.sock\n", 3)
        assert not (tmp_path / "first.sock").exists()
        assert total(figures(tmp_path), "requests_total") == 1
        change("", 4)
        assert not (tmp_path / "metrics.sock").exists()


def test_without_the_package_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "prometheus_client.py").write_text("raise ImportError('not here')\n")
    env = environment()
    env["PYTHONPATH"] = f"{tmp_path}{os.pathsep}{env['PYTHONPATH']}"
    words = ["--http-socket", "127.0.0.1:0", "-w", "tests.sites.zoo:application"]
    for more in (["--metrics", "127.0.0.1:0"], ["--metrics-path", "/m"]):
        for master in ([], ["--master"]):
            done = subprocess.run(
                [sys.executable, "-m", "penstock", *words, *more, *master],
                capture_output=True,
                text=True,
                timeout=30,
                env=env,
            )
            assert done.returncode == 1
            assert f"{more[0][2:]}: prometheus-client is not installed: pip install" in done.stderr


@pytest.mark.parametrize("master", [False, True])
def test_who_asks_for_nothing_has_none_of_it(tmp_path: Path, master: bool) -> None:
    code = (
        "import sys, atexit\n"
        "def application(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    names = ('prometheus_client', 'penstock.interprocess.ledger', 'penstock.services.tally')\n"
        "    return [repr([name for name in names if name in sys.modules]).encode()]\n"
    )
    (tmp_path / "plain.py").write_text(code)
    words = ["--master"] if master else []
    with serving(tmp_path, *words, "--pythonpath", str(tmp_path), app="plain") as server:
        with server.client() as client:
            assert client.get("/").body == b"[]"
        memory = Path(f"/proc/{server.process.pid}/maps").read_text()
        assert "penstock-ledger" not in memory
