"""``penstock ctl``: its words, its exit statuses, and what it prints, with a real socket at the other end."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from penstock.cli.ctl import KNOWN, meant, shown, told
from penstock.cli.verbs import run
from penstock.cli.words import Misused, sorted_out
from penstock.process.supervisor.building import Outcome
from penstock.process.supervisor.commands import COMMANDS
from tests.e2e.surroundings import environment
from tests.process.supervisor.obeying import FakeHandle, commanded

Captured = pytest.CaptureFixture[str]


def lines(text: str) -> list[str]:
    return text.splitlines()


# ---- Words ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", [command.verb for command in COMMANDS if command.verb])
def test_every_verb_of_the_table(verb: str) -> None:
    words = verb.replace("N", "3").split()
    command, count = meant(sorted_out(words, KNOWN))
    assert command.verb == verb
    assert count == (3 if "N" in verb else 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no command: one of these is expected: stop, "),
        (["frob"], "frob: one of these"),
        (["reload", "now"], "reload now: one of these"),
        (["reload", "--now"], "reload --now: one of these"),
        (["workers", "add"], "workers add: one of these"),
        (["workers", "add", "0"], "a number from 1 to 1000 is expected, not 0"),
        (["workers", "add", "-1"], "unknown option -1"),
        (["workers", "remove", "12345"], "a number from 1"),
        (["workers", "add", "two"], "a number from 1 to 1000 is expected, not two"),
        (["workers", "add", "N"], "a number from 1 to 1000 is expected, not N"),
        (["workers", "frob", "2"], "workers frob N: one of these"),
        (["status", "--pid", "x"], "--pid: a number is expected, not x"),
        (["status", "--pid", "1", "--socket", "s"], "--socket and --pid exclude each other"),
        (["status", "--now=1"], "--now: no value is expected"),
        (["status", "--seconds", "1"], "--seconds: status has no such option"),
        (["requests", "--worker", "1"], "--worker: requests has no such option"),
        (["stacks", "-o", "x"], "-o: stacks has no such option"),
        (["profile", "--seconds", "0"], "--seconds: a number up to 600 is expected, not 0"),
        (["profile", "--seconds", "601"], "--seconds: a number up to 600 is expected, not 601"),
        (["profile", "--seconds", "nan"], "--seconds: a number up to 600 is expected, not nan"),
        (["profile", "--worker", "x"], "a number from 1 to 1000 is expected, not x"),
    ],
)
def test_words_that_are_not_understood(words: list[str], said: str, capsys: Captured) -> None:
    assert run(["ctl", *words]) == 2
    out, err = capsys.readouterr()
    assert out == "" and said in err and "usage: penstock ctl" in err


def test_misused_is_raised() -> None:
    with pytest.raises(Misused):
        meant(sorted_out(["nothing"], KNOWN))


# ---- Which server ---------------------------------------------------------------------------------------


def test_no_server_there(tmp_path: Path, capsys: Captured) -> None:
    assert run(["ctl", "status", "--socket", str(tmp_path / "ctl")]) == 3
    assert (
        capsys.readouterr().err
        == f"penstock: no server answers at {tmp_path}/ctl: No such file or directory\n"
    )
    assert run(["ctl", "status", "--pid", str(os.getpid())]) == 3
    assert "has no control socket that can be found" in capsys.readouterr().err
    assert run(["ctl", "status", "--pidfile", str(tmp_path / "pid")]) == 3
    assert capsys.readouterr().err == f"penstock: pidfile {tmp_path}/pid: No such file or directory\n"
    assert run(["ctl", "status", "--json", "--socket", str(tmp_path / "ctl")]) == 3
    out, err = capsys.readouterr()
    assert err == "" and json.loads(out)["ok"] is False and json.loads(out)["code"] == 3


def test_by_its_process_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    (tmp_path / "penstock").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "pid").write_text(f"{os.getpid()}\n")
    with commanded(tmp_path, os.getpid()) as (supervisor, _):
        assert run(["ctl", "pause", "--pid", str(os.getpid())]) == 0
        assert run(["ctl", "pause", "--pidfile", str(tmp_path / "pid")]) == 0
        assert supervisor.did == [("pause",), ("pause",)]
    assert lines(capsys.readouterr().out) == [
        "the workers take no requests",
        "the workers take requests again",
    ]


# ---- Commands -------------------------------------------------------------------------------------------


def test_status(tmp_path: Path, capsys: Captured) -> None:
    with commanded(tmp_path) as (supervisor, control):
        supervisor.workers = [FakeHandle(1, 0, os.getpid(), figures={"requests": 7})]
        assert run(["ctl", "status", "--socket", control.path]) == 0
        out = lines(capsys.readouterr().out)
        assert out[1] == "1 of 2 workers serve, 7 requests answered, 0 workers died"
        assert out[2].split()[:2] == ["WID", "PID"] and out[3].split()[:2] == ["1", str(os.getpid())]
        assert run(["ctl", "status", "--json", "--socket", control.path]) == 0
        reply = json.loads(capsys.readouterr().out)
        assert set(reply) == {"ok", "code", "text", "status"}
        assert reply["status"]["workers"][0]["requests"] == 7


def test_numbers_reach_it(tmp_path: Path, capsys: Captured) -> None:
    with commanded(tmp_path) as (supervisor, control):
        assert run(["ctl", "--socket", control.path, "workers", "add", "3"]) == 0
        assert run(["ctl", "workers", "remove", "2", f"--socket={control.path}"]) == 0
        assert supervisor.did == [("resize", 3), ("resize", -2)]
    assert lines(capsys.readouterr().out) == ["5 workers are to run", "3 workers are to run"]


def test_a_reload_that_fails(tmp_path: Path, capsys: Captured) -> None:
    with commanded(tmp_path) as (supervisor, control):
        supervisor.outcome = Outcome(
            False, 'Traceback\n  File "app.py", line 3\nSyntaxError: \x1b[31mbad', 22
        )
        assert run(["ctl", "reload", "chain", "--socket", control.path]) == 1
        out, err = capsys.readouterr()
        assert (out, lines(err)) == (
            "", ["penstock: Traceback", '  File "app.py", line 3', "SyntaxError: \\x1b[31mbad"]
        )  # fmt: skip
        assert supervisor.did[0][2] == "chain"
        assert run(["ctl", "reload", "--json", "--socket", control.path]) == 1
        assert json.loads(capsys.readouterr().out)["code"] == 22


def test_a_reload_is_waited_for(tmp_path: Path, capsys: Captured) -> None:
    with commanded(tmp_path) as (supervisor, control):
        supervisor.outcome = None
        codes: list[int | None] = []
        thread = threading.Thread(
            target=lambda: codes.append(run(["ctl", "reload", "--socket", control.path]))
        )
        thread.start()
        until = time.monotonic() + 10
        while not supervisor.waiting and time.monotonic() < until:
            time.sleep(0.01)
        thread.join(0.1)
        assert thread.is_alive(), "it waits for the outcome"
        supervisor.waiting[0](Outcome(True, "generation 2 serves"))
        thread.join(10)
        assert codes == [0]
    assert capsys.readouterr().out == "generation 2 serves\n"


def test_a_server_that_ends_meanwhile(tmp_path: Path, capsys: Captured) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "ctl"))
        listener.listen(1)

        def serve() -> None:
            sock, _ = listener.accept()
            sock.recv(1000)
            sock.sendall(b'{"is":"taken"}\n')
            sock.close()

        thread = threading.Thread(target=serve)
        thread.start()
        assert run(["ctl", "reload", "--socket", str(tmp_path / "ctl")]) == 1
        thread.join(10)
    assert (
        capsys.readouterr().err == "penstock: the server ended the connection before the command had ended\n"
    )


def test_stop_waits_until_it_is_gone(tmp_path: Path) -> None:
    """The server is a process of its own here, since its end is what is waited for."""
    script = (
        "import socket, sys, time\n"
        "listener = socket.socket(socket.AF_UNIX)\n"
        f"listener.bind({str(tmp_path / 'ctl')!r})\n"
        "listener.listen(1)\n"
        "print(1, flush=True)\n"
        "sock, _ = listener.accept()\n"
        "sock.recv(1000)\n"
        'sock.sendall(b\'{"is":"done","ok":true,"code":0,"text":"it ends"}\\n\')\n'
        "sock.close(); time.sleep(0.5)\n"
        f"open({str(tmp_path / 'ended')!r}, 'w').close()\n"
    )
    with subprocess.Popen([sys.executable, "-S", "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert run(["ctl", "stop", "--socket", str(tmp_path / "ctl")]) == 0
        assert (tmp_path / "ended").exists()


def test_it_needs_no_server_s_imports(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from penstock.cli.main import main\n"
        "code = main(['ctl', 'status', '--socket', 'none'])\n"
        "heavy = {'uvloop', 'asyncio', 'threading'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy or code != 3 else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", script],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


# ---- What is said ---------------------------------------------------------------------------------------


def test_who_runs_nothing(capsys: Captured) -> None:
    assert told({"is": "done", "ok": True, "code": 0, "text": "", "requests": []}, as_json=False) == 0
    assert capsys.readouterr().out == "no request runs\n"


def test_an_upgrade_says_its_word_and_not_the_status() -> None:
    assert shown({"ok": True, "text": "penstock 2 has taken over", "status": {}}) == [
        "penstock 2 has taken over"
    ]
    assert shown({"ok": False, "text": ""}) == ["penstock: it failed"]
