"""The pipe of one-letter commands: real pipes, a supervisor that remembers."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penstock.core.errors import StartError
from penstock.process.supervisor.commands import Commands
from penstock.process.supervisor.fifo import AT_ONCE, Fifo, made
from tests.process.supervisor.obeying import Obeying, obeying

ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")


@contextmanager
def piped(tmp: Path, *names: str) -> Iterator[tuple[Obeying, Fifo]]:
    with obeying(tmp) as supervisor:
        fifo = Fifo(tuple(str(tmp / name) for name in names), Commands(supervisor))
        fifo.open(supervisor.watch)
        try:
            yield supervisor, fifo
        finally:
            fifo.close()


def write(path: Path, text: str) -> None:
    """As ``echo -n`` does: open, write, close."""
    fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK)  # ENXIO where nobody reads
    try:
        assert os.write(fd, text.encode()) == len(text)
    finally:
        os.close(fd)


def test_each_byte_is_a_command(tmp_path: Path) -> None:
    with piped(tmp_path, "pipe") as (supervisor, _):
        write(tmp_path / "pipe", "p+\nxr")
        supervisor.turn()
        assert supervisor.did == [
            ("pause",), ("resize", 1), ("reload", f"r in {tmp_path}/pipe", "graceful")
        ]  # fmt: skip


def test_a_writer_that_leaves_ends_nothing(tmp_path: Path) -> None:
    with piped(tmp_path, "pipe") as (supervisor, fifo):
        for count in (1, 2, 3):
            write(tmp_path / "pipe", "p")
            supervisor.turn()
            assert len(supervisor.did) == count
        looks = 0

        def heard() -> None:
            nonlocal looks
            looks += 1

        supervisor.watch.add(fifo.fd, heard)
        supervisor.turn(0.1)
        assert looks == 0, "a pipe without a writer is not at its end"


def test_it_is_ours_alone(tmp_path: Path) -> None:
    with piped(tmp_path, "pipe") as (_, fifo):
        found = (tmp_path / "pipe").lstat()
        assert stat.S_ISFIFO(found.st_mode) and found.st_mode & 0o777 == 0o600
        assert not os.get_inheritable(fifo.fd)
        assert fcntl.fcntl(fifo.fd, fcntl.F_GETFL) & os.O_NONBLOCK


def test_an_old_one_is_replaced_with_what_was_in_it(tmp_path: Path) -> None:
    old = made(str(tmp_path / "pipe"))
    write(tmp_path / "pipe", "Q")
    with piped(tmp_path, "pipe") as (supervisor, fifo):
        supervisor.turn()
        assert supervisor.did == []
        assert not os.path.samestat(os.fstat(old), os.fstat(fifo.fd))
    os.close(old)


def test_what_is_no_pipe_stays(tmp_path: Path) -> None:
    path, target = tmp_path / "pipe", tmp_path / "target"
    path.write_text("mine")
    with pytest.raises(StartError, match=rf"^master-fifo {path}: there is something that is no pipe$"):
        made(str(path))
    assert path.read_text() == "mine"
    path.unlink()
    os.mkfifo(target)
    path.symlink_to(target)
    with pytest.raises(StartError, match="no pipe"):
        made(str(path))
    assert path.is_symlink() and target.exists(), "a link is not followed, and not removed"


def test_where_there_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=rf"^master-fifo {tmp_path}/no/pipe: No such file or directory$"):
        made(str(tmp_path / "no" / "pipe"))


def test_without_a_path_there_is_none(tmp_path: Path) -> None:
    with piped(tmp_path) as (supervisor, fifo):
        assert fifo.fd == -1
        assert list(tmp_path.iterdir()) == [supervisor.log]


def test_a_flood_leaves_turns_for_others(tmp_path: Path) -> None:
    with piped(tmp_path, "pipe") as (supervisor, fifo):
        write(tmp_path / "pipe", "p" * (AT_ONCE * 10))
        fifo.heard()
        assert len(supervisor.did) == AT_ONCE
        for _ in range(100):  # a turn ends by the clock, however far the machine came in it
            supervisor.turn()
            if len(supervisor.did) >= AT_ONCE * 10:
                break
        assert len(supervisor.did) == AT_ONCE * 10


# ---- Slots --------------------------------------------------------------------------------------------


def test_only_the_active_one_is_made_and_read(tmp_path: Path) -> None:
    with piped(tmp_path, "zero", "one") as (supervisor, fifo):
        assert not (tmp_path / "one").exists(), "it may be another server's until it is asked for"
        old = fifo.fd
        write(tmp_path / "zero", "1")
        supervisor.turn()
        assert "active master fifo is now " + str(tmp_path / "one") in supervisor.text()
        assert (tmp_path / "zero").exists()
        with pytest.raises(OSError, match="No such device or address"):
            write(tmp_path / "zero", "Q")
        write(tmp_path / "one", "p0")
        supervisor.turn()
        write(tmp_path / "zero", "p")
        supervisor.turn()
        assert supervisor.did == [("pause",), ("pause",)]
        assert fifo.fd != -1 and old != -1


def test_what_is_behind_the_digit_is_done(tmp_path: Path) -> None:
    with piped(tmp_path, "zero", "one") as (supervisor, _):
        write(tmp_path / "zero", "p1p")
        supervisor.turn()
        assert supervisor.did == [("pause",), ("pause",)]


def test_two_servers_with_one_configuration(tmp_path: Path) -> None:
    """What slots are for: the new one takes the name over from the old."""
    with obeying(tmp_path) as old, obeying(tmp_path) as new:
        paths = (str(tmp_path / "new"), str(tmp_path / "running"), str(tmp_path / "leaving"))
        first, second = Fifo(paths, Commands(old)), Fifo(paths, Commands(new))
        first.open(old.watch)
        write(tmp_path / "new", "1")
        old.turn()
        second.open(new.watch)
        write(tmp_path / "running", "p2")
        old.turn()
        assert old.did == [("pause",)], "it still was the old one's"
        write(tmp_path / "new", "1")
        new.turn()
        write(tmp_path / "running", "p")
        write(tmp_path / "leaving", "q")
        old.turn()
        new.turn()
        assert new.did == [("pause",)]
        assert old.did[1:] == [("stop", f"q in {tmp_path}/leaving", False)]
        first.close()
        second.close()


def test_a_slot_that_is_not_there(tmp_path: Path) -> None:
    with piped(tmp_path, "pipe") as (supervisor, _):
        write(tmp_path / "pipe", "7")
        supervisor.turn()
        write(tmp_path / "pipe", "p")
        supervisor.turn()
        assert f"7 in {tmp_path}/pipe: there are 1 pipes, from 0" in supervisor.text()
        assert supervisor.did == [("pause",)]


def test_a_slot_that_cannot_be_had(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    with piped(tmp_path, "pipe", "taken") as (supervisor, _):
        write(tmp_path / "pipe", "1")
        supervisor.turn()
        write(tmp_path / "pipe", "p")
        supervisor.turn()
        assert f"1 in {tmp_path}/pipe: master-fifo {tmp_path}/taken: there is" in supervisor.text()
        assert supervisor.did == [("pause",)]


# ---- The end ------------------------------------------------------------------------------------------


def test_it_stays_where_nobody_asks_for_vacuum(tmp_path: Path) -> None:
    with piped(tmp_path, "pipe") as (_, fifo):
        fifo.close()
        fifo.close()
    assert stat.S_ISFIFO((tmp_path / "pipe").lstat().st_mode)


def test_vacuum_takes_only_what_is_ours(tmp_path: Path) -> None:
    with piped(tmp_path, "pipe") as (_, fifo):
        (tmp_path / "pipe").unlink()
        os.mkfifo(tmp_path / "pipe")
        fifo.close(unlink=True)
        assert (tmp_path / "pipe").exists()
    with piped(tmp_path, "pipe") as (_, fifo):
        fifo.close(unlink=True)
        assert not (tmp_path / "pipe").exists()


@ROOT
def test_a_folder_where_we_may_not_write(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        try:
            os.setuid(54321)
            made(str(tmp_path / "pipe"))
        except StartError:
            os._exit(7)
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
