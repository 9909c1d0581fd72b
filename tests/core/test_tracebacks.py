"""Tracebacks of errors that are as they should be, and of those that are not."""

import re

from penstock.core.tracebacks import traceback_of


class Wordless(Exception):
    """It raises where it is asked what it is."""

    def __repr__(self) -> str:
        raise self


class Unspeakable(Exception):
    """It raises where it is asked what it comes from."""

    @property
    def __cause__(self) -> BaseException | None:  # type: ignore[override]  # as nobody should
        raise Wordless


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


def test_it_is_python_s_own() -> None:
    text = traceback_of(raised(ValueError("why")))
    assert text.startswith("Traceback (most recent call last):\n")
    assert "    raise error" in text and text.endswith("\nValueError: why")


def test_one_that_cannot_be_written_has_its_places_and_why() -> None:
    text = traceback_of(raised(Unspeakable("what")))
    place = r'  File "[^"]+test_tracebacks\.py", line \d+, in raised'
    last = r"Unspeakable \(its text: Wordless\)"
    assert re.fullmatch(rf"Traceback \(most recent call last\):\n{place}\n{last}", text), text
