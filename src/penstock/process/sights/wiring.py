"""What a worker has for those who look at its server: its books, and pages that the supervisor answers.

Runs in a worker, before it serves. Whatever one of them needs is imported only where it is asked for.
"""

from collections.abc import Callable
from typing import Any

from penstock.config.settings import Settings
from penstock.process.worker import Worker

Order = Callable[[dict[str, Any], list[int]], None]


def keep_books(worker: Worker, ledger: int, slot: int) -> None:
    """Have its requests add up in a slot of the ledger behind a descriptor; -1 where nobody asks."""
    if ledger >= 0:
        from penstock.process.sights import bookkeeping

        bookkeeping.begin(worker, ledger, slot)


def orders_of(worker: Worker, settings: Settings, say: Callable[[dict[str, Any]], None]) -> dict[str, Order]:
    """Have the lane answer them, by asking the supervisor (``say``); what its answers are called, and who is
    given them."""
    on_path = settings.status_page.startswith("/")
    if not settings.metrics_path and not on_path:
        return {}
    from penstock.process.sights.paging import METRICS, STATUS, Paging

    paging = Paging(worker.door.lane, say)
    if settings.metrics_path:
        paging.offer(settings.metrics_path, METRICS)
    if on_path:
        paging.offer(settings.status_page, STATUS)
    return {"paged": paging.told}
