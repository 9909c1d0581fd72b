"""``penstock top``: its words, its tables, its keys, and a server at the other end of a socket."""

import io
import json
import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from penstock.cli.top import MISSING
from penstock.cli.topsource import ControlSocket, StatusUrl
from penstock.cli.topview import SORTS, Wish, head, lines_of, notes, plot, rate, span, tables
from penstock.cli.verbs import run
from penstock.cli.words import Misused
from penstock.process.supervisor.client import NoServer, Silent

rich = pytest.importorskip("rich", reason="rich is not installed: pip install 'penstock[top]'")

Captured = pytest.CaptureFixture[str]


def path(name: str, run: float, **more: Any) -> dict[str, Any]:
    phases = {phase: [0.0, 0.0, 0.0] for phase in ("receive", "queue", "write", "seconds")}
    usual = {"path": name, "count": 5, "errors": 0, "rate": 0.5, "share": 0.1, "run": [run / 2, run, run * 2]}
    return {**usual, **phases, **more}


def worker(wid: int, **more: Any) -> dict[str, Any]:
    figures = dict.fromkeys(("generation", "queued", "busy", "connections", "requests", "rss"), 0)
    words = {"state": "serving", "failure": "", "why": "", "silent": ""}
    times = {"oldest": 0.0, "age": 5.0, "rate": 1.5}
    return {**figures, **words, **times, "wid": wid, "pid": 100 + wid, "threads": 4, **more}


def view(**more: Any) -> dict[str, Any]:
    request = {"method": "GET", "uri": "/now", "age": 2.5, "phase": "in the application", "thread": "t"}
    usual: dict[str, Any] = {
        "version": "9.9", "pid": 77, "state": "serving", "since": 0.0, "generation": 3, "reloading": False,
        "last_reload": None, "wanted": 2, "deaths": 0, "at": 1000.5, "window": 60.0, "rate": 12.3,
        "errors": 0.0, "busy": 1, "threads": 8, "queued": 0, "connections": 9, "running": 1,
        "phases": {"seconds": [0.001, 0.02, 1.5]},
        "points": [[990 + at, at, 0, *[0.001 * at] * 15] for at in range(10)],
        "paths": [
            path("/quick", 0.001, share=0.9, rate=99.0), path("/slow", 0.8), path("/bad", 0.1, errors=7),
        ],
        "requests": [{**request, "remote": "192.0.2.1", "wid": 1, "pid": 101, "stack": ""}],
        "workers": [worker(1), worker(2)],
    }  # fmt: skip
    return {**usual, **more}


def column(text: list[str], title: str) -> list[str]:
    """The first words of the rows below a table's headings."""
    at = next(number for number, line in enumerate(text) if line.startswith(title))
    rows = text[at + 2 :]
    return [line.split()[0] for line in rows[: rows.index("")] if line] if "" in rows else []


# ---- Tables ---------------------------------------------------------------------------------------------


def test_the_slowest_path_is_the_first_row() -> None:
    assert column(lines_of(view(), Wish()), "Paths of the last 60 s, slowest first") == [
        "/slow",
        "/bad",
        "/quick",
    ]


@pytest.mark.parametrize(
    ("sort", "first"), [("p95", "/slow"), ("share", "/quick"), ("rate", "/quick"), ("errors", "/bad")]
)
def test_orders(sort: str, first: str) -> None:
    assert column(lines_of(view(), Wish(sort=sort)), "Paths of")[0] == first
    assert sort in SORTS


def test_lines_have_what_matters() -> None:
    text = "\n".join(lines_of(view(), Wish()))
    for word in ("process 77", "generation 3", "requests 12.3/s", "1/8", "800 ms", "/now", "2.5s", "1.5 s"):
        assert word in text


def test_a_narrow_window_leaves_columns_out_and_a_low_one_rows() -> None:
    many = view(
        paths=[path(f"/{at}", at + 1.0) for at in range(100)], workers=[worker(n) for n in range(1, 60)]
    )
    for width, height in ((70, 24), (100, 40), (200, 60)):
        text = lines_of(many, Wish(width=width, height=height))
        tables_ = [line for line in text[4:] if not line.startswith("requests/s")]
        assert max(map(len, tables_)) <= width
        assert len(text) <= height - 1
    names = [one.name for one in tables(many, Wish(width=70))[0].columns]
    assert "RUN 95%" in names and "WRITE 95%" not in names


def test_the_worker_that_is_chosen_is_among_those_that_are_shown() -> None:
    many = view(workers=[worker(n) for n in range(1, 60)])
    shown = tables(many, Wish(worker=40, height=40))[2]
    assert shown.rows[shown.chosen][0].text == "40"
    assert tables(many, Wish())[2].chosen == -1


