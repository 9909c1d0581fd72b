"""Actions over a shared cache: what they answer, what they keep, and what they are built from."""

import gzip
from collections.abc import Iterator
from typing import Any

import pytest

from penstock.codecs.http1_reply import BadReply
from penstock.config.settings import Settings
from penstock.interprocess.cache.caches import Caches
from penstock.interprocess.cache.store import Store
from penstock.serve.routing.flow import BREAK, CONTINUE
from penstock.serve.routing.table import RuleErrors
from tests.interprocess.cache.stores import store_of
from tests.serve.routing.ground import Ground

TWO = ("name=pages,items=10,blocksize=1000", "name=numbers,items=10,math_initial=1")


@pytest.fixture
def caches() -> Iterator[Caches]:
    made = Caches.of(Settings(cache2=TWO))
    assert made is not None
    yield made
    made.close()


def ground(text: str, caches: Caches | None, **more: Any) -> Ground:
    return Ground(text, caches=caches, settings=Settings(cache2=TWO), **more)


def test_what_a_cache_has_answers(caches: Caches) -> None:
    rules = ground("route = ^/c(.*) cache:key=page$1", caches)
    assert rules.walk("/c/a").flow == CONTINUE and rules.sent == b""
    assert caches.set(b"page/a", b"<b>a</b>")
    assert rules.walk("/c/a").flow == BREAK
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 8\r\n"
    assert rules.sent == head + b"\r\n<b>a</b>" and rules.warnings == []


def test_the_head_says_what_is_kept(caches: Caches) -> None:
    given = "key=k.css,name=numbers,content_type=text/x,content_encoding=gzip"
    rules = ground(f"route = .* cache:{given}", caches)
    store = caches.store("numbers")
    assert store is not None
    store.clock = lambda: 1_800_000_000.0
    assert caches.set(b"k.css", b"v", 60, "numbers")
    assert rules.serve() == (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nContent-Encoding: gzip\r\n"
        b"Expires: Fri, 15 Jan 2027 08:01:00 GMT\r\nContent-Length: 1\r\n\r\nv"
    )
    named = {"k.css": "text/css"}
    rules = ground(f"route = .* cache:{given},mime=1", caches, mime=lambda name: named.get(name, ""))
    assert b"Content-Type: text/css\r\n" in rules.serve()
    assert b"Content-Type: text/x\r\n" in ground(f"route = .* cache:{given},mime=1", caches).serve()


def test_without_a_length_the_body_is_in_chunks(caches: Caches) -> None:
    assert caches.set(b"k", b"value")
    sent = ground("route = .* cache:key=k,no_cl=1", caches).serve()
    assert b"Content-Length" not in sent and sent.endswith(b"\r\n5\r\nvalue\r\n0\r\n\r\n")


def test_rules_go_on_behind_cache_continue(caches: Caches) -> None:
    assert caches.set(b"k", b"value")
    rules = ground("route = .* cache-continue:key=k\nroute = .* addvar:SEEN=yes", caches)
    sent = rules.serve()
    assert sent.endswith(b"\r\n\r\nvalue") and sent.count(b"HTTP/1.1") == 1 and rules.environ["SEEN"] == "yes"


def test_a_value_becomes_a_variable(caches: Caches) -> None:
    text = "route = .* cachevar:key=${REMOTE_ADDR},var=GOT"
    assert "GOT" not in ground(text, caches).walk().environ
    assert caches.set(b"127.0.0.1", "é".encode())
    assert ground(text, caches).walk().environ["GOT"] == "\xc3\xa9"
    assert caches.inc(b"127.0.0.1", 0) is not None and caches.set(b"n", (7).to_bytes(8, "little"))
    assert ground("route = .* cachevar:key=n,var=GOT,num=1", caches).walk().environ["GOT"] == "7"
    assert caches.set(b"n", b"7") and ground("route = .* cachevar:key=n,var=GOT,as_num=1", caches).walk()
    assert ground("route = .* cachevar:key=n,var=GOT,as_num=1", caches).walk().environ["GOT"] == "0"


def test_the_first_value_stays_and_the_request_goes_on(caches: Caches) -> None:
    rules = ground("route = ^/(.*) cacheset:key=k,value=$1\\,more,expires=9", caches)
    assert rules.walk("/one").flow == CONTINUE and rules.walk("/two").flow == CONTINUE
    value, until = caches.fetch(b"k") or (b"", 0)
    assert value == b"one,more" and until > 0
    assert rules.walk("/" + "x" * 2000).flow == CONTINUE


@pytest.mark.parametrize(
    ("action", "found"),
    [
        ("cacheinc:key=n,name=numbers", 2),
        ("cacheinc:key=n,name=numbers,value=${ARG}", 42),
        ("cachedec:key=n,name=numbers", 0),
        ("cachemul:key=n,name=numbers", 2),
        ("cachemul:key=n,name=numbers,value=-9", -9),
        ("cachediv:key=n,name=numbers", 0),
        ("cachediv:key=n,name=numbers,value=no number", 0),
    ],
)
def test_numbers_begin_from_what_the_cache_says(caches: Caches, action: str, found: int) -> None:
    rules = ground(f"route = .* {action}", caches)
    assert rules.walk(ARG="41 and more").flow == CONTINUE
    assert caches.num(b"n", "numbers") == found


