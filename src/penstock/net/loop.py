"""Which event loop: uvloop where it is installed, plain asyncio otherwise; both pass the same tests."""

import asyncio
import importlib


def make_loop(kind: str = "auto") -> asyncio.AbstractEventLoop:
    """A new event loop of ``kind``: ``auto``, ``uvloop`` or ``asyncio``.

    Raises ImportError when uvloop is asked for by name and is not installed.
    """
    if kind != "asyncio":
        try:
            loop: asyncio.AbstractEventLoop = importlib.import_module("uvloop").new_event_loop()
        except ImportError:
            if kind == "uvloop":
                raise
        else:
            return loop
    return asyncio.SelectorEventLoop()
