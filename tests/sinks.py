"""Sinks for tests: a file of their own."""

import os

from penstock.logs.sinks import Sink, open_log


def file_sink(path: str) -> Sink:
    """A sink that appends to a file, as penstock's own to a log that it opened."""
    return Sink(open_log(path), os.path.abspath(path))
