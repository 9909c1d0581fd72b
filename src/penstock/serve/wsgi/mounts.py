"""Several applications under one roof: uWSGI's mount points (``mount``, ``manage-script-name``, ``vhost``).

Built once at start, called by pool threads. Who is asked is decided by UWSGI_APPID or SCRIPT_NAME, which a
front server or a rule sends, or by the host and the beginning of PATH_INFO; nothing here knows how an
application is loaded.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from penstock.config.site.mounts import divided
from penstock.serve.wsgi.call import Application

NOWHERE = b"404 Not Found: no application is mounted here\n"
OWN_PAGE = "penstock.page"
"""Set in the environ by what answers in place of an application: the reply is a page of the server's own."""
PREPARED = "penstock.mount"
"""Set in the environ once a mount point was looked for: the path that was split off, "" for none."""

Environ = dict[str, Any]
Points = tuple[tuple[str, str], ...]


class Mounts:
    """Applications by mount point. ``default`` answers where none of them is meant; None: 404.

    With ``manage`` the longest mount point that PATH_INFO begins with is split off it, on the border of a
    segment; without it a mount point is what SCRIPT_NAME says. With ``vhost`` hosts are told apart, by the
    Host header or else SERVER_NAME: mount points of one host are ``host|/path``, as in uWSGI, or
    ``host/path`` or ``host``; those without one are for all other hosts, and for other paths of that one.
    """

    def __init__(
        self,
        applications: Mapping[str, Application],
        default: Application | None,
        manage: bool,
        vhost: bool = False,
    ) -> None:
        self.default = default
        self.manage = manage
        self.vhost = vhost
        # As they are written: what UWSGI_APPID says, and a front server's SCRIPT_NAME.
        self.applications = dict(applications)
        # uWSGI finds /app/ at /app too, but then hands over a PATH_INFO without its slash.
        self.found: dict[tuple[str, str], Application] = {}
        for point, application in applications.items():
            host, path = divided(point) if vhost else ("", point)
            if manage:
                path = path.rstrip("/") or path
            # No front server says SCRIPT_NAME / for what is all of a host's.
            self.found.setdefault((host, "" if host and path == "/" else path), application)
        self.hosts = {host for host, _ in self.found}
        self.points = {host: self.points_of(host) for host in ("", *self.hosts)} if manage else {}

    def points_of(self, host: str) -> Points:
        """The paths that are split off for a host, the longest first."""
        # "/" is no prefix to split off: uWSGI leaves what is mounted there to be the default one.
        paths = {path for of, path in self.found if path not in ("", "/") and of in (host, "")}
        return tuple((path, f"{path}/") for path in sorted(paths, key=len, reverse=True))

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """PEP 3333's callable."""
        application = self.choose(environ)
        if application is None:
            environ[OWN_PAGE] = True
            start_response(
                "404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", str(len(NOWHERE)))]
            )
            return [NOWHERE]
        return application(environ, start_response)

    def prepare(self, environ: Environ) -> None:
        """Split the mount point off PATH_INFO, once: SCRIPT_NAME has it afterwards. Before files and rules,
        as in uWSGI; ``choose`` does it where nobody has."""
        environ[PREPARED] = ""
        path = environ.get("PATH_INFO", "")
        for point, folder in self.points.get(self.host(environ), ()):
            if path == point or path.startswith(folder):
                environ[PREPARED] = environ["SCRIPT_NAME"] = point
                environ["PATH_INFO"] = path[len(point) :]
                return

    def point_of(self, environ: Environ) -> str:
        """The path of the mount point, split off for whoever asks before the application is called."""
        if self.manage and PREPARED not in environ:
            self.prepare(environ)
        return str(environ.get("SCRIPT_NAME", ""))

    def choose(self, environ: Environ) -> Application | None:
        """Whose request it is."""
        if self.manage and PREPARED not in environ:
            self.prepare(environ)
        named = environ.get("UWSGI_APPID")
        if named:
            return self.applications.get(named, self.default)
        script = environ.get("SCRIPT_NAME", "")
        if self.vhost:
            environ["UWSGI_APPID"] = f"{said(environ)}|{script}"  # as uWSGI leaves it
        found = self.found.get((self.host(environ), script))
        if found is None:
            found = self.found.get(("", script))
        return self.default if found is None else found

    def host(self, environ: Environ) -> str:
        """The host that is asked for, "" where nothing is mounted on it alone."""
        if not self.vhost:
            return ""
        host = said(environ)
        if host not in self.hosts:
            host = bare(host)
        return host if host in self.hosts else ""


def said(environ: Environ) -> str:
    """The host as the client says it."""
    host: str = environ.get("HTTP_HOST") or environ.get("SERVER_NAME", "")
    return host


def bare(host: str) -> str:
    """A host in small letters and without its port."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdecimal() and not name.endswith(":") else host.lower()


def assemble(
    applications: Mapping[str, Application], manage: bool, default: bool, vhost: bool = False
) -> Application:
    """One application out of those on their mount points, "" being that of the main one.

    ``default``: the first one whose mount point is empty or begins with ``/`` answers where none is meant
    (uWSGI; ``no-default-app`` forbids it).
    """
    first = next((app for point, app in applications.items() if point[:1] in ("", "/")), None)
    if default and first is not None and len(applications) == 1 and next(iter(applications)) in ("", "/"):
        return first
    return Mounts(applications, first if default else None, manage, vhost)
