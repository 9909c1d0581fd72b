"""The access log of a server that runs: JSON whatever clients send, ids, which requests have lines."""

import json
import random
import re
import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from penstock.codecs.uwsgi import encode_request
from tests.cases import turns
from tests.e2e.server import Server, serving
from tests.e2e.surroundings import environment

HOSTILE = 10_000
PIECES = (
    '"',
    "\\",
    '","a":"',
    "{",
    "}",
    "%22",
    "%0a",
    "\xff",
    "\xc3\xa9",
    "\xed\xa0\x80",
    "%s",
    "${msg}",
    "é",
)
WORSE = (*PIECES, "\x01", "\x1b[2J", "\x7f", "\x85", "\xe2\x80\xa8", "x" * 300)
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def lines(server: Server, begin: str = "{") -> list[str]:
    """Those of requests, by what they begin with."""
    return [line for line in server.log.read_text("latin-1").split("\n") if line.startswith(begin)]


def records(server: Server) -> list[dict[str, Any]]:
    return [json.loads(line, parse_constant=pytest.fail) for line in lines(server)]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("count", [1500, pytest.param(HOSTILE, marks=pytest.mark.slow)])
def test_hostile_requests_leave_as_many_lines_that_parse(tmp_path: Path, count: int) -> None:
    dice = random.Random(8)
    options = ["--http-socket", "127.0.0.1:0", "--uwsgi-socket", str(tmp_path / "s"), "--log-format", "json"]
    # A path is decoded: so newlines come in.
    options += ["--route-run", "logvar:path=${PATH_INFO}", "--workers", "2", "--threads", "2"]
    with serving(tmp_path, *options, app="tests.e2e.test_access_log:anything", listeners=2) as server:
        half = count // 2
        with server.client() as client:
            for start in range(0, half, 50):
                client.send(b"".join(over_http(dice, start + number) for number in range(50)))
                for _ in range(50):
                    assert client.reply().status == 200
        for number in range(half, count):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect(str(tmp_path / "s"))
                sock.sendall(by_packet(dice, number))
                assert sock.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
        assert server.stop() == 0
        found = lines(server)
        assert len(found) == count
        said = records(server)
        assert {int(one["url.query"]) for one in said} == set(range(count))
        assert sum("\n" in one["logvars"]["path"] for one in said) > count // 100


