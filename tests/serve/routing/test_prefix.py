"""What a regex's matches begin with."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.serve.routing.prefix import prefix_of


@pytest.mark.parametrize(
    ("pattern", "prefix"),
    [
        ("^/static/", "/static/"),
        (r"\A/static/", "/static/"),
        (r"^\/a\.b", "/a.b"),
        ("^/a(b|c)", "/a"),
        ("^/a[|]b", "/a"),
        ("^/ab?c", "/a"),
        ("^/ab*", "/a"),
        ("^/ab+", "/ab"),
        ("^/ab{2}", "/a"),
        ("^/a$", "/a"),
        ("^/a.*", "/a"),
        (r"^/a\d", "/a"),
        (r"^/a\|b", "/a|b"),
        ("^/a[^]|]x|^/b", ""),
        ("^/a[]|]x", "/a"),
        (r"^/a[\]|]x", "/a"),
        ("/a", ""),
        ("^/a|/b", ""),
        ("^a|b", ""),
        (r"^/a\c(|/b", ""),
        ("^(/a)", ""),
        ("(?i)^/a", ""),
        ("^(?i)/a", ""),
        ("^/a(?i:b)", ""),
        ("^/a(?:b)", "/a"),
        ("^/a(?P<x>b)", "/a"),
        ("^/a(?#|)b", ""),
        ("^", ""),
        ("^/a\\", "/a"),
        ("", ""),
    ],
)
def test_what_a_match_begins_with(pattern: str, prefix: str) -> None:
    assert prefix_of(pattern) == prefix


@given(
    st.text(alphabet="^ab/.\\|()[]{}?*+$2,:", max_size=12),
    st.text(alphabet="ab/.|({", max_size=8),
)
def test_no_match_begins_otherwise(pattern: str, subject: str) -> None:
    try:
        compiled = re.compile(f"^{pattern}", re.ASCII)
    except (re.error, FutureWarning):
        return
    if compiled.search(subject) is not None:
        assert subject.startswith(prefix_of(f"^{pattern}"))
