"""Servers that several tests share: one for each event loop."""

from collections.abc import Iterator

import pytest

from tests.e2e.server import LOOPS, Client, Server, serving


@pytest.fixture(scope="module", params=LOOPS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The zoo with 8 threads, on each loop."""
    with serving(tmp_path_factory.mktemp("zoo"), "--loop", request.param, "--threads", "8") as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    """A fresh connection to it."""
    with server.client() as fresh:
        yield fresh
