"""The words between a worker that is asked something and whoever knows the answer.

Runs on the worker's loop. It knows neither questions nor answers.
"""

from collections.abc import Callable
from typing import Any, Protocol

from penstock.handoff.doorway import Doorway
from penstock.handoff.pool import Pool
from penstock.logs.setup import Diary
from penstock.net.door import Door

Say = Callable[[Any], None]
Tell = Callable[[dict[str, Any], Say], None]
"""Is given a question and, on the loop, whom to give the answer: plain data, once, now or later."""


class Untold(str):
    """An answer that is none: the reason, for people."""


class Asked(Protocol):
    """What is read of a worker that is asked. ``profiling``: a profile is being taken of it."""

    doorway: Doorway
    pool: Pool
    door: Door
    diary: Diary
    profiling: bool
