"""wsgi.file_wrapper: an iterable for every file-like object, a descriptor only for its own bytes."""

import bz2
import gzip
import io
import lzma
import os
import socket
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.handoff.lease import KEEP, MORE
from penstock.serve.send import Reply
from penstock.serve.wsgi.filewrapper import BLOCK, FileWrapper
from tests.serve.boxes import ListBox, exchange, manner

DATA = b"0123456789" * 10


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "file"
    made.write_bytes(DATA)
    return made


# ---- Iterating --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "count"), [(30, 4), (100, 1), (1000, 1), (1, 100)])
def test_it_gives_blocks_of_its_size(size: int, count: int) -> None:
    blocks = list(FileWrapper(io.BytesIO(DATA), size))
    assert len(blocks) == count
    assert b"".join(blocks) == DATA


def test_its_size_may_be_left_out() -> None:
    data = b"x" * (BLOCK + 1)
    assert [len(block) for block in FileWrapper(io.BytesIO(data))] == [BLOCK, 1]


def test_it_reads_no_further_than_it_is_asked() -> None:
    file = io.BytesIO(DATA)
    wrapper = FileWrapper(file, 10)
    assert next(iter(wrapper)) == DATA[:10]
    assert file.tell() == 10


def test_close_is_the_file_s() -> None:
    file = io.BytesIO(DATA)
    FileWrapper(file).close()
    assert file.closed


def test_what_cannot_be_closed_has_no_close() -> None:
    class Reader:
        """All that PEP 3333 asks of a file-like object."""

        def read(self, size: int) -> bytes:
            return b""

    wrapper = FileWrapper(Reader())
    assert not hasattr(wrapper, "close")
    assert list(wrapper) == []
    assert wrapper.regular() is None


# ---- A real file ------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [0, 40, 100])
def test_a_real_file_goes_out_from_where_it_stands(path: Path, start: int) -> None:
    for buffering in (-1, 0):
        with path.open("rb", buffering=buffering) as file:
            file.seek(start)
            assert FileWrapper(file).regular() == (file.fileno(), start, 100 - start)


def test_what_was_read_already_is_not_sent_again(path: Path) -> None:
    """The buffer has read ahead: the place that counts is the object's, not the descriptor's."""
    with path.open("rb") as file:
        file.read(3)
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 100
        assert FileWrapper(file).regular() == (file.fileno(), 3, 97)


def test_a_place_behind_the_end_is_nothing_to_send(path: Path) -> None:
    with path.open("rb") as file:
        file.seek(500)
        assert FileWrapper(file).regular() == (file.fileno(), 500, 0)


@pytest.mark.parametrize("make", [tempfile.TemporaryFile, tempfile.NamedTemporaryFile])
def test_temporary_files_are_real(make: Callable[[], Any]) -> None:
    with make() as file:
        file.write(DATA)
        file.seek(10)
        assert FileWrapper(file).regular() == (file.fileno(), 10, 90)


def test_a_django_file_is_looked_through(path: Path) -> None:
    from django.core.files import File

    with path.open("rb") as file:
        assert FileWrapper(File(file)).regular() == (file.fileno(), 0, 100)


# ---- What only looks like one -------------------------------------------------------------------------


