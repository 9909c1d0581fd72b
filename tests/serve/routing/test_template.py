"""Templates: captures, variables, and the corners that uWSGI has."""

import pytest

from penstock.serve.routing.template import carried, constant_of
from penstock.serve.routing.tools import Tools
from tests.serve.routing.ground import Ground, said


@pytest.mark.parametrize(
    ("text", "comes_to"),
    [
        ("plain", "plain"),
        ("", ""),
        ("$1", "a"),
        ("<$1|$2|$3>", "<a|/b|>"),
        ("$0", "/a/b"),
        ("$9", ""),
        ("$10", "a0"),
        ("$$", "$$"),
        ("$$1", "$$1"),
        ("$x", "$x"),
        ("end$", "end"),
        ("${HTTP_HOST}", "h.example"),
        ("${NOPE}", ""),
        ("${}", ""),
        (r"\${HTTP_HOST}", r"\h.example"),
        ("$${HTTP_HOST}", "$${HTTP_HOST}"),
        ("${open", "${open"),
        ("a${HTTP_HOST}b$1c", "ah.examplebac"),
        ("${unknown[x]}", ""),
        ("${qs[x]}${qs[y]}", "12"),
    ],
)
def test_a_text_comes_to(text: str, comes_to: str) -> None:
    assert said(text) == comes_to


def test_a_capture_may_name_what_is_looked_up() -> None:
    assert said("${qs[$1]}", QUERY_STRING="b=2&a=1") == "1"
    assert said("${VAR_$1}", VAR_a="it") == "it"
    assert said("${cookie[$1]}", HTTP_COOKIE="a=crumb") == "crumb"


def test_what_a_client_sends_is_not_expanded() -> None:
    ground = Ground("route = ^/(.*)$ addvar:SAID=$1").walk("/${HTTP_COOKIE}", HTTP_COOKIE="secret")
    assert ground.environ["SAID"] == "${HTTP_COOKIE}"


def test_a_rule_in_utf_8_meets_a_path_in_utf_8() -> None:
    ground = Ground("route = ^/(ä.*)$ addvar:SAID=ü$1").walk(carried("/äß"))
    assert ground.environ["SAID"] == carried("üäß")


def test_captures_of_another_rule_are_gone() -> None:
    ground = Ground("route = ^/(a) addvar:ONE=$1\nroute-run = addvar:TWO=[$1]").walk()
    assert (ground.environ["ONE"], ground.environ["TWO"]) == ("a", "[]")


def test_conditions_have_no_captures() -> None:
    ground = Ground("route = ^/(a) last:\nroute-if = equal:$1;$1 addvar:SAID=yes[$1]")
    assert ground.walk("/x").environ["SAID"] == "yes[]"


def test_an_object_is_no_text() -> None:
    ground = Ground("route-run = addvar:SAID=[${wsgi.input}]")
    ground.call = ground.fresh({})
    ground.call.environ["wsgi.input"] = object()
    ground.rules.request(ground.call, ground.call.environ)
    assert ground.environ["SAID"] == "[]"


def test_a_constant_is_known_at_boot() -> None:
    assert constant_of("plain") == "plain"
    assert constant_of("$$x$") == "$$x"
    assert constant_of("a${B}") is None
    assert constant_of("a$1") is None


@pytest.mark.parametrize("name", ["metric", "geoip", "xattr", "xattr2", "math"])
def test_a_function_that_is_not_offered_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=rf"\$\{{{name}\[…\]\}} is not offered: "):
        Tools().template(f"a ${{{name}[x]}}")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("route = ^/(a) redirect:/$2", "$2 is always empty: 1 is captured here"),
        ("route = ^/((a))b redirect:/$3", "$3 is always empty: 2 are captured here"),
        ("route-run = redirect:/$1", "$1 is always empty: nothing is captured here"),
        ("route-if = equal:a;a redirect:/$1", "$1 is always empty: nothing is captured here"),
        (
            "route-run = addvar:A=${cokie[x]}",
            "${cokie[x]} is looked for as a variable: there is no function cokie[…]",
        ),
    ],
)
def test_what_is_always_empty_is_said(rule: str, said: str) -> None:
    assert Ground(rule).warnings == [f"x.ini:1: {rule}: {said}"]


@pytest.mark.parametrize(
    "rule",
    [
        "route = ^/(a) redirect:/$1$0",
        "route-if = regexp:a;(.)(.) redirect:/$2",
        "route-run = addvar:A=$0$x$$${HTTP_X}${cookie[x]}",
    ],
)
def test_what_may_come_to_something_is_left_alone(rule: str) -> None:
    assert Ground(rule).warnings == []