def test_controls_of_strangers_do_not_reach_the_terminal() -> None:
    evil = "/\x1b[2J\x07"
    request = {**view()["requests"][0], "uri": evil, "remote": evil, "method": evil}
    found = view(paths=[path(evil, 1.0)], requests=[request], workers=[worker(1, failure=evil, silent=evil)])
    assert "\x1b" not in "".join(lines_of(found, Wish(width=500)))
    found = view(version=evil, state=evil, pid=evil, workers=[{**worker(1), "state": evil, "pid": evil}])
    assert "\x1b" not in "".join(lines_of(found, Wish(width=500))), "a page may be anybody's"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"reloading": True}, "a reload is under way"),
        ({"last_reload": {"ok": False, "text": "x"}}, "the last reload failed"),
        ({"busy": 8, "queued": 3}, "all 8 threads are busy and 3 requests wait"),
        ({"workers": [worker(1)]}, "1 of 2 workers serve"),
        ({"workers": [worker(1), worker(2, silent="no answer")]}, "worker 2: no answer"),
    ],
)
def test_what_should_be_known_at_once(more: dict[str, Any], said: str) -> None:
    assert any(said in note for note in notes(view(**more)))
    assert notes(view()) == []


def test_words() -> None:
    assert [span(s) for s in (0.0, 0.00042, 0.0042, 0.42, 4.2)] == [
        "0.00 ms",
        "0.42 ms",
        "4.2 ms",
        "420 ms",
        "4.2 s",
    ]
    assert [rate(n) for n in (0, 0.01, 3.14, 1234.5)] == ["0.0", "<0.1", "3.1", "1234"]
    assert plot([0, 1, 2, 4]) == "▁▂▄█" and plot([0, 0]) == "▁▁" and plot([]) == ""
    assert "".join(cell.text for cell in head(view(points=[]))[-1]).startswith("requests 12.3/s")


# ---- Words of the shell ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["now"], "now: only options are expected"),
        (["--sort", "name"], "--sort: p95, share"),
        (["--every", "0"], "--every: seconds from 0.2"),
        (["--every", "soon"], "--every: seconds"),
        (["--url", "ftp://x"], "--url: http://HOST:PORT/"),
        (["--url", "http://x/", "--pid", "1"], "--url excludes"),
    ],
)
def test_words_that_are_not_understood(words: list[str], said: str, capsys: Captured) -> None:
    assert run(["top", *words]) == 2
    assert said in capsys.readouterr().err


def test_no_server(tmp_path: Path, capsys: Captured) -> None:
    assert run(["top", "--once", "--socket", str(tmp_path / "none")]) == 3
    assert "no server answers" in capsys.readouterr().err
    assert run(["top", "--once", "--url", "http://127.0.0.1:1/"]) == 3


# ---- Servers --------------------------------------------------------------------------------------------


class Page(BaseHTTPRequestHandler):
    """A status page for one who says the right password."""

    def do_GET(self) -> None:
        allowed = self.headers["Authorization"] == "Basic amFuZTpzOmUgYw=="  # jane:s:e c
        body = json.dumps(view()).encode() if self.path == "/here?data" else b"{}"
        self.send_response(200 if allowed else 401)
        self.end_headers()
        self.wfile.write(body if allowed else b"who are you?\x1b[2J")

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is written."""


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_by_url(url: str, capsys: Captured) -> None:
    assert run(["top", "--once", "--url", f"http://jane:s%3Ae%20c@{url}/here"]) == 0
    assert "/slow" in capsys.readouterr().out
    with pytest.raises(NoServer, match="401: who are you") as caught:
        StatusUrl(f"http://jane:wrong@{url}/here").view()
    assert "\x1b" not in str(caught.value) and "wrong" not in str(caught.value)
    with pytest.raises(Silent, match="no status page"):
        StatusUrl(f"http://jane:s%3Ae%20c@{url}/").view()
    assert "changes nothing" in StatusUrl(f"http://{url}/").replace(1)
    others: tuple[dict[str, Any], ...] = (
        {"workers": []}, {"workers": 1, "window": 5}, {**view(), "window": "x"}, {**view(), "paths": 7},
    )  # fmt: skip
    for other in others:
        with pytest.raises(Silent, match="another version"):
            StatusUrl(f"http://{url}/").read(json.dumps(other).encode())
    for wrong in ("/path", "http://a:b@", "http://a:x9@host:port/", "http://[::1/", "x://jane:pw1@host/"):
        with pytest.raises(Misused) as misused:
            StatusUrl(wrong)
        assert "pw1" not in str(misused.value)


@pytest.fixture
def control(tmp_path: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A control socket that has the document, and remembers what it was asked."""
    listener, asked = socket.socket(socket.AF_UNIX), []
    listener.bind(str(tmp_path / "ctl"))
    listener.listen()

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                asked.append(json.loads(client.makefile().readline()))
                reply = {"is": "done", "ok": True, "text": "it is to be replaced"}
                client.sendall(json.dumps({**reply, "view": view()}).encode() + b"\n")

    thread = threading.Thread(target=serve)
    thread.start()
    yield str(tmp_path / "ctl"), asked
    listener.shutdown(socket.SHUT_RDWR)
    thread.join()
    listener.close()


