"""Where the status page is shown: on an address of its own, or as a path on the application's sockets.

Runs in the supervisor, or on a single process's loop. It follows the settings over reloads. It does not know
what is on the page.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.process.pages import overview
from penstock.process.pages.httpd import Pages
from penstock.process.pages.status import StatusPage
from penstock.process.sights import paging
from penstock.process.supervisor.inquiry import Inquiry

if TYPE_CHECKING:
    from penstock.process.worker import Worker


def is_path(where: str) -> bool:
    """Whether a ``status-page`` is a path on the application's sockets; else it is an address."""
    return where.startswith("/")


class Showing:
    """Of one server: a supervisor, or a single process with its ``worker``."""

    def __init__(self, server: Any, inquiry: Inquiry, worker: "Worker | None" = None) -> None:
        self.server = server
        self.overview = overview.of(server, inquiry)
        self.worker = worker
        self.pages: Pages | None = None
        self.where = ("", "")
        self.page: StatusPage | None = None
        server.on_message.append(self.heard)
        server.on_change.append(self.changed)
        server.on_exec.append(self.close)
        server.on_stay.append(self.changed)
        server.on_drained.append(self.close)

    def open(self) -> None:
        """Show it where the settings say so, and nowhere else. Raises StartError."""
        settings: Settings = self.server.settings
        where, auth = settings.status_page, settings.status_auth
        if (where, auth) == self.where:
            return
        self.close()
        if not where:
            return
        self.page = StatusPage(self.overview.ask, auth, self.server.diary.warn_once, shared=is_path(where))
        if not is_path(where):
            self.pages = Pages(self.server.watch, self.server.diary)
            try:
                names = self.pages.listen(where, self.page.answer)
            except StartError as error:
                raise StartError(f"status-page: {error}") from None
            self.server.diary.say(f"penstock: status page on http://{', '.join(names)}/")
        elif self.worker is not None:
            self.worker.door.lane.pages[where] = partial(paging.within, self.page.answer)
        self.overview.keep()
        self.where = (where, auth)

    def changed(self) -> None:
        """Perhaps other settings serve. An address that cannot be had is told of; the server serves on."""
        try:
            self.open()
        except StartError as error:
            self.server.diary.error(str(error))

    def close(self) -> None:
        """Show it no more; once or again."""
        pages, self.pages, self.page, self.where = self.pages, None, None, ("", "")
        self.overview.rest()
        if pages is not None:
            pages.close()

    def heard(self, handle: Any, message: dict[str, Any]) -> None:
        """A worker says something; perhaps its client asks for the page."""
        # Not for a page that has an address of its own by now: who may see that is told by who connects.
        if self.page is not None and self.page.shared:
            paging.answered(paging.STATUS, self.page.answer, message, handle.channel.send)
