"""Expressions of strangers: limits, refusals, trials in a child, and RE2 where it is installed."""

import re
import sys
from importlib.util import find_spec
from time import perf_counter, process_time

import pytest

from penstock.serve.routing.linear import engine
from penstock.serve.routing.regexes import emit
from penstock.serve.routing.regexes.parse import parse
from penstock.serve.routing.regexes.plain import is_plain
from penstock.serve.routing.regexes.pumps import pumps
from penstock.serve.routing.regexes.trial import LONG, SHORT, TOO_SLOW, subject, tried
from penstock.serve.routing.safety import ANY, LONGEST, Overlong, Regex, known, regex, try_all

HAS_RE2 = find_spec("re2") is not None and engine() is not None
needs_re = pytest.mark.skipif(HAS_RE2, reason="RE2 is installed, and serves these")
needs_re2 = pytest.mark.skipif(not HAS_RE2, reason="needs google-re2")

EXPONENTIAL = ("^(a+)+$", "(x+x+)+y", "^(a|aa)+$", r"^/x/(\w+\s?)*$", "^(([a-z])+.)+[A-Z]([a-z])+$")
CUBIC = (r"/(.*)/(.*)/(.*)\.html",)
SQUARE = ("/(.*)/edit$", "[0-9]+$")


@pytest.mark.parametrize("text", ["^/static/", r"^/a/(.*)\.png$", ".*", "(?i)bot"])
def test_what_is_linear_by_its_shape_has_no_limit(text: str) -> None:
    made = regex(text)
    assert (made.engine, made.limit, made.pattern) == ("re", ANY, text)
    assert text not in known


def test_a_search_is_as_pcre_means_it() -> None:
    made = regex(r"^/(?<id>[[:digit:]]+)(?i)X\z")
    match = made.search("/12x")
    assert match is not None
    assert (match[1], made.groups) == ("12", 1)
    assert made.search("/12x\n") is None


@pytest.mark.parametrize("text", ["(a", r"\K", "(?<=a+)b", "a" * (LONGEST + 1), "(?P<n>a)(?P<n>b)"])
def test_what_is_wrong_is_said_in_one_line(text: str) -> None:
    with pytest.raises(ValueError) as error:
        regex(text)
    assert "\n" not in str(error.value)


@needs_re
@pytest.mark.parametrize("text", [EXPONENTIAL[0], CUBIC[0]])
def test_what_would_stop_the_worker_is_refused(text: str) -> None:
    start = perf_counter()
    with pytest.raises(ValueError, match="the whole worker would stand still"):
        regex(text)
    assert perf_counter() - start < 8


@needs_re
def test_what_grows_by_the_square_has_a_lower_limit() -> None:
    made = regex(SQUARE[0])
    assert made.limit == SHORT
    assert made.search("/" * SHORT) is None
    with pytest.raises(Overlong) as error:
        made.search("/" * (SHORT + 1))
    assert error.value.limit == SHORT


@needs_re
def test_what_a_trial_finds_quick_is_capped_at_eight_kilobytes() -> None:
    made = regex(r"^(?:/[^/]+)*/x$")
    assert made.limit == LONG
    with pytest.raises(Overlong):
        made.search("/a" * 5000)


def test_all_are_tried_in_one_child_and_the_culprit_is_found() -> None:
    verdicts = tried([SQUARE[0], *EXPONENTIAL[1:], "(a)\\1"])
    assert verdicts == {SQUARE[0]: SHORT, **dict.fromkeys(EXPONENTIAL[1:], TOO_SLOW), "(a)\\1": LONG}


def test_this_process_is_never_the_one_that_searches() -> None:
    before = process_time()
    assert tried(["^(aa|a|a)+b$"]) == {"^(aa|a|a)+b$": TOO_SLOW}
    assert process_time() - before < 0.5


@needs_re
def test_verdicts_are_kept_for_those_who_come_behind() -> None:
    text = r"(kept)\1"
    try_all(["^/plain", "(wrong", text])
    assert known[text] == LONG
    assert "^/plain" not in known
    assert "(wrong" not in known
    start = process_time()
    assert regex(text).limit == LONG
    assert process_time() - start < 0.05


def test_the_worst_subjects_are_the_worst() -> None:
    compiled = re.compile(emit.python(parse(EXPONENTIAL[0])), re.ASCII)

    def steps(size: int) -> float:
        worst = 0.0
        for pump in pumps(parse(EXPONENTIAL[0])):
            start = process_time()
            compiled.search(subject(*pump, size))
            worst = max(worst, process_time() - start)
        return worst

    assert steps(20) > 20 * steps(10)


@needs_re2
@pytest.mark.parametrize("text", [*EXPONENTIAL, *CUBIC, *SQUARE])
def test_re2_serves_what_is_slow_here(text: str) -> None:
    made = regex(text)
    assert (made.engine, made.limit) == ("re2", ANY)
    start = process_time()
    for pump in pumps(parse(text)):
        made.search(subject(*pump, LONG))
    assert process_time() - start < 5


@needs_re2
@pytest.mark.parametrize("text", [r"^(x)(a+)+\1", "^(?=(a+)+$)"])
def test_what_re2_has_no_words_for_is_tried(text: str) -> None:
    with pytest.raises(ValueError, match="stand still"):
        regex(text)


def test_a_folder_named_re2_is_no_engine(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from pathlib import Path

    (Path(str(tmp_path)) / "re2").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "re2", raising=False)
    assert engine() is None or HAS_RE2


def test_a_regex_says_what_it_is() -> None:
    inner = re.compile("a")
    made = Regex("a", inner, 0, 3)
    assert made.search("bab") is not None
    assert made.search("b") is None
    assert is_plain(parse("a"))