def test_by_control_socket(control: tuple[str, list[dict[str, Any]]], capsys: Captured) -> None:
    where, asked = control
    assert run(["top", "--socket", where, "--sort", "share"]) == 0, "no terminal, so it is shown once"
    assert column(capsys.readouterr().out.splitlines(), "Paths of")[0] == "/quick"
    assert run(["top", "--socket", where, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pid"] == 77
    assert ControlSocket(where).replace(2) == "it is to be replaced"
    assert asked[-1] == {"command": "replace-worker", "count": 2}


# ---- The screen -----------------------------------------------------------------------------------------


class Still:
    """A source that shows the same, and remembers who was to be replaced."""

    def __init__(self) -> None:
        self.replaced: list[int] = []
        self.looks = 0
        self.gone = False

    def view(self) -> dict[str, Any]:
        self.looks += 1
        if self.gone:
            raise NoServer("it is gone")
        return view()

    def replace(self, wid: int) -> str:
        self.replaced.append(wid)
        return f"worker {wid} is to be replaced"


def drawn(screen: Any, size: tuple[int, int] = (110, 36)) -> str:
    from rich.console import Console

    console = Console(width=size[0], height=size[1], file=io.StringIO(), force_terminal=False)
    console.print(screen.draw(size))
    text = console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO, as it was given
    assert isinstance(text, str)
    return text


def pressed(screen: Any, keys: str) -> None:
    from penstock.cli.topscreen import keys_of

    for key in keys_of(keys):
        screen.pressed(key)


def test_keys() -> None:
    from penstock.cli.topscreen import Screen

    source = Still()
    screen = Screen(source, Wish(), 2.0)
    assert "asking the server" in drawn(screen)
    screen.look()
    assert "slowest first" in drawn(screen)
    pressed(screen, "s")
    assert "most thread time first" in drawn(screen)
    pressed(screen, "r")
    assert "choose a worker" in drawn(screen)
    pressed(screen, "\x1b[B\x1bOB")
    assert screen.wish.worker == 2
    pressed(screen, "ry")
    assert source.replaced == [2] and "worker 2 is to be replaced" in drawn(screen)
    pressed(screen, "jrnkry")
    assert source.replaced == [2, 2], "anything but y says no"
    pressed(screen, " ")
    screen.look()
    assert source.looks == 1 and "(held)" in drawn(screen)
    pressed(screen, " xq")
    assert screen.over


def test_a_server_that_is_gone_is_said_to_and_asked_again() -> None:
    from penstock.cli.topscreen import Screen

    source = Still()
    screen = Screen(source, Wish(), 2.0)
    screen.look()
    source.gone = True
    screen.look()
    assert "it is gone" in drawn(screen) and "/slow" in drawn(screen), "what was there last stays"
    source.gone = False
    screen.look()
    assert "it is gone" not in drawn(screen)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (200, 60)])
def test_it_fits_the_window(size: tuple[int, int]) -> None:
    from penstock.cli.topscreen import Screen

    many = Still()
    screen = Screen(many, Wish(worker=1), 2.0)
    screen.look()
    screen.view["paths"] = [path(f"/{at}", at + 1.0) for at in range(100)]
    screen.view["workers"] = [worker(at) for at in range(50)]
    screen.view["requests"] *= 50
    lines = drawn(screen, size).splitlines()
    assert len(lines) <= size[1] and lines[-1].startswith(" q quit")


def test_without_rich_it_is_said_what_to_do(
    control: tuple[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    from tests.e2e.surroundings import environment

    (tmp_path / "rich.py").write_text("raise ImportError('rich')\n")
    env = environment()
    env["PYTHONPATH"] = f"{tmp_path}{os.pathsep}{env['PYTHONPATH']}"
    code, text = in_terminal(["--socket", control[0]], env)
    assert code == 1 and MISSING in text


def in_terminal(words: list[str], env: dict[str, str], keys: bytes = b"", until: str = "") -> tuple[int, str]:
    """What ``top`` writes to a terminal, in which ``keys`` are pressed when ``until`` is there."""
    from tests.e2e.terminal import Terminal

    with Terminal(["top", *words], env) as terminal:
        if until:
            terminal.wait_for(until)
        terminal.press(keys)
        return terminal.end()


def test_on_a_terminal(control: tuple[str, list[dict[str, Any]]]) -> None:
    from tests.e2e.surroundings import environment

    code, text = in_terminal(["--socket", control[0]], environment(TERM="xterm-256color"), b"q", "/slow")
    assert code == 0 and "\x1b[?1049h" in text and "\x1b[?1049l" in text, "the screen of before comes back"
