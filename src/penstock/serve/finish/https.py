"""Requests that came in the clear and are sent to https (``http-to-https``).

Used by pool threads, for listeners that are for nothing else: their environ says so. Who came by https
already, by way of a trusted front server, is left alone.
"""

import re

from penstock.serve.wsgi.call import Call, Environ

TO_HTTPS = "penstock.to_https"
"""In the environ of such a listener: the port of the other side, "" for the usual one."""

HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._~-]+)(?::[0-9]*)?")
ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")


def to_https(call: Call, environ: Environ) -> bool:
    """Answer 301 with the same address by https; False, and nothing is sent, where the request came by https
    or on a listener for everything."""
    port = environ.get(TO_HTTPS)
    if port is None or environ.get("wsgi.url_scheme") == "https":
        return False
    call.begin("301 Moved Permanently", [("Location", location(environ, port))])
    call.whole(b"")
    return True


def location(environ: Environ, port: str) -> str:
    """The address. A Host that is none is as good as none: the server's own name stands for it."""
    found = HOST.fullmatch(environ.get("HTTP_HOST", ""))
    host = found[1] if found is not None else environ.get("SERVER_NAME", "")
    target = ABSOLUTE.sub("", environ.get("REQUEST_URI", ""), count=1)
    if not target.startswith("/"):
        target = f"/{target}" if target.startswith("?") else "/"  # ``*`` of OPTIONS is no path
    return f"https://{host}{port and ':'}{port}{target}"
