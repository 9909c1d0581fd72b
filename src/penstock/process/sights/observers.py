"""Who wants to see the records of a worker's requests, by its settings: the access log, figures, traces.

Runs once in the process that serves, before it serves. Where nobody asks, no record is made.
"""

from typing import TYPE_CHECKING

from penstock.config.settings import Settings
from penstock.config.settings.observing import REPORTING
from penstock.logs.setup import Diary

if TYPE_CHECKING:
    from penstock.process.sights.scribe import Scribe

FIGURES = (*REPORTING, "metrics", "metrics_path", "status_page")
"""Settings that ask for figures of requests, which are kept in the ledger."""
ASKING = (*FIGURES, "otel")
"""Settings that ask for records at all: for those, or for traces."""


def scribe_of(diary: Diary) -> "Scribe":
    """The scribe of a worker, with the access log as its first reader."""
    # Not for a supervisor, which reads the names above: the scribe's thread brings the event loop with it.
    from penstock.process.sights.scribe import Scribe

    scribe = Scribe(diary.error)
    if diary.access_wanted:
        scribe.consumers.append(diary.write_access)
    return scribe


def watched(settings: Settings, diary: Diary) -> bool:
    """Whether records are to be made at all."""
    return diary.access_wanted or settings.any_of(ASKING)
