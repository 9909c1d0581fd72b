"""Sinks: lines of several processes in one pipe."""

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from select import PIPE_BUF

import pytest

from penstock.logs.sinks import LAST, MOST, Sink, connected
from penstock.logs.wires import first_piece
from tests.e2e.surroundings import environment


def test_lines_of_several_processes_in_one_pipe_stay_whole() -> None:
    reading, writing = os.pipe()
    count, lines = 4, 300
    for writer in range(count):
        if os.fork() == 0:
            sink = Sink(writing)
            for _ in range(3):
                sink.write("".join(f"{writer} {'x' * (number % 90)} end\n" for number in range(lines)))
            sink.end(30.0)
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        found = pipe.read().decode().splitlines()
    for _ in range(count):
        os.wait()
    assert len(found) == count * 3 * lines
    assert all(re.fullmatch(r"\d x* end", line) for line in found)


def test_lines_that_a_pipe_breaks_are_broken_into_by_nobody() -> None:
    reading, writing = os.pipe()
    count, lines = 3, 60
    for writer in range(count):
        if os.fork() == 0:
            sink = Sink(writing)
            for number in range(lines):
                sink.write(f"{writer} {'x' * (9000 if number % 2 else 90)} end\n")
            sink.end(30.0)
            os._exit(0)
    os.close(writing)
    found = bytearray()
    while data := os.read(reading, 5000):
        found += data
        time.sleep(0.0005)  # the pipe is full nearly always
    os.close(reading)
    for _ in range(count):
        os.wait()
    assert len(found.splitlines()) == count * lines
    assert all(re.fullmatch(rb"\d (x{90}|x{9000}) end", line) for line in found.splitlines())


