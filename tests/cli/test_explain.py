"""``penstock explain``: what each option comes to, for people and for programs."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.cli.verbs import run
from tests.e2e.surroundings import environment

TEXT = """\
[uwsgi]
wsgi = app
http-socket = :8000
threads = 2
threads = 4
thunder-lock
die-on-term = true
plugins = python3,gevent
legion = x
env = A=1
env = B=2
vaccum = 1
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PORT", raising=False)
    (tmp_path / "app.ini").write_text(TEXT)
    return "app.ini"


def explained(file: str, capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    assert run(["explain", "--format", "json", file]) == 0
    found: list[dict[str, str]] = json.loads(capsys.readouterr().out)
    return found


def test_every_option_with_its_origin_and_state(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = explained(file, capsys)
    assert [(row["option"], row["name"], row["value"], row["origin"], row["state"]) for row in rows] == [
        ("wsgi", "module", "app", "app.ini:2", "acted-on"),
        ("http-socket", "http-socket", ":8000", "app.ini:3", "acted-on"),
        ("threads", "threads", "2", "app.ini:4", "acted-on"),
        ("threads", "threads", "4", "app.ini:5", "acted-on"),
        ("thunder-lock", "thunder-lock", "true", "app.ini:6", "harmless"),
        ("die-on-term", "die-on-term", "true", "app.ini:7", "acted-on"),
        ("plugins", "plugins", "python3,gevent", "app.ini:8", "unsupported"),
        ("legion", "legion", "x", "app.ini:9", "unsupported"),
        ("env", "env", "A=1", "app.ini:10", "acted-on"),
        ("env", "env", "B=2", "app.ini:11", "acted-on"),
    ]
    assert all(row["does"] for row in rows)


def test_what_counts_and_what_does_not(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = explained(file, capsys)
    assert [row["overridden"] for row in rows if row["overridden"]] == ["app.ini:5"]


def test_die_on_term_is_warned_of(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    notes = {row["option"]: row["note"] for row in explained(file, capsys) if row["note"]}
    assert "QUIT" in notes["die-on-term"]


def test_where_only_vassals_serve_no_threads_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "emperor.ini"
    config.write_text(f"[uwsgi]\nemperor = {tmp_path}\n")
    assert run(["explain", str(config)]) == 0
    said = capsys.readouterr().out
    assert "threads:" not in said and said.endswith("of a folder.\n")
    config.write_text(f"[uwsgi]\nemperor = {tmp_path}\nhttp-socket = :8000\nmodule = app\n")
    assert run(["explain", str(config)]) == 0
    assert "threads: 1 thread" in capsys.readouterr().out


def test_the_page(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", file]) == 0
    page = capsys.readouterr().out
    assert page.startswith("app.ini: 10 options: 7 acted on, 1 harmless, 2 not supported\n\nwsgi = app  ")
    assert "\n    (module) Import the application" in page
    assert "\n    overridden by app.ini:5\n" in page
    assert "\n    harmless: accepting needs no lock here\n" in page
    assert "\n    not supported: " in page
    assert "\n    warning: TERM always stops here" in page
    assert "\nserves http on :8000 (app.ini:3)\nthreads: 4 threads\n" in page
    assert page.endswith("did you mean vacuum?\n")
    assert "\x1b" not in page
    assert max(map(len, page.splitlines()[:-1])) <= 100


def test_a_value_that_asks_for_nothing_is_harmless(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.ini"
    path.write_text(f"{TEXT}http-websockets = false\nspooler-cheap = true\n")
    states = {row["option"]: row["state"] for row in explained(str(path), capsys)}
    assert (states["http-websockets"], states["spooler-cheap"]) == ("harmless", "unsupported")


def test_a_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "--", "--http-socket", ":8000", "app"]) == 0
    page = capsys.readouterr().out
    assert page.startswith("command line: 2 options: 2 acted on\n")
    assert "module = app" in page


def test_what_cannot_start_is_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.ini"
    path.write_text("[uwsgi]\nmodule = app\n")
    assert run(["explain", str(path)]) == 1
    assert "error: no socket" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colour_on_a_terminal_alone(more: dict[str, str], coloured: bool, file: str, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    env = {"TERM": "xterm", **environment(), **more}
    if "NO_COLOR" not in more:
        env.pop("NO_COLOR", None)
    script = f"import sys; from penstock.cli.verbs import run; sys.exit(run(['explain', {file!r}]))"
    process = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, env=env, stdout=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # EIO: the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    assert process.wait(30) == 0
    assert b"harmless" in shown
    assert (b"\x1b[" in shown) is coloured
