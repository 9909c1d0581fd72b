"""What is waited for, as it is written."""

import pytest

from penstock.config.household import waits


def test_addresses() -> None:
    assert waits.parse_socket("127.0.0.1:80").port == 80
    assert waits.parse_socket(":80").host == ""
    assert waits.parse_socket("/run/app.sock").path == "/run/app.sock"
    assert waits.parse_socket("@app").kind == "abstract"


@pytest.mark.parametrize("text", ["fd://3", "127.0.0.1:0", "host:x", "", "=0"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        waits.parse_option("wait-for-socket", text)
    assert str(caught.value)


def test_names() -> None:
    assert waits.parse_option("wait-for-fs", "/srv/data") == "/srv/data"
    assert waits.parse_option("wait-for-interface", "eth0") == "eth0"
    with pytest.raises(ValueError, match="a name is expected"):
        waits.parse_option("wait-for-mountpoint", " ")
