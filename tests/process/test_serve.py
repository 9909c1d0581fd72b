"""From settings to a served application: what ends a start, and in which order it goes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.config.assemble import from_keywords
from penstock.core.errors import StartError
from penstock.logs.setup import Diary
from penstock.process.importing import load_application
from penstock.process.serve import serve, unsupervised
from penstock.process.single import make_worker
from penstock.serve.wsgi.loader import no_application
from tests.e2e.surroundings import environment
from tests.process.running import hello
from tests.sinks import file_sink


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path) -> Iterator[None]:
    """A folder of its own; path, arguments, modules and variables are as before afterwards."""
    before = (os.getcwd(), sys.argv, list(sys.path), set(sys.modules), dict(os.environ))
    os.chdir(tmp_path)
    yield
    os.chdir(before[0])
    sys.argv = before[1]
    sys.path[:] = before[2]
    for name in set(sys.modules) - before[3]:
        del sys.modules[name]
    os.environ.clear()
    os.environ.update(before[4])


@pytest.fixture
def diary() -> Iterator[Diary]:
    """A diary whose lines are in ``log``."""
    made = Diary(file_sink("log"), None)
    yield made
    made.close()


def started(**options: Any) -> tuple[int, str]:
    """The exit status of a start that fails, and its log."""
    named = "module" in options or "wsgi_file" in options
    log = Path("log").absolute()
    words = {"bind": "127.0.0.1:0", "logto": log, **options}
    code = serve(from_keywords(words, application=not named), None if named else hello)
    return code, log.read_text()


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ({"module": "nothing_here"}, 22, "module nothing_here: there is no module named nothing_here"),
        ({"wsgi_file": "missing.py"}, 22, "wsgi-file missing.py: there is no such file"),
        ({"module": "x", "virtualenv": "/nowhere"}, 1, "virtualenv /nowhere: there is no such folder"),
        ({"chdir": "/nowhere"}, 1, "chdir /nowhere: No such file or directory"),
        ({"bind": "192.0.2.1:80"}, 1, "cannot listen on 192.0.2.1:80: "),
        ({"bind": "fd://987"}, 1, "descriptor 987 is not a socket"),
        ({"add_header": "X: a\nb"}, 1, "add-header: "),
        ({"trusted_proxies": "x"}, 1, "trusted-proxies: "),
    ],
)
def test_a_start_that_fails_is_logged_and_has_its_status(
    options: dict[str, Any], code: int, said: str
) -> None:
    found, text = started(**options)
    assert found == code
    lines = text.splitlines()
    assert " penstock: penstock 0." in lines[0], "who speaks is said first"
    assert f" penstock error: {said}" in lines[-1]
    assert "listening on" not in text
    assert ("Traceback" in text) == (options.get("module") == "nothing_here"), "only for an import"


def test_a_start_that_fails_removes_its_socket() -> None:
    code, _ = started(module="nothing_here", bind="app.sock")
    assert code == 22
    assert sorted(os.listdir()) == ["log"]


def test_notices_come_before_all_else() -> None:
    _, text = started(module="nothing_here", jailed=True, gevent=4)
    for line, name in zip(text.splitlines()[:2], ("--jailed", "--gevent"), strict=True):
        assert f"penstock warning: {name} (keyword argument): not acted on: " in line


def test_an_import_that_fails_brings_its_traceback() -> None:
    Path("broken.py").write_text("def connect():\n    raise RuntimeError('no database')\nconnect()\n")
    code, text = started(module="broken")
    assert code == 22
    assert "Traceback (most recent call last)" in text
    assert "broken.py" in text
    assert text.splitlines()[-1].endswith("module broken: its import raised RuntimeError('no database')")


@pytest.mark.parametrize("raised", ["KeyError('SECRET')", "ValueError('no')", "OSError(2, 'gone')"])
@pytest.mark.parametrize("option", ["module", "wsgi_file"])
def test_whatever_an_import_raises_brings_its_traceback(option: str, raised: str) -> None:
    """These are also what a failed bind or a missing folder is caused by; those need none."""
    Path("broken.py").write_text(f"def connect():\n    raise {raised}\nconnect()\n")
    code, text = started(**{option: "broken" if option == "module" else "broken.py"})
    assert code == 22
    assert "Traceback (most recent call last)" in text
    assert "line 2, in connect" in text


def test_an_import_that_exits_does_not_end_us_with_its_status() -> None:
    Path("leaves.py").write_text("raise SystemExit(0)\n")
    code, text = started(module="leaves")
    assert code == 22
    assert "its import raised SystemExit(0)" in text


def test_the_folder_and_the_variables_are_there_before_the_import() -> None:
    Path("inner").mkdir()
    Path("inner", "app_of_inner.py").write_text(
        "import os, sys\n"
        "folder = os.path.basename(os.getcwd())\n"
        "raise RuntimeError(folder, os.environ['NAME'], 'GONE' in os.environ, sys.argv)\n"
    )
    os.environ["GONE"] = "here"
    options = {"chdir": "inner", "env": ["NAME=value", "GONE"], "pyargv": "one two"}
    _, text = started(module="app_of_inner", **options)
    assert "RuntimeError('inner', 'value', False, ['penstock', 'one', 'two'])" in text


# ---- The application ----------------------------------------------------------------------------------


def test_an_application_is_loaded_from_the_paths_that_are_named(diary: Diary) -> None:
    Path("lib").mkdir()
    Path("lib", "from_lib.py").write_text("def web(environ, start_response):\n    return []\n")
    settings = from_keywords({"bind": ":0", "module": "from_lib:web", "pythonpath": "l?b"})
    application = load_application(settings, diary)
    assert application.__name__ == "web"
    assert sys.path[0] == os.path.abspath("lib")
    assert sys.argv == ["penstock"]


def test_without_an_application_the_start_fails_unless_none_is_needed(diary: Diary) -> None:
    options = {"bind": ":0", "module": "nothing_here"}
    with pytest.raises(StartError) as caught:
        load_application(from_keywords(options), diary)
    assert caught.value.exit_code == 22
    application = load_application(from_keywords({**options, "need_app": False}), diary)
    assert application is no_application
    text = Path("log").read_text()
    assert "ModuleNotFoundError" in text
    assert "serving 500 to every request (need-app would stop here)" in text


@pytest.mark.parametrize("kind", ["uvloop", "asyncio"])
def test_a_worker_on_the_loop_that_is_named(diary: Diary, kind: str) -> None:
    worker = make_worker(from_keywords({"loop": kind, "threads": 3}, application=True), hello, diary)
    try:
        assert type(worker.loop).__module__.partition(".")[0] == kind
        assert len(worker.pool.slots) == 3
        assert worker.kitchen.application is hello
        assert worker.shutdown_timeout == 25.0
    finally:
        worker.loop.close()


@pytest.mark.parametrize("options", [{"module": "slow"}, {"wsgi_file": "slow.py"}, {"module": "made:make()"}])
def test_ctrl_c_while_the_application_is_imported_ends_the_start(
    options: dict[str, str], diary: Diary
) -> None:
    Path("slow.py").write_text("raise KeyboardInterrupt\n")
    Path("made.py").write_text("def make():\n    raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        started(**options, pidfile=Path("pid").absolute(), bind=Path("sock").absolute())
    assert not Path("pid").exists()
    assert not Path("sock").exists()
    # It is not taken for an application that is missing and may be.
    with pytest.raises(KeyboardInterrupt):
        load_application(from_keywords({**options, "bind": ":0", "need_app": False}), diary)


def test_term_during_the_start_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(20)\n")
    words = ("--module", "slow", "--http-socket", "sock", "--pidfile", "pid")
    process = subprocess.Popen(
        [sys.executable, "-m", "penstock", *words], cwd=tmp_path, env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"importing\n"
        assert (tmp_path / "pid").exists()
        assert (tmp_path / "sock").exists()
        process.terminate()
        assert process.wait(10) == -signal.SIGTERM
    assert not (tmp_path / "pid").exists()
    assert not (tmp_path / "sock").exists()


def test_what_one_process_does_by_itself_as_well() -> None:
    seen = {"stats": "127.0.0.1:0", "req_logger": "stdio", "log_maxsize": 1000, "carbon": "127.0.0.1:2003"}
    settings = from_keywords({"bind": ":0", "harakiri": 5, **seen}, application=True)
    assert settings.supervised
    assert unsupervised(settings) == []
    settings = from_keywords({"bind": ":0", "processes": 2, "log_alarm": "a x", "alarm": "a log:"}, True)
    assert unsupervised(settings) == ["--processes", "--alarm", "--log-alarm"]
