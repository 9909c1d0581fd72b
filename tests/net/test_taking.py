"""Bodies as a connection takes them in: what must have come before a thread is."""

from penstock.handoff.inbox import Inbox
from penstock.net.door import Intake
from tests.net.boxes import Case, request


def test_the_beginning_of_a_large_body_takes_no_thread() -> None:
    case = Case(request("/", "Content-Length: 100000", body=b"beg"), intake=Intake(gather=5))
    assert not case.pool.work
    case.says(b"u")
    assert not case.pool.work
    case.says(b"n and more")
    body = case.taken().body
    assert isinstance(body, Inbox)
    assert [body.take(), body.take(), body.take()] == [b"beg", b"u", b"n and more"]


def test_an_end_in_the_beginning_of_a_large_body_is_nobodys_affair() -> None:
    case = Case(request("/", "Content-Length: 100000", body=b"beg"), intake=Intake(gather=5))
    case.says(b"")
    assert case.closed and not case.pool.work
