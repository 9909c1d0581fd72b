"""Sinks: lines of several processes in one pipe."""

import os
import re
import threading
import time
from select import PIPE_BUF

import pytest

from penstock.logs.sinks import Sink, pieces


def test_lines_of_several_processes_in_one_pipe_stay_whole() -> None:
    reading, writing = os.pipe()
    count, lines = 4, 300
    for writer in range(count):
        if os.fork() == 0:
            sink = Sink(writing)
            for _ in range(3):
                sink.write("".join(f"{writer} {'x' * (number % 90)} end\n" for number in range(lines)))
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        found = pipe.read().decode().splitlines()
    for _ in range(count):
        os.wait()
    assert len(found) == count * 3 * lines
    assert all(re.fullmatch(r"\d x* end", line) for line in found)


@pytest.mark.parametrize("sizes", [[10] * 2000, [5000, 3, 9000], [PIPE_BUF - 1, 1, PIPE_BUF], [1], [9000]])
def test_pieces_are_whole_lines(sizes: list[int]) -> None:
    data = b"".join(b"x" * size + b"\n" for size in sizes)
    found = list(pieces(data))
    assert b"".join(found) == data
    assert all(piece.endswith(b"\n") for piece in found)
    assert all(len(piece) <= PIPE_BUF or piece.count(b"\n") == 1 for piece in found)


def test_a_pipe_that_never_waits_is_waited_for_within_bounds() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    sink = Sink(writing)
    while sink.write("x" * 999 + "\n"):
        begun = time.monotonic()
    assert time.monotonic() - begun > 0.9, "somebody may be about to read"
    begun = time.monotonic()
    assert not sink.write("x" * 999 + "\n")
    assert time.monotonic() - begun < 0.5, "once it is lost, the next is tried without a wait"
    os.read(reading, 1 << 16)
    assert sink.write("y\n")
    assert os.read(reading, 1 << 16) == b"y\npenstock: 2 batches of log lines could not be written here\n"
    os.close(reading)
    os.close(writing)


def test_a_pipe_that_never_waits_and_a_slow_reader() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    found = bytearray()

    def read() -> None:
        while data := os.read(reading, 20_000):
            found.extend(data)
            time.sleep(0.002)

    reader = threading.Thread(target=read)
    reader.start()
    lines = [f"{number:099d}\n" for number in range(4000)]
    assert Sink(writing).write("".join(lines))
    os.close(writing)
    reader.join()
    os.close(reading)
    assert found.decode() == "".join(lines)


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
