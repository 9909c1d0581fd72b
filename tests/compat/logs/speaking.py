"""The application of the loggers' cases: it says what the path asks for.

Copied into the folder of each server and run there, by uWSGI and by penstock; it knows neither.
"""

import sys
from collections.abc import Callable, Iterable
from typing import Any


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """``/say/WORD``: to the log; ``/print/WORD``: printed; ``/quote/WORD``: with what JSON escapes."""
    _, how, word = f"{environ['PATH_INFO']}//".split("/")[:3]
    if how == "say":
        environ["wsgi.errors"].write(f"said {word}\n")
    if how == "print":
        sys.stdout.write(f"printed {word}\n")
        sys.stdout.flush()
    if how == "quote":
        environ["wsgi.errors"].write(f'said "{word}" \\ \t back\n')
    environ["wsgi.errors"].flush()  # uWSGI keeps it back otherwise
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]
