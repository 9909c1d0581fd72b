"""Several applications under one roof: uWSGI's mount points (``mount``, ``manage-script-name``).

Built once at start, called by pool threads. Who is asked is decided by SCRIPT_NAME, which a front server
sends, or by the beginning of PATH_INFO; nothing here knows how an application is loaded.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from penstock.serve.wsgi.call import Application

NOWHERE = b"404 Not Found: no application is mounted here\n"


class Mounts:
    """Applications by mount point. ``default`` answers where none of them is meant; None: 404.

    With ``manage`` the longest mount point that PATH_INFO begins with is split off it, on the border of a
    segment; without it a mount point is what SCRIPT_NAME says.
    """

    def __init__(
        self, applications: Mapping[str, Application], default: Application | None, manage: bool
    ) -> None:
        self.applications = dict(applications)
        self.default = default
        # uWSGI finds /app/ at /app too, but then hands over a PATH_INFO without its slash. "/" is no prefix
        # to split off: uWSGI leaves what is mounted there to be the default one.
        bare: dict[str, Application] = {}
        for point, application in applications.items():
            bare.setdefault(point.rstrip("/"), application)
        points = sorted((point for point in bare if point), key=len, reverse=True)
        self.points = tuple((point, f"{point}/", bare[point]) for point in points) if manage else ()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """PEP 3333's callable."""
        application = self.choose(environ)
        if application is None:
            start_response(
                "404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", str(len(NOWHERE)))]
            )
            return [NOWHERE]
        return application(environ, start_response)

    def choose(self, environ: dict[str, Any]) -> Application | None:
        """Whose request it is; SCRIPT_NAME and PATH_INFO are set for it."""
        path = environ.get("PATH_INFO", "")
        for point, folder, application in self.points:
            if path == point or path.startswith(folder):
                environ["SCRIPT_NAME"] = point
                environ["PATH_INFO"] = path[len(point) :]
                return application
        found = self.applications.get(environ.get("SCRIPT_NAME", ""))
        return self.default if found is None else found


def assemble(
    main: Application | None, mounted: Iterable[tuple[str, Application]], manage: bool, default: bool
) -> Application | None:
    """One application out of the main one and those that are mounted; None without any.

    ``default``: the first one whose mount point is empty or begins with ``/`` answers where none is meant
    (uWSGI; ``no-default-app`` forbids it).
    """
    applications: dict[str, Application] = {} if main is None else {"": main}
    for point, application in mounted:
        applications.setdefault(point, application)  # "already configured. skip.", says uWSGI
    if not applications:
        return None
    first = next((app for point, app in applications.items() if point[:1] in ("", "/")), None)
    if default and first is not None and len(applications) == 1 and next(iter(applications)) in ("", "/"):
        return first
    return Mounts(applications, first if default else None, manage)
