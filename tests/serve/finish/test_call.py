"""The head is settled once: what options and rules do to its fields."""

from typing import Any

import pytest

from penstock.serve.finish.finish import Finish
from tests.serve.boxes import WARNINGS, ListBox
from tests.serve.finish.transforming import app, ask, made, received, replying, ways

# ---- Headers ----------------------------------------------------------------------------------------


def test_what_is_added_goes_with_whatever_reply_comes() -> None:
    call, box = made()
    call.touches.added += [("Set-Cookie", "a=1"), ("X", "rule")]
    call.begin("500 Oops", [("X", "first")])
    call.begin("200 OK", [("Y", "app")])
    call.whole(b"")
    head = box.sent.split(b"\r\n")
    assert head[0] == b"HTTP/1.1 200 OK" and head[1:4] == [b"Y: app", b"Set-Cookie: a=1", b"X: rule"]


def test_what_is_removed_is_the_application_s_not_what_is_added() -> None:
    """As in uWSGI: ``rem-header = X`` with ``add-header = X: own`` puts one in the place of the other."""
    call, box = made(Finish(removed=frozenset(("server",))))
    call.touches.removed.add("x-powered-by")
    call.touches.added.append(("Server", "own"))
    call.begin("200 OK", [("SERVER", "theirs"), ("X-Powered-By", "y"), ("X", "z")])
    call.whole(b"")
    assert received(box).headers == {
        "x": "z", "server": "own", "content-length": "0", "date": received(box).headers["date"]
    }  # fmt: skip


def test_a_content_length_that_is_removed_leaves_the_framing_right() -> None:
    for body in ways(b"12345"):
        found = ask(Finish(removed=frozenset(("content-length",))), app(("Content-Length", "5"), body=body))
        assert found.body == b"12345" and found.complete


def test_headers_are_noted_before_the_response_rules_see_the_reply() -> None:
    seen: list[Any] = []
    finish = Finish(
        respond=lambda call: seen.append((call.environ.get("A"), call.environ.get("B"), call.status_code)),
        removed=frozenset(("gone",)),
        noted=(("pulled", "A", False), ("collected", "B", True), ("gone", "C", True), ("pulled", "D", True)),
    )
    call, box = made(finish)
    call.begin("404 Not Found", [("Pulled", "1"), ("COLLECTED", "2"), ("Gone", "3"), ("Collected", "4")])
    call.whole(b"")
    assert seen == [("1", "4", 404)], "the last one of a name counts"
    assert {"C", "D"}.isdisjoint(call.environ), "what is removed or pulled is not there to be collected"
    assert b"Pulled" not in box.sent and box.sent.lower().count(b"collected") == 2


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: evil=1", "a\nb", "a\rb", "nul\0", "snowman ☃"])
def test_nothing_of_a_request_gets_into_the_head_as_a_line(value: str) -> None:
    call, box = made(Finish(respond=lambda call: call.pairs.append(("Also", value))))
    call.touches.added += [("X", value), ("Y", "fine")]
    call.begin("200 OK", [("App", "1")])
    call.whole(b"body")
    found = received(box)
    assert (found.body, found.headers["y"], found.headers["app"]) == (b"body", "fine", "1")
    assert {"x", "also", "set-cookie"}.isdisjoint(found.headers)
    assert len(WARNINGS) == 2 and "not sent" in WARNINGS[0]


def test_a_second_content_length_of_a_rule_is_left_out() -> None:
    call, box = made()
    call.touches.added.append(("Content-Length", "99"))
    call.begin("200 OK", [("Content-Length", "4")])
    assert call.whole(b"body") and received(box).body == b"body"


def test_a_rule_s_hop_by_hop_header_does_not_spoil_the_framing() -> None:
    call, box = made()
    call.touches.added += [("Transfer-Encoding", "chunked"), ("Upgrade", "x")]
    call.begin("200 OK", [])
    call.block(b"a")
    call.end()
    assert received(box).body == b"a" and b"Upgrade" not in box.sent


def test_204_has_no_length_whatever_rules_add() -> None:
    call, box = made()
    call.touches.added.append(("Content-Length", "5"))
    call.begin("204 No Content", [("Content-Length", "0")])
    assert call.whole(b"") and "content-length" not in received(box).headers


def test_without_headers_the_body_is_all_and_the_connection_ends() -> None:
    for way in ("whole", "blocks", "file"):
        call, box = made()
        call.touches.headers_off = True
        call.begin("200 OK", [("Content-Length", "4")])
        if way == "whole":
            call.whole(b"HTTP/1.0 200 Raw\r\n\r\n")
        elif way == "file":
            with open(__file__, "rb") as file:
                call.file(file.fileno(), 0, 3)
        else:
            call.block(b"HTTP/1.0 200 ")
            call.block(b"Raw\r\n\r\n")
            call.end()
        assert box.sent == (b'"""' if way == "file" else b"HTTP/1.0 200 Raw\r\n\r\n")
        assert [then for _, then in box.puts if then] == [2] and call.head_size == 0


def test_security_headers_are_the_application_s_where_it_has_them() -> None:
    finish = Finish(secured=(("X-Frame-Options", "SAMEORIGIN"), ("A", "1")), secured_https=(("B", "2"),))
    found = ask(finish, app(("x-frame-options", "DENY")))
    assert (found.headers["x-frame-options"], found.headers["a"]) == (
        "DENY",
        "1",
    ) and "b" not in found.headers
    call, box = made(finish)
    call.environ["wsgi.url_scheme"] = "https"
    call.run(app(), call.environ)
    assert received(box).headers["b"] == "2"


def test_interim_replies_are_no_heads() -> None:
    call, box = made(Finish(respond=lambda call: call.pairs.append(("R", "1"))))
    call.send_continue()
    call.early_hints([("Link", "</a>")])
    assert b"R: 1" not in box.sent
    call.begin("200 OK", [])
    call.whole(b"x")
    assert box.sent.count(b"R: 1") == 1


def test_a_head_by_itself_is_settled_too() -> None:
    call, box = made(Finish(respond=replying))
    call.begin("200 OK", [])
    call.flush_head()
    call.block(b"x")
    assert call.end() and received(box).status == 302
    plain, sent = made()
    plain.touches.added.append(("X", "1"))
    plain.begin("200 OK", [])
    plain.flush_head()
    assert b"X: 1" in sent.sent and isinstance(sent, ListBox)
