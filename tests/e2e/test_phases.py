"""The phases of requests as a real server measures them, seen in its JSON log and by the application."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.server import LOOPS, Server, serving

APP = """
import time

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/sleep":
        time.sleep(0.3)
    if path == "/upload":
        environ["wsgi.input"].read()
    body = b"x" * 6_000_000 if path == "/large" else repr(environ["penstock.queue_time"]).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


@pytest.fixture(scope="module", params=LOOPS)
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with one thread, and its log of requests beside it."""
    tmp = tmp_path_factory.mktemp("phases")
    (tmp / "timed.py").write_text(APP)
    words = ["--threads", "1", "--log-format", "json", "--access-log", "requests.log", "--server-timing"]
    words += ["--loop", request.param, "--chdir", str(tmp)]
    with serving(tmp, *words, app="timed:application") as server:
        yield server


def line_of(server: Server, path: str) -> dict[str, Any]:
    """The line of the request for ``path``, once it is there."""
    log: Path = server.log.with_name("requests.log")
    until = time.monotonic() + 10
    while time.monotonic() < until:
        for line in log.read_text().splitlines() if log.exists() else ():
            found: dict[str, Any] = json.loads(line)
            if f"{found['url.path']}?{found.get('url.query', '')}" == path:
                return found
        time.sleep(0.05)
    raise AssertionError(f"no line for {path}:\n{server.text()}")


def add_up(line: dict[str, Any]) -> None:
    """The phases are the whole."""
    phases = sum(line[f"penstock.{name}"] for name in ("receive", "queue", "run", "write"))
    assert phases == pytest.approx(line["http.server.request.duration"], abs=0.005)


def test_a_request_behind_another_waits_for_its_thread(seen: Server) -> None:
    with seen.client() as first, seen.client() as second:
        first.send(b"GET /sleep?first HTTP/1.1\r\nHost: h\r\n\r\n")
        time.sleep(0.1)
        reply = second.get("/queued?1")
        first.reply()
    assert 0.1 < float(reply.body) < 0.3
    line = line_of(seen, "/queued?1")
    assert 0.1 < line["penstock.queue"] < 0.3 and line["penstock.run"] < 0.1
    assert line_of(seen, "/sleep?first")["penstock.run"] == pytest.approx(0.3, abs=0.1)
    add_up(line)
    timing = reply.headers["server-timing"]
    assert "queue;dur=1" in timing or "queue;dur=2" in timing, timing


@pytest.mark.parametrize("way", ["head", "body"])
def test_a_slow_client_is_what_a_request_waits_for(seen: Server, way: str) -> None:
    head, rest = b"POST /upload?%s HTTP/1.1\r\nHost: h\r\n" % way.encode(), b"Content-Length: 4\r\n\r\nabcd"
    begun = time.monotonic()
    with seen.client() as client:
        cut = head if way == "head" else head + rest[:-2]
        client.send(cut)
        time.sleep(0.4)
        client.send((head + rest)[len(cut) :])
        assert client.reply().status == 200
    took = time.monotonic() - begun
    line = line_of(seen, f"/upload?{way}")
    assert 0.35 < line["penstock.receive"] < took and line["penstock.run"] < took - 0.35
    add_up(line)


def test_a_body_that_streams_counts_as_received_while_its_thread_waits(seen: Server) -> None:
    begun = time.monotonic()
    fields = b"Host: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
    with seen.client() as client:
        client.send(b"POST /upload?stream HTTP/1.1\r\n" + fields)
        assert client.head().status == 100
        time.sleep(0.4)
        client.send(b"abcd")
        assert client.reply().status == 200
    took = time.monotonic() - begun
    line = line_of(seen, "/upload?stream")
    assert 0.35 < line["penstock.receive"] < took and line["penstock.run"] < took - 0.35
    add_up(line)


def test_the_line_of_a_reply_waits_for_its_last_byte(seen: Server) -> None:
    with seen.client() as client:
        client.send(b"GET /large?slow HTTP/1.1\r\nHost: h\r\n\r\n")
        time.sleep(0.5)
        log = seen.log.with_name("requests.log")
        assert "large" not in log.read_text() if log.exists() else True
        assert len(client.reply().body) == 6_000_000
        assert client.get("/after?slow").status == 200, "the connection goes on"
    line = line_of(seen, "/large?slow")
    assert line["penstock.write"] > 0.35 > line["penstock.run"]
    assert "error.type" not in line
    add_up(line)


def test_a_client_that_leaves_with_a_rest_is_a_write_error(seen: Server) -> None:
    with seen.client() as client:
        client.send(b"GET /large?left HTTP/1.1\r\nHost: h\r\n\r\n")
        client.exactly(100)
        time.sleep(0.3)
    line = line_of(seen, "/large?left")
    assert line["error.type"] == "write" and line["http.response.status_code"] == 200
