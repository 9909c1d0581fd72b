"""The figures of a server that is one process: its ledger, and who tells of them.

Runs once in that process, before it serves; imported only where its settings ask for figures.
"""

from functools import partial

from penstock.config.settings import Settings
from penstock.config.settings.observing import REPORTING
from penstock.interprocess.ledger import Ledger
from penstock.process.alone.lone import Lone
from penstock.process.pages.metrics import Metrics
from penstock.process.sights import paging
from penstock.process.sights.bookkeeping import Bookkeeping, mounts_of
from penstock.process.worker import Worker


def keep(lone: Lone, worker: Worker, settings: Settings) -> None:
    """Have the worker's requests add up, and told of where the settings say so. Raises StartError."""
    ledger = Ledger.private()
    ledger.know(mounts_of(settings))
    Bookkeeping(worker, ledger, 0)
    lone.ledger = ledger
    metrics = Metrics(lone, ledger)
    metrics.meet(settings)
    metrics.offload = worker.door.files.submit
    if settings.metrics:
        metrics.open()
        lone.on_drained.append(metrics.close)
    if settings.any_of(REPORTING):
        from penstock.process.stats.reporting import within

        within(lone)
    if settings.metrics_path:
        worker.door.lane.pages[settings.metrics_path] = partial(paging.within, metrics.on_path)
