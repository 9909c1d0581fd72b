"""Why workers end, as the ledger names it."""

from collections.abc import Iterator

import pytest

from penstock.interprocess.channel import Channel, pair
from penstock.interprocess.ledger import CAUSES
from penstock.process.supervisor.books import BEGINNINGS, cause
from penstock.process.supervisor.handle import Handle


@pytest.fixture
def channel() -> Iterator[Channel]:
    ours, theirs = pair()
    yield ours
    ours.close()
    theirs.close()


@pytest.mark.parametrize(
    ("why", "reason", "expected"),
    [
        ("", "", "died"),
        ("", "died: killed by SIGSEGV", "died"),
        ("", "ended before its first word", "died"),
        ("", "harakiri: its loop has stood still for 9.0 s", "deadline"),
        ("", "it was not ready within start-timeout (60 s)", "killed"),
        ("max-requests: 5 answered", "", "requests"),
        ("max-worker-lifetime: 60 s", "", "lifetime"),
        ("reload-on-rss: 90 MB, 20 MB when it started", "", "memory"),
        ("evil-reload-on-as: 90 MB", "", "memory"),
        ("reload-on-exception: ValueError", "", "exception"),
        ("harakiri: 1 thread is lost", "", "deadline"),
        ("SIGTERM", "", "signal"),
        ("it is not needed any more", "", "surplus"),
        ("another one has its place", "", "reload"),
        ("touch-reload: app.ini", "", "reload"),
    ],
)
def test_causes(channel: Channel, why: str, reason: str, expected: str) -> None:
    handle = Handle(1, 0, 2, channel, None, why=why, reason=reason)
    assert cause(handle, stopping=False, generation=2) == expected
    if why:
        assert cause(handle, stopping=True, generation=2) == "stop"
        assert cause(handle, stopping=False, generation=3) == "reload", "whatever it had said before"
    else:
        assert cause(handle, stopping=True, generation=2) == expected


def test_every_cause_is_the_ledgers() -> None:
    assert {name for _, name in BEGINNINGS} <= set(CAUSES)
