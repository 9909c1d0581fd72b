"""Addresses as uWSGI writes them."""

import pytest

from penstock.config.address import UNIX_LONGEST, Address, parse_address
from penstock.core.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (":8000", Address("tcp", port=8000)),
        ("*:8000", Address("tcp", port=8000)),
        ("127.0.0.1:8000", Address("tcp", "127.0.0.1", 8000)),
        ("127.0.0.1:0", Address("tcp", "127.0.0.1", 0)),
        ("127.0.0.1:", Address("tcp", "127.0.0.1", 0)),
        ("localhost:65535", Address("tcp", "localhost", 65535)),
        ("[::1]:8000", Address("tcp", "::1", 8000)),
        ("[::]:80", Address("tcp", "::", 80)),
        ("http://127.0.0.1:8000", Address("tcp", "127.0.0.1", 8000)),
        ("tcp://127.0.0.1:8000", Address("tcp", "127.0.0.1", 8000)),
        ("tcp:127.0.0.1:8000", Address("tcp", "127.0.0.1", 8000)),
        ("/run/app.sock", Address("unix", path="/run/app.sock")),
        ("/run/with:colon.sock", Address("unix", path="/run/with:colon.sock")),
        ("app.sock", Address("unix", path="app.sock")),
        ("8080", Address("unix", path="8080")),
        ("unix:/run/app.sock", Address("unix", path="/run/app.sock")),
        ("unix:///run/app.sock", Address("unix", path="/run/app.sock")),
        ("unix:app.sock", Address("unix", path="app.sock")),
        ("unix:@name", Address("abstract", path="name")),
        ("@name", Address("abstract", path="name")),
        ("@name:8000", Address("abstract", path="name:8000")),
        ("fd://3", Address("fd", fd=3)),
        ("fd://0", Address("fd", fd=0)),
    ],
)
def test_an_address(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "an empty address"),
        ("@", "an empty address"),
        ("=0", "'=0' is the number of a shared-socket, and there are none: name the address"),
        ("unix:", "an empty address"),
        ("unix://", "an empty address"),
        ("fd://", "'fd://' is not fd://NUMBER"),
        ("fd://-1", "'fd://-1' is not fd://NUMBER"),
        ("fd://three", "'fd://three' is not fd://NUMBER"),
        ("fd://\u00b2", "'fd://\u00b2' is not fd://NUMBER"),
        ("127.0.0.1:http", "'http' is not a port number"),
        (":-1", "'-1' is not a port number"),
        (":\u00b2", "'\u00b2' is not a port number"),
        (":8000,key", "'8000,key' is not a port number"),
        (":65536", "there is no port 65536"),
        ("::1:8000", "put brackets round an IPv6 address, [::1]:8000"),
        ("1:2:3", "put brackets round an IPv6 address"),
    ],
)
def test_what_is_no_address_says_why(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_address(text)
    assert said in str(caught.value)
    assert caught.value.origin == "", "whoever read the address knows where it stood"


def test_a_path_that_the_kernel_cannot_take_is_refused_before_it_is_cut() -> None:
    longest = "/" + "x" * (UNIX_LONGEST - 1)
    assert parse_address(longest).path == longest
    for text in (longest + "x", "/" + "\u00e9" * (UNIX_LONGEST // 2) + "x", "@" + longest):
        with pytest.raises(ConfigError, match="longer than the 107 bytes"):
            parse_address(text)


def test_a_path_that_is_no_utf8_counts_its_bytes() -> None:
    """As the command line brings it (PEP 383)."""
    longest = "/" + "\udcff" * (UNIX_LONGEST - 1)
    assert parse_address(longest) == Address("unix", path=longest)
    with pytest.raises(ConfigError, match="longer than the 107 bytes"):
        parse_address(longest + "\udcff")
