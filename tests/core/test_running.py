"""Which request a thread is answering, and the trace that it is in."""

from contextvars import Context

import pytest

from penstock.core import running

GOOD = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
PARTS = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "01")


def test_one_request_follows_the_other() -> None:
    def thread() -> None:
        assert running.request_id() == ""
        running.begin("one", GOOD)
        assert running.REQUEST.get() == ("one", GOOD)
        running.begin("two")
        assert running.REQUEST.get() == ("two", "")
        running.end()
        assert running.request_id() == ""

    before = running.request_id()  # of whatever ran in this thread
    Context().run(thread)
    assert running.request_id() == before


@pytest.mark.parametrize(
    "text", [GOOD, GOOD.replace("00-", "01-", 1), GOOD.replace("00-", "cc-", 1) + "-more"]
)
def test_a_traceparent_has_three_parts(text: str) -> None:
    assert running.trace(text) == PARTS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "---",
        GOOD[:-1],
        GOOD + "0",
        GOOD + "-00",
        GOOD.replace("00-", "ff-", 1),
        GOOD.replace("00-", "0-", 1),
        GOOD.upper(),
        GOOD.replace("0af7", "0ag7"),
        GOOD.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32),
        GOOD.replace("b7ad6b7169203331", "0" * 16),
        GOOD.replace("b7ad6b7169203331", "b7ad6b716920333"),
        GOOD.replace("-01", '-"1'),
        GOOD.replace("0af7", "\u0660af7"),
    ],
)
def test_what_is_none(text: str) -> None:
    assert running.trace(text) == ("", "", "")
