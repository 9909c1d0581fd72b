"""A request's id, and the times that a reply tells of itself."""

import re
from typing import Any

from penstock.core import running
from penstock.serve.answer import Kitchen, make_answer
from penstock.serve.identity import make_identify, make_own
from penstock.serve.send import Manner
from tests.serve.boxes import ListBox, exchange, manner

NONE = manner().extra


def reply(header: str, timing: bool, app: Any, variables: Any = ()) -> tuple[bytes, dict[str, Any]]:
    """The head of a reply, and the environ as it was left."""
    box = ListBox()
    x = exchange(box)
    x.began_at, x.received_at, x.started_at = 1.0, 1.5, 1.75
    x.request.vars.update(variables)
    kitchen = Kitchen(
        app,
        Manner(NONE, lambda key, text: None, make_own(header, timing)),
        print,
        print,
        identify=make_identify(header) if header else None,
    )
    make_answer(kitchen)(x, 0)
    return box.sent.partition(b"\r\n\r\n")[0], x.request.vars


def ok(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("X", "y")])
    return [running.request_id().encode()]


def test_a_request_gets_an_id_that_everybody_sees() -> None:
    head, environ = reply("X-Request-ID", False, ok)
    given = environ["penstock.request_id"]
    assert re.fullmatch("[0-9a-f]{32}", given)
    assert f"\r\nX-Request-ID: {given}".encode() in head
    assert environ["HTTP_X_REQUEST_ID"] == given == running.request_id()


def test_the_id_of_a_trusted_peer_is_kept_and_a_client_s_is_not() -> None:
    _, environ = reply("X-Request-ID", False, ok, {"penstock.request_id": "theirs"})
    assert environ["HTTP_X_REQUEST_ID"] == "theirs"
    _, environ = reply("X-Request-ID", False, ok, {"HTTP_X_REQUEST_ID": "forged"})
    assert environ["HTTP_X_REQUEST_ID"] == environ["penstock.request_id"] != "forged"


def test_ids_do_not_come_twice_whatever_the_application_seeds() -> None:
    import random

    identify = make_identify("X-Request-ID")
    found = set()
    for _ in range(1000):
        random.seed(7)
        environ: dict[str, Any] = {}
        identify(environ)
        found.add(environ["penstock.request_id"])
    assert len(found) == 1000


def test_an_application_s_own_header_is_the_only_one() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("x-request-id", "mine")])
        return [b""]

    head, _ = reply("X-Request-ID", False, app)
    assert head.lower().count(b"x-request-id") == 1


def test_what_the_application_makes_of_the_environ_is_no_header() -> None:
    for bad in ("a\r\nSet-Cookie: b", "", 7, None, "\xe9", "x" * 201):

        def app(environ: Any, start_response: Any, bad: Any = bad) -> list[bytes]:
            environ["penstock.request_id"] = bad
            return ok(environ, start_response)

        head, _ = reply("X-Request-ID", False, app)
        assert b"X-Request-ID" not in head and b"Set-Cookie" not in head


def test_the_phases_as_clients_see_them() -> None:
    head, _ = reply("", True, ok)
    assert re.search(rb"\r\nServer-Timing: receive;dur=500\.0, queue;dur=250\.0, run;dur=\d+\.\d", head)


def test_without_the_options_there_is_nothing() -> None:
    assert make_own("", False) is None
