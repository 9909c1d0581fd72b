"""An address that is listened on as the settings say, over reloads: of metrics, the status page, the stats.

Runs in the supervisor, or on a single process's loop. It does not know what is said there, nor to whom.
"""

from abc import ABC, abstractmethod
from typing import Any

from penstock.core.errors import StartError
from penstock.process.pages.httpd import Answer, Pages


class Following(ABC):
    """What one server shows at an address that the option of this name gives."""

    def __init__(self, server: Any, option: str) -> None:
        self.server = server
        self.option = option
        self.pages: Pages | None = None
        self.shown: tuple[Any, ...] = ()

    @abstractmethod
    def open(self) -> None:
        """Show what the settings of now ask for, and nothing else. Raises StartError."""

    def changed(self) -> None:
        """Perhaps other settings serve. What they ask for and cannot be had is told of; the server serves
        on."""
        try:
            self.open()
        except StartError as error:
            self.server.diary.error(str(error))

    def listen(self, wanted: tuple[Any, ...], address: str, answer: Answer, **manner: Any) -> list[str]:
        """Listen at ``address``, "" for nowhere, in the manner of ``Pages.listen``; what was listened on
        before is given up, unless ``wanted`` was, too. Its names where it is new. Raises StartError."""
        if wanted == self.shown:
            return []
        self.deaf()
        names = []
        if address:
            pages = Pages(self.server.watch, self.server.diary)
            try:
                names = pages.listen(address, answer, **manner)
            except StartError as error:
                pages.close()
                raise StartError(f"{self.option}: {error}") from None
            self.pages = pages
        self.shown = wanted
        return names

    def deaf(self) -> None:
        """Listen no more; once or again."""
        pages, self.pages, self.shown = self.pages, None, ()
        if pages is not None:
            pages.close()
