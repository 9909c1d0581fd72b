"""The loop of a process that serves, and the signals that come before it runs."""

import os
import signal
from asyncio import AbstractEventLoop, SelectorEventLoop
from contextlib import suppress

from penstock.core.errors import StartError
from penstock.net.loop import make_loop


def loop_for(kind: str) -> AbstractEventLoop:
    """A new loop of ``kind``, as ``loop`` has it. What comes for its signal handlers before it runs is
    handled when it does. Raises StartError."""
    try:
        loop = make_loop(kind)
    except ImportError as error:
        raise StartError(f"--loop {kind}: {error}") from error
    if not isinstance(loop, SelectorEventLoop):  # asyncio's own has them in its pipe from the start
        loop.call_soon(hear)
    return loop


def hear() -> None:
    """Have the running loop look for signals.

    uvloop notes those that come before it runs and then waits for the byte of another one, so that the TERM
    that stops a server in its first moment would be lost. 0 is the number of none. One that comes while there
    is no descriptor to write to is noted, too.
    """
    with suppress(ValueError, BlockingIOError):  # not the main thread; full of signals
        wake = signal.set_wakeup_fd(-1)
        if wake >= 0:
            signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
            os.write(wake, b"\0")
