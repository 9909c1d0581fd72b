"""A log that takes what it can, when it can: nobody waits for it, and what is lost is said."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.process.alarms.outlet import MOST, Outlet
from tests.process.programs.keeping import Keeping, keeping

LINE = b"x" * 99 + b"\n"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Keeping]:
    with keeping(tmp_path) as kept:
        yield kept


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    os.close(writing)


def drain(fd: int) -> bytes:
    os.set_blocking(fd, False)
    found = b""
    try:
        while data := os.read(fd, 1 << 16):
            found += data
    except BlockingIOError:
        pass
    return found


def test_a_file(house: Keeping, tmp_path: Path) -> None:
    path = tmp_path / "out"
    with path.open("ab") as file:
        outlet = Outlet(house.watch, file.fileno)
        outlet.write(b"one\n")
        outlet.write(b"two\n")
        assert path.read_bytes() == b"one\ntwo\n"
        outlet.end(0)


def test_a_full_pipe_keeps_nobody_waiting_and_gets_all_in_order(
    house: Keeping, pipe: tuple[int, int]
) -> None:
    reading, writing = pipe
    outlet = Outlet(house.watch, lambda: writing)
    lines = [b"%d %s" % (number, LINE) for number in range(5000)]
    for line in lines:
        outlet.write(line)
    assert outlet.waiting
    assert os.get_blocking(writing), "whoever shares it is not surprised"
    found = b""
    while outlet.waiting:
        found += drain(reading)
        house.rest(0.003)
    found += drain(reading)
    assert found == b"".join(lines)
    assert outlet.size == 0
    outlet.end(0)


def test_what_is_too_much_is_lost_and_said(house: Keeping, pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    outlet = Outlet(house.watch, lambda: writing)
    block = LINE * 1000
    count = MOST // len(block) + 20
    for _ in range(count):
        outlet.write(block)
        assert outlet.size <= MOST
    found = b""
    while outlet.waiting:
        found += drain(reading)
        house.rest(0.003)
    found += drain(reading)
    told = found.splitlines()[-1]
    lost = count * 1000 - found.count(LINE)
    assert lost > 0
    assert told == b"penstock: %d lines of the log could not be written here" % lost
    outlet.write(b"on\n")
    assert drain(reading) == b"on\n"
    outlet.end(0)


def test_a_log_that_nobody_reads_any_more(house: Keeping) -> None:
    reading, writing = os.pipe()
    outlet = Outlet(house.watch, lambda: writing)
    os.close(reading)
    outlet.write(b"one\ntwo\n")
    assert (outlet.lost, outlet.size, list(outlet.waiting)) == (2, 0, [])
    with (house.log.parent / "other").open("ab") as file:
        os.dup2(file.fileno(), writing)
    outlet.write(b"three\n")
    text = (house.log.parent / "other").read_bytes()
    assert text == b"three\npenstock: 2 lines of the log could not be written here\n"
    outlet.end(0)
    os.close(writing)


def test_it_follows_its_descriptor(house: Keeping, pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    other, end = os.pipe()
    numbers = [writing]
    outlet = Outlet(house.watch, lambda: numbers[0])
    outlet.write(b"one\n")
    numbers[0] = end
    outlet.write(b"two\n")
    os.dup2(writing, end)
    outlet.write(b"three\n")
    assert drain(reading) == b"one\nthree\n"
    assert drain(other) == b"two\n"
    outlet.end(0)
    os.close(other)
    os.close(end)


def test_a_socket_that_is_full(house: Keeping) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        outlet = Outlet(house.watch, ours.fileno)
        sent = LINE * 20000
        outlet.write(sent)
        assert outlet.waiting
        theirs.settimeout(0.0)
        found = b""
        while outlet.waiting or len(found) < len(sent):
            try:
                found += theirs.recv(1 << 20)
            except BlockingIOError:
                house.rest(0.003)
        assert found == sent
        outlet.end(0)


def test_the_end_waits_for_a_moment_and_no_longer(house: Keeping, pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    outlet = Outlet(house.watch, lambda: writing)
    outlet.write(LINE * 5000)
    size = outlet.size
    drain(reading)
    outlet.end(0.05)
    assert 0 < outlet.size < size
    assert outlet.own == -1 and outlet.timer is None
