"""Metrics for whoever scrapes: a listener of their own, and a path on the application's listeners.

Runs in the supervisor, or on a single process's loop. A scrape is answered from shared memory, so no worker
is asked and a busy one keeps nobody waiting. It does not know what the figures mean.
"""

import importlib
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any

from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.interprocess.ledger import Ledger
from penstock.net.buckets import TICK
from penstock.process.pages.following import Following
from penstock.process.pages.httpd import NO_NAME, Deferred, PageReply, PageRequest, plain
from penstock.process.sights import health, paging

OPEN = "application/openmetrics-text"
ASKED = OPEN + "; version=1.0.0"
PATH = "/metrics"
MISSING = "{}: prometheus-client is not installed: pip install 'penstock[metrics]'"

SHARE = 9  # making a text takes at most one part in ten of the time, for each of the two forms
Done = Callable[[Any, BaseException | None], None]
Offload = Callable[[Callable[[], Any], Done], None]
Text = tuple[str, bytes]
"""A content type, and what is of it."""


class Metrics(Following):
    """Of one server, ``server`` as ``scrape`` reads it, with its ``watch``, ``diary`` and ``settings``."""

    def __init__(self, server: Any, ledger: Ledger) -> None:
        super().__init__(server, "metrics")
        self.ledger = ledger
        self.offload: Offload | None = None  # a service thread's, where the loop has requests to serve
        self.rendered: dict[bool, tuple[float, Text]] = {}
        self.waiting: dict[bool, list[Deferred]] = {}  # for the one that a service thread makes

    def meet(self, settings: Settings) -> None:
        """Settings that are about to be used: what they ask for can be had. Raises StartError."""
        for name in ("metrics", "metrics_path"):
            if getattr(settings, name):
                try:
                    importlib.import_module("penstock.process.pages.scrape")  # and what makes the text
                except ImportError:
                    raise StartError(MISSING.format(name.replace("_", "-"))) from None

    def open(self) -> None:
        """Listen where the settings say so; what was listened on before is given up. Raises StartError."""
        address = self.server.settings.metrics
        if names := self.listen((address,), address, self.answer):
            self.server.diary.say(f"penstock: metrics on http://{', '.join(names)}{PATH}")

    def close(self) -> None:
        """The end, or another program takes over."""
        self.deaf()

    # ---- Answers ------------------------------------------------------------------------------------

    def answer(self, request: PageRequest) -> PageReply | Deferred:
        """On the listener: the metrics, and the server's health."""
        if request.rebound:
            return plain(403, NO_NAME)
        if request.path == PATH:
            return self.on_path(request)
        healthy = health.answer(request.path, self.server.settings, self.server)
        if healthy is not None:
            return PageReply(*healthy)
        return plain(404, f"here are {PATH}, and the paths of health-live and health-ready")

    def told(self, accept: str) -> PageReply | Deferred:
        """The metrics, at once or from a service thread, which makes one text for all who wait."""
        openly = OPEN in accept
        found = self.rendered.get(openly)
        if self.offload is None or (found is not None and monotonic() < found[0]):
            return PageReply(200, *self.text(accept))
        later = Deferred()
        if openly in self.waiting:
            self.waiting[openly].append(later)
        else:
            work = self.work(accept)
            self.waiting[openly] = [later]
            self.offload(work, partial(self.made, openly))
        return later

    def made(self, openly: bool, result: Any, error: BaseException | None) -> None:
        """The service thread has made it, or has failed."""
        if error is None:
            took, text = result
            self.keep(openly, took, text)
            reply = PageReply(200, *text)
        else:
            self.server.diary.error(f"metrics: {error!r}")
            reply = plain(500, "the error log says why")
        for later in self.waiting.pop(openly, []):
            later.done(reply)

    def keep(self, openly: bool, took: float, text: Text) -> None:
        """It is told to whoever asks in the next moment (see ``text``)."""
        self.rendered[openly] = (monotonic() + max(TICK, SHARE * took), text)

    def text(self, accept: str) -> Text:
        """The metrics in the form that is asked for. Workers write what they count every quarter second, so
        who asks more often is told the same; and where it takes long, for as much as keeps it to a SHARE of
        the time: clients may ask, and there is other work."""
        openly = OPEN in accept
        found = self.rendered.get(openly)
        if found is None or monotonic() >= found[0]:
            self.keep(openly, *self.work(accept)())
        return self.rendered[openly][1]

    def work(self, accept: str) -> Callable[[], tuple[float, Text]]:
        """The figures of now; what is returned makes the text of them, on any thread, and says how many
        seconds it all took."""
        from penstock.process.pages.scrape import snapshot_of
        from penstock.services.exposition import render

        begun = monotonic()
        snapshot, asked = snapshot_of(self.server, self.ledger), ASKED if OPEN in accept else ""
        return partial(timed, partial(render, snapshot, asked), monotonic() - begun)

    # ---- For workers, whose clients ask on a path ----------------------------------------------------

    def heard(self, handle: Any, message: dict[str, Any]) -> None:
        """A worker says something; perhaps its client asks for metrics."""
        if self.server.settings.metrics_path:
            paging.answered(paging.METRICS, self.on_path, message, handle.channel.send)

    def on_path(self, request: PageRequest) -> PageReply | Deferred:
        """The metrics alone, whatever the path is; so on the application's listeners."""
        return self.told(request.headers.get("accept", ""))


def timed(make: Callable[[], Text], before: float) -> tuple[float, Text]:
    """What is made, and the seconds that it took with those ``before``."""
    begun = monotonic()
    text = make()
    return before + monotonic() - begun, text
