"""wsgi.input in all its kinds: what each read gives, where it ends, and that a cut body is no end."""

import io
import shutil
import threading
from collections.abc import Callable
from typing import Any

import pytest

from penstock.core.errors import BodyError
from penstock.handoff.doorway import Doorway, Marks
from penstock.handoff.inbox import Inbox
from penstock.handoff.spool import temporary
from penstock.serve.wsgi.input import NO_BODY, BodyInput, make_input
from tests.fakes import FakeLoop

TEXT = b"first line\nsecond\n\nlast without end"
CUTS = [1, 2, 3, 5, 7, 11, 100]


def inbox(*pieces: bytes, finish: bool = True, mark: int = 1 << 20) -> Inbox:
    """An inbox that holds ``pieces``."""
    made = Inbox(Doorway(FakeLoop()(), Marks(body_buffer=mark)), lambda: None)
    for piece in pieces:
        made.feed(piece)
    if finish:
        made.finish()
    return made


def streamed(data: bytes, cut: int) -> BodyInput:
    """The input over a body that came in pieces of ``cut`` bytes."""
    return BodyInput(inbox(*(data[at : at + cut] for at in range(0, len(data), cut))))


def gathered(data: bytes, cut: int) -> Any:
    return make_input(data, None)


def stored(data: bytes, cut: int) -> Any:
    file = temporary("")
    file.write(data)
    file.seek(0)
    return make_input(file, None)


Make = Callable[[bytes, int], Any]
KINDS = pytest.mark.parametrize("make", [streamed, gathered, stored], ids=lambda make: str(make.__name__))


# ---- Every kind reads like a file ----------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("size", [1, 2, 6, 10, 17, 1000])
def test_reads_of_any_size_give_the_body(make: Make, cut: int, size: int) -> None:
    with make(TEXT, cut) as body:
        pieces = list(iter(lambda: body.read(size), b""))
        assert b"".join(pieces) == TEXT
        assert {len(piece) for piece in pieces[:-1]} <= {size}, "short only at the end"
        assert body.read(size) == b"" and body.read() == b"", "and at the end it stays"


@KINDS
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("size", [None, -1])
def test_read_without_a_size_gives_the_rest(make: Make, cut: int, size: int | None) -> None:
    with make(TEXT, cut) as body:
        assert body.read(4) == TEXT[:4]
        assert body.read(size) == TEXT[4:]
        assert body.read(size) == b""


@KINDS
@pytest.mark.parametrize("cut", CUTS)
def test_lines(make: Make, cut: int) -> None:
    lines = TEXT.splitlines(keepends=True)
    with make(TEXT, cut) as body:
        assert list(body) == lines
    with make(TEXT, cut) as body:
        assert body.readlines() == lines
    with make(TEXT, cut) as body:
        assert [body.readline() for _ in range(6)] == [*lines, b"", b""]


@KINDS
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("limit", [1, 4, 11, 12, 1000])
def test_a_line_has_at_most_as_many_bytes_as_asked(make: Make, cut: int, limit: int) -> None:
    with make(TEXT, cut) as body, io.BytesIO(TEXT) as like:
        for _ in range(50):
            assert body.readline(limit) == like.readline(limit)


@KINDS
@pytest.mark.parametrize("hint", [None, -1, 1, 10, 12, 1000])
def test_readlines_stops_behind_its_hint(make: Make, hint: int | None) -> None:
    with make(TEXT, 4) as body, io.BytesIO(TEXT) as like:
        assert body.readlines(hint) == like.readlines(hint)
        assert body.read() == like.read()


@KINDS
@pytest.mark.parametrize("cut", CUTS)
def test_reads_and_lines_may_be_mixed(make: Make, cut: int) -> None:
    with make(TEXT, cut) as body:
        assert (body.read(3), body.readline(), body.read(0)) == (b"fir", b"st line\n", b"")
        assert (next(body), body.readline(0)) == (b"second\n", b"")
        assert (body.read(2), body.readlines()) == (b"\nl", [b"ast without end"])


@KINDS
def test_the_library_takes_it_for_a_file(make: Make) -> None:
    target = io.BytesIO()
    with make(TEXT * 500, 900) as body:
        assert body.readable()
        shutil.copyfileobj(body, target)
    assert target.getvalue() == TEXT * 500
    with make(TEXT, 6) as body:
        buffer = bytearray(8)
        count = body.readinto(buffer)
        assert buffer[:count] == TEXT[:count] and count > 0


