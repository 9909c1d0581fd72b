"""Where a server is looked at, by its options' texts."""

from pathlib import Path

import pytest

from penstock.config.address import Address
from penstock.config.observing.places import (
    Place,
    address,
    credentials,
    endpoint,
    header,
    listener,
    near,
    page,
    path,
    probe,
    users_file,
)
from tests.config.test_consistency import read


def test_addresses() -> None:
    assert address("127.0.0.1:1717") == Address("tcp", "127.0.0.1", 1717)
    assert address("@stats") == Address("abstract", path="stats")
    for text in ("", "localhost:x", "=0"):
        with pytest.raises(ValueError, match=r"\w"):
            address(text)


def test_paths() -> None:
    assert path("/-/metrics") == "/-/metrics"
    for text in ("metrics", "", "/a b", "/a?b", "/a#b", "/%61", "/ä", "/a\n"):
        with pytest.raises(ValueError, match=r"^a path is expected, such as /-/metrics$"):
            path(text)


def test_paths_of_probes_can_be_off() -> None:
    assert probe("/livez") == "/livez"
    assert {probe(text) for text in ("off", "false", "no", "0")} == {""}
    with pytest.raises(ValueError, match="a path is expected"):
        probe("on")


def test_a_page_has_an_address_or_a_path() -> None:
    assert page("/-/status") == Place(path="/-/status")
    assert page(":9101") == Place(Address("tcp", "", 9101))
    assert page("unix:/run/page.sock") == Place(Address("unix", path="/run/page.sock"))
    with pytest.raises(ValueError, match="a path is expected"):
        page("/a b")


def test_who_may_see_it(tmp_path: Path) -> None:
    assert credentials("ops:se:cret") == {"ops": "se:cret"}
    file = tmp_path / "users"
    file.write_text("# who may\nops:secret\n\nann:other \n")
    assert credentials(str(file)) == {"ops": "secret", "ann": "other"}
    assert credentials("ops:/secret") == {"ops": "/secret"}
    assert (users_file("ops:/secret"), users_file("etc/users:1"), users_file("users")) == (
        "",
        "etc/users:1",
        "users",
    )
    for text in ("ops", "", ":secret", "ops:", str(tmp_path / "no:one"), str(tmp_path)):
        with pytest.raises(ValueError, match=r"^user:password is expected"):
            credentials(text)
    file.write_text("ops\n")
    with pytest.raises(ValueError, match=r"or a file as htpasswd writes it$"):
        credentials(str(file))
    file.write_text("")
    with pytest.raises(ValueError, match=r"or a file as htpasswd writes it$"):
        credentials(str(file))


def test_the_header_of_the_id() -> None:
    assert (header("X-Correlation-ID"), header("auto"), header("off")) == ("X-Correlation-ID", "auto", "")
    with pytest.raises(ValueError, match="the name of a header is expected"):
        header("X-Request-ID:")
    for taken in ("Content-Length", "host"):
        with pytest.raises(ValueError, match="means something else"):
            header(taken)
    for flag in ("true", "on", "0"):
        with pytest.raises(ValueError, match="an address is expected"):
            listener(flag)
        with pytest.raises(ValueError, match="or a path, such as"):
            page(flag)


def test_where_traces_go() -> None:
    assert endpoint("http://127.0.0.1:4318") == "http://127.0.0.1:4318"
    assert {endpoint(text) for text in ("true", "on", "off", "")} == {""}
    for text in ("127.0.0.1:4318", "grpc://x", "http://"):
        with pytest.raises(ValueError, match="a URL is expected"):
            endpoint(text)


@pytest.mark.parametrize("text", ["127.0.0.1:1", "[::1]:1", "localhost:1", "/status", "unix:/x", "@x", "a:b"])
def test_what_only_this_machine_reaches(text: str) -> None:
    assert near(text)


@pytest.mark.parametrize("text", [":1", "0.0.0.0:1", "192.0.2.1:1", "[::]:1"])
def test_what_others_reach(text: str) -> None:
    assert not near(text)


def test_a_page_that_others_reach_and_nobody_may_see() -> None:
    _, (finding,) = read("vacuum = true", "status-page = :9101")
    assert (finding.line, finding.option, finding.level) == (2, "status-page", "warning")
    assert finding.message == "only this machine is answered there: status-auth lets others see it"
    assert read("status-page = :9101", "status-auth = ops:secret")[1] == []
    assert read("status-page = 127.0.0.1:9101")[1] == []
