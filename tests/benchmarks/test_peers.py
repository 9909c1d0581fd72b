"""The lists of servers and scenarios fit each other, and the applications do what they are measured for."""

import hashlib
import io
from typing import Any

import pytest
from benchmarks.__main__ import chosen, command, words
from benchmarks.applications import (
    BLOCK,
    CHUNK,
    CHUNKS,
    Application,
    big,
    endless,
    hello,
    mixed,
    stream,
    upload,
)
from benchmarks.environments import portable, reason
from benchmarks.peers import BY_NAME, OURS, PEERS, Peer, arguments
from benchmarks.runner import AFRESH, ours_first
from benchmarks.scenarios import SCENARIOS

WORDS = {
    "program": "bin",
    "app": "module:app",
    "host": "127.0.0.1",
    "port": "1",
    "path": "/s",
    "threads": "8",
}


def call(app: Application, path: str = "/", body: bytes = b"") -> tuple[str, dict[str, str], bytes]:
    """Status, headers and body of one call."""
    said: list[Any] = []
    environ = {"PATH_INFO": path, "wsgi.input": io.BytesIO(body)}
    pieces = app(environ, lambda status, headers: said.extend((status, dict(headers))))
    return said[0], said[1], b"".join(pieces)


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_every_peer_has_eight_threads_and_the_application(peer: Peer) -> None:
    command = arguments(peer, peer.quiet, WORDS)
    assert "8" in command or "--threads=8" in command or peer.name == "uvicorn"
    assert "module:app" in command or peer.name == "uvicorn"
    assert not any("{" in part for part in command)
    assert all("==" in require for require in peer.requires) or peer.package == "penstock"


def test_waitress_has_its_application_last() -> None:
    assert arguments(BY_NAME["waitress"], ("--more",), WORDS)[-2:] == ["--more", "module:app"]


def test_names_are_unique_and_ours_come_first() -> None:
    assert len(BY_NAME) == len(PEERS)
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)
    assert {peer.name for peer in ours_first(PEERS[::-1])[: len(OURS)]} == set(OURS.values())


def test_every_scenario_can_be_measured() -> None:
    assert {scenario.kind for scenario in SCENARIOS} <= {"load", *AFRESH}
    assert {scenario.protocol for scenario in SCENARIOS} == {peer.protocol for peer in PEERS} == set(OURS)


def test_the_command_line_chooses() -> None:
    assert chosen(words([])) == list(SCENARIOS)
    assert [one.name for one in chosen(words(["--scenario", "close", "big"]))] == ["close", "big"]
    (idle,) = chosen(words(["--scenario", "idle", "--idle", "20000"]))
    assert idle.clients == 20000
    assert command(words(["--rounds", "2"])) == "python -m benchmarks --rounds 2 --seconds 1"


def test_reasons_are_short_and_name_no_folder() -> None:
    said = (
        "WARNING: Location 'file:///somewhere/simple/x/' is ignored\n"
        "  /home/me/python/include/Python.h: no such file\n"
        "ERROR: Failed building /home/me/x.whl\n"
        "note: This error originates from a subprocess\n"
    )
    assert reason(said) == "ERROR: Failed building x.whl"
    assert reason("all\nis\nlost\n") == "is / lost"
    assert portable('File "/home/me/app.py", line 1: http://host/a') == 'File "app.py", line 1: http://host/a'


def test_applications_answer_as_they_announce() -> None:
    for app, length in ((hello, 13), (big, 102400)):
        status, headers, body = call(app)
        assert (status, headers["Content-Length"], len(body)) == ("200 OK", str(length), length)
    assert call(stream)[2] == CHUNK * CHUNKS and "Content-Length" not in call(stream)[1]


def test_an_upload_is_read_whole() -> None:
    body = b"x" * 100_000
    assert call(upload, body=body)[2] == f"100000 {hashlib.sha256(body).hexdigest()}".encode()


def test_the_endless_reply_comes_in_pieces() -> None:
    pieces = iter(endless({}, lambda status, headers: None))
    assert next(pieces) == BLOCK


def test_paths_of_the_mixed_application() -> None:
    assert len(call(mixed, "/large")[2]) == 512 * 1024
    assert call(mixed, "/nowhere")[2] == b"Hello, World!"
