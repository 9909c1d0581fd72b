"""Figures that are kept and sent, as uWSGI writes them."""

import pytest

from penstock.config.observing.figures import (
    Metric,
    Push,
    Server,
    Threshold,
    carbon,
    idle,
    leading,
    metric,
    push,
    threshold,
)
from tests.config.test_consistency import read


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("statsd:127.0.0.1:8125", Push("statsd", "127.0.0.1:8125")),
        ("statsd:127.0.0.1:8125,shop", Push("statsd", "127.0.0.1:8125", "shop")),
        ("socket:/run/stats.sock,shop", Push("socket", "/run/stats.sock", "shop")),
        ("file:/run/site.json", Push("file", "/run/site.json")),
        ("file:path=/run/site.json,freq=10s", Push("file", "/run/site.json", freq=10.0)),
        ("file:path=/a,separator=--\\,--", Push("file", "/a", separator="--,--")),
    ],
)
def test_pushes(text: str, found: Push) -> None:
    assert push(text) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mongodb:127.0.0.1", "nothing is written to MongoDB"),
        ("carbon:127.0.0.1:2003", "carbon = HOST:PORT"),
        ("pigeon:home", "socket, statsd, file are known"),
        ("statsd", "an address is expected, such as statsd:"),
        ("socket:,shop", "an address is expected, such as socket:"),
        ("file:", "a file is expected"),
        ("file:freq=1", "a file is expected"),
        ("file:path=/a,colour=red", "not 'colour=red'"),
        ("file:path=/a,freq=often", "a number is expected behind freq="),
    ],
)
def test_pushes_that_are_none(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        push(text)


def test_metrics() -> None:
    assert metric("shop.orders") == Metric("shop.orders", "counter", {})
    found = metric("name=a.b,type=gauge,collector=file,arg1=/proc/loadavg,freq=5")
    assert found == Metric("a.b", "gauge", {"collector": "file", "arg1": "/proc/loadavg", "freq": "5"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("type=gauge", "name=NAME is expected"),
        ("", "name=NAME is expected"),
        ("name=a/b", "name=NAME is expected"),
        ("name=a,type=odd", "counter, gauge, absolute, alias are known as type="),
        ("name=a,collector=func,arg1=count", "collector=func is about uWSGI's own memory; file, sum, avg"),
        ("name=a,collector=odd", "multiplier, manual are known as collector="),
        ("name=a,freq=x", "a number is expected behind freq="),
        ("name=a,initial_value=x", "a number is expected behind initial_value="),
        ("name=a,x", "not 'x'"),
    ],
)
def test_metrics_that_are_none(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        metric(text)


def test_thresholds() -> None:
    assert threshold("key=a,value=5") == Threshold("a", 5)
    found = threshold("key=a,value=-5x,alarm=ops,rate=30,msg=too many,reset=0")
    assert found == Threshold("a", -5, "ops", "too many", 0, 30)
    for text in ("value=5", "key=a", "key=,value=1", "key=a,value=many", "a"):
        with pytest.raises(ValueError, match="is expected"):
            threshold(text)


def test_numbers_by_their_leading_digits() -> None:
    assert [leading(text, "x") for text in ("5", " 12s", "-3", "+4")] == [5, 12, -3, 4]


def test_servers_of_graphite() -> None:
    assert carbon("graphite.example.org:2003") == Server("graphite.example.org", 2003)
    for text in ("2003", ":2003", "host", "host:0", "host:65536", "host:x", ""):
        server = carbon(text)
        assert (server.host, server.port) == ("", 0)
        assert "nothing is sent there" in server.doubtful[0]


def test_a_server_that_cannot_be_read_is_a_warning_with_its_place() -> None:
    _, (finding,) = read("carbon = 127.0.0.1:2003", "carbon = graphite")
    assert (finding.level, finding.line) == ("warning", 2)


def test_an_idle_worker() -> None:
    assert [idle(text) for text in ("last", "zero", "none")] == ["last", "zero", "none"]
    with pytest.raises(ValueError, match="last, zero or none is expected"):
        idle("most")
