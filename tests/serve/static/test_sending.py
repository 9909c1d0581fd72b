"""A file that becomes shorter while it is sent, and a client that leaves."""

import os
from pathlib import Path

import pytest

from penstock.core.errors import Disconnected
from penstock.serve.static.entry import Entry
from penstock.serve.static.ranges import Parts
from penstock.serve.static.sending import send_blocks, send_parts, send_span
from penstock.serve.wsgi.call import Call
from tests.serve.boxes import WARNINGS, ListBox, exchange, manner
from tests.serve.static.asking import LARGE, files_of, find, put


def large(folder: Path) -> Entry:
    put(folder, "big", b"x" * LARGE)
    return find(files_of(folder), "big")


def begun(length: int) -> tuple[Call, ListBox]:
    box = ListBox()
    call = Call(exchange(box), manner())
    call.begin("200 OK", [("Content-Length", str(length))])
    return call, box


def test_a_file_that_is_shorter_than_was_said_ends_the_connection(tmp_path: Path) -> None:
    entry = large(tmp_path)
    fd = entry.open()
    os.truncate(tmp_path / "big", LARGE // 2)
    for parts in (False, True):
        call, box = begun(LARGE)
        if parts:
            send_parts(call, entry, fd, Parts([(0, 5), (LARGE - 5, LARGE)], LARGE, ""), sendfile=False)
        else:
            send_span(call, entry, fd, (0, LARGE), sendfile=False)
        assert box.abandoned == [False] and call.finished
        assert len(WARNINGS) == 1 and "the reply was cut" in WARNINGS[0]
    os.close(fd)


def test_blocks_follow_one_another(tmp_path: Path) -> None:
    entry = large(tmp_path)
    fd = entry.open()
    call, box = begun(LARGE)
    send_blocks(call, fd, (0, LARGE - 1))
    assert not call.finished
    send_blocks(call, fd, (LARGE - 1, LARGE))
    assert call.finished and box.sent.endswith(b"\r\n\r\n" + b"x" * LARGE)
    os.close(fd)


@pytest.mark.parametrize("sendfile", [True, False])
def test_a_client_that_is_gone(tmp_path: Path, sendfile: bool) -> None:
    entry = large(tmp_path)
    fd = entry.open()
    call, box = begun(LARGE)
    box.gone = True
    with pytest.raises(Disconnected):
        send_span(call, entry, fd, (0, LARGE), sendfile)
    call, box = begun(LARGE)
    box.gone = True
    with pytest.raises(Disconnected):
        send_parts(call, entry, fd, Parts([(0, 5), (90, 95)], LARGE, ""), sendfile)
    assert not WARNINGS
    os.close(fd)
