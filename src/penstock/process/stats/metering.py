"""uWSGI's metrics of a server: collected every second, kept in files, watched for what is too much.

Runs in a supervisor, or on the loop of a single process. It does not know who reads them.
"""

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

from penstock.config.observing import figures as said
from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.process.stats import keeping
from penstock.process.supervisor.sizing import processes_of
from penstock.services.stats.figures import BUSY, CoreFigures, ServerFigures, SocketFigures, WorkerFigures
from penstock.services.stats.metrics import Metrics
from penstock.services.stats.wanted import Metric, metric_of

ASKING = (
    *("enable_metrics", "metric", "metric_threshold", "metrics_dir", "metrics_dir_restore"),
    *("metrics_no_cores", "stats_push", "carbon_use_metrics"),
)
"""Settings that ask for metrics: each of them implies enable-metrics, as in uWSGI."""

Alarm = Callable[[str, str], None]


def asked(settings: Settings) -> bool:
    """Whether there are to be metrics."""
    return settings.any_of(ASKING)


class Meter:
    """The metrics that settings ask for. Raises StartError for what cannot be."""

    def __init__(self, settings: Settings, server: ServerFigures, warn: Callable[[str], None]) -> None:
        keeping.checked(settings.metrics_dir)
        self.kept = keeping.Kept(settings.metrics_dir, warn) if settings.metrics_dir else None
        restored = self.kept.read if self.kept is not None and settings.metrics_dir_restore else nothing
        try:
            self.metrics = Metrics(
                server,
                own_of(settings),
                [said.threshold(text) for text in settings.metric_threshold],
                not settings.metrics_no_cores,
                restored,
            )
        except ValueError as error:
            named = str(error).startswith("metric-threshold: ")
            raise StartError(str(error) if named else f"metric: {error}") from None
        self.first = True

    def collect(self, server: ServerFigures, alarm: Alarm) -> None:
        """Every second."""
        for name, text in self.metrics.collect(server, monotonic()):
            alarm(name, text)
        if self.kept is not None:
            entries = self.metrics.entries
            every = {name: entry.shown for name, entry in entries.items()}
            self.kept.write(every if self.first else self.metrics.changed)
            self.first = False


def own_of(settings: Settings) -> Sequence[Metric]:
    """The operator's own. Raises ValueError."""
    return [metric_of(said.metric(text)) for text in settings.metric]


def check(settings: Settings) -> None:
    """Whether there can be such metrics, before anybody collects them. Raises StartError."""
    if asked(settings):
        Meter(settings, skeleton(settings), lambda text: None)


def skeleton(settings: Settings) -> ServerFigures:
    """A server of these settings that has done nothing: it has the names of all that will be counted."""
    threads = settings.thread_count
    count = processes_of(settings)[0]
    workers = [
        WorkerFigures(wid, cores=[CoreFigures() for _ in range(threads)]) for wid in range(1, count + 1)
    ]
    sockets = [SocketFigures("", spec.protocol, 0, 0) for spec in settings.listeners]
    return ServerFigures("", 0, 0, 0, "", workers, sockets)


def overloaded(server: ServerFigures) -> bool:
    """Whether nobody is left to take another request."""
    return bool(server.workers) and all(worker.status == BUSY for worker in server.workers)


def nothing(name: str) -> int:
    """What a metric begins with of which nothing was kept."""
    return 0


def told(meter: Meter | None, settings: Settings) -> dict[str, Any] | None:
    """The metrics for the document, None where they are not to be there."""
    return None if meter is None or settings.stats_no_metrics else meter.metrics.told()
