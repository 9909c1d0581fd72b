"""Shapes that are linear for certain, those that may not be, and that nothing slow is among the first."""

import re
from time import process_time

import pytest
from hypothesis import HealthCheck, assume, given, settings

from penstock.serve.routing.regexes import emit
from penstock.serve.routing.regexes.parse import parse
from penstock.serve.routing.regexes.plain import is_plain
from penstock.serve.routing.regexes.pumps import pumps
from penstock.serve.routing.regexes.trial import subject
from tests.serve.routing.regexes.test_against_pcre import EXPRESSIONS


@pytest.mark.parametrize(
    "text",
    [
        "", "^/", "^/static/", r"^/static/(.*)\.png$", r"\.(?:png|jpe?g|gif)$", "(?i)bot|crawler|spider",
        ".*",
        r".*\.php$", r"(.*)\.php$", "^/([^/]+)/([^/]+)/?$", "^/a++/b", r"^/\d{4}/\d{2}/", "^/(?i)Foo", "foo",
        "^/a|^/b", r"^\w+$", r"^/(a|b)/[^/]*$", r"\Qa.b\E", "^(?:/x)?/y", "^/a{8}",
    ],
)  # fmt: skip
def test_what_is_plain(text: str) -> None:
    assert is_plain(parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "(a+)+$", "^(a+)+$", "^(a|aa)+$", "/(.*)/edit$", "^/(.*)/(.*)$", r"(a)\1", "^(?=.*x)", "[0-9]+$",
        "^(?:/[^/]+)*$", "a|^.*", "^/(a?){30}a{30}$", "(?s).*a", r"^(\w+\s?)*$", "(?m)^a.*b.*$",
        "a{999}", "a" * 300 + "b", "^.*a|.*b",
    ],
)  # fmt: skip
def test_what_is_tried(text: str) -> None:
    assert not is_plain(parse(text))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(EXPRESSIONS)
def test_nothing_plain_is_slow(text: str) -> None:
    tree = parse(text)
    assume(is_plain(tree))
    compiled = re.compile(emit.python(tree), re.ASCII)
    for pump in list(pumps(tree))[:40]:
        worst = subject(*pump, 8192)
        start = process_time()
        compiled.search(worst)
        assert process_time() - start < 0.02, pump  # a square takes fifty times as long
