"""The application under a deadline: what of it runs armed, what of ours never does, where it is hit."""

import io
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from penstock.core.errors import Deadline
from penstock.handoff.deadline import Aim
from penstock.handoff.doorway import Doorway
from penstock.handoff.exchange import PASSED, Exchange
from penstock.handoff.inbox import Inbox
from penstock.serve.answer import Answer, Kitchen, make_answer
from penstock.serve.record import Made
from penstock.serve.wsgi.armed import Armed, Blocks
from penstock.serve.wsgi.filewrapper import FileWrapper
from penstock.serve.wsgi.input import NO_BODY
from tests.fakes import FakeLoop
from tests.serve.boxes import ListBox, exchange, manner


class Watched(ListBox):
    """An outbox that notes whether the thread was armed when something of ours ran."""

    def __init__(self, aim: Aim) -> None:
        super().__init__()
        self.aim = aim
        self.left: list[object] = []
        self.armed: list[bool] = []

    def put(self, x: Any, data: bytes, then: int = 0) -> None:
        self.armed.append(bool(self.aim.armed))
        super().put(x, data, then)

    def disconnected(self) -> bool:
        self.armed.append(bool(self.aim.armed))
        return super().disconnected()


class Stream(io.StringIO):
    """``wsgi.errors`` that notes the same."""

    def __init__(self, aim: Aim) -> None:
        super().__init__()
        self.aim = aim
        self.armed: list[bool] = []

    def write(self, text: str, /) -> int:
        self.armed.append(bool(self.aim.armed))
        return super().write(text)


class Thread:
    """One pool thread's answer, with all that it was asked to log."""

    def __init__(self, application: Any, throw: Callable[[int], None] | None = None) -> None:
        self.aim = Aim(throw or (lambda thread: None))
        self.errors: list[str] = []
        self.records: list[Made] = []
        self.stream = Stream(self.aim)
        kitchen = Kitchen(
            application, manner(), self.errors.append, self.errors.append, record=self.records.append,
            early_hints=True,
        )  # fmt: skip
        self.answer: Answer = make_answer(kitchen, [self.aim])

    def exchange(self, **words: Any) -> tuple[Exchange, Watched]:
        box = Watched(self.aim)
        x = exchange(box, **words)
        x.received_at = time.monotonic()
        x.request.vars["wsgi.errors"] = self.stream
        return x, box

    def __call__(self, **words: Any) -> Watched:
        x, box = self.exchange(**words)
        self.answer(x, 0)
        return box


class Result:
    """A result with code of the application's in every place where there can be some."""

    def __init__(self, seen: Callable[[str], None]) -> None:
        self.seen = seen
        self.blocks = iter((b"one", b"two"))

    def __iter__(self) -> Iterator[bytes]:
        self.seen("iter")
        return self

    def __next__(self) -> bytes:
        self.seen("next")
        return next(self.blocks)

    def close(self) -> None:
        self.seen("close")


def streamed(*pieces: bytes) -> Inbox:
    inbox = Inbox(Doorway(FakeLoop()()), lambda: None)
    for piece in pieces:
        inbox.feed(piece)
    inbox.finish()
    return inbox


# ---- What runs armed ----------------------------------------------------------------------------------


