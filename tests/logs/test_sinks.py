"""Sinks: lines of several processes in one pipe."""

import os
import re
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
