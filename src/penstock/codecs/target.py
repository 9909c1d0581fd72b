"""Request targets and authorities: RFC 9112 §3.2, RFC 3986. Sans-IO."""

import re
from typing import Any
from urllib.parse import unquote_to_bytes

from penstock.core.errors import ProtocolError

BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
ABSOLUTE = re.compile(rb"(https?)://([^/?]*)(.*)", re.IGNORECASE | re.DOTALL)
_REG_NAME = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*"
_IP_LITERAL = r"\[(?:[0-9A-Fa-f:.]{2,45}|v[0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+)\]"
AUTHORITY = re.compile(rf"({_IP_LITERAL}|{_REG_NAME})(?::([0-9]{{0,5}}))?")
REMEMBER = 512

_known: dict[str, bool] = {}


def valid_authority(host: str) -> bool:
    """Whether ``host`` is ``uri-host [":" port]`` (RFC 9110 §7.2); an empty one is, for a target without
    an authority (RFC 9112 §3.2)."""
    known = _known.get(host)
    if known is not None:
        return known
    valid = len(host) <= 300 and _valid(host)
    if len(_known) >= REMEMBER:
        _known.clear()
    if len(host) <= 300:
        _known[host] = valid
    return valid


def _valid(host: str) -> bool:
    match = AUTHORITY.fullmatch(host)
    if match is None:
        return False
    if match[2] and (not match[1] or int(match[2]) > 65535):
        return False
    if match[1].startswith("[") and not match[1].startswith("[v"):
        return _ipv6(match[1][1:-1])
    return True


def _ipv6(text: str) -> bool:
    import ipaddress

    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def split_target(target: bytes, method: str, variables: dict[str, Any]) -> str:
    """Write REQUEST_URI, PATH_INFO and QUERY_STRING; returns the authority of an absolute-form target.

    Raises ProtocolError for a target that has no place in this request.
    """
    if not target.isascii():
        raise ProtocolError(400, "an 8-bit octet in the request target")
    if b"#" in target:
        raise ProtocolError(400, "a fragment in the request target")
    variables["REQUEST_URI"] = target.decode("ascii")
    authority = ""
    if not target.startswith(b"/"):
        if target == b"*":
            if method != "OPTIONS":
                raise ProtocolError(400, "the target * goes with OPTIONS only")
            variables["PATH_INFO"], variables["QUERY_STRING"] = "*", ""
            return ""
        match = ABSOLUTE.fullmatch(target)
        if match is None or not match[2] or b"@" in match[2]:
            raise ProtocolError(400, f"not a request target: {target[:80]!r}")
        authority = match[2].decode("ascii")
        target = match[3] if match[3].startswith(b"/") else b"/" + match[3]
    path, _, query = target.partition(b"?")
    if b"%" in path:
        if BAD_ESCAPE.search(path):
            raise ProtocolError(400, "a bad percent-escape in the request target")
        path = unquote_to_bytes(path)
        if b"\0" in path:
            raise ProtocolError(400, "an escaped NUL in the request target")
    variables["PATH_INFO"] = path.decode("latin-1")
    variables["QUERY_STRING"] = query.decode("ascii")
    return authority
