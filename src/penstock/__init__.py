"""penstock: a WSGI server for HTTP/1.1 and uwsgi.

``run(app, "127.0.0.1:8000")`` serves until a signal; ``make_server`` and ``WSGIServer`` have the shape of
``wsgiref.simple_server``. They are imported when they are first asked for, so that the command line's
first moment stays cheap.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from penstock.process.embed import WSGIServer, make_server, run

__version__ = "0.1.0"
__all__ = ["WSGIServer", "__version__", "make_server", "run"]


def __getattr__(name: str) -> Any:
    if name in ("WSGIServer", "make_server", "run"):
        from penstock.process import embed

        return getattr(embed, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
