"""How a server was started, so that it can be so again: for reloads, and for another penstock's exec.

Plain data, made by ``cli`` and kept by the supervisor.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from penstock.config.settings import Settings

Read = Callable[[], Settings]


@dataclass(frozen=True, eq=False, repr=False)
class Launch:
    """``read`` the configuration again (None where there is none to be read: penstock.run with keywords), the
    command line's ``words``, the ``folder`` of the start, ``activated`` the options (key, value) that
    systemd's sockets gave, ``path`` the sys.path of the start."""

    read: Read | None = None
    words: tuple[str, ...] = ()
    folder: str = field(default_factory=os.getcwd)
    activated: tuple[tuple[str, str | None], ...] = ()
    path: tuple[str, ...] = field(default_factory=lambda: tuple(sys.path))
