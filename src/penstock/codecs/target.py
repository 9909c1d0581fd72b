"""Request targets and authorities: RFC 9112 §3.2, RFC 3986. Sans-IO."""

import re
from typing import Any
from urllib.parse import unquote_to_bytes

from penstock.core.errors import ProtocolError

BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
ABSOLUTE = re.compile(r"(https?)://([^/?]*)(.*)", re.IGNORECASE | re.DOTALL)
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


def host_of(authority: str) -> str:
    """An authority, as a Host field has it, without its port."""
    host, colon, port = authority.rpartition(":")
    return host if colon and port.isdecimal() else authority


def split_target(target: str, method: str, variables: dict[str, Any]) -> str:
    """Write REQUEST_URI, PATH_INFO and QUERY_STRING; returns the authority of an absolute-form target.

    ``target`` carries octets as latin-1. Raises ProtocolError for one that has no place in this request.
    """
    if not target.isascii() or "\t" in target:
        raise ProtocolError(400, "an 8-bit octet or a tab in the request target")
    if "#" in target:
        raise ProtocolError(400, "a fragment in the request target")
    variables["REQUEST_URI"] = target
    authority = ""
    if not target.startswith("/"):
        if target == "*":
            if method != "OPTIONS":
                raise ProtocolError(400, "the target * goes with OPTIONS only")
            variables["PATH_INFO"], variables["QUERY_STRING"] = "*", ""
            return ""
        authority, target = split_absolute(target)
    path, _, query = target.partition("?")
    variables["PATH_INFO"] = unescape(path) if "%" in path else path
    variables["QUERY_STRING"] = query
    return authority


def split_absolute(target: str) -> tuple[str, str]:
    """The authority of an absolute-form target (RFC 9112 §3.2.2), and the rest in origin-form."""
    match = ABSOLUTE.fullmatch(target)
    if match is None or not match[2] or "@" in match[2]:
        raise ProtocolError(400, f"not a request target: {target[:80]!r}")
    rest = match[3]
    return match[2], rest if rest.startswith("/") else "/" + rest


def unescape(path: str) -> str:
    """A path without its percent-escapes, octets as latin-1 (PEP 3333)."""
    if BAD_ESCAPE.search(path):
        raise ProtocolError(400, "a bad percent-escape in the request target")
    octets = unquote_to_bytes(path)
    if b"\0" in octets:
        raise ProtocolError(400, "an escaped NUL in the request target")
    return octets.decode("latin-1")
