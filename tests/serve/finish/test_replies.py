"""Who replies in the end: the application, rules in its place, or a page of the server's own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.serve.finish.call import FinishedCall
from penstock.serve.finish.finish import Finish
from penstock.serve.finish.pages import Pages
from penstock.serve.wsgi.loader import no_application
from penstock.serve.wsgi.mounts import Mounts
from tests.serve.boxes import WARNINGS
from tests.serve.finish.transforming import Each, Kept, app, ask, made, received, replying, ways

# ---- Rules ------------------------------------------------------------------------------------------


def test_response_rules_are_asked_once_a_reply_whatever_way_it_goes_out() -> None:
    for body in ways(b"12345"):
        finish = Finish(respond=lambda call: call.pairs.append(("Asked", str(call.status_code))))
        found = ask(finish, app(body=body))
        assert (found.headers["asked"], found.body) == ("200", b"12345")


def test_a_response_rule_that_replies_is_who_replies() -> None:
    for body in ways(b"12345"):
        found = ask(Finish(respond=replying), app(("Content-Length", "5"), body=body))
        assert (found.status, found.body, found.headers["location"]) == (302, b"moved", "/there")
        assert WARNINGS == [], "nobody is told of a body that nobody waits for"


def test_a_response_rule_may_reply_in_blocks_and_leave_the_end_to_us() -> None:
    def respond(call: FinishedCall) -> None:
        call.begin("200 OK", [])
        call.block(b"ab")
        call.block(b"cd")

    for body in ways(b"12345"):
        assert ask(Finish(respond=respond), app(body=body)).body == b"abcd"


def test_a_response_rule_that_begins_another_reply_has_that_one_sent() -> None:
    def respond(call: FinishedCall) -> None:
        call.begin("404 Not Found", [("New", "1")])

    found = ask(Finish(respond=respond), app(("Old", "1")))
    assert (found.status, found.body, "old" in found.headers) == (404, b"body", False)


def test_a_rule_that_fails_is_not_asked_about_the_apology() -> None:
    def respond(call: FinishedCall) -> None:
        raise LookupError("rule")

    call, box = made(Finish(respond=respond))
    with pytest.raises(LookupError):
        call.run(app(), call.environ)
    call.apologise("500 Internal Server Error")
    found = received(box)
    assert (found.status, found.body) == (500, b"Internal Server Error\n")


def test_what_response_rules_added_is_for_that_reply_alone() -> None:
    """A reply that is begun anew, before anything of it went out, meets the rules anew."""
    each = Kept()

    def respond(call: FinishedCall) -> None:
        call.touches.added.append(("Status", str(call.status_code)))
        call.touches.transformations.append(each)

    def application(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"kept back"
        try:
            raise LookupError
        except LookupError as error:
            start_response("500 Oops", [], (type(error), error, error.__traceback__))
        yield b"sorry"

    call, box = made(Finish(respond=respond))
    call.touches.added.append(("Always", "1"))
    call.run(application, call.environ)
    found = received(box)
    assert (found.status, found.body) == (500, b"sorry")
    assert (found.headers["status"], found.headers["always"]) == ("500", "1")
    assert each.said == ["start", "failed", "start", "finish"]


def test_a_second_reply_behind_a_rule_s_whole_one_is_dropped_without_a_word() -> None:
    """``static-next:`` and its like reply and go on to the application."""
    call, box = made()
    replying(call)
    call.run(app(body=(b"much longer than that",)), call.environ)
    assert (received(box).status, call.code, WARNINGS) == (302, 302, [])


def test_what_a_rule_sent_first_is_followed_by_the_application_s_body() -> None:
    """``send:`` gives a block and goes on, as in uWSGI."""
    call, box = made()
    call.begin("200 OK", [])
    call.block(b"before, ")
    call.run(app(("X", "lost"), status="404 Not Found", body=(b"after",)), call.environ)
    found = received(box)
    assert (found.status, found.body, "x" in found.headers, call.code) == (200, b"before, after", False, 200)


# ---- Pages ------------------------------------------------------------------------------------------


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    (tmp_path / "404.html").write_text("<h1>lost</h1>")
    (tmp_path / "500.html").write_text("<h1>sorry</h1>")
    return Pages({404: [str(tmp_path / "404.html")], 500: [str(tmp_path / "500.html")]})


@pytest.mark.parametrize(
    ("code", "text"),
    [(403, "Forbidden"), (404, "Not Found"), (500, "Internal Server Error"), (499, "Unknown")],
)
def test_the_server_s_own_page_is_a_line_of_text(code: int, text: str) -> None:
    call, box = made()
    call.page(code)
    found = received(box)
    assert (found.status, found.body, found.headers["content-type"]) == (code, text.encode(), "text/plain")


def test_or_a_file(pages: Pages) -> None:
    for head in (False, True):
        call, box = made(Finish(pages=pages), head=head)
        call.page(404)
        found = received(box, head=head)
        assert found.body == (b"" if head else b"<h1>lost</h1>")
        assert (found.headers["content-type"], found.headers["content-length"]) == ("text/html", "13")


def test_or_what_error_rules_reply(pages: Pages) -> None:
    def erred(call: FinishedCall, code: int) -> bool:
        assert call.status_code == code
        if code == 404:
            call.page(code)  # a rule's own ``return:404`` must not come back here
        elif code == 403:
            replying(call)
        return code != 500

    for code, status, body in (
        (404, 404, b"<h1>lost</h1>"),
        (403, 302, b"moved"),
        (500, 500, b"<h1>sorry</h1>"),
    ):
        call, box = made(Finish(pages=pages, erred=erred))
        call.page(code)
        assert received(box)[::2] == (status, body)


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found"])
def test_error_rules_are_asked_about_every_reply(status: str) -> None:
    """As uWSGI does, for whom each status line is an occasion."""
    asked: list[int] = []

    def erred(call: FinishedCall, code: int) -> bool:
        asked.append(code)
        call.touches.added.append(("E", str(code)))
        if code == 404:
            call.begin("302 Found", [("Location", "/lost")])
            call.whole(b"moved")
        return code == 404

    for body in ways(b"12345"):
        asked.clear()
        found = ask(Finish(erred=erred), app(("X", "app"), status=status, body=body))
        assert asked == [int(status[:3])] and found.headers["e"] == status[:3], "not about their own"
        assert (found.status, found.body) == ((200, b"12345") if status[0] == "2" else (302, b"moved"))
        assert ("x" in found.headers) == (status[0] == "2")


def test_error_rules_meet_the_reply_before_response_rules_do() -> None:
    order: list[str] = []

    def erred(call: FinishedCall, code: int) -> bool:
        order.append("error")
        return False

    assert ask(Finish(erred=erred, respond=lambda call: order.append("response")), app()).status == 200
    assert order == ["error", "response"]


def test_error_rules_that_fail_are_not_asked_about_the_apology() -> None:
    def erred(call: FinishedCall, code: int) -> bool:
        raise LookupError("rule")

    call, box = made(Finish(erred=erred))
    with pytest.raises(LookupError):
        call.run(app(), call.environ)
    call.apologise("500 Internal Server Error")
    assert received(box).status == 500


def test_error_rules_that_end_it_and_send_nothing_end_the_connection() -> None:
    call, box = made(Finish(erred=lambda call, code: True))
    call.page(404)
    assert box.abandoned == [False] and not box.puts and call.finished


def test_a_page_is_too_late_behind_a_head() -> None:
    call, box = made()
    call.begin("200 OK", [])
    call.block(b"x")
    call.page(500)
    assert box.abandoned == [False] and call.finished
    call.page(500)
    assert box.abandoned == [False]


def test_the_application_s_own_pages_are_left_alone_unless_they_are_asked_for(pages: Pages) -> None:
    headers = [("Content-Type", "text/x"), ("Content-Length", "4"), ("ETag", '"x"'), ("Set-Cookie", "a=1")]
    own = app(*headers, status="404 Lost")
    assert ask(Finish(pages=pages), own).body == b"body"
    for body in ways(b"body"):
        for intercepted in (app(*headers, status="404 Lost", body=body),):
            found = ask(Finish(pages=pages, intercept=True), intercepted)
            assert (found.status, found.body) == (404, b"<h1>lost</h1>")
            assert (found.headers["content-type"], found.headers["set-cookie"]) == ("text/html", "a=1")
            assert "etag" not in found.headers and WARNINGS == []
    other = ask(Finish(pages=pages, intercept=True), app(status="403 Forbidden"))
    assert (other.status, other.body) == (403, b"body")


def test_an_intercepted_page_meets_rules_and_transformations(pages: Pages) -> None:
    call, box = made(
        Finish(
            pages=pages, intercept=True, respond=lambda call: call.pairs.append(("R", str(len(call.pairs))))
        )
    )
    call.touches.transformations.append(Each(bytes.upper))
    call.run(app(("X", "y"), status="404 Lost", body=iter([b"a", b"b"])), call.environ)
    found = received(box)
    assert (found.body, found.headers["r"]) == (b"<H1>LOST</H1>", "2")


@pytest.mark.parametrize(
    ("application", "code", "body"),
    [(no_application, 500, b"<h1>sorry</h1>"), (Mounts({"/x": app()}, None, True), 404, b"<h1>lost</h1>")],
)
def test_who_stands_in_for_an_application_shows_the_server_s_page(
    pages: Pages, application: Any, code: int, body: bytes
) -> None:
    """uWSGI has its error page, and its error rules, where there is no application."""
    asked: list[int] = []

    def erred(call: FinishedCall, code: int) -> bool:
        asked.append(code)
        return False

    found = ask(Finish(pages=pages, erred=erred), application)
    assert (found.status, found.body, asked) == (code, body, [code])


def test_an_apology_is_a_page(pages: Pages) -> None:
    call, box = made(Finish(pages=pages))
    call.apologise("500 Internal Server Error")
    assert received(box).body == b"<h1>sorry</h1>"
