"""The doors of mules: whole messages, none lost while nobody reads, and nobody who waits to write."""

import os
import threading
import time
from collections.abc import Iterator

import pytest

from penstock.process.mules import doors
from penstock.process.mules.doors import ANY, Door, name_of, names_of, open_door, receive, send, tune


@pytest.fixture
def pair() -> Iterator[list[Door]]:
    """The doors of two mules and a farm."""
    made = [open_door(name, 0) for name in names_of(2, ["herd"])]
    yield made
    for door in made:
        doors.close_door(door)


def inside(pair: list[Door], name: str) -> int:
    return next(fd for known, _, fd in pair if known == name)


def test_names() -> None:
    assert [name_of(0), name_of(2), name_of("2")] == [ANY, "mule 2", "farm 2"]
    assert names_of(2, ["a"]) == [ANY, "mule 1", "mule 2", "farm a"]
    assert names_of(0, ["a"]) == []


def test_each_message_arrives_whole_and_at_its_door(pair: list[Door]) -> None:
    said: list[str] = []
    for whom, message in ((1, b"one"), (2, b"two"), ("herd", b"farm"), (0, b"any"), (1, b"x" * 65536)):
        assert send(pair, whom, message, said.append)
    assert receive([inside(pair, "mule 1")], 65536, 0) == b"one"
    assert receive([inside(pair, "mule 1")], 65536, 0) == b"x" * 65536
    others = [inside(pair, name) for name in ("mule 2", ANY, "farm herd")]
    assert [receive(others, 65536, 1) for _ in range(3)] == [b"two", b"any", b"farm"]
    assert receive(others, 65536, 0) is None
    assert said == []


def test_what_is_larger_than_the_reader_takes_is_cut(pair: list[Door]) -> None:
    assert send(pair, 1, b"abcdef", print)
    assert send(pair, 1, b"next", print)
    assert receive([inside(pair, "mule 1")], 3, 0) == b"abc"
    assert receive([inside(pair, "mule 1")], 100, 0) == b"next"


def test_of_a_reader_that_takes_nothing_the_message_is_gone(pair: list[Door]) -> None:
    assert send(pair, 1, b"abcdef", print)
    assert receive([inside(pair, "mule 1")], 0, 0) == b""
    assert receive([inside(pair, "mule 1")], 0, 0) is None
    assert send(pair, 1, b"abcdef", print)
    assert receive([inside(pair, "mule 1")], 10**15, 0) == b"abcdef"


def test_nobody_waits_to_write(pair: list[Door]) -> None:
    said: list[str] = []
    begun, count = time.monotonic(), 0
    while send(pair, 1, b"x" * 1000, said.append):
        count += 1
    assert time.monotonic() - begun < 5
    assert count > 10
    assert "too many messages wait (mule-msg-size)" in said[0]
    assert send(pair, 2, b"another has room", said.append)
    assert not send(pair, 2, b"x" * (8 << 20), said.append)
    assert "8388608 bytes are too many" in said[1]


def test_mule_msg_size_is_how_much_may_wait(pair: list[Door]) -> None:
    large = b"x" * 300_000
    assert not send(pair, 1, large, print)
    tune(pair[1], 1 << 20)
    assert send(pair, 1, large, print) == (limit() >= 1 << 20)
    tune(pair[2], 4096)
    assert not send(pair, 2, b"x" * 60_000, print)
    assert send(pair, 2, b"x" * 3000, print)


def limit() -> int:
    with open("/proc/sys/net/core/wmem_max", encoding="ascii") as file:
        return int(file.read())


@pytest.mark.parametrize(("whom", "said"), [(3, "no mule 3"), ("other", "no farm other"), (-1, "no mule -1")])
def test_whom_there_is_not(pair: list[Door], whom: int | str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        send(pair, whom, b"", print)
    with pytest.raises(ValueError, match="there are no mules"):
        send([], whom, b"", print)


def test_whoever_waits_is_told_of_what_comes(pair: list[Door]) -> None:
    timer = threading.Timer(0.1, lambda: send(pair, 0, b"late", print))
    timer.start()
    assert receive([inside(pair, ANY)], 100) == b"late"
    timer.join()
    begun = time.monotonic()
    assert receive([inside(pair, ANY)], 100, 0.1) is None
    assert 0.09 <= time.monotonic() - begun < 2


def test_two_that_share_a_door_have_each_message_once(pair: list[Door]) -> None:
    found: list[bytes] = []

    def take() -> None:
        while (message := receive([inside(pair, ANY)], 100, 0.3)) is not None:
            found.append(message)

    threads = [threading.Thread(target=take) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(200):
        while not send(pair, 0, b"%d" % number, lambda text: None):
            time.sleep(0.001)
    for thread in threads:
        thread.join(10)
    assert sorted(map(int, found)) == list(range(200))


def test_no_program_inherits_a_door(pair: list[Door]) -> None:
    assert not any(os.get_inheritable(fd) for _, *both in pair for fd in both)
    assert not any(os.get_blocking(fd) for _, *both in pair for fd in both)
