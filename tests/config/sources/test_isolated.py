"""Functions in a child: results, bounds, deaths, and nothing left behind."""

import os
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.config.sources.isolated import Overrun, drain, gather, isolated, start


def test_plain_data_comes_back() -> None:
    value = {"a": [1, 2.5, None, b"\xff", ("x", "\udce9")], "b": "x" * 300_000}
    assert isolated(lambda *words: (words, value), 1, "two") == ((1, "two"), value)


def test_it_runs_elsewhere_and_leaves_no_trace_here() -> None:
    here = os.getpid()
    seen: list[int] = []

    def call() -> int:
        seen.append(1)
        return os.getpid()

    assert isolated(call) != here
    assert not seen


def wait() -> None:
    time.sleep(60)


def spin() -> None:
    while True:
        pass


def swell() -> int:
    return len(bytearray(2 << 30))


def fall() -> None:
    raise LookupError("no such thing: \udce9")


@pytest.mark.parametrize(
    ("call", "seconds", "words"),
    [
        (wait, 0.2, "no end after 0.2 s"),
        (spin, 8.0, "more than 1 s of processor time would be needed"),
        (swell, 8.0, "more than 256 MB of memory would be needed"),
        (fall, 8.0, "LookupError: no such thing: ?"),
        (lambda: object(), 8.0, "ValueError: unmarshallable object"),
        (lambda: b"x" * (65 << 20), 8.0, "more than 64 MB"),
        (lambda: os._exit(0), 8.0, "no result"),
        (lambda: os.kill(os.getpid(), signal.SIGTERM), 8.0, "the reading child died of signal 15"),
    ],
)
def test_what_gives_no_result_says_why(call: Callable[[], object], seconds: float, words: str) -> None:
    begun = time.monotonic()
    with pytest.raises(Overrun) as caught:
        isolated(call, seconds=seconds)
    assert caught.value.message == words
    assert time.monotonic() - begun < 6
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_what_the_child_started_dies_with_it(tmp_path: Path) -> None:
    grown = tmp_path / "grown"

    def call(pipe: int) -> None:
        os.dup2(pipe, 1)
        os.execv("/bin/sh", ["sh", "-c", f"(sleep 1; echo > {grown}) & sleep 30"])

    child = start(call)
    with pytest.raises(Overrun):
        gather(child, 0.3, 10)
    time.sleep(1.2)
    assert not grown.exists()


def test_a_child_that_has_said_all_is_not_waited_for_long() -> None:
    def call(pipe: int) -> None:
        os.write(pipe, b"all")
        os.close(pipe)
        time.sleep(30)

    said, status = gather(start(call), 5, 10)
    assert said == b"all"
    assert os.WTERMSIG(status) == signal.SIGKILL


def test_without_processes_there_is_no_child() -> None:
    """In a child of this test, which may lower its limit and no more raise it."""

    def call() -> str:
        if os.getuid() == 0:
            os.setuid(65534)
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        try:
            isolated(os.getpid)
        except Overrun as overrun:
            return overrun.message
        return "it ran"

    assert isolated(call) == "no child process: Resource temporarily unavailable"


def address_space() -> int:
    return resource.getrlimit(resource.RLIMIT_AS)[0]


def test_a_limit_that_is_lower_stays() -> None:
    ours = isolated(address_space)
    assert isinstance(ours, int)
    lower = ours - (200 << 20)  # another test's threads may end meanwhile: each has 64 MB of addresses

    def call() -> object:
        resource.setrlimit(resource.RLIMIT_AS, (lower, lower))
        return isolated(address_space)

    assert 256 << 20 < ours < 1 << 45
    assert isolated(call) == lower


def test_a_descriptor_is_read_to_its_end() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"abc")
    os.close(writing)
    assert drain(reading, None, 3) == b"abc"
    os.close(reading)


def test_a_descriptor_has_its_bounds() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"abcd")
    with pytest.raises(Overrun, match="more than 0 MB"):
        drain(reading, 1, 3)
    with pytest.raises(Overrun, match=r"no end after 0\.1 s"):
        drain(reading, 0.1, 3)
    os.close(reading)
    os.close(writing)
