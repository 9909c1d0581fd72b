"""The first line of an HTTP request: method, target and version (RFC 9112 §3). Sans-IO."""

import re

from penstock.core.errors import ProtocolError

# What llhttp knows and a WSGI application may be asked for. CONNECT is left out: there is no tunnel here.
SERVED = """
    GET HEAD POST PUT DELETE OPTIONS TRACE PATCH QUERY COPY LOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH UNLOCK
    BIND REBIND UNBIND ACL REPORT MKACTIVITY CHECKOUT MERGE M-SEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE PURGE
    MKCALENDAR LINK UNLINK
"""
METHODS = frozenset(SERVED.split())
VERSIONS = ("HTTP/1.1", "HTTP/1.0")
VERSION = re.compile(r"HTTP/[0-9]\.[0-9]")
METHOD = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}")


def request_line(line: str) -> tuple[str, str, str]:
    """Method, target and version: exactly one blank between them (RFC 9112 §3)."""
    parts = line.split(" ")
    if len(parts) != 3 or not parts[1]:
        raise ProtocolError(400, f"not a request line: {line[:80]!r}")
    method, target, version = parts
    if version not in VERSIONS:
        if VERSION.fullmatch(version) is not None:
            raise ProtocolError(505, f"not served: {version}")
        raise ProtocolError(400, f"not a request line: {line[:80]!r}")
    if method not in METHODS:
        if METHOD.fullmatch(method) is None:
            raise ProtocolError(400, f"not a method: {method[:40]!r}")
        raise ProtocolError(501, f"the method {method} is not served")
    return method, target, version
