"""Paths of files that rules write, with what a request brings into them.

Built at boot, run by pool threads. A part that comes from a request leads nowhere but down from the folder
that is written before it; what is done with the file is the action's.
"""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from penstock.serve.routing.template import constant_of
from penstock.serve.routing.turn import Turn

if TYPE_CHECKING:
    from penstock.serve.routing.tools import Tools

Place = Callable[[Turn], str | None]
"""The path for a request, carried; None where the request would lead it elsewhere."""


def place_of(text: str, tools: "Tools") -> Place:
    """Where a rule's path leads. One that begins neither with a slash nor with a variable is from the folder
    in which the process is at boot."""
    said = absolute(text)
    fixed, path, skip = constant_of(said), tools.template(said), len(folder_of(said))
    if fixed is not None:
        whole = fixed
        return lambda turn: whole

    def place(turn: Turn) -> str | None:
        name = path(turn)
        return name if stays(name[skip:]) else None

    return place


def folder_of(text: str) -> str:
    """The folder that a path's text names before anything of a request comes into it; "" where nothing does,
    or where the text names none before."""
    literal, dollar, _ = text.partition("$")
    return literal[: literal.rfind("/") + 1] if dollar else ""


def look_for(text: str, tools: "Tools") -> None:
    """Warn where the folder is not there in which a path's text says that files are. What is relative, or is
    seen from another root, is not known before a start."""
    folder = folder_of(text) or ("" if "$" in text else os.path.dirname(text))
    root = tools.settings is not None and (tools.settings.chroot or tools.settings.pivot_root)
    if folder.startswith("/") and not root and not os.path.isdir(os.fsdecode(folder.encode("latin-1"))):
        tools.warn("", f"there is no folder {folder}")


def absolute(text: str) -> str:
    """A path's text from the top."""
    if text.startswith(("/", "$")):
        return text
    return os.fsencode(os.getcwd()).decode("latin-1").rstrip("/") + "/" + text


def stays(path: str) -> bool:
    """Whether a part of a path leads nowhere but down."""
    return "\0" not in path and ".." not in path.split("/")
