"""What a thread does with a request: its environ, its reply, its failures, its line in the log."""

from collections.abc import Callable, Iterator
from time import monotonic, time
from typing import Any

import pytest

from penstock.core.errors import Disconnected
from penstock.core.record import APPLICATION, Record
from penstock.handoff.doorway import Doorway
from penstock.handoff.inbox import Inbox
from penstock.handoff.lease import CLOSE, KEEP
from penstock.handoff.spool import temporary
from penstock.serve.answer import Kitchen, make_answer
from penstock.serve.record import Made, Noting
from penstock.serve.wsgi.input import NO_BODY, BodyInput
from tests.fakes import FakeLoop
from tests.serve.boxes import WARNINGS, ListBox, exchange, manner


class Kitchens:
    """Answers requests with one application, and remembers what was logged."""

    def __init__(self, application: Any, **options: Any) -> None:
        self.errors: list[str] = []
        self.records: list[Made] = []
        self.options = {"record": self.records.append, **options}
        self.answer = make_answer(
            Kitchen(application, manner(), self.errors.append, self.errors.append, **self.options)
        )

    def __call__(
        self, trailers: Any = (), expect: bool = False, variables: Any = (), **request: Any
    ) -> ListBox:
        box = ListBox()
        x = exchange(box, **request)
        x.request.trailers, x.request.expect = list(trailers), expect
        x.request.vars.update(variables)
        x.began_at = x.received_at = x.started_at = monotonic()
        self.answer(x, 3)
        return box


def ok(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("X", "y")])
    return [b"body"]


def body(box: ListBox) -> bytes:
    return box.sent.partition(b"\r\n\r\n")[2]


# ---- The environ ------------------------------------------------------------------------------------


def seen_by(application_of: Callable[[dict[str, Any]], Any] = dict, **request: Any) -> Any:
    """What an application sees of a request: ``application_of(environ)``."""
    found: list[Any] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        found.append(application_of(environ))
        return ok(environ, start_response)

    options = {"early_hints": request.pop("early_hints", False)}
    Kitchens(app, **options)(**request)
    return found[0]


def test_the_input_is_what_the_body_is() -> None:
    assert seen_by()["wsgi.input"] is NO_BODY
    assert seen_by(lambda environ: environ["wsgi.input"].read(), body=b"gathered") == b"gathered"
    inbox = Inbox(Doorway(FakeLoop()()), lambda: None)
    assert isinstance(seen_by(body=inbox)["wsgi.input"], BodyInput)


def test_a_stored_body_is_read_and_closed_after_the_request() -> None:
    file = temporary("")
    file.write(b"stored")
    file.seek(0)
    assert seen_by(lambda environ: environ["wsgi.input"].read(), body=file) == b"stored"
    assert file.closed


def test_a_stored_body_is_closed_although_the_application_fails() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        raise SystemExit(3)

    file = temporary("")
    Kitchens(app)(body=file)
    assert file.closed


def test_100_continue_goes_out_before_the_first_read_and_only_where_it_is_awaited() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [environ["wsgi.input"].read()]

    for expect in (True, False):
        inbox = Inbox(Doorway(FakeLoop()()), lambda: None)
        inbox.feed(b"sent")
        inbox.finish()
        box = Kitchens(app)(body=inbox, expect=expect)
        assert box.sent.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK") == expect
        assert box.sent.endswith(b"sent")


def test_a_body_that_is_read_after_the_head_asks_for_no_100() -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"early"
        yield environ["wsgi.input"].read()

    inbox = Inbox(Doorway(FakeLoop()()), lambda: None)
    inbox.feed(b"late")
    inbox.finish()
    box = Kitchens(app)(body=inbox, expect=True)
    assert b" 100 " not in box.sent and b"late" in box.sent


def test_what_penstock_offers_beyond_pep_3333() -> None:
    environ = seen_by(trailers=[("X-Sum", "1")])
    assert environ["penstock.trailers"] == [("X-Sum", "1")]
    assert environ["penstock.disconnected"]() is False
    assert "penstock.trailers" not in seen_by()


