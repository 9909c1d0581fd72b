"""Rewriting: which path and which query string come of it."""

import pytest

from penstock.serve.routing.actions.rewrite import path_of
from penstock.serve.routing.flow import BREAK, CONTINUE
from tests.serve.routing.ground import Ground


@pytest.mark.parametrize(
    ("target", "before", "path", "query"),
    [
        ("/n/$1", "x=1", "/n/b", "x=1"),
        ("/n/$1?a=1", "x=1", "/n/b", "a=1&x=1"),
        ("/n/$1?a=1&b=2", "", "/n/b", "a=1&b=2"),
        ("/n?", "x=1", "/n", "&x=1"),
        ("/n?", "", "/n", ""),
        ("?x=1", "", "", "x=1"),
        ("/n?a?b", "", "/n", "a?b"),
        ("/n/%41", "", "/n/A", ""),
    ],
)
def test_path_and_query(target: str, before: str, path: str, query: str) -> None:
    ground = Ground(f"route = ^/a/(.*) rewrite:{target}").walk("/a/b", QUERY_STRING=before)
    assert (ground.environ["PATH_INFO"], ground.environ["QUERY_STRING"]) == (path, query)
    assert ground.environ["REQUEST_URI"] == "/a/b?x=1&y=2"


def test_it_goes_on_or_is_the_last() -> None:
    ground = Ground("route-run = rewrite:/n\nroute = ^/n addvar:SEEN=1").walk()
    assert ground.environ["SEEN"] == "1"
    ground = Ground("route-run = rewrite-last:/n\nroute = ^/n addvar:SEEN=1").walk()
    assert ground.flow == CONTINUE
    assert "SEEN" not in ground.environ


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/a/../b", "/b"),
        ("/a/./b", "/a/b"),
        ("/../../b", "/b"),
        ("/a/..", "/"),
        ("/a/b/..", "/a/"),
        ("/a/.", "/a/"),
        ("/a//b", "/a//b"),
        ("/a//../b", "/a/b"),
        ("/a/%2e%2e/b", "/b"),
        ("/a%2f..%2fb", "/b"),
        ("/..a/b..", "/..a/b.."),
        ("/a%zz%4", "/a%zz%4"),
        ("/a#b", "/a"),
        ("a/../b", "b"),
        ("..", ""),
        ("", ""),
        ("/caf%c3%a9", "/caf\xc3\xa9"),
    ],
)
def test_a_path_comes_out_clean(text: str, path: str) -> None:
    assert path_of(text) == path


def test_a_client_that_escapes_twice_gets_no_further() -> None:
    ground = Ground("route = ^/f/(.*) rewrite:/files/$1").walk("/f/%2e%2e/%2e%2e/etc")
    assert ground.environ["PATH_INFO"] == "/etc"
    ground = Ground("route = ^/f/(.*) rewrite:/files/$1").walk("/f/%00")
    assert ground.flow == BREAK
    assert ground.sent.startswith(b"HTTP/1.1 400 ")
