"""Conditions, each against what uWSGI finds."""

from pathlib import Path

import pytest

from penstock.serve.routing.actions.names import CONDITIONS, condition_of
from penstock.serve.routing.template import carried
from tests.serve.routing.ground import Ground

OTHERS = {"incache"}


def holds(condition: str, path: str = "/f", **environ: str) -> bool:
    return "SAID" in Ground(f"route-if = {condition} addvar:SAID=1").walk(path, **environ).environ


@pytest.mark.parametrize(
    ("condition", "so"),
    [
        ("equal:${PATH_INFO};/f", True),
        ("isequal:a;b;c", False),
        ("eq:a;a", True),
        ("==:b;c;b;c", False),
        ("==:;", True),
        ("equal:A;a", False),
        ("startswith:${PATH_INFO};/", True),
        ("startswith:/;${NOPE}", True),
        ("startswith:/;/f", False),
        ("endswith:${PATH_INFO};f", True),
        ("endswith:f;ff", False),
        ("contains:${PATH_INFO};f", True),
        ("contain:x;y", False),
        ("contains:aab;", False),
        ("contains:aab;ab", True),
        ("contains:a;b;b", False),
        ("re:${PATH_INFO};^/f;?", True),
        ("regexp:${PATH_INFO};^f", False),
        ("empty:", True),
        ("empty:${NOPE}", True),
        ("empty:;", False),
        ("lord:legion", False),
        ("ishigher:5;3", True),
        (">:3;5", False),
        (">:3;3", False),
        ("islower:-5;3", True),
        ("<:abc;1", True),
        ("ishigherequal:5;5", True),
        (">=:4;5", False),
        ("islowerequal:5;4", False),
        ("<=:;0", True),
        ("<=:0x10;0", True),
        ("ipv4in:${REMOTE_ADDR};127.0.0.0/8", True),
        ("ipv4in:10.1.2.3;10.1", False),
        ("ipv4in:127.1;127.0.0.1", True),
        ("ipv4in:1.2.3.4;0.0.0.0/0", True),
        ("ipv4in:1.2.3.4;1.2.3.4", True),
        ("ipv4in:1.2.3.4;1.2.3.5/31", True),
        ("ipv4in:1.2.3.4;1.2.3.6/31", False),
        ("ipv4in:1.2.3.4;${NET}", False),
        ("ipv4in:1.2.3.4;1.2.3.4/33", False),
        ("ipv4in:1.2.3.4;1.2.3.4/-1", False),
        ("ipv4in:::1;0.0.0.0/0", False),
        ("ipv4in:;0.0.0.0/0", False),
        ("ipv6in:::1;::1/128", True),
        ("ipv6in:::1;::1", True),
        ("ipv6in:2001:db8::1;2001:db8::/33", True),
        ("ipv6in:2001:db8:8000::1;2001:db8::/33", False),
        ("ipv6in:1.2.3.4;::/0", False),
        ("ipv6in:x;::/0", False),
        ("ipv6in:::1;::1/129", False),
    ],
)
def test_what_is_so(condition: str, so: bool) -> None:
    assert holds(condition) is so


def test_a_network_that_the_request_names() -> None:
    assert holds("ipv4in:10.9.9.9;${NET}", NET="10.0.0.0/8")
    assert not holds("ipv4in:10.9.9.9;${NET}", NET="10.0.0.0\0/8")


@pytest.mark.parametrize("condition", ["equal:a", "re:a", ">:1", "ipv4in:1.2.3.4", "startswith:"])
def test_half_a_condition_is_never_so_and_said(condition: str) -> None:
    ground = Ground(f"route-if = {condition} addvar:SAID=1")
    assert "SAID" not in ground.walk().environ
    assert ["needs a semicolon" in line for line in ground.warnings] == [True]


@pytest.mark.parametrize("network", ["300.0.0.0/8", "10.0.0.0/40", "x", "::1"])
def test_a_network_that_is_none_is_said(network: str) -> None:
    ground = Ground(f"route-if-not = ipv4in:1.2.3.4;{network} addvar:SAID=1")
    assert "SAID" in ground.walk().environ
    assert ["is no network" in line for line in ground.warnings] == [True]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("exists", {"file", "link", "dir", "script", "ä;b"}),
        ("isfile", {"file", "link", "script", "ä;b"}),
        ("isdir", {"dir"}),
        ("islink", {"link", "dead"}),
        ("isexec", {"dir", "script"}),
    ],
)
def test_paths(condition: str, found: set[str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "ä;b").touch()
    (tmp_path / "dir").mkdir()
    (tmp_path / "script").touch(0o755)
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "dead").symlink_to("nowhere")
    names = ["file", "link", "dir", "script", "ä;b", "dead", "missing", "file\0", "file/x"]
    assert {name for name in names if holds(f"{condition}:{tmp_path}/${{NAME}}", NAME=carried(name))} == found
    assert holds(f"{condition}:{tmp_path}/ä;b") is ("ä;b" in found)


@pytest.mark.parametrize("name", " ".join(CONDITIONS.values()).split())
def test_every_condition_of_the_list_is_there(name: str) -> None:
    assert name in OTHERS or callable(condition_of(name))
