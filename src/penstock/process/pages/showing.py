"""Where the status page is shown: on an address of its own, or as a path on the application's sockets.

Runs in the supervisor, or on a single process's loop. It follows the settings over reloads. It does not know
what is on the page.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

from penstock.config.settings import Settings
from penstock.process.pages import overview
from penstock.process.pages.following import Following
from penstock.process.pages.status import StatusPage
from penstock.process.sights import paging
from penstock.process.supervisor.inquiry import Inquiry

if TYPE_CHECKING:
    from penstock.process.worker import Worker


def is_path(where: str) -> bool:
    """Whether a ``status-page`` is a path on the application's sockets; else it is an address."""
    return where.startswith("/")


class Showing(Following):
    """Of one server: a supervisor, or a single process with its ``worker``."""

    def __init__(self, server: Any, inquiry: Inquiry, worker: "Worker | None" = None) -> None:
        super().__init__(server, "status-page")
        self.overview = overview.of(server, inquiry)
        self.worker = worker
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
        if (where, auth) == self.shown:
            return
        self.close()
        if not where:
            return
        shared = is_path(where)
        self.page = StatusPage(self.overview.ask, auth, self.server.diary.warn_once, shared=shared)
        if names := self.listen((where, auth), "" if shared else where, self.page.answer):
            self.server.diary.say(f"penstock: status page on http://{', '.join(names)}/")
        if shared and self.worker is not None:
            self.worker.door.lane.pages[where] = partial(paging.within, self.page.answer)
        self.overview.keep()

    def close(self) -> None:
        """Show it no more; once or again."""
        self.page = None
        self.overview.rest()
        self.deaf()

    def heard(self, handle: Any, message: dict[str, Any]) -> None:
        """A worker says something; perhaps its client asks for the page."""
        # Not for a page that has an address of its own by now: who may see that is told by who connects.
        if self.page is not None and self.page.shared:
            paging.answered(paging.STATUS, self.page.answer, message, handle.channel.send)