@KINDS
def test_an_empty_body_ends_at_once(make: Make) -> None:
    with make(b"", 1) as body:
        assert (body.read(), body.read(5), body.readline(), body.readlines(), list(body)) == (
            (b"", b"", b"", [], [])
        )


def test_a_text_wrapper_and_a_buffer_read_a_stream() -> None:
    assert (
        io.TextIOWrapper(io.BufferedReader(streamed("grün\nblau".encode(), 2)), "utf-8").read()
        == "grün\nblau"
    )


def test_no_body_is_one_for_all_and_cannot_be_used_up() -> None:
    assert make_input(None, None) is NO_BODY
    for _ in range(2):
        assert (NO_BODY.read(), NO_BODY.read(9), NO_BODY.readline(), NO_BODY.readlines()) == (
            b"",
            b"",
            b"",
            [],
        )
        assert list(NO_BODY) == [] and NO_BODY.readinto(bytearray(3)) == 0 and NO_BODY.readable()
        NO_BODY.close()


def test_what_is_no_body_is_an_error() -> None:
    with pytest.raises(BodyError, match="str"):
        make_input("text", None)


# ---- A body that is cut ------------------------------------------------------------------------------


READS: list[Callable[[BodyInput], Any]] = [
    lambda body: body.read(),
    lambda body: body.read(100),
    lambda body: body.readline(),
    lambda body: body.readlines(),
    lambda body: list(body),
    lambda body: body.readall(),
    lambda body: [body.readinto(memoryview(bytearray(100))) for _ in range(2)],
]


@pytest.mark.parametrize("read", READS)
def test_every_read_that_meets_the_cut_raises(read: Callable[[BodyInput], Any]) -> None:
    box = inbox(b"some", finish=False)
    box.fail("the client left")
    body = BodyInput(box)
    with pytest.raises(BodyError, match="the client left"):
        read(body)
    with pytest.raises(OSError, match="the client left"):
        body.read(1)


def test_what_came_before_the_cut_can_be_read() -> None:
    box = inbox(b"line\nso", b"me", finish=False)
    box.fail("stalled")
    body = BodyInput(box)
    assert (body.readline(), body.read(4)) == (b"line\n", b"some")
    with pytest.raises(BodyError, match="stalled"):
        body.read(1)


def test_a_buffer_over_it_passes_the_error_on() -> None:
    box = inbox(b"some", finish=False)
    box.fail("stalled")
    with pytest.raises(BodyError, match="stalled"):
        io.BufferedReader(BodyInput(box)).read()


# ---- Waiting, and 100 Continue -------------------------------------------------------------------------


def test_a_read_waits_for_as_much_as_it_asked_for() -> None:
    box = inbox(b"12", finish=False)
    body = BodyInput(box)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(body.read(6)))
    reader.start()
    box.feed(b"34")
    reader.join(0.05)
    assert reader.is_alive()
    box.feed(b"5678")
    reader.join(5)
    assert got == [b"123456"]
    box.finish()
    assert body.read() == b"78"


def test_a_line_needs_no_more_than_its_own_piece() -> None:
    """A line that is here is given although the body goes on: nobody waits for what he did not ask."""
    body = BodyInput(inbox(b"line\nmore", finish=False))
    assert body.readline() == b"line\n"
    assert body.readinto(memoryview(bytearray(100))) == 4


@pytest.mark.parametrize("read", READS)
def test_100_continue_is_asked_for_once_before_the_first_read(read: Callable[[BodyInput], Any]) -> None:
    calls: list[str] = []
    box = inbox(finish=False)

    def begin() -> None:
        calls.append("begin")
        box.feed(b"came after it")
        box.finish()

    body = make_input(box, begin)
    assert isinstance(body, BodyInput)
    assert calls == [], "not before somebody reads"
    assert read(body)
    assert body.read() == b""
    assert calls == ["begin"]


def test_a_body_that_is_not_read_sends_no_100() -> None:
    calls: list[str] = []
    body = make_input(inbox(), lambda: calls.append("begin"))
    assert body.read(0) == b"" and body.readline(0) == b""
    assert isinstance(body, BodyInput)
    body.close()
    assert calls == []


def test_a_100_that_cannot_be_sent_is_the_reader_s_error() -> None:
    def begin() -> None:
        raise ConnectionAbortedError("the client is gone")

    box = inbox(finish=False)
    box.fail("the client left")
    body = BodyInput(box, begin)
    with pytest.raises(ConnectionAbortedError):
        body.read()
    with pytest.raises(BodyError):
        body.read()
