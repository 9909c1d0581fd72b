"""The reader that each option has."""

import pytest

from penstock.config.option import FLAG, INT, LIST, TEXT, Option
from penstock.config.reading import read
from penstock.config.registry import lookup


def value(name: str, text: str | None) -> object:
    option = lookup(name)
    assert option is not None
    found, warning = read(option, text)
    assert warning == ""
    return found


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("vacuum", None, True), ("vacuum", "no", False), ("listen", "64", 64), ("prio", "-5", -5),
        ("limit-post", "64k", 65536), ("limit-as", "512", 512 << 20), ("thread-stacksize", "512", 512 << 10),
        ("harakiri", "30", 30.0), ("log-slow", "500", 0.5), ("chmod-socket", None, 0o666),
        ("chmod-socket", "660", 0o660), ("umask", "22", 0o22), ("module", "app", "app"),
        ("env", "A=b,c", ("A=b,c",)), ("trusted-proxies", "::1, 10.0.0.0/8", ("::1", "10.0.0.0/8")),
        ("uwsgi-allow", "::1,", ("::1",)), ("cache2", "name=a,items=5", ("name=a,items=5",)),
        ("https2", "addr=:443,cert=a", {"addr": ":443", "cert": "a"}), ("check-cache", "true", ""),
        ("check-cache", None, ""), ("check-cache", "pages", "pages"), ("compress", "br,gzip", ("br", "gzip")),
        ("http-keepalive", None, None), ("http-keepalive", "1", None), ("http-keepalive", "20", 20.0),
        ("threads", "auto", "auto"), ("plugins", "a,b", ("a,b",)),
    ],
)  # fmt: skip
def test_values(name: str, text: str | None, found: object) -> None:
    assert value(name, text) == found


@pytest.mark.parametrize("kind", [INT, TEXT, LIST])
def test_a_value_that_is_missing(kind: str) -> None:
    with pytest.raises(ValueError, match=r"^a value is expected: N$"):
        read(Option("name", kind, "Group", "What it does.", metavar="N"), None)
    with pytest.raises(ValueError, match=r"^a value is expected$"):
        read(Option("name", kind, "Group", "What it does."), None)


def test_a_flag_needs_none() -> None:
    assert read(Option("name", FLAG, "Group", "What it does."), None) == (True, "")