@pytest.mark.parametrize(
    ("early_hints", "request_", "offered"),
    [(True, {}, True), (False, {}, False), (True, {"http11": False}, False), (True, {"http": False}, False)],
)
def test_early_hints_only_by_option_and_to_who_understands_them(
    early_hints: bool, request_: dict[str, Any], offered: bool
) -> None:
    assert ("wsgi.early_hints" in seen_by(early_hints=early_hints, **request_)) == offered


def test_early_hints_go_out_before_the_reply_and_not_after_its_head() -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        environ["wsgi.early_hints"]([("Link", "</x.css>; rel=preload")])
        start_response("200 OK", [])
        yield b"x"
        environ["wsgi.early_hints"]([("Link", "</late.css>")])

    sent = Kitchens(app, early_hints=True)().sent
    assert sent.startswith(
        b"HTTP/1.1 103 Early Hints\r\nLink: </x.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\n"
    )
    assert b"late" not in sent


# ---- The application fails --------------------------------------------------------------------------


class Odd(BaseException):
    """Not even an Exception."""


@pytest.mark.parametrize(
    "error", [ValueError("why"), SystemExit(3), KeyboardInterrupt(), Odd(), GeneratorExit()]
)
def test_whatever_it_raises_is_that_request_s_500(error: BaseException) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("X", "y"), ("Content-Length", "100")])
        raise error

    kitchen = Kitchens(app)
    box = kitchen()
    assert box.sent.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert body(box) == b"Internal Server Error\n" and b"X: y" not in box.sent
    assert box.puts[-1][1] == KEEP, "nothing is wrong with the connection"
    (text,) = kitchen.errors
    assert text.startswith(f"GET /x: {type(error).__name__} from the application\nTraceback")
    assert "raise error" in text, "down to the line"
    assert kitchen.records[0][7] == 500


def test_one_that_cannot_even_be_written_down_is_a_500_too() -> None:
    class Unspeakable(Exception):
        @property
        def __cause__(self) -> BaseException | None:  # type: ignore[override]  # as nobody should
            raise ValueError("do not ask")

    def app(environ: Any, start_response: Any) -> list[bytes]:
        raise Unspeakable

    kitchen = Kitchens(app)
    assert kitchen().sent.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    (text,) = kitchen.errors
    assert "Unspeakable from the application" in text and "in app\n" in text, "and where it was raised"


@pytest.mark.parametrize("bad", ["a\r\nSet-Cookie: x=y", "a\nb", "a\0", "\u2603"])
def test_a_header_that_must_not_be_sent_is_a_500_and_nothing_of_it_leaves(bad: str) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("X-First", "fine"), ("X", bad)])
        return [b"body"]

    kitchen = Kitchens(app)
    box = kitchen()
    assert box.sent.startswith(b"HTTP/1.1 500 ") and body(box) == b"Internal Server Error\n"
    assert b"Set-Cookie" not in box.sent and b"X-First" not in box.sent
    assert "BadReply" in kitchen.errors[0]


def gives(*blocks: Any, headers: Any = (), then: BaseException | None = None) -> Any:
    """An application that gives blocks one by one, and then raises."""

    def app(environ: Any, start_response: Any) -> Iterator[Any]:
        start_response("200 OK", list(headers))
        yield from blocks
        if then is not None:
            raise then

    return app


def test_an_error_in_mid_body_ends_the_connection_without_the_last_chunk() -> None:
    kitchen = Kitchens(gives(b"some", then=ValueError("why")))
    box = kitchen()
    assert body(box) == b"4\r\nsome\r\n"
    assert box.abandoned == [False]
    assert "ValueError" in kitchen.errors[0]


def test_an_error_after_the_whole_reply_is_the_log_s_alone() -> None:
    kitchen = Kitchens(gives(b"some", headers=[("Content-Length", "4")], then=ValueError("why")))
    box = kitchen()
    assert body(box) == b"some" and box.puts[-1][1] == KEEP
    assert box.abandoned == []
    assert "ValueError" in kitchen.errors[0]


@pytest.mark.parametrize("result", [["text"], [7], [b"fine", None], None, 7])
def test_a_body_that_is_not_bytes_is_a_500_or_cut(result: Any) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return result

    kitchen = Kitchens(app)
    box = kitchen()
    assert "TypeError" in kitchen.errors[0]
    assert box.sent.startswith(b"HTTP/1.1 500 ") or box.abandoned == [False]


