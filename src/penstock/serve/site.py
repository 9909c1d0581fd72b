"""What a request passes before its application and behind it: mount points, files, rules, last touches.

Decided at boot, used by pool threads. Each part is None where nothing asks for it; none is imported here, so
that a server without them starts without them. What they do, they know.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from penstock.handoff.exchange import Exchange
from penstock.serve.record import LOGVARS, Made
from penstock.serve.routing.flow import BREAK
from penstock.serve.send import Manner
from penstock.serve.wsgi.call import Call, Environ

if TYPE_CHECKING:
    from penstock.serve.static.entry import Entry
    from penstock.serve.static.files import Files
    from penstock.serve.stored import Stored


class Ruling(Protocol):
    """``routing.table.Rules``, whose calls are what ``Site.call`` makes."""

    def request(self, call: Any, environ: Environ, /) -> int: ...
    def final(self, call: Any, /) -> None: ...


@dataclass(frozen=True, slots=True, repr=False)
class Site:
    """``prepare``  splits a mount point off PATH_INFO (uWSGI's ``manage-script-name``), before all else
    ``files``    static files, looked up on the path as it is before the rules; they go first
    ``rules``    may change the request, answer it, and touch up its reply
    ``stored``   answers from a cache, before all else (``check-cache``)
    ``redirect`` sends requests of some listeners to https, before all else (``http-to-https``)
    ``call``     makes the reply: a ``FinishedCall`` where anything asks for that, and always for ``rules``
    ``quiet``    whether none of the rules can be for a request, which then has a plain ``Call`` and no walk;
                 None where something else asks for touched replies, or only a walk can tell
    """

    prepare: Callable[[Environ], Any] | None = None
    files: "Files | None" = None
    rules: Ruling | None = None
    call: Callable[[Exchange, Manner], Call] = Call
    stored: "Stored | None" = None
    quiet: Callable[[Environ], bool] | None = None
    redirect: Callable[[Call, Environ], bool] | None = None

    def begin(self, x: Exchange, manner: Manner) -> Call:
        """The reply to be made, when the mount point is split off."""
        environ = x.request.vars
        if self.prepare is not None:
            self.prepare(environ)
        if self.quiet is not None and self.quiet(environ) and (self.files is None or is_plain(environ)):
            return Call(x, manner)
        return self.call(x, manner)

    def answered(self, call: Call, environ: Environ) -> bool:
        """Whether the request needs neither rules nor files nor the application."""
        if self.redirect is not None and self.redirect(call, environ):
            return True
        return self.stored is not None and self.stored(call, environ)

    def entry(self, environ: Environ) -> "Entry | None":
        """The file that is asked for, None where it is the application's request. Rules are then asked about
        its own path: ``//admin/x`` and ``/./admin/x`` name it, too, and a rule is about ``^/admin/``."""
        entry = None if self.files is None else self.files.find(environ)
        if entry is not None and self.rules is not None and not is_plain(environ):
            environ["PATH_INFO"] = plain(environ["PATH_INFO"])
        return entry

    def ended(self, call: Call, environ: Environ) -> bool:
        """Have the rules look at the request; True when they have answered it."""
        if self.rules is None or type(call) is Call:
            return False
        return self.rules.request(call, environ) == BREAK or call.finished

    def send(self, call: Call, environ: Environ, entry: "Entry") -> bool:
        """Send a file; False where it has gone meanwhile and the application is to answer. Where a rule has
        begun a reply (``send:``) that is all: a second head behind the first would be the next reply's."""
        if call.sent_head:
            call.end()
            return True
        return self.files is not None and self.files.send(call, environ, entry)

    def over(self, call: Call) -> None:
        """The reply is given."""
        if self.rules is not None and type(call) is not Call:
            self.rules.final(call)

    def touched(self, call: Call, made: Made) -> Made:
        """A request's record with what rules want of its log line: ``logvar``, and none (``donotlog``)."""
        touches = getattr(call, "touches", None)
        if touches is None or (touches.logged and not touches.logvars):
            return made
        return (*made[:LOGVARS], touches.logvars or None, touches.logged)


def is_plain(environ: Environ) -> bool:
    """Whether a path has no parts that say nothing; False for a few others, ``/.well-known`` among them."""
    path: str = environ.get("PATH_INFO", "")
    return path[:1] == "/" and "//" not in path and "/." not in path


def plain(path: str) -> str:
    """A path without them."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return "/".join(["", *parts, ""] if path.endswith("/") else ["", *parts])
