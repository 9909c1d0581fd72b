"""Basic authentication: whom a rule lets pass, under which name, and what the others are told."""

from base64 import b64encode
from pathlib import Path

import pytest

from penstock.serve.routing.actions.basicauth import credentials
from penstock.serve.routing.flow import BREAK, CONTINUE
from tests.serve.routing.ground import Ground

SECRET = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="


def basic(text: str) -> str:
    return "Basic " + b64encode(text.encode("latin-1")).decode()


def asked(rules: str, said: str = "") -> tuple[bool, str]:
    """Whether the request passed, and under which name."""
    ground = Ground(rules).walk(**({"HTTP_AUTHORIZATION": said} if said else {}))
    if ground.flow == BREAK:
        assert ground.sent.startswith(
            b"HTTP/1.1 401 Authorization Required\r\nWWW-Authenticate: Basic realm="
        )
        assert ground.sent.endswith(b"\r\n\r\nUnauthorized")
    return ground.flow == CONTINUE, str(ground.environ.get("REMOTE_USER", ""))


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (basic("joe:secret"), (True, "joe")),
        ("basic " + basic("joe:secret")[6:], (True, "joe")),
        (basic("joe:secret").replace("Basic ", "Basic   "), (True, "joe")),
        (basic("joe:bad"), (False, "")),
        (basic("joe:secretX"), (False, "")),
        (basic("Joe:secret"), (False, "")),
        (basic("joe"), (False, "")),
        (basic(""), (False, "")),
        ("Basic !!", (False, "")),
        ("Basic am9lOnNlY3JldA", (False, "")),
        ("Bearer " + basic("joe:secret")[6:], (False, "")),
        ("Basic", (False, "")),
        ("", (False, "")),
    ],
)
def test_one_user(said: str, outcome: tuple[bool, str]) -> None:
    assert asked("route-run = basicauth:R,joe:secret", said) == outcome


def test_a_password_may_have_anything_in_it() -> None:
    assert asked("route-run = basicauth:R,joe:a:b,c", basic("joe:a:b,c")) == (True, "joe")
    assert asked("route-run = basicauth:R,j\u00f6:p\u00e4ss", basic("j\xc3\xb6:p\xc3\xa4ss")) == (
        True,
        "j\xc3\xb6",
    )


def test_a_file_of_users(tmp_path: Path) -> None:
    (tmp_path / "users").write_text(f"joe:{SECRET}\n")
    rule = f"route-run = basicauth:R,{tmp_path}/users"
    assert asked(rule, basic("joe:secret")) == (True, "joe")
    assert asked(rule, basic("joe:bad")) == (False, "")
    assert asked(rule) == (False, "")


@pytest.mark.parametrize("rule", ["basicauth:R,", "basicauth-next:R,", "basicauth:R,/no/such/file"])
def test_nobody(rule: str) -> None:
    assert asked(f"route-run = {rule}", basic("joe:secret")) == (False, "")


def test_a_file_that_is_missing_is_said_at_boot() -> None:
    assert "nobody is let in" in Ground("route-run = basicauth:R,/no/such/file").warnings[0]


def test_who_is_wrong_here_may_be_right_in_the_next_rule() -> None:
    rules = "route-run = basicauth-next:R,joe:secret\nroute-run = basicauth:R,ann:word"
    assert asked(rules, basic("joe:secret")) == (True, "joe")
    assert asked(rules, basic("ann:word")) == (True, "ann")
    assert asked(rules, basic("ann:secret")) == (False, "")
    # As uWSGI has it: one who says nothing is asked at once, and one who is wrong passes without a name.
    assert asked("route-run = basicauth-next:R,joe:secret") == (False, "")
    assert asked("route-run = basicauth-next:R,joe:secret", basic("joe:bad")) == (True, "")


def test_who_has_a_name_already_passes() -> None:
    ground = Ground("route-run = basicauth:R,").walk(REMOTE_USER="front")
    assert (ground.flow, ground.environ["REMOTE_USER"]) == (CONTINUE, "front")


def test_a_realm_is_a_quoted_string() -> None:
    sent = Ground('route-run = basicauth:My "own\\ realm,').walk().sent
    assert b'WWW-Authenticate: Basic realm="My \\"own\\\\ realm"\r\n' in sent


def test_realm_and_users_are_needed() -> None:
    with pytest.raises(ValueError, match="takes REALM,USER:PASSWORD"):
        Ground("route-run = basicauth:R")


def test_credentials() -> None:
    assert credentials(basic("a:b:c")) == (b"a", b"b:c")
    assert credentials("Basic YTpi\u00e9") is None
