"""Bodies on their way in: to a reading thread, into memory, into a file, and what stops the client."""

import io
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any, BinaryIO

import pytest

from penstock.core.errors import BodyError
from penstock.handoff.doorway import Doorway, Marks
from penstock.handoff.offload import Offload
from penstock.net.body import PENDING, Gathering, Streaming
from tests.fakes import FakeLoop


class Disk:
    """An offload that holds each job until it is told to do it."""

    def __init__(self) -> None:
        self.jobs: list[tuple[Callable[[], Any], Callable[[Any, BaseException | None], None]]] = []

    def submit(self, work: Callable[[], Any], done: Callable[[Any, BaseException | None], None]) -> None:
        self.jobs.append((work, done))

    def turn(self) -> None:
        """Do the first job, and tell its outcome."""
        work, done = self.jobs.pop(0)
        try:
            result = work()
        except OSError as error:
            done(None, error)
        else:
            done(result, None)

    def __call__(self) -> Offload:
        disk: Any = self
        return disk  # type: ignore[no-any-return]  # the fake offers the method that is used


class Gathered:
    """A ``Gathering`` over a ``Disk``, and how often it called ``resume``."""

    def __init__(self, memory: int, folder: str = "") -> None:
        self.disk = Disk()
        self.resumes = 0
        self.body = Gathering(self.disk(), memory, folder, self.resume)

    def resume(self) -> None:
        self.resumes += 1

    def content(self) -> bytes:
        """The whole body, its file closed."""
        found = self.body.body()
        if isinstance(found, bytes):
            return found
        with found:
            return found.read()


# ---- Gathering: memory ------------------------------------------------------------------------------


def test_up_to_the_mark_a_body_stays_in_memory() -> None:
    gathered = Gathered(memory=10)
    body = gathered.body
    assert body.waiting and not body.settled
    assert body.feed(b"01234") and body.feed(b"56789")
    assert body.finish(), "it is where it will stay"
    assert body.settled and not body.waiting
    assert (body.body(), body.total) == (b"0123456789", 10)
    assert gathered.disk.jobs == []
    assert gathered.resumes == 0


def test_an_empty_body_is_no_bytes() -> None:
    body = Gathered(memory=10).body
    assert body.finish()
    assert body.body() == b""


# ---- Gathering: the file ----------------------------------------------------------------------------


def test_beyond_the_mark_all_of_it_goes_to_a_file(tmp_path: Path) -> None:
    gathered = Gathered(10, str(tmp_path))
    body = gathered.body
    assert body.feed(b"0123456789")
    assert body.feed(b"x"), "one small piece for the disk does not stop the client"
    assert len(gathered.disk.jobs) == 1
    assert not body.finish(), "it is not there yet"
    assert not body.settled
    gathered.disk.turn()
    assert gathered.resumes == 1
    assert body.settled
    file = body.body()
    assert isinstance(file, io.FileIO)
    assert list(tmp_path.iterdir()) == [], "the file has no name"
    assert gathered.content() == b"0123456789x"


def test_pieces_that_come_during_a_write_go_in_the_next_one_in_order() -> None:
    gathered = Gathered(memory=0)
    body, disk = gathered.body, gathered.disk
    for piece in (b"one ", b"two ", b"three "):
        assert body.feed(piece)
    assert len(disk.jobs) == 1, "one write at a time"
    disk.turn()
    assert len(disk.jobs) == 1
    body.feed(b"four")
    body.finish()
    disk.turn()
    assert gathered.resumes == 0, "four is still to be written"
    disk.turn()
    assert gathered.resumes == 1
    assert gathered.content() == b"one two three four"


