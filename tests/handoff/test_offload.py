"""Service threads: jobs run elsewhere, their outcome comes back on the loop."""

from time import monotonic
from typing import Any

from penstock.handoff.doorway import Doorway
from penstock.handoff.offload import Offload
from tests.fakes import FakeLoop


def test_results_and_errors_come_back_on_the_loop_in_order() -> None:
    loop = FakeLoop()
    told: list[str] = []
    offload = Offload(Doorway(loop(), failed=told.append), "test")
    outcomes: list[tuple[Any, BaseException | None]] = []

    def wrong() -> None:
        raise OSError("disk full")

    offload.submit(lambda: 7, lambda result, error: outcomes.append((result, error)))
    offload.submit(wrong, lambda result, error: outcomes.append((result, error)))
    offload.submit(wrong)
    until = monotonic() + 5
    while (len(outcomes) < 2 or not told) and monotonic() < until:
        loop.turn()
    assert outcomes[0] == (7, None)
    assert isinstance(outcomes[1][1], OSError)
    assert "disk full" in told[0]
    assert offload.stop(5)
