"""Header names in CGI words: one policy for every protocol (RFC 3875 §4.1.18).

Sans-IO. What a client may not say in a header stands here and nowhere else.
"""

import re
from typing import Final

from penstock.core.errors import ProtocolError

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")

# Never HTTP_ variables: the body's own (PEP 3333), and Proxy, which CGI programs would take for the
# proxy to use (httpoxy, CVE-2016-5385).
SPECIAL = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH", "proxy": ""}

REMEMBER = 1024  # names that are remembered; then all are forgotten at once


def header_key(name: str) -> str:
    """The CGI variable of a header field name; "" for one that is dropped. Raises ProtocolError.

    A name with an underscore is dropped: as a variable it could not be told from the one with hyphens, and
    a client could speak for a proxy (``X_Forwarded_For``).
    """
    if TOKEN.fullmatch(name) is None:
        raise ProtocolError(400, f"not a header name: {name[:80]!r}")
    special = SPECIAL.get(name.lower())
    if special is not None:
        return special
    if "_" in name:
        return ""
    return "HTTP_" + name.upper().replace("-", "_")


def remember_name(name: str) -> str:
    """``header_key`` of a name, by the name as it was sent known from then on; bounded."""
    key = header_key(name)
    if len(NAMES) >= REMEMBER:
        NAMES.clear()
    if len(name) <= 64:
        NAMES[name] = key
    return key


NAMES: Final[dict[str, str]] = {}


def join_repeated(key: str, first: str, second: str) -> str:
    """Two values of one field as one (RFC 9110 §5.3; RFC 6265 §5.4 for Cookie)."""
    return f"{first}; {second}" if key == "HTTP_COOKIE" else f"{first}, {second}"


SINGLE = frozenset(("HTTP_HOST", "CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_TRANSFER_ENCODING"))
"""Variables that a request must not bring twice: which of the two counts is what attacks are made of."""
