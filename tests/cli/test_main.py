"""The command as people run it: real processes, their words and their exit statuses."""

import subprocess
import sys
from pathlib import Path

import pytest

import penstock.core.request
from penstock.cli.main import collected_of, main, of_another, settings_of, told
from penstock.config.registry import declared
from penstock.core.errors import ConfigError
from tests.e2e.surroundings import environment

Done = subprocess.CompletedProcess[str]


def command(cwd: Path, *words: str, **env: str) -> Done:
    """``python -m penstock`` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "penstock", *words],
        cwd=cwd, env=environment(**env), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


# ---- Only asked to be told ----------------------------------------------------------------------------


def test_version(tmp_path: Path) -> None:
    build = ", compiled" if str(penstock.core.request.__file__).endswith(".so") else ""
    done = command(tmp_path, "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"penstock {penstock.__version__}{build}\n", "")


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help(tmp_path: Path, word: str) -> None:
    done = command(tmp_path, word, COLUMNS="80")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("penstock: a WSGI server for HTTP/1.1 and uwsgi\n")
    assert "\nListening:\n  --bind ADDRESS" in done.stdout
    assert "--request-line" not in done.stdout
    assert done.stdout.endswith("--help all names every option; --version the version.\n")


def test_help_with_everything(tmp_path: Path) -> None:
    done = command(tmp_path, "--help", "all", COLUMNS="100")
    assert done.returncode == 0
    assert [option.name for option in declared() if f"--{option.name}" not in done.stdout] == []
    # The two lines of usage are as long as they are.
    assert max(len(line) for line in done.stdout.splitlines()[4:]) <= 100


def test_help_wins_over_whatever_else_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(["--frobnicate", "app", "--help"])
    assert told(["app", "--version", "--help"])
    assert not told(["app", "--threads", "4"])
    assert not told([])
    out, err = capsys.readouterr()
    assert out.count("penstock: a WSGI server") == 1, "the first of the two is done"
    assert err == ""


@pytest.mark.parametrize("word", ["--help", "-h", "--version"])
def test_a_word_for_the_application_is_not_for_us(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not told(["--pyargv", word, "app"])
    assert settings_of(collected_of(["--pyargv", word, "app"])).pyargv == word
    assert told(["--pyargv", word, "app", word])
    assert capsys.readouterr().out.startswith("penstock")


def test_version_needs_no_import_of_weight(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from penstock.cli.main import main\n"
        "code = main(['--version'])\n"
        "heavy = {'uvloop', 'asyncio', 'threading', 'ctypes', 'dataclasses', 'signal'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy or code else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", script],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


# ---- What cannot be -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["app", "--frobnicate"], "penstock: command line: unknown option --frobnicate\n"),
        (
            ["app", "--vaccum"],
            "penstock: command line: unknown option --vaccum; did you mean --vacuum?\n",
        ),
        (["app", "-Z"], "penstock: command line: unknown option -Z\n"),
        (["app", "--bind"], "penstock: command line: --bind needs a value: ADDRESS\n"),
        (["app", "--stop"], "penstock: command line: --stop needs a value: FILE\n"),
        (["app", "--queue", "x"], "penstock: command line: --queue x: a whole number is expected\n"),
        (
            ["app", "--bind", "1:2:3"],
            "penstock: command line: --bind 1:2:3: '1:2:3' is not an address: "
            "put brackets round an IPv6 address, [::1]:8000\n",
        ),
        (["app", "--bind", ":70000"], "penstock: command line: --bind :70000: ':70000' is not an address: "),
        (["app", "no-such.ini"], "penstock: command line: no-such.ini: No such file or directory\n"),
    ],
)
def test_wrong_words_are_one_line_without_a_traceback(words: list[str], said: str) -> None:
    done = command(Path.cwd(), *words)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1


def test_every_problem_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--queue", "x", "--gather", "y", "--module", "app", "--bind", ":z"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert [line.split()[4] for line in lines] == ["x:", "y:", ":z:"]
    assert all(line.startswith("penstock: command line: --") for line in lines)


def test_a_port_of_the_environment_that_is_none(tmp_path: Path) -> None:
    done = command(tmp_path, "app", PORT="http")
    assert done.returncode == 1
    assert done.stderr.startswith("penstock: environment PORT: ")


def test_a_log_that_cannot_be_opened(tmp_path: Path) -> None:
    done = command(tmp_path, "app", "--bind", "127.0.0.1:0", "--logto", str(tmp_path / "no" / "log"))
    assert done.returncode == 1
    assert done.stderr == f"penstock: cannot open the log {tmp_path}/no/log: No such file or directory\n"


def test_an_address_that_is_not_ours(tmp_path: Path) -> None:
    done = command(tmp_path, "app", "--bind", "192.0.2.1:8000")
    assert done.returncode == 1
    assert "penstock error: cannot listen on 192.0.2.1:8000: " in done.stderr
    assert "Traceback" not in done.stderr


def test_no_application_is_named(tmp_path: Path) -> None:
    done = command(tmp_path, "--bind", "127.0.0.1:0")
    assert done.returncode == 1
    assert done.stderr.startswith("penstock: no application: name one, as in 'penstock module:callable'")


@pytest.mark.parametrize(
    ("source", "words", "said"),
    [
        ("x = 1\n", ["broken"], "broken: there is no application or app in it"),
        ("x = 1\n", ["broken:x"], "broken: x is not callable but int"),
        ("x = 1\n", ["--wsgi-file", "broken.py"], "broken.py: there is no application or app in it"),
        ("x = 1\n", ["--module", "broken.py"], "module broken.py: this is a file; use --wsgi-file broken.py"),
        ("x = 1\n", ["nothing_here"], "module nothing_here: there is no module named nothing_here in "),
    ],
)
def test_no_application_is_found(tmp_path: Path, source: str, words: list[str], said: str) -> None:
    (tmp_path / "broken.py").write_text(source)
    done = command(tmp_path, *words, "--bind", "127.0.0.1:0")
    assert done.returncode == 22
    assert f"penstock error: {said}" in done.stderr
    assert "listening on" not in done.stderr


@pytest.mark.parametrize(
    ("words", "where"),
    [(["broken:application"], "module broken"), (["--wsgi-file", "broken.py"], "wsgi-file broken.py")],
)
def test_an_import_that_fails_shows_its_traceback(tmp_path: Path, words: list[str], where: str) -> None:
    (tmp_path / "broken.py").write_text(
        "def connect():\n    raise RuntimeError('no database')\n\nconnect()\n"
    )
    done = command(tmp_path, *words, "--bind", "127.0.0.1:0")
    assert done.returncode == 22
    assert "Traceback (most recent call last)" in done.stderr
    assert f'File "{tmp_path}/broken.py", line 2, in connect' in done.stderr
    assert "RuntimeError: no database" in done.stderr
    raised = "its import" if where.startswith("module") else "running it"
    assert f"{where}: {raised} raised RuntimeError('no database')" in done.stderr.splitlines()[-1]


def test_a_loop_that_is_not_installed(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def app(environ, start_response):\n    return []\n")
    script = (
        "import sys\n"
        "sys.modules['uvloop'] = None\n"  # an import of it fails as if it were missing
        "from penstock.cli.main import main\n"
        "sys.exit(main(['broken', '--bind', 'app.sock', '--loop', 'uvloop']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert " penstock error: --loop uvloop: " in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "app.sock").exists()


def test_a_failed_start_leaves_no_socket_behind(tmp_path: Path) -> None:
    done = command(tmp_path, "--module", "nothing_here", "--http-socket", "app.sock")
    assert done.returncode == 22
    assert list(tmp_path.iterdir()) == []


# ---- Files --------------------------------------------------------------------------------------------


def test_what_a_file_prints_and_the_whole_configuration_are_shown(tmp_path: Path) -> None:
    (tmp_path / "app.ini").write_text("[uwsgi]\nname = missing\nmodule = %(name)\nprint = of %(name)\n")
    done = command(tmp_path, "app.ini", "--http-socket", "127.0.0.1:0", "--show-config")
    assert done.returncode == 22, "and the start goes on"
    assert done.stdout == ""
    assert done.stderr.startswith("of missing\n;uWSGI instance configuration\n[uwsgi]\nhttp-socket = ")
    assert "\nmodule = missing\nprint = of missing\n;end of configuration\n" in done.stderr


def test_a_file_can_end_the_start(tmp_path: Path) -> None:
    (tmp_path / "app.ini").write_text("[uwsgi]\nexit = 7\nmodule = missing\n")
    assert command(tmp_path, "app.ini").returncode == 7


def test_what_is_wrong_in_a_file_is_named_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "app.ini").write_text("[uwsgi]\nmodule = missing\nhttp-socket = :z\nqueue-timeout = soon\n")
    done = command(tmp_path, "app.ini")
    assert done.returncode == 1
    places = sorted(line.split(" ")[1] for line in done.stderr.splitlines())
    assert places == ["app.ini:3:", "app.ini:4:"]


# ---- Signals to another -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--stop", "pid"], ("stop", "pid")),
        (["--stop=pid"], ("stop", "pid")),
        (["app", "--threads", "2", "--reload", "pid", "--stop", "other"], ("reload", "pid")),
        (["--reload=a=b"], ("reload", "a=b")),
        (["--suspend", "pid"], ("pause", "pid")),
        (["--resume=pid"], ("pause", "pid")),
        (["--connect-and-read", ":9191"], ("connect-and-read", ":9191")),
        (["--pyargv", "--stop", "pid"], ("", "")),
        (["--stop"], ("", "")),
        (["--stop="], ("", "")),
        (["--stopper", "pid", "stop", "pid"], ("", "")),
        ([], ("", "")),
    ],
)
def test_words_for_a_server_that_runs(words: list[str], found: tuple[str, str]) -> None:
    assert of_another(words) == found


@pytest.mark.parametrize("text", [None, "", "none\n", "0\n", "999999999\n"])
def test_a_pidfile_that_leads_nowhere(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "pid").write_text(text)
    done = command(tmp_path, "--stop", "pid")
    assert (done.returncode, done.stdout) == (1, "")
    reasons = {None: "No such file or directory", "999999999\n": "process 999999999: No such process"}
    assert done.stderr == f"penstock: stop pid: {reasons.get(text, 'there is no process number in it')}\n"


def test_a_file_can_name_it_as_well(tmp_path: Path) -> None:
    (tmp_path / "app.ini").write_text("[uwsgi]\nstop = pid\n")
    done = command(tmp_path, "app.ini")
    assert (done.returncode, done.stderr) == (1, "penstock: stop pid: No such file or directory\n")


def test_a_verb_comes_first(tmp_path: Path) -> None:
    (tmp_path / "app.ini").write_text("[uwsgi]\nmodule = app\nhttp-socket = :0\nvaccum = 1\n")
    done = command(tmp_path, "check", "app.ini")
    assert done.returncode == 0 and "app.ini:4: warning: vaccum = 1: " in done.stdout
    assert command(tmp_path, "check", "--help").stdout.startswith("usage: penstock check ")


# ---- In this process ----------------------------------------------------------------------------------


def test_settings_of_words() -> None:
    settings = settings_of(collected_of(["app:web", "--bind", "127.0.0.1:0", "--threads", "3"]))
    assert (settings.module, settings.thread_count) == ("app:web", 3)
    with pytest.raises(ConfigError, match="unknown option --no-such"):
        settings_of(collected_of(["app", "--no-such"]))


def test_main_imports_no_server_for_wrong_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 1
    assert capsys.readouterr().err.startswith("penstock: no application")