def test_every_part_of_the_application_runs_armed_and_nothing_of_ours() -> None:
    seen: list[tuple[str, bool]] = []

    def see(word: str) -> None:
        seen.append((word, bool(thread.aim.armed)))

    def application(environ: dict[str, Any], start_response: Any) -> Result:
        see("called")
        environ["wsgi.early_hints"]([("Link", "</a>; rel=preload")])
        assert [environ["wsgi.input"].readline(), environ["wsgi.input"].read(1)] == [b"a\n", b"b"]
        write = start_response("200 OK", [])
        see("started")
        write(b"zero")
        print("said", file=environ["wsgi.errors"])
        environ["wsgi.errors"].flush()
        assert not environ["penstock.disconnected"]()
        see("returns")
        return Result(see)

    thread = Thread(application)
    box = thread(body=streamed(b"a\nb"))
    words = ["called", "started", "returns", "iter", "next", "next", "next", "close"]
    assert seen == [(word, True) for word in words]
    assert len(box.armed) == 6 and not any(box.armed)
    assert thread.stream.getvalue() == "said\n" and not any(thread.stream.armed)
    assert box.sent.endswith(b"4\r\nzero\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
    assert thread.errors == [] and not thread.aim.armed and thread.aim.x is None


@pytest.mark.parametrize("result", [[b"x"], (b"x",), [], b"x"], ids=repr)
def test_a_result_without_code_is_given_on_as_it_is(result: Any) -> None:
    armed = Armed(lambda environ, start_response: result, Aim(lambda thread: None))
    environ = {"penstock.disconnected": bool, "wsgi.errors": io.StringIO(), "wsgi.input": NO_BODY}
    armed.aim.begin(exchange(ListBox()))
    assert armed(environ, lambda *words: lambda data: None) is result


def test_a_plain_file_goes_out_by_sendfile_and_another_is_read_armed() -> None:
    reads: list[bool] = []

    class Reader(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            reads.append(bool(thread.aim.armed))
            return super().read(size)

    with tempfile.TemporaryFile() as plain:
        plain.write(b"from the file")
        for source, via in ((plain, "sendfile()"), (Reader(b"from the reader"), "")):
            source.seek(0)

            def application(environ: dict[str, Any], start_response: Any, source: Any = source) -> Any:
                start_response("200 OK", [])
                return environ["wsgi.file_wrapper"](source)

            thread = Thread(application)
            x, box = thread.exchange()
            x.request.vars["wsgi.file_wrapper"] = FileWrapper
            thread.answer(x, 0)
            assert thread.records[0][15] == via
            assert b"from the" in box.sent
    assert reads == [True, True]


def test_what_is_no_body_that_streams_is_left_as_it_is() -> None:
    found: list[Any] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        found.append(environ["wsgi.input"])
        start_response("200 OK", [])
        return [b""]

    thread = Thread(application)
    thread()
    thread(body=b"here")
    assert found[0] is NO_BODY and type(found[1]) is io.BytesIO


def test_a_body_that_streams_is_read_in_every_way() -> None:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"]
        assert body.readable()
        buffer = bytearray(3)
        got = [bytes(buffer[: body.readinto(buffer)]), body.read(2), *body.readlines(5), next(body)]
        got += [*body, body.read()]
        start_response("200 OK", [])
        return [repr(got).encode()]

    box = Thread(application)(body=streamed(b"abcde", b"f\ngh\ni\njk"))
    assert box.sent.endswith(repr([b"abc", b"de", b"f\n", b"gh\n", b"i\n", b"jk", b""]).encode())


def test_the_threads_of_the_application_may_call_back_without_being_taken_for_ours() -> None:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        writes: list[Any] = []
        other = threading.Thread(target=lambda: writes.append(start_response("200 OK", [])))
        other.start()
        other.join(5)
        second = threading.Thread(target=writes[0], args=(b"written",))
        second.start()
        second.join(5)
        assert thread.aim.armed
        return []

    thread = Thread(application)
    assert b"written" in thread().sent


def test_a_second_start_raises_in_the_application_which_is_armed_again() -> None:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        with pytest.raises(RuntimeError, match="again"):
            start_response("200 OK", [])
        assert thread.aim.armed
        try:
            raise ValueError("changed its mind")
        except ValueError:
            start_response("500 No", [], sys.exc_info())
        return [b"x"]

    thread = Thread(application)
    assert thread().sent.startswith(b"HTTP/1.1 500 No\r\n")


def test_an_interim_reply_begins_nothing_of_the_reply_itself() -> None:
    begun: list[bool] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        for left in ([], [b"rest"]):
            box.left[:] = left
            environ["wsgi.early_hints"]([("Link", "</a>; rel=preload")])
            begun.append(x.begun)
        environ["wsgi.input"].read()
        return []

    class Box(Watched):
        def put(self, x: Any, data: bytes, then: int = 0) -> None:
            x.begun = True
            super().put(x, data, then)

    thread = Thread(application)
    box = Box(thread.aim)
    x = exchange(box, body=streamed(b"x"))
    x.request.vars["wsgi.errors"] = thread.stream
    x.request.expect = True
    thread.answer(x, 0)
    assert begun == [False, True], "what the client did not take yet must come first"
    assert [data[:12] for data, _ in box.puts[:3]] == [b"HTTP/1.1 103", b"HTTP/1.1 103", b"HTTP/1.1 100"]


# ---- What is logged -----------------------------------------------------------------------------------


def test_a_request_that_the_loop_has_answered_has_one_line_and_no_traceback() -> None:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        x.reclaimed, x.deadline, box.gone = True, PASSED, True
        raise Deadline

    thread = Thread(application)
    x, box = thread.exchange()
    thread.answer(x, 0)
    assert (thread.errors, thread.records, box.abandoned) == ([], [], [False])


def test_a_request_that_was_cut_has_its_line_and_no_traceback() -> None:
    def application(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"first"
        x.deadline = PASSED
        raise ValueError("what a deadline became on its way through a framework")

    thread = Thread(application)
    x, _ = thread.exchange()
    thread.answer(x, 0)
    assert thread.errors == [] and [record[7] for record in thread.records] == [200]


def test_a_deadline_of_the_applications_own_is_an_error_like_others() -> None:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        raise Deadline

    thread = Thread(application)
    assert thread().sent.startswith(b"HTTP/1.1 500 ")
    assert "Deadline from the application" in thread.errors[0]


def test_without_deadlines_nothing_is_put_around_the_application() -> None:
    found: list[Any] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        found.append((environ["penstock.disconnected"], start_response.__self__))
        start_response("200 OK", [])
        return [b""]

    box = ListBox()
    make_answer(Kitchen(application, manner(), print, print))(exchange(box), 0)
    assert found[0][0] is box and type(found[0][1]).__name__ == "Call"


def test_close_is_asked_for_and_not_needed() -> None:
    blocks = Blocks(iter([b"x"]), Aim(lambda thread: None))
    assert list(blocks) == [b"x"]
    blocks.close()
