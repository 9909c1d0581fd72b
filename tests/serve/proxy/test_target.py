"""Addresses of other servers as rules write them."""

import socket

import pytest

from penstock.serve.proxy.target import parse_target


@pytest.mark.parametrize(("text", "host", "port", "authority"), [
    ("127.0.0.1:8000", "127.0.0.1", 8000, "127.0.0.1:8000"),
    (":8000", "127.0.0.1", 8000, "127.0.0.1:8000"),
    ("[::1]:8000", "::1", 8000, "[::1]:8000"),
    ("app.example:80", "app.example", 80, "app.example:80"),
])  # fmt: skip
def test_tcp(text: str, host: str, port: int, authority: str) -> None:
    target = parse_target(text)
    assert (target.name, target.host, target.port, target.path) == (text, host, port, "")
    assert target.authority == authority


@pytest.mark.parametrize(("text", "path"), [
    ("/run/app.sock", "/run/app.sock"),
    ("app.sock", "app.sock"),
    ("unix:/run/app.sock", "/run/app.sock"),
    ("@app", "\0app"),
    ("/run/\xc3\xa4", "/run/\u00e4"),  # rules carry octets as latin-1
])  # fmt: skip
def test_unix(text: str, path: str) -> None:
    target = parse_target(text)
    assert (target.path, target.authority) == (path, "localhost")
    assert target.places() == [(socket.AF_UNIX, path)]


@pytest.mark.parametrize(
    "text", ["", "@", "fd://3", "127.0.0.1:", "127.0.0.1:x", "a:b:80", "h:99999", "/a\0b", "=0"]
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_target(text)
    assert "\n" not in str(caught.value)


def test_a_number_is_not_looked_up() -> None:
    assert parse_target("127.0.0.1:80").places() == [(socket.AF_INET, ("127.0.0.1", 80))]


def test_a_name_is_one_line() -> None:
    assert parse_target("/a\nb").name == "'/a\\nb'"
    assert parse_target("a\nb:80").name == "'a\\nb:80'"
