"""Rules that are skipped together, and that this changes nothing."""

import pytest

from penstock.serve.routing.rule import make_rule
from penstock.serve.routing.skipping import runs
from penstock.serve.routing.tools import Tools
from tests.serve.routing.ground import Ground


def runs_of(*rules: str) -> list[tuple[int, int]]:
    pairs = [rule.split(" = ", 1) for rule in rules]
    return runs([make_rule(option, said, "x", at, Tools()) for at, (option, said) in enumerate(pairs)])


def test_which_rules_are_skipped_together() -> None:
    one, two, label = "route = ^/a last:", "route = ^/b last:", "route-label = x"
    host, run = "route-host = ^a last:", "route-run = log:x"
    assert runs_of(one) == []
    assert runs_of(one, two) == [(0, 2)]
    assert runs_of(one, run, two) == []
    assert runs_of(run, one, two, run, two, one, one) == [(1, 3), (4, 7)]
    assert runs_of(one, label, two) == [(0, 3)]
    assert runs_of(host, one, host, host) == [(2, 4)]
    assert runs_of(one, two, "route = /c last:") == [(0, 2)]


def test_skipping_changes_nothing() -> None:
    prefixes = ["^/a", "^/ab", "^/b", "^/abc$", "b$", "^/c", r"^/a\.b", "^/(a|b)c"]
    for path in ("/", "/a", "/ab", "/abc", "/b", "/c/b", "/a.b", "/acd", "", "x/a"):
        together = Ground(
            "\n".join(f"route = {each} addvar:A=${{A}}{at}" for at, each in enumerate(prefixes))
        )
        apart = Ground(
            "\n".join(
                f"route = {each} addvar:A=${{A}}{at}\nroute-run = log:" for at, each in enumerate(prefixes)
            )
        )
        assert together.rules.requests is not None and apart.rules.requests is not None
        assert len(together.rules.requests.steps) == len(prefixes) + 2  # a look before each of two runs
        assert together.walk(path).environ.get("A") == apart.walk(path).environ.get("A")


# ---- Requests that no rule can be for -------------------------------------------------------------


def test_what_can_be_said_without_a_walk() -> None:
    quiet = Ground(
        "route = ^/a last:\nroute-label = x\nroute = ^/bc last:\nroute-host = ^www last:"
    ).rules.quiet
    assert quiet is not None
    paths = ["/", "/b", "/bc", "/a", "/axe", "/x", ""]
    assert [path for path in paths if not quiet({"PATH_INFO": path})] == ["/bc", "/a", "/axe"]
    assert not quiet({"PATH_INFO": "/", "HTTP_HOST": "www.example"})
    assert quiet({})


@pytest.mark.parametrize("rule", ["route-run = log:x", "route = a last:", "route-if = empty: last:"])
def test_what_only_a_walk_can_tell(rule: str) -> None:
    assert Ground(f"route = ^/a last:\n{rule}").rules.quiet is None
    assert Ground(f"response-{rule}").rules.quiet is None
