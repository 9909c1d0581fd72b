"""A vassal in this process, for the tests of both sides of it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from penstock.config.assemble import from_keywords
from penstock.config.settings import Settings
from penstock.process.emperor.bond import swear


def given(**options: Any) -> Settings:
    return from_keywords({"bind": "127.0.0.1:0", **options}, application="app:application")


@contextmanager
def sworn() -> Iterator[socket.socket]:
    """A vassal; the emperor's end of its pipe."""
    theirs, ours = socket.socketpair()
    with theirs, ours:
        theirs.settimeout(5)
        assert swear(ours.fileno())
        try:
            yield theirs
        finally:
            swear(-1)