def test_who_is_in_the_middle_of_a_line_and_hangs_is_not_waited_for_for_ever(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    hanging, other = Sink(writing), Sink(writing)
    hanging.write("x" * 300_000 + "\n")
    assert hanging.within
    os.read(reading, 100_000)
    other.write("line\n")
    assert other.size, "not into that line"
    assert other.failing
    other.failing -= 2.0
    other.retry()
    assert other.size == 0 and everything(reading) == b"line\n"
    hanging.close()
    other.close()


@pytest.mark.parametrize("sizes", [[10] * 2000, [5000, 3, 9000], [PIPE_BUF - 1, 1, PIPE_BUF], [1], [9000]])
def test_pieces_are_whole_lines(sizes: list[int]) -> None:
    data = b"".join(b"x" * size + b"\n" for size in sizes)
    rest, found = data, list[bytes]()
    while rest:
        found.append(first_piece(rest))
        rest = rest[len(found[-1]) :]
    assert b"".join(found) == data
    assert all(piece.endswith(b"\n") for piece in found)
    assert all(len(piece) <= PIPE_BUF or piece.count(b"\n") == 1 for piece in found)


@pytest.fixture(params=[True, False], ids=["waits", "never waits"])
def pipe(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    os.set_blocking(writing, bool(request.param))
    os.set_blocking(reading, False)
    yield reading, writing
    os.close(reading)
    os.close(writing)


def everything(reading: int) -> bytes:
    found = bytearray()
    with suppress(BlockingIOError):
        while data := os.read(reading, 1 << 16):
            found += data
    return bytes(found)


def fill(sink: Sink, start: int = 0) -> int:
    """Write lines until one is lost; how many were kept."""
    count = 0
    while sink.write(f"{start + count:0999d}\n"):
        count += 1
    return count


def test_a_reader_that_hangs_holds_nobody_up_and_hears_what_it_missed(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    sink = Sink(writing)
    begun = time.monotonic()
    count = fill(sink)
    assert not sink.write(f"lost\nand this {'x' * 999}\n")
    assert time.monotonic() - begun < 1.0
    assert MOST // 1000 <= count <= (MOST + (1 << 16)) // 1000 + 1
    assert sink.dropped == 3
    found = everything(reading)
    sink.retry()
    assert sink.write("kept\n"), "there is room again, in the memory and in the pipe"
    while sink.size:
        found += everything(reading)
        sink.retry()
    found += everything(reading)
    lines = found.decode().splitlines()
    assert lines[:count] == [f"{number:0999d}" for number in range(count)]
    assert lines[count:] == ["penstock: 3 lines of the log were lost here", "kept"]
    sink.close()


def test_a_pipe_that_is_lent_waits_as_before_for_those_who_share_it() -> None:
    reading, writing = os.pipe()
    sink = Sink(writing)
    fill(sink)
    assert os.get_blocking(writing)
    os.close(reading)
    sink.retry()
    assert sink.size == 0, "nobody will read it"
    sink.close()
    os.close(writing)


STRANGE = """
import os
from penstock.logs.sinks import Sink
reading, writing = os.pipe()
os.setuid(54321)
sink = Sink(writing)
while sink.write("x" * 999 + chr(10)):
    pass
print(sink.own, sink.dropped, os.get_blocking(writing))
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can have a pipe that is another user's by then")
def test_a_pipe_that_cannot_be_opened_anew_holds_nobody_up_either() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STRANGE], env=environment(), capture_output=True, text=True, timeout=20
    )
    assert done.stdout == "-1 1 True\n", done.stderr


def test_nobody_waits_for_the_rest_of_a_log_that_is_read_slowly() -> None:
    reading, writing = os.pipe()
    sink = Sink(writing)
    found = bytearray()

    def read() -> None:
        while data := os.read(reading, 20_000):
            found.extend(data)
            time.sleep(0.002)

    reader = threading.Thread(target=read)
    reader.start()
    lines = [f"{number:099d}\n" for number in range(4000)]
    begun = time.monotonic()
    assert sink.write("".join(lines))
    assert time.monotonic() - begun < 0.2
    sink.end(5.0)
    sink.close()
    os.close(writing)
    reader.join()
    os.close(reading)
    assert found.decode() == "".join(lines)


def test_a_service_thread_keeps_up_with_a_reader_that_reads(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    sink = Sink(writing)
    lines = "".join(f"{number:0999d}\n" for number in range(3000))
    sink.write(lines)
    assert sink.size > 2_000_000
    found = bytearray()
    os.set_blocking(reading, True)

    def read() -> None:
        while len(found) < len(lines):
            found.extend(os.read(reading, 1 << 16))

    reader = threading.Thread(target=read)
    reader.start()
    sink.settle(10.0)
    reader.join()
    assert found.decode() == lines and not sink.waiting
    begun = time.monotonic()
    fill(sink)
    sink.settle(0.1)
    assert 0.1 <= time.monotonic() - begun < 1.0, "and no longer where nobody does"
    sink.close()


def test_who_did_not_read_in_the_end_is_not_waited_for_twice(pipe: tuple[int, int]) -> None:
    sink = Sink(pipe[1])
    fill(sink)
    sink.end(0.1)
    begun = time.monotonic()
    sink.end(5.0)
    assert time.monotonic() - begun < 0.1
    sink.close()


def test_the_end_waits_for_a_while_and_no_longer() -> None:
    reading, writing = os.pipe()
    sink = Sink(writing)
    fill(sink)
    begun = time.monotonic()
    sink.end(0.2)
    assert 0.2 <= time.monotonic() - begun < 1.0
    os.close(reading)
    sink.close()
    os.close(writing)


def test_a_full_disk_loses_what_does_not_fit_memory_and_says_so() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    sink = Sink(full)
    count = fill(sink)
    assert count == MOST // 1000
    begun = time.monotonic()
    sink.end()
    assert time.monotonic() - begun < LAST, "nobody waits for a disk"
    reading, writing = os.pipe()
    os.dup2(writing, full)
    os.set_blocking(reading, False)
    found = b""
    while sink.size or sink.waiting:
        sink.retry()
        found += everything(reading)
    assert found.splitlines()[-1] == b"penstock: 1 line of the log was lost here"
    assert found.count(b"\n") == count + 1
    sink.close()
    for fd in (full, reading, writing):
        os.close(fd)


def test_what_nobody_can_read_any_more_is_lost_at_once_and_counted() -> None:
    reading, writing = os.pipe()
    sink = Sink(writing)
    os.close(reading)
    assert not sink.write("one\ntwo\n")
    assert (sink.dropped, sink.size) == (2, 0)
    reading, other = os.pipe()
    os.dup2(other, writing)
    assert sink.write("three\n")
    assert os.read(reading, 999) == b"penstock: 2 lines of the log were lost here\nthree\n"
    sink.close()
    for fd in (reading, writing, other):
        os.close(fd)


def test_a_socket_whose_reader_hangs() -> None:
    here, there = socket.socketpair()
    sink = Sink(here.fileno())
    begun = time.monotonic()
    count = fill(sink)
    assert time.monotonic() - begun < 1.0
    assert count >= MOST // 1000
    there.setblocking(False)
    found = bytearray()
    while sink.waiting:
        with suppress(BlockingIOError):
            found += there.recv(1 << 20)
        sink.retry()
    with suppress(BlockingIOError):
        while data := there.recv(1 << 20):
            found += data
    assert found.count(b"\n") == count + 1
    assert here.getblocking()
    sink.close()
    here.close()
    there.close()


def test_threads_keep_the_order_of_their_own_lines_over_a_pipe_that_fills() -> None:
    reading, writing = os.pipe()
    sink = Sink(writing)
    found = bytearray()

    def write(who: int) -> None:
        for number in range(2000):
            sink.write(f"{who} {number} {'x' * 50}\n")

    writers = [threading.Thread(target=write, args=(who,)) for who in range(4)]
    for writer in writers:
        writer.start()
    os.set_blocking(reading, False)
    while any(writer.is_alive() for writer in writers) or sink.waiting:
        found += everything(reading)
        sink.retry()
    found += everything(reading)
    by_writer: dict[str, list[int]] = {}
    for line in found.decode().splitlines():
        who, number, rest = line.split()
        assert rest == "x" * 50
        by_writer.setdefault(who, []).append(int(number))
    assert by_writer == {str(who): list(range(2000)) for who in range(4)}
    assert sink.dropped == 0
    sink.close()
    os.close(reading)
    os.close(writing)


def test_a_fork_leaves_what_waits_to_its_parent() -> None:
    reading, writing = os.pipe()
    sink = Sink(writing)
    count = fill(sink)
    if (child := os.fork()) == 0:
        os._exit(7 if sink.waiting or sink.size or sink.busy else 0)
    assert os.waitpid(child, 0)[1] == 0
    os.set_blocking(reading, False)
    found = b""
    while sink.waiting:
        found += everything(reading)
        sink.retry()
    assert (found + everything(reading)).count(b"\n") == count + 1
    sink.close()
    os.close(reading)
    os.close(writing)


def test_a_number_that_is_closed_and_given_to_another_is_not_written_to() -> None:
    reading, writing = os.pipe()
    sink = Sink(writing)
    sink.write("one\n")
    assert sink.own >= 0
    theirs, other = os.pipe()
    number = sink.own
    os.dup2(other, number)
    assert sink.write("two\n")
    assert os.read(reading, 99) == b"one\ntwo\n"
    assert sink.own != number
    os.write(number, b"still theirs")
    assert os.read(theirs, 99) == b"still theirs"
    sink.close()
    for fd in (reading, writing, theirs, other, number):
        os.close(fd)


def test_who_wants_to_see_it_first_has_it() -> None:
    reading, writing = os.pipe()
    sink = Sink(writing)
    seen: list[str] = []

    def look(text: str) -> bool:
        seen.append(text)
        return sink.pass_on(f"seen: {text}")

    sink.aside = look
    assert sink.write("one\n")
    sink.aside = None
    assert sink.write("two\n")
    assert (seen, os.read(reading, 99)) == (["one\n"], b"seen: one\ntwo\n")
    os.close(reading)
    os.close(writing)


def test_a_log_server_that_comes_back_has_the_next_line() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind(("127.0.0.1", 0))
        port = there.getsockname()[1]
    sink = Sink(connected("127.0.0.1", port))
    assert sink.write("one\n"), "nobody knows yet that nobody is there"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind(("127.0.0.1", port))
        there.settimeout(5)
        assert sink.write("two\nthree\n")
        assert [there.recv(99) for _ in range(2)] == [b"two\n", b"three\n"]
    assert sink.dropped == 0
    os.close(sink.fd)
