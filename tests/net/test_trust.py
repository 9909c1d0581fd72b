"""Whose word counts: lists of peers, and what is believed of X-Forwarded-* and Forwarded."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from time import time
from typing import Any

import pytest

from penstock.codecs.decoder import Limits
from penstock.codecs.http1 import Http1Decoder
from penstock.handoff.doorway import Doorway
from penstock.handoff.pool import Pool
from penstock.net.connection import Connection
from penstock.net.door import Door, Intake, Patience
from penstock.net.listener import Listener
from penstock.net.trust import Forwarding, Peers
from tests.fakes import FakeLoop

# ---- Peers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entries", "members", "strangers"),
    [
        ([], [], ["127.0.0.1", "::1", ""]),
        (["10.1.2.3"], ["10.1.2.3", "::ffff:10.1.2.3"], ["10.1.2.4", "", "::10.1.2.3"]),
        (["10.0.0.0/8"], ["10.0.0.0", "10.255.255.255"], ["11.0.0.0", "9.255.255.255"]),
        (["10.1.2.3/8"], ["10.9.9.9"], ["11.0.0.0"]),  # host bits are what people write
        (["2001:db8::/32"], ["2001:db8::1", "2001:db8:ffff::"], ["2001:db9::1", "10.0.0.1"]),
        (["::1", "127.0.0.0/8"], ["::1", "127.0.0.1", "127.9.9.9"], ["::2", "128.0.0.1", ""]),
        (["fe80::/10"], ["fe80::1%eth0", "fe80::1"], ["fd00::1"]),
        (["*"], ["1.2.3.4", "::1", "", "not an address"], []),
        (["unix:"], [""], ["127.0.0.1", "::1"]),
        (["unix"], [""], ["127.0.0.1"]),
        (["unix:", "10.0.0.1"], ["", "10.0.0.1"], ["10.0.0.2"]),
    ],
)
def test_who_is_on_the_list(entries: list[str], members: list[str], strangers: list[str]) -> None:
    peers = Peers(entries)
    for _ in range(2):  # the second time from memory
        assert [address for address in members if address not in peers] == []
        assert [address for address in strangers if address in peers] == []


@pytest.mark.parametrize(
    "entry", ["example.org", "10.0.0.256", "10.0.0.0/33", "", " 10.0.0.1", "10.0.0.1:80"]
)
def test_an_entry_that_is_no_address_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match=repr(entry).replace(".", r"\.")):
        Peers(["127.0.0.1", entry])


def test_what_is_no_address_is_nobody() -> None:
    assert "nonsense" not in Peers(["0.0.0.0/0", "::/0", "unix:"])


def test_what_was_looked_up_is_bounded() -> None:
    peers = Peers(["10.0.0.0/8"])
    for number in range(10_000):
        assert f"10.0.{number // 250}.{number % 250}" in peers
    assert len(peers.known) <= 4097


# ---- What a trusted peer says -----------------------------------------------------------------------

PROXIES = Peers(["10.0.0.0/8", "unix:"])


def applied(*, rewrite: bool = False, peers: Peers = PROXIES, **headers: str) -> dict[str, Any]:
    """The variables after a trusted peer sent ``headers`` (without HTTP_)."""
    variables: dict[str, Any] = {"wsgi.url_scheme": "http", "REMOTE_ADDR": "10.0.0.1"}
    variables |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    Forwarding(peers, rewrite).apply(variables)
    return variables


@pytest.mark.parametrize(
    ("headers", "scheme"),
    [
        ({}, "http"),
        ({"x_forwarded_proto": "https"}, "https"),
        ({"x_forwarded_proto": "HTTPS"}, "https"),
        ({"x_forwarded_proto": "http"}, "http"),
        ({"x_forwarded_proto": "http, https"}, "https"),  # the last is the one next to us
        ({"x_forwarded_proto": "https,http"}, "http"),
        ({"x_forwarded_proto": "gopher"}, "http"),
        ({"x_forwarded_proto": ""}, "http"),
        ({"x_forwarded_ssl": "on"}, "https"),
        ({"x_forwarded_ssl": "off"}, "http"),
        ({"x_forwarded_proto": "http", "x_forwarded_ssl": "on"}, "http"),
        ({"forwarded": "proto=https"}, "https"),
        ({"forwarded": 'for=1.2.3.4;proto="https";by=x'}, "https"),
        ({"forwarded": "For=1.2.3.4; Proto=HTTPS"}, "https"),
        ({"forwarded": "proto=https, proto=http"}, "http"),
        ({"forwarded": "for=1.2.3.4"}, "http"),
        ({"forwarded": "https"}, "http"),
        ({"forwarded": "proto=http", "x_forwarded_proto": "https"}, "https"),
    ],
)
def test_the_scheme(headers: dict[str, Any], scheme: str) -> None:
    assert applied(**headers)["wsgi.url_scheme"] == scheme


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ({}, None),
        ({"x_forwarded_for": "192.0.2.7"}, "192.0.2.7"),
        ({"x_forwarded_for": " 192.0.2.7 "}, "192.0.2.7"),
        ({"x_forwarded_for": "192.0.2.7:4711"}, "192.0.2.7"),
        ({"x_forwarded_for": "2001:db8::7"}, "2001:db8::7"),
        ({"x_forwarded_for": "[2001:db8::7]:4711"}, "2001:db8::7"),
        # From the right, over our own proxies: what stands left of the first stranger he wrote himself.
        ({"x_forwarded_for": "192.0.2.7, 10.0.0.9"}, "192.0.2.7"),
        ({"x_forwarded_for": "1.1.1.1, 192.0.2.7, 10.0.0.9, 10.0.0.8"}, "192.0.2.7"),
        ({"x_forwarded_for": "1.1.1.1, 192.0.2.7"}, "192.0.2.7"),
        ({"x_forwarded_for": "10.0.0.7, 10.0.0.9"}, "10.0.0.7"),  # all ours: the farthest of them
        ({"x_forwarded_for": "unknown"}, None),
        ({"x_forwarded_for": "192.0.2.7, unknown"}, None),
        ({"x_forwarded_for": "<script>, 10.0.0.9"}, "10.0.0.9"),
        ({"x_forwarded_for": ""}, None),
        ({"x_forwarded_for": ",,"}, None),
        ({"forwarded": "for=192.0.2.7"}, "192.0.2.7"),
        ({"forwarded": 'for="192.0.2.7:80"'}, "192.0.2.7"),
        ({"forwarded": 'For="[2001:db8::7]:4711"'}, "2001:db8::7"),
        ({"forwarded": "for=1.1.1.1, for=192.0.2.7;proto=https, for=10.0.0.9"}, "192.0.2.7"),
        ({"forwarded": "for=_hidden"}, None),
        ({"forwarded": "proto=https"}, None),
        ({"forwarded": "for=1.1.1.1", "x_forwarded_for": "192.0.2.7"}, "192.0.2.7"),
    ],
)
def test_the_client(headers: dict[str, Any], client: str | None) -> None:
    assert applied(**headers).get("penstock.client") == client


def test_with_everybody_trusted_the_farthest_is_the_client() -> None:
    variables = applied(peers=Peers(["*"]), x_forwarded_for="192.0.2.7, 198.51.100.1")
    assert variables["penstock.client"] == "192.0.2.7"


def test_remote_addr_is_rewritten_only_when_that_is_asked_for() -> None:
    assert applied(x_forwarded_for="192.0.2.7")["REMOTE_ADDR"] == "10.0.0.1"
    assert applied(x_forwarded_for="192.0.2.7", rewrite=True)["REMOTE_ADDR"] == "192.0.2.7"
    assert applied(x_forwarded_for="nonsense", rewrite=True)["REMOTE_ADDR"] == "10.0.0.1"


def test_the_headers_stay_as_they_came() -> None:
    headers: dict[str, Any] = {
        "x_forwarded_for": "192.0.2.7",
        "x_forwarded_proto": "https",
        "forwarded": "for=x",
    }
    variables = applied(**headers)
    assert {name: variables[f"HTTP_{name.upper()}"] for name in headers} == headers


# ---- Whose word: a connection asks before it believes -------------------------------------------------


@contextmanager
def request_from(peer: str, head: bytes, *, trusted: list[str]) -> Iterator[dict[str, Any]]:
    """The variables that a request from ``peer`` has when it is handed to the pool."""
    loop = FakeLoop()
    doorway = Doorway(loop())
    door = Door(loop(), doorway, Pool(loop(), doorway, threads=0, queue=10), Patience(), Intake())
    bound = socket.socket(socket.AF_INET if peer else socket.AF_UNIX)
    ours, theirs = socket.socketpair()
    with bound, theirs:
        base = {"wsgi.url_scheme": "http"}
        forwarding = Forwarding(Peers(trusted))
        listener = Listener(bound, "http", Http1Decoder({}, Limits()), base, forwarding)
        ours.setblocking(False)
        theirs.sendall(head)
        connection = Connection(door, listener, ours, (peer, 4711) if peer else "")
        connection.open()
        (x,) = door.pool.work
        assert x is not None
        yield x.request.vars
        x.outbox.abandon(x)
        connection.cut()


HEAD = (
    b"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: https\r\n"
    b"X-Forwarded-For: 192.0.2.7\r\nForwarded: for=192.0.2.7;proto=https\r\n\r\n"
)


@pytest.mark.parametrize(
    ("peer", "trusted", "believed"),
    [
        ("10.0.0.1", ["10.0.0.1"], True),
        ("10.0.0.2", ["10.0.0.1"], False),
        ("10.0.0.2", [], False),
        ("10.0.0.2", ["*"], True),
        ("", ["unix:"], True),
        ("", ["127.0.0.1"], False),
    ],
)
def test_a_stranger_s_headers_change_nothing(peer: str, trusted: list[str], believed: bool) -> None:
    with request_from(peer, HEAD, trusted=trusted) as variables:
        assert variables["REMOTE_ADDR"] == peer
        assert variables["wsgi.url_scheme"] == ("https" if believed else "http")
        assert ("penstock.client" in variables) == believed
        assert variables["HTTP_X_FORWARDED_FOR"] == "192.0.2.7", "it is a header like any other"


def test_a_zone_is_no_way_to_write_into_the_log() -> None:
    variables: dict[str, Any] = {"HTTP_X_FORWARDED_FOR": '::1%" 200 <b>'}
    Forwarding(Peers(["10.0.0.1"])).apply(variables)
    assert "penstock.client" not in variables


@pytest.mark.parametrize("form", ["t={:.3f}", "{:.6f}", "t={:.0f}000", "{:.0f}000000"])
def test_how_long_a_request_has_waited_before_it_came(form: str) -> None:
    for name in ("HTTP_X_REQUEST_START", "HTTP_X_QUEUE_START"):
        variables: dict[str, Any] = {name: form.format(time() - 5.0)}
        Forwarding(Peers(["10.0.0.1"])).apply(variables)
        assert 4.0 < variables["penstock.queue_time"] < 7.0
    variables = {"REQUEST_START": form.format(time() - 5.0)}
    Forwarding(Peers(["10.0.0.1"])).packed(variables)
    assert 4.0 < variables["penstock.queue_time"] < 7.0


@pytest.mark.parametrize("text", ["", "soon", "nan", "inf", "-1", "0", "t=", "1e400", "9" * 400])
def test_a_time_that_is_none_counts_as_none(text: str) -> None:
    variables: dict[str, Any] = {"HTTP_X_REQUEST_START": text}
    Forwarding(Peers(["10.0.0.1"])).apply(variables)
    assert "penstock.queue_time" not in variables


def test_another_clock_is_not_believed() -> None:
    for since in (time() + 60, time() - 7200):
        variables: dict[str, Any] = {"HTTP_X_REQUEST_START": f"t={since}"}
        Forwarding(Peers(["10.0.0.1"])).apply(variables)
        assert "penstock.queue_time" not in variables


@pytest.mark.parametrize(
    ("text", "taken"), [("abc-1", True), ("", False), ("a b", False), ("x" * 201, False)]
)
def test_an_id_that_a_request_has_already(text: str, taken: bool) -> None:
    forwarding = Forwarding(Peers(["10.0.0.1"]), name="HTTP_X_REQUEST_ID")
    for name, apply in (("HTTP_X_REQUEST_ID", forwarding.apply), ("REQUEST_ID", forwarding.packed)):
        variables: dict[str, Any] = {name: text}
        apply(variables)
        assert ("penstock.request_id" in variables) == taken
    variables = {"HTTP_X_REQUEST_ID": "theirs"}
    forwarding.packed(variables)
    assert "penstock.request_id" not in variables, "nginx passes what its client sent"
