"""The ledger of a server, from when somebody first asks for figures: who has it, and what becomes of it.

Runs in the supervisor. It counts what only a supervisor knows: why workers end and how reloads come out. It
does not know who reads it.
"""

import os
from typing import Any

from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.interprocess.ledger import Ledger
from penstock.process.pages.metrics import Metrics
from penstock.process.sights.bookkeeping import mounts_of
from penstock.process.supervisor.handle import Handle
from penstock.process.supervisor.supervisor import Supervisor

BEGINNINGS = (
    ("max-requests", "requests"),
    ("max-worker-lifetime", "lifetime"),
    ("reload-on-exception", "exception"),
    ("reload-on-", "memory"),
    ("evil-reload-on-", "memory"),
    ("harakiri", "deadline"),
    ("SIGTERM", "signal"),
    ("SIGHUP", "signal"),
    ("a signal", "signal"),
    ("it is not needed", "surplus"),
)
"""What a worker's reason begins with, and which of the ledger's causes that is; the first that fits."""
DIED = ("died", "ended before")


class Books:
    """Of one supervisor; made before the generation whose settings ask for it is built."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self.old: Ledger | None = None
        supervisor.carrying["ledger"] = self

    def start(self) -> None:
        """Begin, with what was carried over if there is such. Raises StartError."""
        supervisor = self.supervisor
        self.ledger = self.old or Ledger.create(supervisor.board.slots)
        if self.ledger.slots < supervisor.board.slots:
            self.ledger = Ledger.create(supervisor.board.slots)
        supervisor.ledger = self.ledger
        supervisor.shared["ledger"] = self.ledger.fd
        supervisor.herd.freed = self.ledger.free
        supervisor.on_gone.append(self.gone)
        supervisor.on_reload.append(self.reloaded)
        if self.old is not None:
            self.ledger.count("upgrades")
        self.metrics = metrics = Metrics(supervisor, self.ledger)
        supervisor.on_message.append(metrics.heard)
        supervisor.on_change.append(metrics.changed)
        supervisor.on_exec.append(metrics.close)
        supervisor.on_stay.append(metrics.changed)

    def meet(self, settings: Settings) -> None:
        """Settings whose generation is about to be built. Raises StartError for what cannot be had."""
        self.ledger.know(mounts_of(settings))
        self.metrics.meet(settings)

    def open(self) -> None:
        """Listen where the settings say so. Raises StartError."""
        self.metrics.open()

    def end(self) -> None:
        """After the last worker."""
        self.metrics.close()

    # ---- Carried over an upgrade --------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """What the next program needs."""
        return {"fds": [self.ledger.fd]}

    def resume(self, data: dict[str, Any]) -> None:
        """The ledger of the program before; of another form it is left to the workers that write there."""
        (fd,) = data["fds"]
        try:
            self.old = Ledger.attach(fd)
        except StartError:
            os.close(fd)
            self.supervisor.diary.warning("metrics and stats begin at 0: another version kept them otherwise")

    # ---- What is counted ----------------------------------------------------------------------------

    def gone(self, handle: Handle) -> None:
        """A worker has ended."""
        current = self.supervisor.current
        stopping, generation = self.supervisor.ending is not None, 0 if current is None else current.number
        self.ledger.count(f"end_{cause(handle, stopping, generation)}")

    def reloaded(self, begun: bool) -> None:
        """A reload begins, or has ended."""
        if not begun:
            self.ledger.count("reload_done" if self.supervisor.last.get("ok") else "reload_failed")


def cause(handle: Handle, stopping: bool, generation: int) -> str:
    """Why a worker has ended, as the ledger names it; ``generation`` is the one that serves."""
    if not handle.why:  # nobody has told it to leave
        killed = bool(handle.reason) and not handle.reason.startswith(DIED)
        return begins(handle.reason, "killed") if killed else "died"
    if stopping:
        return "stop"
    return "reload" if handle.generation != generation else begins(handle.why, "reload")


def begins(text: str, otherwise: str) -> str:
    """The cause that a reason's beginning stands for."""
    return next((cause for begin, cause in BEGINNINGS if text.startswith(begin)), otherwise)
