"""The pipe to an emperor, and what settings are under one."""

import os
import socket
from pathlib import Path

import pytest

from penstock.config.address import Address
from penstock.config.household.bonds import BOND
from penstock.config.settings import ListenerSpec
from penstock.config.sources.env import STANDARD_INPUT
from penstock.process.emperor.bond import LOYAL, bond, governed, governing, same, swear, woken
from penstock.process.launch import Launch
from tests.process.emperor.swearing import given, sworn

# ---- The pipe -----------------------------------------------------------------------------------------


def test_the_pipe_comes_by_the_environment_and_is_not_passed_on() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        os.set_inheritable(ours.fileno(), True)
        os.environ[BOND] = str(ours.fileno())
        try:
            assert swear()
            assert BOND not in os.environ and not os.get_inheritable(ours.fileno())
            assert not os.get_blocking(ours.fileno())
        finally:
            swear(-1)


def test_a_number_that_is_left_over_is_no_emperor() -> None:
    number = os.open(os.devnull, os.O_RDONLY)
    os.close(number)
    assert not swear(number)
    assert bond.number == -1
    bond.tell(LOYAL)


def test_nobody_there_and_nothing_said() -> None:
    with sworn() as emperor:
        assert bond.heard() == b""
        emperor.send(b"\1\0")
        assert bond.heard() == b"\1\0"
        emperor.close()
        assert bond.heard() is None
        bond.tell(LOYAL)


# ---- Settings -----------------------------------------------------------------------------------------


def test_a_vassal_stays_in_the_foreground_and_logs_where_it_would_have() -> None:
    before = given(daemonize="/tmp/d.log", daemonize2="/tmp/d2.log")
    assert governed(before) is before
    with sworn():
        after = governed(before)
    assert (after.daemonize, after.logto, after.daemonize2, after.logto2) == (
        *("", "/tmp/d.log"),
        *("", "/tmp/d2.log"),
    )


def test_what_is_read_again_is_a_vassals_too() -> None:
    read = governing(Launch(lambda: given(daemonize="/tmp/d.log"))).read
    assert read is not None and read().daemonize == "/tmp/d.log"
    with sworn():
        assert read().logto == "/tmp/d.log"
    assert governing(Launch(None)).read is None


def activated(sock: socket.socket, *addresses: str) -> tuple[ListenerSpec, ...]:
    """Listeners of a configuration, behind the socket that stands in the place of standard input."""
    zero = Address("fd", fd=sock.fileno())
    return (
        ListenerSpec(f"fd://{sock.fileno()}", "uwsgi", STANDARD_INPUT, zero),
        *given(bind=addresses).listeners,
    )


@pytest.mark.parametrize("host", ["127.0.0.1", ""])
def test_the_socket_that_woke_it_is_the_one_of_its_address(host: str) -> None:
    with socket.create_server((host, 0)) as sock:
        specs = activated(sock, "127.0.0.1:1", f"{host}:{sock.getsockname()[1]}")
        found = woken(specs)
        assert found[0] is specs[1] and len(found) == 2
        assert (found[1].parsed.fd, found[1].protocol) == (sock.fileno(), "http")


def test_so_is_a_path(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "a.sock"))
        found = woken(activated(sock, f"{tmp_path}/link/a.sock"))
        assert [spec.parsed.fd for spec in found] == [sock.fileno()]


def test_one_of_no_address_here_is_one_more_and_without_one_all_stays() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        specs = activated(sock, "127.0.0.1:1")
        assert woken(specs) is specs
        assert woken(specs[1:]) == specs[1:]


def test_abstract_names() -> None:
    assert same(Address("abstract", path="x"), b"\0x")
    assert not same(Address("abstract", path="x"), b"\0y")
    assert not same(Address("unix", path="x"), b"\0x")
