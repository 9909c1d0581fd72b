"""Logs by pipes through a supervisor: whole lines, in order, looked at, and over a change of program."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.logs.setup import Diary
from penstock.logs.sinks import MOST, Sink
from penstock.process.logs.tap import HOLD, LONGEST, LogTap, Stream, opened
from tests.process.programs.keeping import Keeping, keeping
from tests.sinks import file_sink


class Tapped:
    """A stream into a file; ``seen`` what was looked at."""

    def __init__(self, house: Keeping) -> None:
        self.house = house
        self.path = house.log.parent / "tapped"
        self.file = file_sink(str(self.path))
        self.seen: list[bytes] = []
        self.stream = Stream(house.watch, self.file.put, self.seen.append, None)

    def write(self, data: bytes) -> None:
        os.write(self.stream.writing, data)

    def until(self, data: bytes) -> None:
        self.house.until(lambda: self.path.read_bytes() == data)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Keeping]:
    with keeping(tmp_path) as kept:
        yield kept


@pytest.fixture
def tapped(house: Keeping) -> Iterator[Tapped]:
    it = Tapped(house)
    yield it
    it.stream.end()
    it.file.close()


def test_lines_go_on_whole(tapped: Tapped) -> None:
    tapped.write(b"one\ntw")
    tapped.until(b"one\n")
    tapped.write(b"o\nthree\n")
    tapped.until(b"one\ntwo\nthree\n")
    assert b"".join(tapped.seen) == b"one\ntwo\nthree\n"
    assert all(data.endswith(b"\n") for data in tapped.seen)


def test_a_line_without_an_end_is_shown_after_a_while_and_looked_at_whole(tapped: Tapped) -> None:
    tapped.write(b"password: ")
    tapped.until(b"password: ")
    assert tapped.seen == []
    tapped.write(b"secret\nnext\n")
    tapped.until(b"password: secret\nnext\n")
    assert tapped.seen == [b"password: secret\nnext\n"]


def test_a_line_of_a_request_is_one_however_late_its_end(house: Keeping) -> None:
    taken, seen = list[bytes](), list[bytes]()
    stream = Stream(house.watch, taken.append, seen.append, None, printed=False)
    os.write(stream.writing, b"one\nGET /")

    def rest() -> None:
        os.write(stream.writing, b"path\n")

    house.watch.later(2 * HOLD, rest)
    house.until(lambda: len(taken) > 1)
    assert taken == [b"one\n", b"GET /path\n"]
    stream.end()


def test_a_line_that_is_too_long_does_not_fill_the_memory(tapped: Tapped) -> None:
    tapped.write(b"x" * (3 * LONGEST))
    tapped.house.until(lambda: tapped.path.stat().st_size >= 3 * LONGEST - 1)
    assert len(tapped.stream.rest) + len(tapped.stream.shown) <= 2 * LONGEST
    tapped.write(b"\n")
    tapped.until(b"x" * (3 * LONGEST) + b"\n")


def test_what_a_program_prints_and_what_sinks_write_is_in_order(tapped: Tapped) -> None:
    sink = Sink(tapped.stream.quick)
    for number in range(5):
        sink.write(f"sink {number}\n")
        subprocess.run(["/bin/echo", "program", str(number)], stdout=tapped.stream.writing, check=True)
    tapped.until(b"".join(b"sink %d\nprogram %d\n" % (number, number) for number in range(5)))


def test_who_is_not_read_waits_for_nobody_and_goes_on(tapped: Tapped) -> None:
    sink = Sink(tapped.stream.quick)
    assert not os.get_blocking(tapped.stream.quick) and os.get_blocking(tapped.stream.writing)
    begun = time.monotonic()
    count = 0
    while sink.write(f"{count:0999d}\n"):  # megabytes, and nobody reads
        count += 1
    assert time.monotonic() - begun < 3.0
    expected = b"".join(b"%0999d\n" % number for number in range(count))
    expected += b"penstock: 1 line of the log was lost here\n"
    tapped.house.watch.every(0.01, sink.retry)
    tapped.until(expected)
    sink.write("back\n")
    tapped.until(expected + b"back\n")
    sink.close()


def test_the_end_reads_what_is_there(house: Keeping) -> None:
    it = Tapped(house)
    it.write(b"one\nlast words")
    it.stream.end()
    assert it.path.read_bytes() == b"one\nlast words"
    assert it.seen == [b"one\n", b"last words"]
    it.file.close()


def test_the_pipe_is_large_and_nobody_inherits_it() -> None:
    fds = opened()
    try:
        assert not any(os.get_inheritable(fd) for fd in fds)
        assert len({os.fstat(fd).st_ino for fd in fds}) == 1
        os.set_blocking(fds[1], False)
        assert os.write(fds[1], b"x" * (2 * LONGEST)) == 2 * LONGEST
    finally:
        for fd in fds:
            os.close(fd)


# ---- All of a supervisor's ------------------------------------------------------------------------------


def test_one_stream_for_what_leads_to_one_file(house: Keeping, tmp_path: Path) -> None:
    errors, access = file_sink(str(tmp_path / "errors")), file_sink(str(tmp_path / "access"))
    other = Sink(os.dup(errors.fd))
    tap = LogTap(house.watch, Diary(errors, access), lambda data: None)
    assert tap.streams["errors"] is not tap.streams["access"]
    assert tap.lend().errors == (tap.streams["errors"].quick, "")
    assert tap.lend().access == (tap.streams["access"].quick, "")
    assert tap.lend().anew == (tap.streams["errors"].writing, tap.streams["access"].writing)
    assert tap.lend().output == (tap.streams["stdout"].writing, tap.streams["stderr"].writing)
    tap.end()
    both = LogTap(house.watch, Diary(errors, other), lambda data: None)
    assert both.streams["errors"] is both.streams["access"]
    assert both.lend().access == both.lend().errors
    assert both.lend().anew == (both.streams["errors"].writing,)
    # With loggers for all else, requests that have a place of their own do not go their way.
    gathered = both.lend(gathered=True)
    assert gathered.access == (both.streams["requests"].quick, "") != gathered.errors
    both.end()
    one = LogTap(house.watch, Diary(errors, errors), lambda data: None)
    assert one.lend(gathered=True).access == one.lend(gathered=True).errors
    one.end()
    without = LogTap(house.watch, Diary(errors, None), lambda data: None)
    assert without.lend().access is None
    without.end()
    os.close(other.fd)
    for sink in (errors, access):
        sink.close()


def test_the_supervisors_own_lines_come_behind_those_that_are_there(house: Keeping) -> None:
    seen: list[bytes] = []
    tap = LogTap(house.watch, house.diary, seen.append)
    tap.attend(True)
    os.write(tap.streams["errors"].writing, b"a worker's last words\n")
    house.diary.say("it died")
    tap.pass_on("an alarm\n")
    assert house.text() == "a worker's last words\nit died\nan alarm\n"
    assert seen == [b"a worker's last words\n", b"it died\n"]
    tap.attend(False)
    house.diary.say("unseen")
    assert len(seen) == 2
    tap.end()
    house.diary.say("after")
    assert house.text().endswith("unseen\nafter\n")


def test_what_follows_from_a_line_may_say_something(house: Keeping) -> None:
    seen: list[bytes] = []

    def look(data: bytes) -> None:
        seen.append(data)
        if len(seen) == 1:
            house.diary.say("said because of it")

    tap = LogTap(house.watch, house.diary, look)
    tap.attend(True)
    os.write(tap.streams["errors"].writing, b"one\n")
    house.until(lambda: "because" in house.text())
    assert seen == [b"one\n", b"said because of it\n"]
    tap.end()


def test_logs_that_move_are_followed(house: Keeping, tmp_path: Path) -> None:
    tap = LogTap(house.watch, house.diary, lambda data: None)
    os.write(tap.streams["errors"].writing, b"one\n")
    house.until(lambda: house.text() == "one\n")
    house.log.rename(tmp_path / "old")
    house.diary.reopen()
    os.write(tap.streams["errors"].writing, b"two\n")
    house.until(lambda: house.text() == "two\n")
    assert (tmp_path / "old").read_text() == "one\n"
    tap.end()


def test_another_program_goes_on_where_this_one_was(house: Keeping) -> None:
    seen: list[bytes] = []
    tap = LogTap(house.watch, house.diary, seen.append)
    writing, quick = tap.streams["errors"].writing, tap.streams["errors"].quick
    os.write(writing, b"one\nprompt: ")
    house.until(lambda: house.text() == "one\nprompt: ")
    os.write(writing, b"an")
    tap.streams["errors"].read()
    state = tap.state()
    assert sorted(state["fds"]) == sorted(fd for stream in tap.all for fd in stream.fds)
    for stream in tap.all:  # what an exec leaves behind
        house.watch.remove(stream.reading)
        if stream.timer is not None:
            stream.timer.cancel()
    os.write(quick, b"swer\n")
    after = LogTap(house.watch, house.diary, seen.append, state)
    assert after.lend() == tap.lend()
    house.until(lambda: house.text() == "one\nprompt: answer\n")
    assert seen == [b"one\n", b"prompt: answer\n"]
    after.end()


def test_what_waits_for_a_slow_reader_goes_along(house: Keeping) -> None:
    reading, writing = os.pipe()
    diary = Diary(Sink(writing), None)
    tap = LogTap(house.watch, diary, lambda data: None)
    lines = b"".join(b"%099d\n" % number for number in range(3000))
    assert len(lines) < MOST
    tap.pass_on(lines.decode())
    state = tap.state()
    for stream in tap.all:
        house.watch.remove(stream.reading)
    for patient in tap.patients.values():
        patient.end(0.0)
    waiting = diary.error_sink.pending
    diary.error_sink.lose_all()
    diary.error_sink.waiting.clear()
    assert waiting and waiting == state["streams"][0][-1]
    after = LogTap(house.watch, diary, lambda data: None, state)
    os.set_blocking(reading, False)
    found = bytearray()
    while len(found) < len(lines):
        house.rest(0.005)
        try:
            found += os.read(reading, 1 << 16)
        except BlockingIOError:
            pass
    assert found == lines
    after.end()
    os.close(reading)
    os.close(writing)
