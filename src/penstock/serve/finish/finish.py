"""What is done to every reply of a worker, decided at boot.

Made in the process that serves, before it serves; called by pool threads, which change nothing of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from penstock.codecs.http1_reply import REASONS, Fields
from penstock.serve.finish.compression import Compression
from penstock.serve.finish.pages import Pages
from penstock.serve.finish.touches import Touched

HTML = "text/html"
BODY_FIELDS = ("content-", "etag", "last-modified", "accept-ranges")
"""How the names of fields begin that speak of a body, and go with it."""
REMEMBER = 256  # heads whose fields are remembered as they were sent; then all are forgotten at once

Dress = tuple[Any, ...]
"""What makes the difference between the fields of a reply and those that are sent of them; see ``calm``."""


@dataclass(frozen=True, slots=True)
class Finish:
    """What every reply meets.

    ``respond``      response rules, called with each ``FinishedCall`` before its head is made; None: none
    ``erred``        error rules, called with each of them and its status before that; True when they have
                     replied or ended it
    ``removed``      lower-case names of fields that the application may not send (``rem-header``)
    ``noted``        lower-case names of fields whose value a request variable gets (``collect-header`` and
                     ``pull-header``), the variable, and whether the field is still sent
    ``secured``      fields that a reply gets unless it has them (``security-headers``)
    ``secured_https``  the same, for requests that came by https
    ``pages``        pages by status (``error-page-404`` and its like)
    ``intercept``    replies of the application with such a status get that page, too
    ``compression``  how bodies are compressed
    ``calm``         nothing of all this depends on more than a reply's fields and its request's scheme
    ``token``        stands for all of this in a ``Dress``
    """

    respond: Callable[[Any], None] | None = None
    erred: Callable[[Any, int], bool] | None = None
    removed: frozenset[str] = frozenset()
    noted: tuple[tuple[str, str, bool], ...] = ()
    secured: tuple[tuple[str, str], ...] = ()
    secured_https: tuple[tuple[str, str], ...] = ()
    pages: Pages | None = None
    intercept: bool = False
    compression: Compression | None = None
    calm: bool = field(init=False)
    token: object = field(init=False, compare=False, repr=False)
    remembered: dict[Dress, tuple[Fields, Fields]] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        pages = self.intercept and self.pages is not None
        asked = self.respond or self.erred or self.noted or self.compression or pages
        object.__setattr__(self, "calm", not asked)
        object.__setattr__(self, "remembered", {})
        object.__setattr__(self, "token", object())

    def before(self, fields: Fields, dress: Dress) -> Fields | None:
        """What was sent when a reply with these ``fields`` was last dressed like this; None where it is not
        known. Nearly all replies of an application have one of a few lists of fields."""
        known = self.remembered.get((id(fields), dress))
        return known[1] if known is not None and known[0] is fields else None

    def remember(self, fields: Fields, dress: Dress, sent: Fields) -> Fields:
        """For ``before``; the fields are kept, so that no others get their identity. Returns ``sent``."""
        if len(self.remembered) >= REMEMBER:
            self.remembered.clear()
        self.remembered[(id(fields), dress)] = (fields, sent)
        return sent

    def page(self, code: int) -> tuple[str, bytes]:
        """Content-Type and body of the server's own page."""
        body = self.pages.read(code) if self.pages is not None else None
        if body is not None:
            return HTML, body
        return "text/plain", REASONS.get(code, "Unknown").encode("ascii")

    def instead(self, call: Touched) -> bytes | None:
        """The page that goes out in place of the application's own, whose fields are edited for it."""
        if not (self.intercept and call.started) or self.pages is None:
            return None
        body = self.pages.read(call.code)
        if body is not None:
            kept = [pair for pair in call.pairs if not pair[0].lower().startswith(BODY_FIELDS)]
            call.pairs = [*kept, ("Content-Type", HTML)]
        return body

    def edit(self, call: Touched) -> None:
        """Take out what is not to be sent and note what is asked for, in the order in which uWSGI does: a
        field that is removed is not noted."""
        if self.removed or call.touches.removed:
            call.remove(self.removed | call.touches.removed)
        for wanted, variable, sent in self.noted:
            for name, value in call.pairs:
                if name.lower() == wanted:
                    call.environ[variable] = value
            if not sent:
                call.remove((wanted,))

    def secure(self, call: Touched) -> None:
        """Add the fields that a browser is to have, where the application did not choose for itself."""
        wanted = self.secured
        if self.secured_https and call.environ.get("wsgi.url_scheme") == "https":
            wanted += self.secured_https
        if wanted:
            present = {name.lower() for name, _ in call.pairs}
            call.pairs += [pair for pair in wanted if pair[0].lower() not in present]
