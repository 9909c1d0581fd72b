"""The application of the cases: what it replies follows from the path.

Copied into the folder of each server and run there, by uWSGI and by penstock; it knows neither.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

STATUSES = {"missing": "404 Not Found", "broken": "500 Internal Server Error", "moved": "302 Found"}
BODIES = {"big": [b"x" * 5000], "zero": [], "blocks": [b"one", b"two", b"three"]}


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """``/WORD/…``: one of those above, ``slow`` (a tenth of a second), ``raise``, or anything else."""
    word = environ["PATH_INFO"].split("/")[1]
    if word == "slow":
        time.sleep(0.1)
    if word == "raise":
        raise RuntimeError("as asked")
    if word == "read":
        environ["wsgi.input"].read()
    start_response(STATUSES.get(word, "200 OK"), [("Content-Type", "text/plain"), ("X-Word", word)])
    return iter(BODIES.get(word, [b"hello"]))