def test_a_reply_is_kept_and_answers_the_next_request(caches: Caches) -> None:
    text = "route = ^/(.*) cache:key=$1\nroute = ^/(.*) cachestore:key=$1,gzip=$1.gz,expires=60"
    rules = ground(text, caches)
    first = rules.serve("/a")
    assert b"Content-Length: 4\r\n" in first and b"X-App: 1\r\n" in first and first.endswith(b"\r\n\r\napp\n")
    assert caches.get(b"a") == b"app\n" and gzip.decompress(caches.get(b"a.gz") or b"") == b"app\n"
    second = rules.serve("/a")
    assert b"X-App" not in second and b"Expires: " in second and second.endswith(b"\r\n\r\napp\n")


@pytest.mark.parametrize(
    ("action", "status", "kept"),
    [
        ("key=k", "404 Not Found", None),
        ("key=k,status=404", "404 Not Found", b"app\n"),
        ("key=k,code=404", "200 OK", b"app\n"),
        ("key=k,value=made of $0", "200 OK", b"made of /a/b"),
        ("key=k,name=${WHERE}", "200 OK", b"app\n"),
        ("key=k,name=nowhere$1", "200 OK", None),
    ],
)
def test_what_is_kept_of_a_reply(caches: Caches, action: str, status: str, kept: bytes | None) -> None:
    rules = ground(f"route = ^/.* cachestore:{action}", caches)
    sent = rules.serve(status=status, WHERE="pages")
    assert sent.endswith(b"app\n") and caches.get(b"k") == kept


class Blocks:
    """An application of blocks that may break in the middle."""

    def __init__(self, blocks: list[bytes], breaks: bool = False) -> None:
        self.blocks = blocks
        self.breaks = breaks

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield from self.blocks
        if self.breaks:
            raise ValueError("broken")


def run(rules: Ground, application: Blocks) -> bytes:
    rules.walk()
    try:
        rules.call.run(application, rules.environ)
    except ValueError:
        rules.call.fail()
    return rules.sent


def test_a_body_of_blocks_is_kept_whole_or_not_at_all(caches: Caches) -> None:
    rules = ground("route = .* cachestore:key=k", caches)
    assert run(rules, Blocks([b"x" * 400, b"y" * 600])).endswith(b"y" * 600 + b"\r\n0\r\n\r\n")
    assert caches.get(b"k") == b"x" * 400 + b"y" * 600 and caches.delete(b"k")
    assert run(rules, Blocks([b"x" * 400, b"y" * 601])).endswith(b"y" * 601 + b"\r\n0\r\n\r\n")
    assert caches.get(b"k") is None
    assert run(rules, Blocks([b"half"], breaks=True)) and caches.get(b"k") is None


def test_a_head_is_not_a_body(caches: Caches) -> None:
    rules = ground("route = .* cachestore:key=k", caches)
    rules.walk()
    rules.call.x.request.is_head = True
    rules.call.run(Blocks([b"body"]), rules.environ)
    assert caches.get(b"k") is None and rules.sent.startswith(b"HTTP/1.1 200 OK\r\n")


def test_incache_asks(caches: Caches) -> None:
    text = "route-if = incache:key=page${PATH_INFO},name=pages addvar:IN=yes"
    assert "IN" not in ground(text, caches).walk().environ
    assert caches.set(b"page/a/b", b"v")
    assert ground(text, caches).walk().environ["IN"] == "yes"


@pytest.mark.parametrize(
    "rule",
    [
        "route = .* cache:name=pages",
        "route = .* cache:key=k,name=pages@127.0.0.1:1",
        "route = .* cachevar:key=k",
        "route = .* cachevar:key=k,var=wsgi.input",
        "route = .* cacheset:key=k",
        "route = .* cacheset:key=k,value=v,expires=soon",
        "route = .* cacheinc:value=1",
        "route = .* cachestore:name=pages",
        "route-if = incache:name=pages log:x",
    ],
)
def test_what_cannot_be_is_an_error(caches: Caches, rule: str) -> None:
    with pytest.raises(RuleErrors, match=r"x\.ini:1: .* is expected|x\.ini:1: .* cannot be asked"):
        ground(rule, caches)


def test_what_is_probably_not_meant_is_said(caches: Caches) -> None:
    rules = ground("route = .* cache:key=k,nmae=x,name=other", caches)
    assert len(rules.warnings) == 2 and "'nmae=x' is left out" in rules.warnings[0]
    assert "there is no cache 'other': there are pages, numbers;" in rules.warnings[1]
    assert all(text.startswith("x.ini:1: route = .* cache:key=k") for text in rules.warnings)
    assert rules.walk().flow == CONTINUE


def test_without_caches_nothing_is_found() -> None:
    lines = (
        "cache:key=k",
        "cachevar:key=k,var=V",
        "cacheset:key=k,value=v",
        "cacheinc:key=k",
        "cachestore:key=k",
    )
    text = "\n".join(f"route = .* {line}" for line in lines)
    rules = Ground(f"{text}\nroute-if = incache:key=k addvar:IN=yes", settings=Settings())
    assert rules.serve().endswith(b"app\n") and "IN" not in rules.environ
    assert all("there is no cache: cache2 makes one" in line for line in rules.warnings) and rules.warnings


def test_no_rule_puts_a_second_field_into_a_head() -> None:
    with store_of("name=pages,items=10") as store, pytest.raises((RuleErrors, BadReply)):
        found: Store = store
        assert found.set(b"k", b"v")
        Ground("route = .* cache:key=k,content_type=a\x00b", caches=Caches([found]))
