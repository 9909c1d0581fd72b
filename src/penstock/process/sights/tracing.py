"""A worker's traces, wired: requests get their places in a trace, records become spans.

Runs once in the process that serves, and is imported only where ``otel`` is given. What a span is made of is
``services/otel``'s to know, and how it is sent.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from penstock.config.settings import Settings
from penstock.config.values import OFF
from penstock.core.errors import StartError
from penstock.handoff.offload import Offload
from penstock.process.sights.scribe import Scribe
from penstock.serve.answer import Kitchen

LAST = 3.0  # seconds that spans are still sent for when a worker ends
Identify = Callable[[dict[str, Any]], None]


def traced(settings: Settings, kitchen: Kitchen, scribe: Scribe) -> Kitchen:
    """The kitchen whose requests have places in a trace, and whose records, by the scribe, become spans; the
    same where ``otel`` says no. Raises StartError where the extra is missing."""
    if settings.otel.lower() in OFF:
        return kitchen
    try:
        from penstock.services.otel import WANTED, Traces, exporting
    except ImportError as error:
        raise StartError(f'otel: {error}; install it with: pip install "penstock[otel]"') from error
    before = kitchen.noting.wanted
    traces = Traces(settings.otel_service_name, exporting(settings.otel), len(before))
    scribe.consumers.append(traces.take)
    scribe.on_end.append(lambda: send_last(scribe, traces.end))
    noting = replace(kitchen.noting, wanted=(*before, *WANTED))
    return replace(kitchen, noting=noting, identify=both(traces.naming.name, kitchen.identify))


def send_last(scribe: Scribe, end: Callable[[], None]) -> None:
    """What is left, when the worker ends. A receiver that is gone keeps nobody: the time for it is bounded,
    and the threads are daemons."""
    if scribe.offload is not None:
        sending = Offload(scribe.offload.doorway, "traces")
        sending.submit(end)
        sending.stop(LAST)


def both(first: Identify, second: Identify | None) -> Identify:
    """The place first: a request's id is noted together with it."""
    if second is None:
        return first

    def call(environ: dict[str, Any]) -> None:
        first(environ)
        second(environ)

    return call
