"""The hooks of a start and of an end, as far as a test's own process may go through them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.process.hooks import start
from tests.e2e.surroundings import environment


def test_what_is_asked_for() -> None:
    assert not any(start.asked(Settings(), phase) for phase in ("asap", "as-root", "master-start"))
    assert start.asked(Settings(mount_as_root=("t s /m",)), "as-root")
    assert start.asked(Settings(exec_asap=("true",)), "asap")
    assert start.asked(Settings(hook_accepting1_once=("print:x",)), "accepting1-once")


def test_nothing_is_imported_where_nothing_is_asked_for() -> None:
    script = """
import sys
from penstock.config.settings import Settings
from penstock.process.hooks import start
start.run(Settings(), "asap", print)
start.in_jail(Settings(), print)
start.as_root(Settings(), print)
start.again(Settings(), print)
start.at_exit(Settings(), print)
print([name for name in sys.modules if name.startswith("penstock.process.hooks.")])
"""
    words = [sys.executable, "-c", script]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == "['penstock.process.hooks.start']\n"


def test_files_are_written_after_the_hooks(tmp_path: Path) -> None:
    said: list[str] = []
    file = tmp_path / "file"
    settings = Settings(hook_in_jail=(f"write:{file} before",), file_write=(f"{file}=after=all",))
    start.in_jail(settings, said.append)
    assert file.read_text() == "after=all\n"
    assert said == [f'penstock: hook-in-jail: "write:{file} before"', f"penstock: file-write: {file}"]
    with pytest.raises(StartError, match="file-write /nowhere/at/all: No such file"):
        start.in_jail(Settings(file_write=("/nowhere/at/all=x",)), said.append)


def test_round_the_application() -> None:
    said: list[str] = []
    settings = Settings(hook_pre_app=("print:before",), hook_post_app=("print:after",))

    def load() -> int:
        said.append("load")
        return 7

    assert start.around(settings, said.append, load) == 7
    assert [text for text in said if not text.startswith("penstock:")] == ["before", "load", "after"]


def test_hooks_take_as_long_as_they_take() -> None:
    told: list[object] = []
    settings = Settings(hook_pre_app=("print:before",))
    start.around(settings, told.append, lambda: told.append("load"), told.append)
    assert told == [False, 'penstock: hook-pre-app: "print:before"', "before", True, "load"]


def test_a_reload_begins_as_a_start(tmp_path: Path) -> None:
    said: list[str] = []
    texts = {"hook_pre_jail": "pre", "hook_asap": "asap", "hook_in_jail": "in", "hook_as_root": "root"}
    texts |= {"hook_as_user": "user", "hook_pre_app": "app"}
    settings = Settings(
        **{name: (f"print:{text}",) for name, text in texts.items()}, wait_for_fs=(str(tmp_path),)
    )
    start.again(settings, said.append)
    heard = [text for text in said if not text.startswith("penstock: hook")]
    waited = [f"penstock: waiting for {tmp_path}, at most 60 s", f"penstock: {tmp_path} is there"]
    assert heard == (["asap", "in", *waited, "root", "user"] if os.getuid() == 0 else ["asap", "in"])
    said.clear()
    start.again(Settings(hook_as_root=("print:x",), drop_after_apps=True), said.append)
    assert said == []  # when the application is loaded


def test_another_process_of_the_same_reload_has_what_is_a_process_own(tmp_path: Path) -> None:
    out = tmp_path / "out"
    text = f"""
import os
from penstock.config.settings import Settings
from penstock.process.hooks import start
hooks = ("putenv:ONE=1", "create:{out}", "exec:exit 3")
settings = Settings(hook_asap=hooks, hook_in_jail=("chdir:{tmp_path}",), hook_pre_app=("putenv:TWO=2",))
start.again(settings, print, False)
assert os.environ["ONE"] == "1" and "TWO" not in os.environ
assert os.getcwd() == {str(tmp_path)!r} and not os.path.exists({str(out)!r})
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_others_than_root_are_told() -> None:
    script = """
import os
from penstock.config.settings import Settings
from penstock.process.hooks.start import pass_over
if os.getuid() == 0:
    os.setuid(65534)
pass_over(Settings(), print)
pass_over(Settings(hook_as_root=("a:b",), exec_as_user=("c",), wait_for_fs=("d",), hook_asap=("e:f",)), print)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert done.stdout.startswith("penstock: wait-for-fs, hook-as-root, exec-as-user: not done, as in uWSGI")


def test_the_end_goes_on_after_a_failure(tmp_path: Path) -> None:
    said: list[str] = []
    settings = Settings(
        hook_as_user_atexit=("exec:exit 3", "print:on"), exec_as_user_atexit=(f"> {tmp_path}/x",)
    )
    start.at_exit(settings, said.append)
    assert "on" in said and (tmp_path / "x").exists()
    start.at_exit(Settings(hook_as_user_atexit=("exit:3", "print:never")), said.append)
    assert "never" not in said


def test_a_signal_cuts_the_end(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    said: list[str] = []
    commands = ("kill -TERM $PPID; sleep 30", f"> {tmp_path}/never")
    start.at_exit(Settings(exec_as_user_atexit=commands), said.append)
    assert said[-1] == "penstock: SIGTERM: the hooks of the end are cut"
    assert not (tmp_path / "never").exists()
    assert signal.getsignal(signal.SIGTERM) is before
