"""``redirect:`` and its like: the client is sent elsewhere.

Built at boot, run by pool threads. They know a turn and nothing of where they send. What of a request comes
into the address is escaped as an address needs it: no client writes a header of ours.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.serve.routing.tools import Act, Builder, Tools

UNSENDABLE = re.compile(r"[^!-~]")


def escaped(text: str) -> str:
    """An address whose controls, blanks and 8-bit octets are percent-escaped (RFC 3986 §2.1)."""
    return UNSENDABLE.sub(lambda found: f"%{ord(found[0]) & 0xFF:02X}", text)


def redirector(status: str) -> "Builder":
    """Builds the action that answers with this status. The body is uWSGI's."""
    body = status[4:].encode("ascii") if status.startswith("301") else b"Moved"

    def build(argument: str, tools: "Tools") -> "Act":
        if not argument:
            raise ValueError("a redirect takes the address to go to")
        address = tools.template(argument)
        return lambda turn: turn.reply(status, [("Location", escaped(address(turn)))], body)

    return build


FOUND = redirector("302 Found")
MOVED = redirector("301 Moved Permanently")
ACTIONS = {
    "redirect": FOUND,
    "redirect-302": FOUND,
    "redirect-permanent": MOVED,
    "redirect-301": MOVED,
}