class Reversing:
    """Lends the descriptor of a file whose bytes it changes."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("rb")
        self.fileno, self.tell, self.close = self.file.fileno, self.file.tell, self.file.close

    def read(self, size: int) -> bytes:
        return self.file.read(size)[::-1]


class Cutting(io.FileIO):
    """A file of ours by inheritance, whose read() gives something else."""

    def read(self, size: int | None = -1, /) -> bytes:
        return b""


LIARS: list[Callable[[Path], Any]] = [
    gzip.open,
    bz2.open,
    Reversing,
    Cutting,
    lambda path: path.open("r"),
    lambda path: io.BytesIO(path.read_bytes()),
    lambda path: tempfile.SpooledTemporaryFile(),
]


@pytest.mark.parametrize("make", LIARS)
def test_bytes_that_are_not_the_descriptor_s_are_iterated(path: Path, make: Callable[[Path], Any]) -> None:
    file = make(path)
    assert FileWrapper(file).regular() is None
    file.close()


def test_a_member_of_an_archive_is_iterated(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z", "w") as archive:
        archive.writestr("member", DATA)
    with zipfile.ZipFile(tmp_path / "z") as archive, archive.open("member") as member:
        wrapper = FileWrapper(member, 1000)
        assert wrapper.regular() is None
        assert b"".join(wrapper) == DATA


def test_pipes_sockets_and_devices_have_no_length() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    ours, theirs = socket.socketpair()
    with os.fdopen(reading, "rb") as pipe, ours, theirs, ours.makefile("rb") as made:
        assert FileWrapper(pipe).regular() is None
        assert FileWrapper(made).regular() is None
    with open(os.devnull, "rb") as device:
        assert FileWrapper(device).regular() is None


def test_a_closed_file_and_odd_numbers_are_not_asked_further(path: Path) -> None:
    file = path.open("rb")
    file.close()
    assert FileWrapper(file).regular() is None

    class Odd:
        def fileno(self) -> int:
            return -1

        def tell(self) -> str:
            return "?"

    assert FileWrapper(Odd()).regular() is None


# ---- How far it goes out ------------------------------------------------------------------------------


def sent_from(path: Path, offset: int, length: str | None = None, **request: Any) -> tuple[Reply, ListBox]:
    """A reply of the file's bytes from ``offset``, with a Content-Length of the application's own."""
    box = ListBox()
    reply = Reply(exchange(box, **request), manner())
    reply.begin("200 OK", [] if length is None else [("Content-Length", length)])
    with path.open("rb") as file:
        reply.file(file.fileno(), offset, len(DATA) - offset)
    return reply, box


@pytest.mark.parametrize(
    ("length", "sent", "overrun"), [(None, 6, 0), ("6", 6, 0), ("4", 4, 2), ("0", 0, 6), ("9", 6, 0)]
)
def test_it_is_sent_as_far_as_was_declared(path: Path, length: str | None, sent: int, overrun: int) -> None:
    reply, box = sent_from(path, 94, length)
    head, _, body = box.sent.partition(b"\r\n\r\n")
    assert body == DATA[94 : 94 + sent]
    assert b"Content-Length: %d" % int(length or 6) in head
    assert (reply.overrun, reply.body_sent) == (overrun, sent)
    short = length == "9"
    assert [then for _, then in box.puts] == [MORE, MORE if short else KEEP]
    assert reply.end() != short, "fewer bytes than declared end the connection"
    assert box.abandoned == ([False] if short else [])


def test_head_of_a_file_and_an_empty_file_are_heads_alone(path: Path) -> None:
    for offset, request, length in ((0, {"head": True}, 100), (100, {}, 0)):
        _, box = sent_from(path, offset, None, **request)
        ((data, then),) = box.puts
        assert data.endswith(b"\r\n\r\n") and then == KEEP
        assert b"\r\nContent-Length: %d\r\n" % length in data


def test_an_empty_file_with_a_length_ends_the_connection(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    box = ListBox()
    reply = Reply(exchange(box), manner())
    reply.begin("200 OK", [("Content-Length", "5")])
    with (tmp_path / "f").open("rb") as file:
        reply.file(file.fileno(), 0, 0)
    assert not reply.end()
    assert box.abandoned == [False] and {then for _, then in box.puts} == {0}


@pytest.mark.parametrize("module", [bz2, lzma])
def test_a_buffer_over_a_decompressor_is_iterated(tmp_path: Path, module: Any) -> None:
    (tmp_path / "f").write_bytes(module.compress(b"plain"))
    with io.BufferedReader(module.open(tmp_path / "f")) as file:
        assert FileWrapper(file).regular() is None
