"""Which build this is: plain Python, or the same sources with the request path compiled."""

from importlib.machinery import EXTENSION_SUFFIXES

from penstock import __version__
from penstock.core import request

COMPILED = str(request.__file__).endswith(tuple(EXTENSION_SUFFIXES))


def title() -> str:
    """Name and version, and ``compiled`` where it is: what somebody who reports a fault is to say."""
    return f"penstock {__version__}{', compiled' if COMPILED else ''}"
