"""Conditions on what there is in the file system: exists, isfile, isdir, islink, isexec.

Built at boot, asked by pool threads. They see the file system as the process does; where a path comes from
the client, what it may see is for the rule to say.
"""

import os
import stat
from collections.abc import Callable
from typing import TYPE_CHECKING

from penstock.serve.routing.turn import Turn, path_of

if TYPE_CHECKING:
    from penstock.serve.routing.tools import Condition, Test, Tools


def readable(path: str) -> bool:
    """``exists:``: uWSGI asks whether it may be read."""
    return os.access(path, os.R_OK)


def executable(path: str) -> bool:
    """``isexec:``: a folder that may be entered is, too."""
    return os.access(path, os.X_OK)


def is_file(path: str) -> bool:
    """``isfile:``: a regular file, or a link to one."""
    return stat.S_ISREG(os.stat(path).st_mode)


def is_folder(path: str) -> bool:
    """``isdir:``: a folder, or a link to one."""
    return stat.S_ISDIR(os.stat(path).st_mode)


def is_link(path: str) -> bool:
    """``islink:``: a symbolic link, whatever it leads to."""
    return stat.S_ISLNK(os.lstat(path).st_mode)


def path_test(ask: Callable[[str], bool]) -> "Condition":
    """A question about a path; what cannot be asked is not so."""

    def build(arguments: list[str], tools: "Tools") -> "Test":
        text = tools.words(";".join(arguments))

        def test(turn: Turn) -> bool:
            try:
                return ask(path_of(text(turn)))
            except (OSError, ValueError):  # ValueError: a NUL in it
                return False

        return test

    return build


CONDITIONS: "dict[str, Condition]" = {
    "exists": path_test(readable),
    "isfile": path_test(is_file),
    "isdir": path_test(is_folder),
    "islink": path_test(is_link),
    "isexec": path_test(executable),
}
