"""The comparison of health probes: what counts as lost, what the figures are, against a real server."""

from pathlib import Path

import pytest
from benchmarks.peers import BY_NAME
from benchmarks.probes import GIVE_UP, NAMES, OWN, Probes, held, probe, probed, row

from tests.e2e.server import serving

pytestmark = pytest.mark.slow  # `make slow`: many servers, and `make test` has six minutes


def test_what_is_lost_is_later_than_all_that_came() -> None:
    seen = Probes([float(count) for count in range(98, 0, -1)], lost=2)
    assert seen.quantile(0.5) == 51.0
    assert seen.quantile(0.97) == 98.0
    assert seen.quantile(0.99) is None
    assert row("x", "lock", seen).endswith("| 51.0 | - | - | 2 of 100 |")


def test_every_server_is_known() -> None:
    assert set(NAMES) <= set(BY_NAME)


def test_where_nobody_answers_it_is_given_up(tmp_path: Path) -> None:
    with serving(tmp_path, app="benchmarks.held:application") as server:
        port = server.port
        assert probe(port, "/-/nothing") is not None, "the application answers everything"
    seen = probed(port, OWN, 1000)
    assert (seen.times, seen.lost) == ([], GIVE_UP)


@pytest.mark.parametrize("page", ["/lock", "/sleep"])
def test_own_pages_are_answered_while_the_application_is_not(tmp_path: Path, page: str) -> None:
    options = ("--threads", "8", "--shutdown-timeout", "0.2")
    app = "benchmarks.held:application"
    with serving(tmp_path, *options, app=app, expect=30) as server, held(server.port, page, 20):
        seen = probed(server.port, OWN, 50)
        assert (len(seen.times), seen.lost) == (50, 0)
        assert probe(server.port, "/health") is None
