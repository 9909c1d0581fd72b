"""A worker's table of paths: kept while somebody looks, or always where the settings ask for a status page.

Its loop is asked (``Worker.tells``); the table itself is the scribe's thread's alone, so nothing is locked.
It does not know who looks.
"""

import json
from functools import partial
from time import monotonic
from typing import Any, Protocol

from penstock.net.door import Door
from penstock.process.sights.saying import Say, Tell, Untold
from penstock.process.sights.scribe import Scribe
from penstock.serve.answer import Kitchen
from penstock.services.paths import PathTable

NAME = "paths"
PIECE = 6000  # characters; ``interprocess.channel`` cuts none that are not longer than TEXT
ALONE = 120.0  # seconds after the last question, until nobody looks any more
NO_RECORDS = "nothing is noted of requests here: give status-page, or keep the access log"


class Working(Protocol):
    """What is used of a worker."""

    scribe: Scribe
    kitchen: Kitchen
    door: Door
    tells: dict[str, Tell]


class Paths:
    """Of one worker. ``always``: from the start, and whether somebody looks or not."""

    def __init__(self, worker: Working, always: bool = False) -> None:
        self.worker = worker
        self.always = always
        self.table: PathTable | None = None
        self.asked = monotonic()
        worker.tells[NAME] = self.tell
        if always:
            self.open()
        else:
            worker.door.on_tick.append(self.tick)

    def tell(self, question: dict[str, Any], say: Say) -> None:
        """LOOP: what there was; ``since`` as ``PathTable.tell`` takes it."""
        self.asked = monotonic()
        since, offload = question.get("since"), self.worker.scribe.offload
        if offload is None or self.worker.kitchen.record is None:
            say(Untold(NO_RECORDS))
            return

        def done(told: Any, error: BaseException | None) -> None:
            say(told if error is None else Untold(f"the worker could not tell: {error!r}"))

        offload.submit(partial(self.told, since if isinstance(since, int) else 0), done)

    def tick(self, now: float) -> None:
        """LOOP, every quarter second: nobody has looked for long."""
        offload = self.worker.scribe.offload
        if self.table is not None and offload is not None and now - self.asked > ALONE:
            offload.submit(self.close)

    # ---- The scribe's thread ------------------------------------------------------------------------

    def told(self, since: int) -> list[str]:
        """The answer, as JSON: so the loop has nothing to write. In pieces, because a message's long strings
        may be cut."""
        table = self.table or self.open()
        text = json.dumps(table.tell(since), separators=(",", ":"))
        return [text[at : at + PIECE] for at in range(0, len(text), PIECE)]

    def open(self) -> PathTable:
        """Begin to count."""
        self.table = PathTable()
        self.worker.scribe.consumers.append(self.table.take)
        return self.table

    def close(self) -> None:
        """Count no more."""
        if self.table is not None:
            self.worker.scribe.consumers.remove(self.table.take)
            self.table = None


def tell(worker: Working, question: dict[str, Any], say: Say) -> None:
    """The first question of its kind: from here on there is a table."""
    Paths(worker).tell(question, say)
