"""Mount points by ``mount``: which requests are whose.

Pure. Read at boot, by the process that reads the configuration and by whoever loads the applications.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Mount(NamedTuple):
    """``host``, "" for any; ``path``, "" for all; and the application's ``target``: a file,
    ``module:callable`` or a module. ``point`` is how uWSGI looks it up: the host and the path as written."""

    point: str
    host: str
    path: str
    target: str


def parse(text: str) -> Mount:
    """``PATH=APPLICATION``, and for one host alone ``HOST/PATH=APPLICATION`` or, as uWSGI's ``vhost`` has it,
    ``HOST|PATH=APPLICATION``. Hosts are in small letters. Raises ValueError with what is expected."""
    point, _, target = text.partition("=")
    point, target = point.strip(), target.strip()
    if not target:
        raise ValueError("PATH=APPLICATION is expected, such as /shop=shop.wsgi:app")
    return Mount(point, *divided(point), target)


def divided(point: str) -> tuple[str, str]:
    """Host and path of a mount point; the host "" where there is none."""
    host, bar, path = point.partition("|")
    if not bar:
        host, slash, path = point.partition("/")
        path = slash + path
    return host.lower(), path


def hidden(path: str, mounted: Iterable[str]) -> str:
    """Why no request has a PATH_INFO below ``path`` where mount points are taken off it (the texts of
    ``mount``, with ``manage-script-name``); "" where some may."""
    for text in mounted:
        point, equals, _ = text.partition("=")
        point = point.strip().rstrip("/")
        if equals and point.startswith("/") and f"{path}/".startswith(f"{point}/"):
            rest = path[len(point) :] or "/"
            return f"manage-script-name takes {point} off paths before files are looked for: {rest} is meant"
    return ""
