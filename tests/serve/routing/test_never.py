"""Rules that never run: each is told, and none that may run is."""

import pytest

from penstock.serve.routing.never import never
from tests.serve.routing.ground import Ground


def found(text: str) -> list[str]:
    return [origin for origin, _ in never(Ground(text).rules)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("route-run = last:\nroute = ^/a log:x", "last: at x.ini:1 ends the walk before it, always"),
        ("route = .* redirect:/x\nroute-run = log:x", "redirect: at x.ini:1 ends the walk before it, always"),
        ("route-run = return:404\nroute-if = equal:a;b log:x", "ends the walk before it, always"),
        ("route-run = basicauth:R,\nroute-run = last:\nroute-run = log:x", "last: at x.ini:2"),
        ("route = ^/a(.)$ break:403 No\nroute = ^/a(.)$ log:x", "whatever it is for, break: at x.ini:1"),
        ("route = ^/a last:\nroute = ^/a/b redirect:/x", "^/a at x.ini:1 matches whatever it matches"),
        ("route = ^/a(.*) last:\nroute = ^/ab$ log:x", "^/a(.*) at x.ini:1 matches whatever it matches"),
        ("route-host = ^a last:\nroute-host = ^ab log:x", "^a at x.ini:1 matches whatever it matches"),
        ("route = ^static/ log:x", "a path begins with a slash, and ^static/ with none"),
        ("response-route-run = last:\nresponse-route-run = addheader:A: b", "last: at x.ini:1"),
        ("route-run = last:\nroute-label = unused\nroute-run = log:x", "last: at x.ini:1"),
    ],
)
def test_what_never_runs(text: str, why: str) -> None:
    ((origin, said),) = never(Ground(text).rules)
    assert origin == f"x.ini:{len(text.splitlines())}"
    assert "can never run: " in said and why in said


@pytest.mark.parametrize(
    "text",
    [
        "route = ^/a last:\nroute = ^/b log:x",
        "route = ^/a log:x\nroute = ^/a log:y",
        "route = ^/ab last:\nroute = ^/a log:x",
        "route = ^/a$ last:\nroute = ^/a log:x",
        "route = ^/a(.*)$ last:\nroute = ^/a/b log:x",  # a newline in the path
        "route = ^/a last:\nroute-host = ^/a log:x",
        "route = ^/a last:\nroute-uri = ^/a/b log:x",
        "route = ^/a last:\nroute-run = rewrite:/a\nroute = ^/a/b log:x",
        "route = ^/a last:\nroute-run = addvar:PATH_INFO=/a/b\nroute = ^/a/b log:x",
        "route = ^/b goto:there\nroute-run = last:\nroute-label = there\nroute-run = log:x",
        "route = ^/b goto:${X}\nroute-run = last:\nroute-label = there\nroute-run = log:x",
        "route = ^/b goto:2\nroute-run = last:\nroute-label = there\nroute-run = log:x",
        "route-run = setpathinfo:x\nroute = ^x log:x",
        "route = ^[*] log:x",
        "route-run = last:\nresponse-route-run = addheader:A: b",
        "route-if = equal:${X};1 last:\nroute-if = equal:${X};1 log:x",
        "route-run = static-next:/x\nroute-run = log:x",
        "route = x.*y last:\nroute = x log:y",
    ],
)
def test_what_may_run(text: str) -> None:
    assert found(text) == []
