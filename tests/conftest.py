"""What all tests share: Hypothesis's longer profile, for ``make fuzz``, SIGINT as a terminal gives it,
threads that change hands often, and what is collected, which is there to stay."""

import gc
import signal
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "long", max_examples=20_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

# A shell ignores SIGINT for what it starts with "&", and all children inherit that: servers that are
# sent one here would never hear it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionstart() -> None:
    """Ten thousand tests are a million objects, none of them garbage."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Nor is any of them by the next time that somebody looks."""
    gc.freeze()
    gc.enable()


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads change hands as often as can be."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)