def test_an_application_that_never_says_its_status_is_a_500() -> None:
    for result in ([], [b"x"], iter([b"x"]), iter([])):
        kitchen = Kitchens(lambda environ, start_response, result=result: result)
        assert kitchen().sent.startswith(b"HTTP/1.1 500 ")
        assert "start_response" in kitchen.errors[0]


def test_a_body_that_was_cut_by_the_client_is_a_400() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        return [environ["wsgi.input"].read()]

    inbox = Inbox(Doorway(FakeLoop()()), lambda: None)
    inbox.fail("the body is malformed")
    kitchen = Kitchens(app)
    box = kitchen(body=inbox)
    assert box.sent.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert box.puts[-1][1] == CLOSE, "what follows is not a request"
    assert kitchen.errors == ["GET /x: the body is malformed"]  # the client's fault: no traceback


def test_a_client_that_left_is_no_error() -> None:
    class Gone(ListBox):
        def put(self, x: Any, data: bytes, then: int = 0) -> None:
            raise Disconnected(0, "gone")

    kitchen, box = Kitchens(ok), Gone()
    kitchen.answer(exchange(box), 0)
    assert kitchen.errors == []
    assert box.abandoned == [False]


def test_a_client_that_leaves_before_its_500_is_only_logged_once() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        box.gone = True
        raise ValueError("why")

    kitchen, box = Kitchens(app), ListBox()
    kitchen.answer(exchange(box), 0)
    assert len(kitchen.errors) == 1
    assert box.abandoned == [False]


@pytest.mark.parametrize(
    ("blocks", "word"), [([b"1"], "before its Content-Length"), ([b"123456"], "longer than")]
)
def test_a_wrong_length_is_warned_of_with_the_request(blocks: list[bytes], word: str) -> None:
    Kitchens(gives(*blocks, headers=[("Content-Length", "4")]))()
    (text,) = WARNINGS
    assert text.startswith("GET /x: ") and word in text


# ---- The log ----------------------------------------------------------------------------------------


def test_a_line_s_fields() -> None:
    kitchen = Kitchens(ok)
    before = time()
    box = kitchen(variables={"REMOTE_ADDR": "192.0.2.7", "REMOTE_USER": "me", "SERVER_PROTOCOL": "HTTP/1.1"})
    (raw,) = kitchen.records
    assert len(raw) == len(Record._fields)
    record = Record(*raw)
    assert before - 1 <= record.started <= time() and 0 <= record.seconds < 5
    assert raw[2:8] == ("192.0.2.7", "me", "GET", "/x", "HTTP/1.1", 200)
    assert (record.header_bytes + record.body_bytes, record.body_bytes) == (len(box.sent), 4)
    assert (record.headers, record.switches, record.core) == (1, 1, 3)
    assert (record.kind, record.faults, record.app, record.logged) == (APPLICATION, 0, 0, True)


@pytest.mark.parametrize(
    ("forwarded", "variables", "address"),
    [
        (False, {}, "10.0.0.1"),
        (False, {"HTTP_X_FORWARDED_FOR": "1.1.1.1"}, "10.0.0.1"),
        (False, {"penstock.client": "192.0.2.7", "HTTP_X_FORWARDED_FOR": "1.1.1.1"}, "192.0.2.7"),
        (True, {"penstock.client": "192.0.2.7", "HTTP_X_FORWARDED_FOR": "1.1.1.1"}, "1.1.1.1"),
        (True, {}, "10.0.0.1"),
    ],
)
def test_whose_address_is_logged(forwarded: bool, variables: dict[str, str], address: str) -> None:
    kitchen = Kitchens(ok, noting=Noting(forwarded=forwarded))
    kitchen(variables={"REMOTE_ADDR": "10.0.0.1", **variables})
    assert kitchen.records[0][2] == address


def test_the_line_says_what_was_asked_whatever_the_application_did_to_the_environ() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        environ.clear()
        return ok(environ, start_response)

    kitchen = Kitchens(app)
    kitchen(variables={"REMOTE_ADDR": "10.0.0.1"})
    assert kitchen.records[0][2:6] == ("10.0.0.1", "", "GET", "/x")


def test_without_a_log_nothing_is_noted() -> None:
    kitchen = Kitchens(ok, record=None)
    assert body(kitchen()) == b"body"
    assert kitchen.records == []
