"""Logs of a process whose supervisor opens them: rotated, moved, or read by the supervisor itself."""

import os
import signal
import traceback
from collections.abc import Callable
from pathlib import Path

from penstock.logs.setup import Diary
from penstock.logs.sinks import Sink
from penstock.process.diaries import direct
from penstock.process.reopening import follow
from tests.sinks import file_sink


def in_child(what: Callable[[], None]) -> None:
    """Standard output and error are changed by it: in a process of its own."""
    pid = os.fork()
    if not pid:
        signal.alarm(10)
        try:
            what()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0


def test_rotated_logs_are_taken_from_the_supervisor(tmp_path: Path) -> None:
    errors, access = file_sink(str(tmp_path / "errors")), file_sink(str(tmp_path / "access"))
    diary = Diary(errors, access)
    new = [os.open(tmp_path / name, os.O_WRONLY | os.O_CREAT) for name in ("errors2", "access2")]
    follow(diary, {"do": "reopen"}, new)
    errors.write("e\n")
    access.write("a\n")
    assert [(tmp_path / name).read_text() for name in ("errors", "errors2", "access2")] == ["", "e\n", "a\n"]
    for fd in new:
        os.close(fd)
    diary.close()


def test_one_that_is_lent_stays(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with (tmp_path / "new").open("ab") as file:
        diary = Diary(Sink(writing), None)
        follow(diary, {"do": "reopen", "leave": ""}, [file.fileno()])
        diary.say("x")
    assert os.read(reading, 99) == b"x\n"
    os.close(reading)
    os.close(writing)


def test_the_terminal_is_left(tmp_path: Path) -> None:
    def child() -> None:
        with (tmp_path / "log").open("ab") as file:
            diary = Diary(Sink(2), None)
            follow(diary, {"do": "reopen", "leave": str(tmp_path / "log")}, [file.fileno()])
        diary.say("said")
        os.write(1, b"printed\n")
        assert diary.error_sink.path == str(tmp_path / "log")
        assert os.read(0, 1) == b""

    in_child(child)
    assert (tmp_path / "log").read_text() == "said\nprinted\n"


def test_the_terminal_is_left_and_the_pipe_to_the_supervisor_stays(tmp_path: Path) -> None:
    reading, quick = os.pipe()

    def child() -> None:
        diary = Diary(Sink(quick), None)
        with (tmp_path / "log").open("ab") as file:
            follow(diary, {"do": "reopen", "leave": str(tmp_path / "log")}, [file.fileno()])
        diary.say("said")
        assert diary.error_sink.path == "", "no rotation takes it away"

    in_child(child)
    assert os.read(reading, 99) == b"said\n"
    os.close(reading)
    os.close(quick)


def test_what_others_are_given_without_pipes(tmp_path: Path) -> None:
    one = file_sink(str(tmp_path / "one"))
    lent = direct(Diary(one, None))
    assert (lent.errors, lent.access, lent.output, lent.anew) == ((one.fd, one.path), None, (), (one.fd,))
    assert direct(Diary(one, one)).anew == (one.fd,)
    both = direct(Diary(one, Sink(1)))
    assert (both.access, both.anew) == ((1, ""), (one.fd, 1))
    one.close()
