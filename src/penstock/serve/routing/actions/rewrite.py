"""``rewrite:`` and ``rewrite-last:``: the request goes on under another path.

Built at boot, run by pool threads. They write PATH_INFO and QUERY_STRING; REQUEST_URI stays what the client
said, and which file a path names is not looked up again, as in uWSGI.
"""

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from penstock.serve.routing.flow import CONTINUE, NEXT
from penstock.serve.routing.turn import Turn

if TYPE_CHECKING:
    from penstock.serve.routing.tools import Act, Builder, Tools

DOTS = re.compile(r"(?:^|/)\.\.?(?:/|$)")


def path_of(text: str) -> str:
    """A path out of an address: without a fragment, unescaped once more, and without ``.`` and ``..``.

    uWSGI takes those out before it unescapes, so that a client that escapes twice gets them in; here they are
    taken out of what comes out. An escape that is none stays as it is.
    """
    path = text.partition("#")[0]
    if "%" in path:
        path = unquote_to_bytes(path.encode("latin-1", "replace")).decode("latin-1")
    return collapsed(path) if DOTS.search(path) else path


def collapsed(path: str) -> str:
    """A path without ``.`` and ``..``, which cannot lead above its top; doubled slashes stay."""
    kept: list[str] = []
    parts = path.split("/")
    for part in parts:
        if part == "..":
            # Of the empty part before the first slash nothing is above.
            if kept and kept != [""]:
                kept.pop()
        elif part != ".":
            kept.append(part)
    if parts[-1] in (".", ".."):
        kept.append("")
    return "/".join(kept) or ("/" if path.startswith("/") else "")


def rewriter(flow: int) -> "Builder":
    """Builds the action; ``flow`` is what it says when it is done."""

    def build(argument: str, tools: "Tools") -> "Act":
        text = tools.template(argument)

        def act(turn: Turn) -> int:
            path, mark, query = text(turn).partition("?")
            path = path_of(path)
            if "\0" in path:
                return turn.page(400)
            turn.set("PATH_INFO", path)
            if mark:
                before = turn.get("QUERY_STRING")
                turn.set("QUERY_STRING", f"{query}&{before}" if before else query)
            return flow

        return act

    return build


ACTIONS = {"rewrite": rewriter(NEXT), "rewrite-last": rewriter(CONTINUE)}
