"""Every action of the table that a test may carry out, on real files and real processes."""

import os
import stat
from pathlib import Path
from typing import Protocol

import pytest

from penstock.config.household import hooks
from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.process.hooks.actions import ACTIONS, Exit, HookError, Place, perform


class Do(Protocol):
    def __call__(self, text: str, **settings: object) -> list[str]: ...


@pytest.fixture
def do(tmp_path: Path) -> Do:
    """Carry out a hook in which @ is a folder; what it said."""

    def act(text: str, **settings: object) -> list[str]:
        said: list[str] = []
        settings = {"wait_for_fs_timeout": 0.05, "wait_for_socket_timeout": 0.05, **settings}
        perform(hooks.parse(text.replace("@", str(tmp_path))), Place(Settings(**settings), said.append))
        return said

    return act


def test_the_table_is_uwsgis() -> None:
    assert set(ACTIONS) == set(hooks.CHECKS) - {"rpc", "retryrpc"}


def test_files(do: Do, tmp_path: Path) -> None:
    file = tmp_path / "file"
    steps = [
        ("create:@/file", ""), ("write:@/file one two", "one two"), ("write:@/file 3", "3"),
        ("writen:@/file four", "four\n"), ("append:@/file five", "four\nfive"),
        ("appendn:@/file  six", "four\nfive six\n"), ("appendn:@/file", "four\nfive six\n\n"),
        ("creat:@/file", ""),
    ]  # fmt: skip
    for text, content in steps:
        assert do(text) == []
        assert file.read_text() == content
    do("unlink:@/file")
    assert not file.exists()
    with pytest.raises(FileNotFoundError):
        do("unlink:@/file")


def test_what_is_not_text(do: Do, tmp_path: Path) -> None:
    do("write:@/file \udcff\N{BULLET}")
    assert (tmp_path / "file").read_bytes() == b"\xff" + "\N{BULLET}".encode()


def test_folders_and_modes(do: Do, tmp_path: Path) -> None:
    before = Path.cwd()
    try:
        do("mkdir:@/folder")
        with pytest.raises(FileExistsError):
            do("mkdir:@/folder")
        do("chdir:@/folder")
        assert Path.cwd() == tmp_path / "folder"
        do("cd:@")
        assert Path.cwd() == tmp_path
    finally:
        os.chdir(before)
    do("chmod:@/folder 750")
    do("sticky:@/folder")
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o1750


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_owners(do: Do, tmp_path: Path) -> None:
    do("create:@/file")
    do("chown2:@/file 12345 54321")
    found = (tmp_path / "file").stat()
    assert (found.st_uid, found.st_gid) == (12345, 54321)
    do("chown:@/file root root")
    assert (tmp_path / "file").stat().st_uid == 0


def test_names_that_nobody_has(do: Do) -> None:
    with pytest.raises(HookError, match=r"nosuchuser.*chown2 takes numbers"):
        do("chown:@ nosuchuser root")


def test_commands(do: Do, tmp_path: Path) -> None:
    assert do("exec:echo $A > @/out", env=("A=b",)) == []
    assert (tmp_path / "out").read_text() == "b\n"
    with pytest.raises(HookError, match="exit status 7"):
        do("exec:exit 7")
    with pytest.raises(HookError, match="killed by signal 9"):
        do("exec:kill -9 $$")
    assert do("safeexec:exit 7") == ["penstock: exit 7: exit status 7; safeexec goes on"]


def test_pipes(do: Do, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert do("writefifo:@/pipe lost") == []  # nobody reads it
    reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        do("writefifo:@/pipe one ")
        assert do("spinningfifo:@/pipe two") == [f"penstock: waiting for a reader of {tmp_path}/pipe"]
        assert os.read(reading, 100) == b"one two"
    finally:
        os.close(reading)
    with pytest.raises(FileNotFoundError):
        do("writefifo:@/none one")
    with pytest.raises(IsADirectoryError):
        do("spinningfifo:@ one")


def test_the_environment(do: Do, tmp_path: Path) -> None:
    do("putenv:PENSTOCK_TEST_HOOK=a=b")
    do("exec:echo $PENSTOCK_TEST_HOOK > @/out")
    assert (tmp_path / "out").read_text() == "a=b\n"
    do("putenv:PENSTOCK_TEST_HOOK")
    do("exec:echo ${PENSTOCK_TEST_HOOK-none} > @/out")
    assert (tmp_path / "out").read_text() == "none\n"


def test_lines_and_the_end(do: Do) -> None:
    assert do("print:a line") == do("log:a line") == ["a line"]
    with pytest.raises(Exit) as caught:
        do("exit:7")
    assert caught.value.exit_code == 7


def test_waits(do: Do, tmp_path: Path) -> None:
    for text in ("wait_for_fs:@", "wait_for_dir:@"):
        assert do(text)[-1] == f"penstock: {tmp_path} is there"
    for text in ("wait_for_file:@", "wait_for_fs:@/none", "wait_for_socket:@/none"):
        with pytest.raises(StartError, match="is not there after"):
            do(text)


def test_what_only_a_server_does(do: Do) -> None:
    assert "only a supervisor and its workers raise alarms" in do("alarm:mail full")[0]
    assert "hook-master-start" in do("unix_signal:15 kill_them_all")[0]
    with pytest.raises(HookError, match="only a supervisor"):
        do("call:kill_them_all")


def test_what_a_process_does_its_own_way() -> None:
    heard: list[str] = []
    place = Place(Settings(), lambda text: None, {"alarm": heard.append})
    perform(hooks.parse("alarm:mail it is full"), place)
    assert heard == ["mail it is full"]
