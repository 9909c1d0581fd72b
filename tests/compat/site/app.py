"""The application of the cases: it shows what it was given, and replies as the request's ``App-`` fields say.

Copied into the folder of each server and run there, by uWSGI and by penstock; it knows neither.
"""

import os
import time
from collections.abc import Callable, Iterable
from typing import Any

SHOWN = (
    *("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REQUEST_URI", "REMOTE_ADDR"),
    *("REMOTE_USER", "DOCUMENT_ROOT", "wsgi.url_scheme", "HTTP_HOST"),
)
USUAL = {
    *("SCRIPT_NAME = ", "QUERY_STRING = ", "REMOTE_ADDR = 127.0.0.1", "REQUEST_METHOD = GET"),
    *("wsgi.url_scheme = http", "HTTP_HOST = site.test"),
}
"""Lines that say nothing."""
NAME = "main"


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """``App-Status``, ``App-Fields`` (``A: b|C: d``), ``App-Body``, ``App-Length`` (say it), ``App-Show``,
    ``App-Sleep`` (seconds), ``App-Raise``."""
    time.sleep(float(environ.get("HTTP_APP_SLEEP", "0")))
    if "HTTP_APP_RAISE" in environ:
        raise RuntimeError("as asked")
    body = (environ.get("HTTP_APP_BODY") or "\n".join(shown(environ))).encode("latin-1")
    fields = [("Content-Type", "text/plain")]
    for field in filter(None, environ.get("HTTP_APP_FIELDS", "").split("|")):
        name, _, value = field.partition(": ")
        fields.append((name, value))
    if "HTTP_APP_LENGTH" in environ:
        fields.append(("Content-Length", str(len(body))))
    start_response(environ.get("HTTP_APP_STATUS", "200 OK"), fields)
    return [body]


def shown(environ: dict[str, Any]) -> Iterable[str]:
    """What the rules may have changed."""
    yield f"application {NAME}"
    for name, value in sorted(environ.items()):
        line = f"{name} = {value}"
        if (
            isinstance(value, str)
            and (name in SHOWN or name.startswith(("T_", "UWSGI_")))
            and line not in USUAL
        ):
            yield line
    asked = environ.get("HTTP_APP_SHOW", "")
    if asked == "cwd":
        yield os.getcwd()
    if asked == "body":
        yield repr(environ["wsgi.input"].read())
    if asked.startswith("name "):  # what ps and top show of the process
        with open("/proc/self/comm") as short, open("/proc/self/cmdline") as title:
            yield f"{asked}: {asked[5:] in short.read() + title.read()}"
