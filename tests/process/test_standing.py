"""What the process is to the rest of the system: logs that move, pidfiles that go, stdio that comes back.

What needs a process of its own is in ``tests/e2e/test_process.py``.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.config.assemble import from_keywords
from penstock.core.errors import StartError
from penstock.process import diaries
from penstock.process.standing import Standing


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def numbers() -> Iterator[None]:
    """1 and 2 are after the test what they were before."""
    before = [os.fstat(fd) for fd in (1, 2)]
    yield
    assert all(os.path.samestat(os.fstat(fd), was) for fd, was in zip((1, 2), before, strict=True))


def standing(**options: Any) -> Standing:
    settings = from_keywords({"bind": "127.0.0.1:0", **options}, application=True)
    return Standing(settings, diaries.open_diary(settings))


@pytest.mark.usefixtures("numbers")
@pytest.mark.parametrize(("where", "fd"), [("stdout", 1), ("stderr", 2)])
def test_an_access_log_of_its_own_stays_where_it_is(
    where: str, fd: int, capfd: pytest.CaptureFixture[str]
) -> None:
    it = standing(logto="first", access_log=where)
    access = it.diary.access_sink
    assert access is not None and access.fd == fd
    try:
        it.begin()
        os.write(fd, b"printed\n")
        access.write("a request\n")
        kept = access.fd
    finally:
        it.end()
        it.diary.close()
    assert "".join(capfd.readouterr()) == "a request\n"
    assert Path("first").read_text() == "printed\n"
    assert access.fd == fd and kept not in (1, 2)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(kept)


@pytest.mark.usefixtures("numbers")
@pytest.mark.parametrize("first", ["", "first"])
def test_the_log_moves_once_the_rights_are_dropped(first: str) -> None:
    it = standing(logto=first, logto2="second", access_log="auto")
    try:
        it.begin()
        if first:
            it.diary.info("before")
            os.write(1, b"printed before\n")
        it.dropped()
        it.diary.info("after")
        os.write(2, b"printed after\n")
        assert it.diary.access_sink is it.diary.error_sink
        Path("second").rename("third")
        it.reopen()
        it.diary.info("rotated")
        os.write(1, b"printed then\n")
    finally:
        it.end()
        it.diary.close()
    if first:
        lines = Path("first").read_text().splitlines()
        assert lines[0].endswith(" penstock: before") and lines[1:] == ["printed before"]
    lines = Path("third").read_text().splitlines()
    assert lines[0].endswith(" penstock: after") and lines[1:] == ["printed after"]
    lines = Path("second").read_text().splitlines()
    assert lines[0].endswith(" penstock: rotated") and lines[1:] == ["printed then"]


@pytest.mark.usefixtures("numbers")
def test_without_files_nothing_is_taken() -> None:
    it = standing()
    it.begin()
    it.claim()
    it.dropped()
    it.loaded()
    it.started()
    it.serving()
    assert not it.stdio.taken and it.pidfiles == [] and it.parent is None
    it.end()


@pytest.mark.parametrize("vacuum", [True, False])
def test_pidfiles_come_one_by_one_and_go_together(vacuum: bool) -> None:
    options = {name: name for name in ("pidfile", "pidfile2", "safe_pidfile", "safe_pidfile2")}
    it = standing(vacuum=vacuum, **options)
    seen = []
    for step in (it.claim, it.dropped, it.loaded, it.started):
        step()
        seen.append(sorted(os.listdir()))
    assert seen == [["pidfile"], ["pidfile", "pidfile2"], ["pidfile", "pidfile2"], sorted(options)]
    it.failed(1, "why")
    it.end()
    assert sorted(os.listdir()) == ([] if vacuum else sorted(options))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_whose_the_sockets_are() -> None:
    it = standing(uid="54321", gid="54322")
    assert it.owner == ""
    it.claim()
    assert it.owner == "54321:54322"
    assert os.getuid() == 0, "who we shall be, not who we are"


def test_what_cannot_be_written_ends_the_start() -> None:
    with pytest.raises(StartError, match=r"^pidfile .*/no/pid: No such file or directory$"):
        standing(pidfile="no/pid").claim()
    with pytest.raises(StartError, match=r"^cannot open the log no/log: No such file or directory$"):
        standing(logto2="no/log").dropped()
    with pytest.raises(StartError, match=r"^cannot open the log no/log: No such file or directory$"):
        standing(daemonize2="no/log").loaded()
    with pytest.raises(StartError, match=r"^chdir2 no: No such file or directory$"):
        standing(chdir2="no").loaded()


def test_what_goes_along_when_another_penstock_takes_over() -> None:
    Path("lock").touch()
    it = standing(flock="lock")
    it.begin()
    it.number = 4321
    other = standing(pidfile="pid")
    other.claim()
    other.resume(it.state())
    assert other.locks.fds == it.locks.fds and len(it.locks.fds) == 1
    assert (other.number, other.pidfiles[0].number) == (4321, 4321)
    other.pidfiles[0].rewrite()
    assert Path("pid").read_text() == "4321\n"
    it.end()
    other.pidfiles[0].close()
    assert standing().state() == {"fds": [], "number": 0}
