"""Names of log servers' hosts, while a supervisor serves."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.process.logs.logs import logs_of
from penstock.process.logs.lookup import look_up
from tests.process.household.attending import Attended, attended


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Attended]:
    with attended(tmp_path) as made:
        yield made


def test_a_name_has_a_number_and_another_one_a_reason(house: Attended) -> None:
    heard: list[tuple[int, str]] = []
    for host in ("localhost", "no such host"):
        look_up(house, lambda family, text: heard.append((family, text)), host, 514)
        assert len(heard) < 2, "nobody waits"
    house.until(lambda: len(heard) == 2)
    assert (0, heard[1][1]) in heard or (0, heard[0][1]) in heard
    found = dict(sorted(heard))
    assert found[0], "why"
    del found[0]
    assert found in ({int(socket.AF_INET): "127.0.0.1"}, {int(socket.AF_INET6): "::1"})


def test_lines_wait_for_the_host_of_a_logger_that_a_reload_brings(house: Attended) -> None:
    logs = logs_of(house)
    logs.start()
    house.current = object()
    family = socket.getaddrinfo("localhost", 0, type=socket.SOCK_DGRAM)[0][0]
    with socket.socket(family, socket.SOCK_DGRAM) as there:
        there.bind(("localhost", 0))
        port = there.getsockname()[1]
        there.settimeout(5)
        house.change(type(house.settings)(logger=(f"rsyslog:localhost:{port},site", "rsyslog:no host:1,x")))
        house.diary.say("early")
        (good, bad) = logs.sinks.values()
        assert (good.size > 0, bad.size > 0) == (True, True)
        house.until(lambda: good.size == 0)
        assert there.recv(999).endswith(b" site: early")
        house.until(lambda: "logger rsyslog:no host:1: the address of no host is not known: " in house.text())
        house.diary.say("late")
        assert there.recv(999).endswith(b" site: late") and bad.size > 0
    logs.end()
    house.current = None