def test_a_slow_disk_stops_the_client_until_there_is_room() -> None:
    gathered = Gathered(memory=0)
    body, disk = gathered.body, gathered.disk
    half = b"h" * (PENDING // 2)
    assert body.feed(b"first"), "this one is being written"
    assert body.feed(half)
    assert not body.feed(half), "as much waits as may"
    assert body.paused and not body.waiting, "it is the disk that must move"
    disk.turn()
    assert gathered.resumes == 1
    assert body.waiting
    body.finish()
    disk.turn()
    assert gathered.resumes == 2
    assert gathered.content() == b"first" + half * 2


def test_the_end_while_a_write_runs_waits_for_it() -> None:
    gathered = Gathered(memory=0)
    gathered.body.feed(b"x")
    assert not gathered.body.finish()
    assert gathered.resumes == 0
    gathered.disk.turn()
    assert gathered.resumes == 1
    assert gathered.content() == b"x"


# ---- Gathering: the disk fails ----------------------------------------------------------------------


def test_a_folder_that_is_missing_is_an_error_that_ends_it(tmp_path: Path) -> None:
    gathered = Gathered(0, str(tmp_path / "missing"))
    gathered.body.feed(b"x")
    gathered.disk.turn()
    assert "missing" in gathered.body.error
    assert gathered.body.settled, "there is nothing more to wait for"
    assert gathered.resumes == 1


@pytest.fixture
def small_disk() -> Iterator[int]:
    """Files of this process may have 4096 bytes: a real error of write()."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    yield 4096
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_is_full_is_an_error_that_ends_it(small_disk: int) -> None:
    gathered = Gathered(memory=0)
    body = gathered.body
    body.feed(b"x" * small_disk)
    gathered.disk.turn()
    assert body.error == ""
    body.feed(b"y")
    gathered.disk.turn()
    assert "too large" in body.error
    assert gathered.resumes == 1
    file = body.file
    assert file is not None
    body.fail("refused with 507")
    assert file.closed
    assert "too large" in body.error, "the first reason is kept"


# ---- Gathering: not wanted any more -----------------------------------------------------------------


def test_a_failed_one_drops_its_memory_and_closes_its_file() -> None:
    gathered = Gathered(memory=0)
    gathered.body.feed(b"x")
    gathered.disk.turn()
    file = gathered.body.file
    assert file is not None and not file.closed
    gathered.body.fail("the client left")
    assert file.closed
    assert gathered.body.pieces == []
    assert gathered.body.settled


def test_one_that_fails_during_a_write_is_closed_after_it_and_nobody_is_called() -> None:
    gathered = Gathered(memory=0)
    made: list[BinaryIO] = []
    gathered.body.feed(b"x")
    gathered.body.feed(b"y")
    work, done = gathered.disk.jobs.pop(0)

    def remember() -> BinaryIO:
        file: BinaryIO = work()
        made.append(file)
        return file

    gathered.disk.jobs.append((remember, done))
    gathered.body.fail("the client left")
    gathered.disk.turn()
    assert made[0].closed
    assert gathered.disk.jobs == [], "the rest is not written"
    assert gathered.resumes == 0


def test_a_real_offload_writes_and_calls_back_on_the_loop() -> None:
    loop = FakeLoop()
    files = Offload(Doorway(loop()), "test", threads=2)
    calls: list[int] = []
    body = Gathering(files, 1000, "", lambda: calls.append(1))
    data = [bytes([number]) * 700 for number in range(50)]
    for piece in data:
        body.feed(piece)
    body.finish()
    until = monotonic() + 5
    while not body.settled and monotonic() < until:
        loop.turn()
        sleep(0.001)
    assert calls and not body.error
    file = body.body()
    assert not isinstance(file, bytes)
    with file:
        assert file.read() == b"".join(data)
    assert files.stop(5)


# ---- Streaming --------------------------------------------------------------------------------------


def streaming(mark: int = 8) -> tuple[Streaming, FakeLoop, list[int]]:
    loop, calls = FakeLoop(), list[int]()
    return Streaming(Doorway(loop(), Marks(body_buffer=mark)), lambda: calls.append(1)), loop, calls


def test_a_stream_passes_pieces_on_as_they_come() -> None:
    body, _, _ = streaming()
    assert body.feed(b"one")
    assert body.inbox.take() == b"one"
    assert body.feed(b"two")
    body.finish()
    assert (body.inbox.take(), body.inbox.take()) == (b"two", b"")
    assert body.total == 6


def test_a_stream_that_is_not_read_stops_the_client_until_it_is() -> None:
    body, loop, calls = streaming(mark=8)
    assert body.feed(b"1234")
    assert body.waiting
    assert not body.feed(b"5678")
    assert not body.waiting, "it is the application that must move"
    body.inbox.take()
    loop.turn()
    assert calls == [1]
    assert body.waiting


def test_a_stream_that_fails_raises_after_what_came() -> None:
    body, _, _ = streaming()
    body.feed(b"some")
    body.fail("the client left")
    assert body.inbox.take() == b"some"
    with pytest.raises(BodyError, match="the client left"):
        body.inbox.take()


def test_an_error_without_words_is_an_error() -> None:
    gathered = Gathered(memory=0)
    gathered.body.feed(b"x")
    gathered.body.finish()
    _, done = gathered.disk.jobs.pop()
    done(None, MemoryError())
    assert gathered.body.error == "MemoryError"


def test_a_failed_write_of_a_failed_body_closes_the_file() -> None:
    gathered = Gathered(memory=0)
    gathered.body.feed(b"x")
    gathered.disk.turn()
    gathered.body.feed(b"y")
    gathered.body.fail("the client left")
    _, done = gathered.disk.jobs.pop()
    done(None, OSError("full"))
    assert gathered.body.file is not None and gathered.body.file.closed
