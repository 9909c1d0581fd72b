"""The variables by which an emperor tells a vassal of the pipe between the two.

Read at every start, by the process that starts. It knows no emperor.
"""

import os
from collections.abc import MutableMapping

BOND, CONFIGURATION = "UWSGI_EMPEROR_FD", "UWSGI_EMPEROR_FD_CONFIG"
"""Variables that name a vassal's pipe to its emperor, and the one that a configuration comes through."""


def take_bond(environ: MutableMapping[str, str] | None = None) -> int:
    """The descriptor of our pipe to an emperor, -1 without one, and no trace of it for what we start.

    ``environ``: the process's own without it.
    """
    environ = os.environ if environ is None else environ
    text = environ.pop(BOND, "")
    environ.pop(CONFIGURATION, None)
    return int(text) if text.isascii() and text.isdecimal() else -1