def anything(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """The same for every path."""
    start_response("200 OK", [])
    return [b"taken"]


def evil(dice: random.Random, pieces: tuple[str, ...]) -> str:
    return "".join(dice.choices(pieces, k=dice.randrange(1, 6)))


def over_http(dice: random.Random, number: int) -> bytes:
    """What HTTP lets through."""
    path = evil(dice, ('"', "\\", '","a":"', "{", "}", "%22", "%0a", "%25s", "%ff", "${msg}"))
    agent, referer = evil(dice, PIECES), evil(dice, PIECES)
    return (
        f"GET /echo{path}?{number} HTTP/1.1\r\nHost: site.test\r\nUser-Agent: {agent}\r\n"
        f"Referer: {referer}\r\nX-Forwarded-For: {agent}\r\nX-Request-ID: {referer}\r\n"
        f"traceparent: {agent}\r\n\r\n"
    ).encode("latin-1")


def by_packet(dice: random.Random, number: int) -> bytes:
    """What a front server could send on."""
    words = {name: evil(dice, WORSE) for name in ("REMOTE_USER", "HTTP_USER_AGENT", "HTTP_REFERER", "HTTP_A")}
    return encode_request(
        {
            "REQUEST_METHOD": "GET",
            "REQUEST_URI": f"/{evil(dice, WORSE)}?{number}".replace("?" * 2, "?"),
            "PATH_INFO": "/echo",
            "QUERY_STRING": f"{number}",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "site.test",
            "CONTENT_LENGTH": "",
            **words,
        }
    )


@pytest.mark.parametrize("master", [(), ("--master",)])
def test_ids_are_in_log_environ_and_reply(tmp_path: Path, master: tuple[str, ...]) -> None:
    app = tmp_path / "told.py"
    app.write_text(
        "import logging\n"
        "import penstock.logging\n"
        "penstock.logging.setup()\n"
        "def application(environ, start_response):\n"
        "    logging.getLogger('shop').info('in the middle')\n"
        "    start_response('200 OK', [])\n"
        "    return [environ['penstock.request_id'].encode()]\n"
    )
    options = ("--log-format", "json", "--trusted-proxies", "127.0.0.1", *master)
    with serving(tmp_path, *options, app="told:application") as server:
        with server.client() as client:
            made = client.get("/made")
            given = client.get("/given", "X-Request-ID: of-the-proxy", f"traceparent: {TRACEPARENT}")
        assert server.stop() == 0
        assert re.fullmatch("[0-9a-f]{32}", made.body.decode())
        assert made.headers["x-request-id"] == made.body.decode()
        assert (given.body, given.headers["x-request-id"]) == (b"of-the-proxy", "of-the-proxy")
        found = records(server)
        own = [one for one in found if one["logger"] == "shop"]
        access = [one for one in found if one["logger"] == "penstock.access"]
        for both in (own, access):
            assert [one["request_id"] for one in both] == [made.body.decode(), "of-the-proxy"]
            assert [one.get("trace_id") for one in both] == [None, TRACEPARENT[3:35]]
        assert [one["penstock.worker"] for one in access] == [1, 1]


def test_phases_are_those_of_the_request(tmp_path: Path) -> None:
    with serving(tmp_path, "--log-format", "json", app="tests.e2e.test_access_log:sleeper") as server:
        with server.client() as client:
            assert client.get("/").status == 200
        assert server.stop() == 0
        [one] = records(server)
        assert 0.2 <= one["penstock.run"] <= 0.9
        assert one["penstock.queue"] < 0.1
        parts = sum(one[f"penstock.{part}"] for part in ("receive", "queue", "run", "write"))
        assert parts == pytest.approx(one["http.server.request.duration"], abs=0.005)


def sleeper(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """A fifth of a second."""
    time.sleep(0.2)
    start_response("200 OK", [])
    return [b"slept"]


def test_only_picked_requests_have_a_line(tmp_path: Path) -> None:
    options = ("--disable-logging", "--log-5xx", "--log-slow", "150", "--log-format", "LINE %(uri) %(status)")
    with serving(tmp_path, *options, app="tests.e2e.test_access_log:by_path") as server:
        with server.client() as client:
            for path in ("/200", "/404", "/500", "/slow"):
                client.get(path)
        assert server.stop() == 0
        assert lines(server, "LINE") == ["LINE /500 500", "LINE /slow 200"]


def by_path(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """The status that the path is; slow where it is none."""
    word = environ["PATH_INFO"][1:]
    if word == "slow":
        return sleeper(environ, start_response)
    start_response(f"{word} Said", [])
    return [b"as told"]


def test_every_worker_has_its_number_and_its_lines_begin_as_asked(tmp_path: Path) -> None:
    line = "LINE %(wid) %(pid) %(rssM) %(ftime)"
    options = ("--processes", "2", "--log-date=%Y!", "--log-format-strftime", "--log-format", line)
    with serving(tmp_path, *options, env=environment()) as server:
        for _ in range(40):
            with server.client() as client:
                client.get("/echo")
        assert server.stop() == 0
        found = {tuple(line.split()[1:]) for line in lines(server, "LINE")}
        assert {wid for wid, *_ in found} <= {"1", "2"}
        assert all(int(megabytes) > 5 and year.endswith("!") for _, _, megabytes, year in found)
        own = [line for line in server.text().splitlines() if "penstock" in line]
        assert own
        assert all(re.match(r"20\d\d! - penstock", line) for line in own), own


@pytest.mark.parametrize("processes", turns([(), ("--processes", "2")], ("--processes", "2")))
def test_lines_have_metrics(tmp_path: Path, processes: tuple[str, ...]) -> None:
    options = (
        "--enable-metrics",
        "--log-format",
        "LINE %(metric.worker.0.requests) %(metric.none)",
        *processes,
    )
    with serving(tmp_path, *options, app="tests.e2e.test_access_log:anything") as server:
        for _ in range(60):
            with server.client() as client:
                client.get("/")
            if lines(server, "LINE")[-1:] not in ([], ["LINE 0 0"]):
                break
            time.sleep(0.1)
        assert server.stop() == 0
        found = [line.split()[1:] for line in lines(server, "LINE")]
        assert all(none == "0" for _, none in found)
        assert 0 < int(found[-1][0]) <= 60


def test_a_reload_changes_what_lines_are_like(tmp_path: Path) -> None:
    ini = tmp_path / "site.ini"
    text = "[uwsgi]\nmaster = true\nhttp-socket = 127.0.0.1:0\nmodule = tests.e2e.test_access_log:anything\n"
    ini.write_text(text + "log-format = LINE one %(method)\n")
    with serving(tmp_path, "--ini", str(ini), "--bind", "127.0.0.1:0", app="", listeners=2) as server:
        with server.client() as client:
            client.get("/")
        ini.write_text(text + "log-date = %%Y!\nlog-format = LINE two %(status)\n")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("generation 2 serves")
        with server.client() as client:
            client.get("/")
        assert server.stop() == 0
        assert lines(server, "LINE") == ["LINE one GET", "LINE two 200"]
        assert re.match(r"20\d\d! - penstock", server.text().splitlines()[-1])
        assert not re.match(r"20\d\d! - penstock", server.text().splitlines()[0])
