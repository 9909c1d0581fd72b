"""The head is settled once: what options and rules do to its fields."""

from typing import Any

import pytest

from penstock.serve.finish.call import FinishedCall
from penstock.serve.finish.finish import REMEMBER, Finish
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


# ---- What is remembered ------------------------------------------------------------------------------


def head_of(
    call: FinishedCall, box: ListBox, pairs: list[tuple[str, str]], status: str = "200 OK"
) -> list[bytes]:
    """The head without its Date."""
    call.begin(status, pairs)
    call.whole(b"")
    lines = bytes(box.sent).partition(b"\r\n\r\n")[0].split(b"\r\n")
    return [line for line in lines if not line.startswith(b"Date:")]


def test_a_head_that_is_remembered_is_the_one_that_was_made() -> None:
    finish = Finish(removed=frozenset(("server",)), secured=(("X-Frame-Options", "DENY"), ("X", "y")))
    assert finish.calm
    for _ in range(3):
        call, box = made(finish)
        call.touches.added.append(("By", "rule"))
        assert head_of(call, box, [("Server", "app"), ("x", "own")]) == [
            b"HTTP/1.1 200 OK", b"x: own", b"X-Frame-Options: DENY", b"By: rule", b"Content-Length: 0"
        ]  # fmt: skip
        assert len(finish.remembered) == 1


def test_heads_that_differ_in_anything_are_not_taken_for_each_other() -> None:
    finish = Finish(secured=(("A", "1"),), secured_https=(("Strict-Transport-Security", "max-age=1"),))
    pairs = [("Content-Type", "text/plain")]
    plain, box = made(finish)
    first = head_of(plain, box, pairs)
    secure, box = made(finish)
    secure.environ["wsgi.url_scheme"] = "https"
    assert [*first[:-1], b"Strict-Transport-Security: max-age=1", first[-1]] == head_of(secure, box, pairs)
    added, box = made(finish)
    added.touches.added.append(("By", "rule"))
    assert [*first[:-1], b"By: rule", first[-1]] == head_of(added, box, pairs)
    removed, box = made(finish)
    removed.touches.removed.add("content-type")
    assert b"Content-Type: text/plain" not in head_of(removed, box, pairs)
    other, box = made(finish)
    assert head_of(other, box, pairs, "404 Not Found")[1:] == first[1:]
    empty, box = made(finish)
    assert head_of(empty, box, [*pairs, ("Content-Length", "7")], "204 No Content") == [
        b"HTTP/1.1 204 No Content", *first[1:-1]
    ]  # fmt: skip
    again, box = made(finish)
    assert head_of(again, box, pairs) == first


def test_what_cannot_be_sent_is_said_once_and_left_out_each_time() -> None:
    finish, warned = Finish(), []
    for _ in range(2):
        call, box = made(finish)
        call.touches.added += [("X", "a\r\nb"), ("Y", "fine")]
        assert head_of(call, box, [])[1:] == [b"Y: fine", b"Content-Length: 0"]
        warned += WARNINGS
    assert len(warned) == 1 and "a rule's header is not sent" in warned[0]


@pytest.mark.parametrize(
    "finish",
    [
        Finish(respond=lambda call: None),
        Finish(erred=lambda call, code: False),
        Finish(noted=(("a", "A", True),)),
    ],
)
def test_who_looks_at_each_reply_is_asked_each_time(finish: Finish) -> None:
    assert not finish.calm
    call, box = made(finish)
    head_of(call, box, [("A", "b")])
    assert not finish.remembered


def test_it_forgets_before_it_grows_large() -> None:
    finish = Finish()
    for number in range(2 * REMEMBER + 1):
        call, box = made(finish)
        assert b"X: %d" % number in head_of(call, box, [("X", str(number))])
    assert len(finish.remembered) <= REMEMBER
