"""Imports without the garbage collector, which finds nothing in them and looks at all of it a dozen times."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unswept() -> Iterator[None]:
    """Within, nothing is collected; a twelfth of a start's CPU. Around penstock's own modules and its
    configuration only: what the application does at its import may need collecting."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
