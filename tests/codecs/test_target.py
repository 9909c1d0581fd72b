"""Request targets and authorities, in their parts."""

import pytest

from penstock.codecs.target import host_of


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("a.test", "a.test"),
        ("a.test:80", "a.test"),
        ("[::1]:80", "[::1]"),
        ("", ""),
        ("[::1]", "[::1]"),
        ("a:b", "a:b"),
    ],
)
def test_hosts_lose_their_port(host: str, name: str) -> None:
    assert host_of(host) == name
