"""What is said to the other server for a request: an HTTP head or a uwsgi packet, made of CGI words.

Runs on pool threads, keeps nothing. The environ may have been changed by rules, with pieces of a path that
was decoded in it: each word is checked again where it is written. Knows no connection.
"""

import re
from functools import lru_cache
from typing import Any

from penstock.codecs.cgi import TOKEN
from penstock.codecs.http1_client import HOP_BY_HOP, nominated, request_head
from penstock.codecs.target import split_absolute
from penstock.codecs.uwsgi import encode_request
from penstock.core.errors import ProtocolError

Environ = dict[str, Any]

LEFT_OUT = HOP_BY_HOP | {
    "content-length",  # said anew, of the body as it is here
    "content-type",  # comes as CONTENT_TYPE
    "expect",  # penstock itself says 100 Continue
    "http2-settings",
    "proxy",  # httpoxy (CVE-2016-5385)
}
NOT_PLAIN = re.compile(r"[^\x21\x22\x24-\x7e]|%(?![0-9A-Fa-f]{2})")
DOTS = re.compile(r"(?:^|/)\.\.?(?:[/;]|$)")  # a semicolon's parameters are cut off by some (servlets)
ESCAPED = re.compile(r"%2e|%2f|%5c", re.IGNORECASE)
MEANT = {"%2e": ".", "%2f": "/", "%5c": "/"}


def http_head(environ: Environ, host: str, target: str, length: int) -> bytes:
    """The head of an HTTP/1.1 request with these words; ``length`` of the body, -1 for chunks.

    As uWSGI's: the client's own fields, and its address at the end of X-Forwarded-For. Raises ProtocolError
    with the status to answer with.
    """
    method = text_of(environ, "REQUEST_METHOD") or "GET"
    fields = [("Host", host), *passed_fields(environ)]
    content_type = text_of(environ, "CONTENT_TYPE")
    if content_type:
        fields.append(("Content-Type", content_type))
    if length < 0:
        fields.append(("Transfer-Encoding", "chunked"))
    elif length or method in ("POST", "PUT", "PATCH"):  # RFC 9110 §8.6
        fields.append(("Content-Length", str(length)))
    chain = [text_of(environ, name) for name in ("HTTP_X_FORWARDED_FOR", "REMOTE_ADDR")]
    if any(chain):  # a UNIX socket's peer has no address
        fields.append(("X-Forwarded-For", ", ".join(filter(None, chain))))
    return request_head(method, target, fields)


def passed_fields(environ: Environ) -> list[tuple[str, str]]:
    """The client's fields that go on: not Host, not those for the next neighbour (RFC 9110 §7.6.1)."""
    left_out = LEFT_OUT | nominated(text_of(environ, "HTTP_CONNECTION")) | {"host", "x-forwarded-for"}
    known = known_here(environ)
    fields = []
    for key, value in environ.items():
        if not key.startswith("HTTP_") or not isinstance(value, str):
            continue
        low, name = field_name(key)
        if low in left_out:
            continue
        if TOKEN.fullmatch(low) is not None:  # a uwsgi packet may bring any name
            fields.append((name, known.get(key, value)))
    return fields


def known_here(environ: Environ) -> dict[str, str]:
    """What goes on in place of a stranger's word on the scheme, where there is one: else it would be ours."""
    https = environ.get("wsgi.url_scheme") == "https"
    return {
        "HTTP_X_FORWARDED_PROTO": "https" if https else "http",
        "HTTP_X_FORWARDED_SSL": "on" if https else "off",
    }


@lru_cache(1024)
def field_name(key: str) -> tuple[str, str]:
    """A CGI variable's header field: in lower case, and as it is written (uWSGI's way)."""
    words = key.removeprefix("HTTP_").lower().split("_")
    return "-".join(words), "-".join(word.capitalize() for word in words)


def http_target(environ: Environ, uri: str) -> str:
    """The request target: ``uri``, which may hold pieces of a decoded path, or the client's own.

    Octets that have no place in one are escaped. Raises ProtocolError(400) for a path with dot segments: the
    other server would take it for another one than the rules have seen.
    """
    target = NOT_PLAIN.sub(escape, uri or own_target(environ))
    path = target.partition("?")[0]
    if "." in path or "%" in path:
        plain = ESCAPED.sub(lambda found: MEANT[found[0].lower()], path).replace("\\", "/")
        if DOTS.search(plain) is not None:
            raise ProtocolError(400, "dot segments in the path of a request that is passed on")
    return target if target.startswith("/") or target == "*" else "/" + target


def own_target(environ: Environ) -> str:
    """The client's own target, in origin-form or an asterisk (RFC 9112 §3.2). Raises ProtocolError(400)."""
    target = text_of(environ, "REQUEST_URI") or composed(environ)
    if target.startswith("/"):
        return target
    if target == "*" and text_of(environ, "REQUEST_METHOD") == "OPTIONS":
        return target
    return split_absolute(target)[1]


def composed(environ: Environ) -> str:
    """A target for a front server that sent none."""
    path = text_of(environ, "SCRIPT_NAME") + text_of(environ, "PATH_INFO")
    query = text_of(environ, "QUERY_STRING")
    path = path.replace("%", "%25").replace("?", "%3F") or "/"
    return f"{path}?{query}" if query else path


def escape(found: re.Match[str]) -> str:
    """An octet as a percent-escape (RFC 3986 §2.1)."""
    return f"%{ord(found[0]):02X}"


def uwsgi_packet(environ: Environ, length: int, modifiers: tuple[int, int], app: str) -> bytes:
    """The request's variables as a uwsgi packet; ``app`` becomes UWSGI_APPID. Raises ProtocolError(431) when
    they do not fit one."""
    variables = carried_words(environ)
    if length or "CONTENT_LENGTH" in variables:
        variables["CONTENT_LENGTH"] = str(length) if length else ""
    if app:
        variables["UWSGI_APPID"] = app
    try:
        return encode_request(variables, *modifiers)
    except ValueError as error:
        raise ProtocolError(431, str(error)) from None


def carried_words(environ: Environ) -> dict[str, str]:
    """The environ's CGI words."""
    known = known_here(environ)
    words = {
        name: known.get(name, value)
        for name, value in environ.items()
        if isinstance(value, str) and name and "." not in name
    }
    # The body is bare behind the packet, whatever its framing was (as nginx would have it).
    for name in ("HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_LENGTH", "HTTP_EXPECT"):
        words.pop(name, None)
    if environ.get("wsgi.url_scheme") == "https":
        words.setdefault("HTTPS", "on")
    return words


def text_of(environ: Environ, name: str) -> str:
    """A variable's text, "" without one."""
    value = environ.get(name)
    return value if isinstance(value, str) else ""
