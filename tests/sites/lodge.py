"""An application for a thread that stands at the door: what is still done after a reply has gone out."""

import os
import signal
from collections.abc import Iterable, Iterator
from typing import Any

from tests.sites import zoo


class Forking:
    """Its reply is complete before it is closed; then it forks, and the child comes back as well."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"forked"

    def close(self) -> None:
        if os.fork() == 0:
            signal.alarm(20)  # should nobody else end it


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """``/fork-late`` is ``Forking``; all others are the zoo's."""
    if environ["PATH_INFO"] != "/fork-late":
        return zoo.application(environ, start_response)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "6")])
    return Forking()
