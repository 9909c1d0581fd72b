"""One request's way through one table of rules: what conditions and actions are given.

Made by the table on a pool thread, one for each walk, and never shared. All text is latin-1 carried, one
character for each byte, as in the environ (PEP 3333): rules are read the same way, so that a rule in UTF-8
meets a path in UTF-8. It does not know what the rules are.
"""

import os
import re
from typing import TYPE_CHECKING, Any

from penstock.serve.routing.flow import BREAK

if TYPE_CHECKING:
    from penstock.serve.finish.call import FinishedCall
    from penstock.serve.routing.trace import Trace


class Turn:
    """What a rule sees and changes.

    ``call``     the reply as it stands, and ``call.touches``
    ``environ``  the request's CGI words; what rules write is what the application reads
    ``match``    of the rule that runs: its own regex's or its ``regexp:`` condition's; None without one
    ``trace``    what is noted for whoever looks on; None in ordinary service
    """

    __slots__ = ("call", "environ", "match", "trace")

    def __init__(self, call: "FinishedCall", environ: dict[str, Any], trace: "Trace | None" = None) -> None:
        self.call = call
        self.environ = environ
        self.match: re.Match[str] | None = None
        self.trace = trace

    def get(self, name: str) -> str:
        """A variable's text; "" where there is none, or where it is no text (``wsgi.input``, and whatever an
        application has put there). What an application wrote beyond latin-1 is carried, too."""
        value = self.environ.get(name)
        if not isinstance(value, str):
            return ""
        return value if value.isascii() else octets_of(value)

    def set(self, name: str, value: str) -> None:
        """Set a variable, for the rules that follow and for the application."""
        self.environ[name] = value

    def reply(self, status: str, headers: list[tuple[str, str]], body: bytes) -> int:
        """Answer the request with this; BREAK. Where a head has gone out already nothing is sent.

        Raises BadReply for a status or headers that cannot be sent (CR, LF, NUL), Disconnected.
        """
        call = self.call
        if not call.sent_head:
            call.begin(status, headers)
            call.whole(body)
        return BREAK

    def page(self, code: int) -> int:
        """Answer with penstock's own page of that status (``error-page-…``, ``error-route``); BREAK."""
        if not self.call.sent_head:
            self.call.page(code)
        return BREAK


def octets_of(text: str) -> str:
    """Text with one character for each byte: as it is where it can be that, else its UTF-8."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode("latin-1")
    return text


def path_of(text: str) -> str:
    """A path for ``os`` from latin-1 carried text: the same bytes, as Python names files.

    A NUL stays in it, and ``os`` raises ValueError for that.
    """
    return os.fsdecode(text.encode("latin-1", "replace"))
