"""An embedded server whose ``serve_forever`` and ``shutdown`` are called at the same time."""

import threading
import time
from typing import Any

import pytest

from penstock.process.embed import WSGIServer, make_server
from tests.process.running import hello


def race(server: WSGIServer, ahead: float) -> bool:
    """Whether both calls return; ``ahead`` is by how many seconds ``serve_forever`` comes first."""
    start = threading.Barrier(2)

    def serve() -> None:
        start.wait(5)
        server.serve_forever()

    def end() -> None:
        start.wait(5)
        time.sleep(ahead)
        server.shutdown()

    both = [threading.Thread(target=call, daemon=True) for call in (serve, end)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(3)
    return not any(thread.is_alive() for thread in both)


@pytest.mark.usefixtures("restless")
@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_a_shutdown_that_meets_the_start_of_serving_ends_it(loop: str) -> None:
    options: dict[str, Any] = {"loop": loop, "access_log": "off", "threads": 1}
    for number in range(20):
        with make_server("127.0.0.1", 0, hello, **options) as server:
            assert race(server, number * 0.0002), f"hangs in round {number}"


def test_a_shutdown_while_serving_is_about_to_begin_again_ends_that() -> None:
    with make_server("127.0.0.1", 0, hello, access_log="off") as server:
        for number in range(20):
            assert race(server, number * 0.0002), f"hangs in round {number}"
