"""What conditions come to: RFC 9110 §13, one by one and in their order."""

from typing import Any

import pytest

from penstock.serve.static.conditional import (
    FAILED,
    GO_ON,
    NOT_MODIFIED,
    judge,
    matches,
    ranges_apply,
    seconds_of,
)

ETAG = '"5f5e1000-a"'
MTIME = 784111777
THEN = "Sun, 06 Nov 1994 08:49:37 GMT"
BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT"
LATER = "Sun, 06 Nov 1994 08:49:38 GMT"
NO_DATE = "yesterday"


@pytest.mark.parametrize(
    ("conditions", "verdict"),
    [
        ({}, GO_ON),
        ({"IF_NONE_MATCH": ETAG}, NOT_MODIFIED),
        ({"IF_NONE_MATCH": f"W/{ETAG}"}, NOT_MODIFIED),
        ({"IF_NONE_MATCH": f'"x", W/"y" ,{ETAG}'}, NOT_MODIFIED),
        ({"IF_NONE_MATCH": "*"}, NOT_MODIFIED),
        ({"IF_NONE_MATCH": '"x"'}, GO_ON),
        ({"IF_NONE_MATCH": ETAG.strip('"')}, GO_ON),
        ({"IF_NONE_MATCH": ""}, GO_ON),
        ({"IF_MODIFIED_SINCE": THEN}, NOT_MODIFIED),
        ({"IF_MODIFIED_SINCE": LATER}, NOT_MODIFIED),
        ({"IF_MODIFIED_SINCE": BEFORE}, GO_ON),
        ({"IF_MODIFIED_SINCE": NO_DATE}, GO_ON),
        ({"IF_MATCH": ETAG}, GO_ON),
        ({"IF_MATCH": "*"}, GO_ON),
        ({"IF_MATCH": f'"x", {ETAG}'}, GO_ON),
        ({"IF_MATCH": f"W/{ETAG}"}, FAILED),
        ({"IF_MATCH": '"x"'}, FAILED),
        ({"IF_UNMODIFIED_SINCE": THEN}, GO_ON),
        ({"IF_UNMODIFIED_SINCE": BEFORE}, FAILED),
        ({"IF_UNMODIFIED_SINCE": NO_DATE}, GO_ON),
        # The order of §13.2.2: a tag makes its date void, and a precondition comes before a validation.
        ({"IF_NONE_MATCH": '"x"', "IF_MODIFIED_SINCE": LATER}, GO_ON),
        ({"IF_NONE_MATCH": ETAG, "IF_MODIFIED_SINCE": BEFORE}, NOT_MODIFIED),
        ({"IF_MATCH": ETAG, "IF_UNMODIFIED_SINCE": BEFORE}, GO_ON),
        ({"IF_MATCH": '"x"', "IF_NONE_MATCH": ETAG}, FAILED),
        ({"IF_MATCH": ETAG, "IF_NONE_MATCH": ETAG}, NOT_MODIFIED),
        ({"IF_UNMODIFIED_SINCE": BEFORE, "IF_MODIFIED_SINCE": THEN}, FAILED),
        ({"IF_UNMODIFIED_SINCE": THEN, "IF_MODIFIED_SINCE": THEN}, NOT_MODIFIED),
    ],
)
def test_the_verdict(conditions: dict[str, str], verdict: int) -> None:
    environ: dict[str, Any] = {f"HTTP_{name}": value for name, value in conditions.items()}
    assert judge(environ, ETAG, MTIME) == verdict


@pytest.mark.parametrize(("weakly", "same"), [(True, True), (False, False)])
@pytest.mark.parametrize("said", ['"x"', 'W/"x"'])
def test_a_weak_tag_of_ours_is_never_strongly_the_same(said: str, weakly: bool, same: bool) -> None:
    assert matches(said, 'W/"x"', weakly) is same
    assert matches("*", 'W/"x"', weakly)


@pytest.mark.parametrize(
    ("said", "now", "applies"),
    [
        (None, MTIME + 100, True),
        (ETAG, MTIME, True),
        (f"W/{ETAG}", MTIME + 100, False),
        ('"x"', MTIME + 100, False),
        (f"{ETAG}, {ETAG}", MTIME + 100, False),
        (THEN, MTIME + 1, True),
        (THEN, MTIME + 0.5, False),
        (BEFORE, MTIME + 100, False),
        (LATER, MTIME + 100, False),
        ("nothing", MTIME + 100, False),
    ],
)
def test_if_range_wants_the_very_same(said: str | None, now: float, applies: bool) -> None:
    environ = {} if said is None else {"HTTP_IF_RANGE": said}
    assert ranges_apply(environ, ETAG, MTIME, now) is applies


def test_if_range_never_goes_with_a_weak_tag() -> None:
    assert not ranges_apply({"HTTP_IF_RANGE": 'W/"x"'}, 'W/"x"', MTIME, MTIME + 100)
    assert not ranges_apply({"HTTP_IF_RANGE": THEN}, 'W/"x"', MTIME, MTIME + 100)


@pytest.mark.parametrize(
    "text", [THEN, "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", f"  {THEN}\t"]
)
def test_the_three_forms_of_a_date(text: str) -> None:
    assert seconds_of(text) == MTIME


@pytest.mark.parametrize(
    "text",
    [
        *(None, "", "0", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "x" * 4000),
        *("Sun, 06 Abc 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT"),
        *("Sun, 06 Nov 1994 08:61:37 GMT", "Sun, 06 Nov 0000 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT"),
    ],
)
def test_what_is_no_date(text: str | None) -> None:
    assert seconds_of(text) is None


def test_dates_before_1970_are_dates() -> None:
    assert seconds_of("Wed, 31 Dec 1969 23:59:59 GMT") == -1


def test_years_of_two_figures() -> None:
    assert seconds_of("Monday, 01-Jan-70 00:00:00 GMT") == 0
    assert seconds_of("Friday, 01-Jan-21 00:00:00 GMT") == 1609459200
