"""Waiting for what another thread or process does."""

import time
from collections.abc import Callable


def until(true: Callable[[], object], seconds: float = 15.0, shown: Callable[[], object] = str) -> None:
    """Return once it is so, and fail where that takes longer; ``shown()`` says more then, such as a log."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, shown()
        time.sleep(0.01)
