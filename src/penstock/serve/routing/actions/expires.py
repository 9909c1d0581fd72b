"""``expires:``: until when a reply may be kept.

Built at boot, run by pool threads. It knows a file's time, or a time that the rule says; what the reply is it
does not know.
"""

import os
from typing import TYPE_CHECKING

from penstock.core.date import http_date
from penstock.serve.routing.actions.keyed import keyed, number_of
from penstock.serve.routing.actions.places import Place, place_of
from penstock.serve.routing.flow import NEXT
from penstock.serve.routing.turn import Turn, path_of

if TYPE_CHECKING:
    from penstock.serve.routing.tools import Act, Tools

KEYS = {"filename": "filename", "file": "filename", "unix": "unix", "value": "value"}
LAST = 253402300799  # the last second of the year 9999


def expires(argument: str, tools: "Tools") -> "Act":
    """``expires:filename=PATH,value=SECONDS`` or ``unix=TIME,value=SECONDS``: the Expires field is the sum.

    With neither file nor time it counts from 1970, as in uWSGI. There a file that is missing ends the request
    without a reply; here there is no field then, and the request goes on.
    """
    words = keyed(argument, KEYS, tools)
    if not ("filename" in words or "unix" in words):
        tools.warn("", f"expires:{argument}: counts from 1970; unix=${{time[unix]}},value=… is from now")
    path = place_of(words["filename"], tools) if words.get("filename") else None
    start, value = tools.template(words.get("unix", "")), tools.template(words.get("value", ""))

    def act(turn: Turn) -> int:
        begin = number_of(start(turn)) if path is None else changed(path, turn)
        if begin is not None:
            at = min(max(begin + number_of(value(turn)), 0), LAST)
            turn.call.touches.added.append(("Expires", http_date(at)))
        return NEXT

    return act


def changed(path: Place, turn: Turn) -> int | None:
    """When a file was changed last, in seconds since 1970; None without it."""
    name = path(turn)
    try:
        return None if name is None else int(os.stat(path_of(name)).st_mtime)
    except (OSError, ValueError):
        return None


ACTIONS = {"expires": expires}
