"""Times as HTTP writes them, beside the standard library's writing of the same."""

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.date import http_date

LATEST = 253402300799  # the last second of the year 9999


def test_the_example_of_the_rule() -> None:
    assert http_date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT"


@given(st.integers(0, LATEST))
def test_it_is_what_the_library_for_mail_writes(seconds: int) -> None:
    assert http_date(seconds) == formatdate(seconds, usegmt=True)


def test_a_fraction_of_a_second_is_left_out() -> None:
    assert http_date(0.999) == "Thu, 01 Jan 1970 00:00:00 GMT"


def test_a_time_that_no_calendar_has() -> None:
    with pytest.raises((ValueError, OverflowError, OSError)):
        http_date(1e30)
