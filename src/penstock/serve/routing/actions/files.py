"""``static:``, ``file:``, ``sendfile:`` and ``fastfile:``: a file that the rule names is the answer.

Built at boot, run by pool threads. How a file is opened safely and sent is the files' own; here stands which
one, and what happens where there is none. Where uWSGI then closes without a word (a missing file, a folder, a
link, a method that is not GET or HEAD) there is a reply here.

A part of the path that comes from the request cannot lead out of the folder that is written before it. Of the
three that send, none is faster than another here, and all send a Content-Length: ``no_cl`` changes nothing.
"""

from typing import TYPE_CHECKING

from penstock.serve.routing.actions.core import STATUS
from penstock.serve.routing.actions.keyed import keyed
from penstock.serve.routing.actions.places import absolute, folder_of, look_for, place_of
from penstock.serve.routing.flow import BREAK, NEXT
from penstock.serve.routing.template import constant_of
from penstock.serve.routing.turn import Turn

if TYPE_CHECKING:
    from penstock.serve.routing.tools import Act, Builder, Text, Tools

KEYS = {
    "filename": "filename",
    "status": "status",
    "content_type": "content_type",
    "nocl": "no_cl",
    "no_cl": "no_cl",
    "no_content_length": "no_cl",
    "mime": "mime",
    "no_headers": "no_headers",
}
READING = ("GET", "HEAD")
NOT_ALLOWED = [("Allow", "GET, HEAD"), ("Content-Type", "text/plain")]


def static(goes_on: bool) -> "Builder":
    """``static:FILE``, ``static-next:FILE``: as a static file is, with its type and its conditions.

    ``goes_on``: without such a file the next rule is asked, else the answer is 404. uWSGI asks the next rule
    also behind a file that was sent, and whatever else writes then is added to it; here that is the end.
    """

    def build(argument: str, tools: "Tools") -> "Act":
        if not argument:
            raise ValueError("static: takes the path of a file")
        look_for(argument, tools)
        path, below = place_of(argument, tools), folder_of(absolute(argument))
        files = tools.files

        def act(turn: Turn) -> int:
            reads = turn.get("REQUEST_METHOD") in READING
            name = path(turn) if reads and not turn.call.sent_head else None
            if files is not None and name is not None and files.serve(turn.call, turn.environ, name, below):
                return BREAK
            if goes_on:
                return NEXT
            if reads:
                return turn.page(404)
            return turn.reply("405 Method Not Allowed", list(NOT_ALLOWED), b"Method Not Allowed")

        return act

    return build


def file(goes_on: bool) -> "Builder":
    """``file:filename=PATH,status=…,content_type=…,mime=1,no_headers=1``: the file's bytes, whatever the
    method, with this status and type. ``goes_on`` as for ``static:``."""

    def build(argument: str, tools: "Tools") -> "Act":
        words = keyed(argument, KEYS, tools)
        if not words.get("filename"):
            raise ValueError("takes filename=PATH, and if need be status=, content_type=, mime=, no_headers=")
        name = words["filename"]
        look_for(name, tools)
        path, below, status = place_of(name, tools), folder_of(absolute(name)), status_of(words, tools)
        kind, mime = words.get("content_type", "text/html"), tools.mime if "mime" in words else None
        bare, files = "no_headers" in words, tools.files

        def act(turn: Turn) -> int:
            name = path(turn)
            if files is None or name is None or turn.call.sent_head:
                return NEXT if goes_on else turn.page(404)
            touches = turn.call.touches
            before, touches.headers_off = touches.headers_off, touches.headers_off or bare
            how = {"status": status(turn), "content_type": (mime(name) if mime else "") or kind}
            if files.serve(turn.call, turn.environ, name, below, **how):
                return BREAK
            touches.headers_off = before
            return NEXT if goes_on else turn.page(404)

        return act

    return build


def status_of(words: dict[str, str], tools: "Tools") -> "Text":
    """The reply's status line. Raises ValueError for one that is none."""
    said = words.get("status", "200 OK")
    if constant_of(said) is not None and STATUS.fullmatch(said) is None:
        raise ValueError(f"status= takes three digits and a text, not {said!r}")
    return tools.template(said)


ACTIONS = {
    "static": static(False),
    "static-next": static(True),
    "file": file(False),
    "file-next": file(True),
    "sendfile": file(False),
    "sendfile-next": file(True),
    "fastfile": file(False),
    "fastfile-next": file(True),
}
