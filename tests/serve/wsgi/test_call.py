"""PEP 3333 as a thread lives it, over an outbox that is a list."""

from collections.abc import Iterator
from typing import Any

import pytest

from penstock.codecs.http1_reply import BadReply
from penstock.handoff.lease import CLOSE, KEEP, MORE
from penstock.serve.wsgi.call import Application, Call
from penstock.serve.wsgi.filewrapper import FileWrapper
from tests.serve.boxes import WARNINGS, ListBox, exchange, manner


def run(application: Any, **request: Any) -> ListBox:
    box = ListBox()
    app: Application = application
    Call(exchange(box, **request), manner()).run(app, {})
    return box


def test_a_list_of_one_block_is_one_send_that_ends_the_reply() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("X", "y")])
        return [b"body"]

    box = run(app)
    ((data, then),) = box.puts
    head, _, body = data.partition(b"\r\n\r\n")
    assert (body, then) == (b"body", KEEP)
    lines = head.split(b"\r\n")
    assert lines[:3] == [b"HTTP/1.1 200 OK", b"X: y", b"Content-Length: 4"]
    assert lines[3].startswith(b"Date: ")
    assert len(lines) == 4


def test_an_empty_block_does_not_send_the_head() -> None:
    seen: list[int] = []
    box = ListBox()

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b""
        seen.append(len(box.puts))
        yield b"x"
        seen.append(len(box.puts))

    Call(exchange(box), manner()).run(app, {})
    assert seen == [0, 1]


def test_an_empty_block_that_is_written_does_not_send_the_head_either() -> None:
    box = ListBox()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        write = start_response("200 OK", [])
        write(b"")
        assert not box.puts
        write(b"x")
        return [b"", b"y"]

    Call(exchange(box), manner()).run(app, {})
    assert len(box.puts) > 1


def test_blocks_are_sent_as_they_come() -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"one"
        yield b"two"

    box = run(app)
    assert [then for _, then in box.puts] == [MORE, MORE, KEEP]
    assert box.puts[0][0].endswith(b"3\r\none\r\n")
    assert box.puts[1][0] == b"3\r\ntwo\r\n"
    assert box.puts[2][0] == b"0\r\n\r\n"


def test_a_declared_length_that_is_reached_ends_the_reply_before_the_iterable() -> None:
    after: list[int] = []
    box = ListBox()

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Length", "6")])
        yield b"one"
        yield b"two"
        after.append(box.puts[-1][1])

    Call(exchange(box), manner()).run(app, {})
    assert after == [KEEP], "the lease was given back with the last byte"
    assert len(box.puts) == 2


def test_draining_and_old_clients_close() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"x"]

    assert run(app, keep=False).puts[0][1] == CLOSE
    assert b"Connection: close\r\n" in run(app, keep=False).sent
    box = ListBox()
    box.draining = True
    Call(exchange(box), manner()).run(app, {})
    assert box.puts[0][1] == CLOSE


def test_a_uwsgi_reply_has_no_date_no_connection_and_closes() -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"x"

    box = run(app, http=False)
    assert box.sent == b"HTTP/1.1 200 OK\r\n\r\nx"
    assert box.puts[-1] == (b"", CLOSE)


def test_close_is_called_after_the_last_send() -> None:
    order: list[str] = []
    box = ListBox()

    class Result:
        def __iter__(self) -> Iterator[bytes]:
            yield b"x"

        def close(self) -> None:
            order.append(f"closed after {box.puts[-1][1]}")

    def app(environ: Any, start_response: Any) -> Result:
        start_response("200 OK", [("Content-Length", "1")])
        return Result()

    Call(exchange(box), manner()).run(app, {})
    assert order == [f"closed after {KEEP}"]


def test_start_response_by_its_rules() -> None:
    call = Call(exchange(ListBox()), manner())
    with pytest.raises(RuntimeError, match="before start_response"):
        call.write(b"x")
    call.start_response("200 OK", [])
    with pytest.raises(RuntimeError, match="again without exc_info"):
        call.start_response("200 OK", [])
    with pytest.raises(TypeError):
        call.write("text")
    with pytest.raises(BadReply):
        call.start_response("nonsense", [], (ValueError, ValueError("x"), None))


def test_exc_info_after_the_head_raises_it_again() -> None:
    call = Call(exchange(ListBox()), manner())
    write = call.start_response("200 OK", [])
    write(b"sent")
    error = ValueError("late")
    with pytest.raises(ValueError, match="late"):
        call.start_response("500 Late", [], (ValueError, error, None))


def test_bytes_instead_of_an_iterable_are_sent_whole_with_a_warning() -> None:
    def app(environ: Any, start_response: Any) -> bytes:
        start_response("200 OK", [])
        return b"whole"

    assert run(app).sent.endswith(b"\r\n\r\nwhole")
    assert "returned bytes" in WARNINGS[0]


def test_a_wrapped_file_is_sent_from_where_it_stands(tmp_path: Any) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")

    def app(environ: Any, start_response: Any) -> FileWrapper:
        start_response("200 OK", [])
        file = path.open("rb")
        file.seek(4)
        return FileWrapper(file)

    box = run(app)
    assert b"Content-Length: 6\r\n" in box.sent
    assert box.puts[-1] == (b"456789", KEEP)


def test_a_file_that_is_none_is_iterated() -> None:
    import io

    def app(environ: Any, start_response: Any) -> FileWrapper:
        start_response("200 OK", [])
        return FileWrapper(io.BytesIO(b"abc"), 2)

    assert b"2\r\nab\r\n" in run(app).sent


def test_a_compressed_file_is_not_sent_as_it_lies_on_disk(tmp_path: Any) -> None:
    import gzip

    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(b"plain"))

    def app(environ: Any, start_response: Any) -> FileWrapper:
        start_response("200 OK", [])
        return FileWrapper(gzip.open(path))

    assert b"5\r\nplain\r\n" in run(app).sent
