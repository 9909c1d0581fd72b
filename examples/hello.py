"""The sample application: a page, the environ, a stream, an upload, a file. Nothing but WSGI."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

PAGE = b"""<!doctype html>
<title>penstock</title>
<h1>It flows.</h1>
<ul>
<li><a href="/environ">what an application sees</a></li>
<li><a href="/stream">a reply that takes its time</a></li>
<li><a href="/source">a file, sent by the kernel</a></li>
</ul>
<form method="post" action="/upload" enctype="multipart/form-data">
<input type="file" name="file"><button>upload</button>
</form>
"""


def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Choose by the path."""
    views = {"/": page, "/environ": show, "/stream": stream, "/upload": upload, "/source": source}
    view = views.get(environ["PATH_INFO"])
    if view is None:
        start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "10")])
        return [b"Not found\n"]
    return view(environ, start_response)


def page(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """The front page."""
    start_response("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(PAGE)))])
    return [PAGE]


def show(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """The environ as JSON."""
    shown = {
        key: value if isinstance(value, str | bool | int) else repr(value) for key, value in environ.items()
    }
    body = json.dumps(shown, indent=1, sort_keys=True).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def stream(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    """Ten lines, one each tenth of a second."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    for number in range(10):
        yield f"line {number}\n".encode()
        time.sleep(0.1)


def upload(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Size and digest of what was sent."""
    digest, size = hashlib.sha256(), 0
    while block := environ["wsgi.input"].read(1 << 16):
        digest.update(block)
        size += len(block)
    body = f"{size} bytes, sha256 {digest.hexdigest()}\n".encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def source(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """This file."""
    start_response("200 OK", [("Content-Type", "text/x-python")])
    wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](Path(__file__).open("rb"))
    return wrapped
