"""What a server says of itself as uWSGI does: the stats document, metrics, and figures that are sent away.

Runs in a supervisor, or on the loop of a single process. Loaded when settings first ask for one of them. The
parts know how; here is decided when.
"""

from collections.abc import Callable
from time import monotonic, time
from typing import Any

from penstock.config.address import parse_address
from penstock.config.settings import Settings
from penstock.core.errors import ConfigError, StartError
from penstock.logs.format import metrics_named
from penstock.process.binding import mode_of
from penstock.process.pages.following import Following
from penstock.process.pages.httpd import NO_NAME, Deferred, PageReply, PageRequest, plain
from penstock.process.stats import asking, metering
from penstock.process.stats.facts import Facts
from penstock.process.stats.graphite import Graphite
from penstock.process.stats.pushing import Pusher, pushers
from penstock.process.supervisor.inquiry import Inquiry
from penstock.services.stats.document import document, text_of
from penstock.services.stats.figures import ServerFigures

TURN = 1.0  # seconds
JSON = "application/json"


class Reporting(Following):
    """Of one server, a supervisor or what looks like one. ``meet`` before settings are used, ``open`` once
    there is a ledger and these are the settings, ``changed`` with other ones, ``close`` at the end."""

    def __init__(self, supervisor: Any, inquiry: Inquiry) -> None:
        super().__init__(supervisor, "stats")
        self.supervisor = supervisor
        self.inquiry = inquiry
        self.facts = Facts(supervisor)
        self.meter: metering.Meter | None = None
        self.logged: tuple[str, ...] = ()
        self.pushers: list[Pusher] = []
        self.graphite: Graphite | None = None
        self.timer: Any = None
        self.settings: Settings | None = None

    def meet(self, settings: Settings) -> None:
        """Whether what settings ask for can be. Raises StartError."""
        if settings.stats:
            try:
                parse_address(settings.stats)
            except ConfigError as error:
                raise StartError(f"stats: {error}") from None
        metering.check(settings)
        pushers(settings, lambda text: None)

    def open(self) -> None:
        """Begin, by the settings as they are now. Raises StartError; then what was before goes on."""
        settings: Settings = self.supervisor.settings
        if settings is self.settings:
            return
        self.show(settings)
        self.settings = settings
        warn = self.supervisor.diary.warning
        self.rest()
        self.meter = None
        if metering.asked(settings):
            self.meter = metering.Meter(settings, metering.skeleton(settings), warn)
            self.logged = metrics_named(settings)
        self.pushers = pushers(settings, warn)
        for pusher in self.pushers:
            pusher.open()
        if settings.carbon:
            self.graphite = Graphite(self.supervisor.watch, settings, warn)
        if self.meter is not None or self.graphite is not None:
            self.timer = self.supervisor.watch.every(TURN, self.turn)

    def show(self, settings: Settings) -> None:
        """Listen where the document is asked for. Raises StartError."""
        mode, owner = mode_of(settings), settings.chown_socket
        wanted = (settings.stats, settings.stats_http, mode, owner)
        raw = not settings.stats_http
        if names := self.listen(wanted, settings.stats, self.answer, raw=raw, mode=mode, owner=owner):
            kind = "" if raw else "http://"
            self.supervisor.diary.say(f"penstock: stats on {kind}{', '.join(names)}")

    def rest(self) -> None:
        """Collect and send no more."""
        if self.timer is not None:
            self.timer.cancel()
        for pusher in self.pushers:
            pusher.close()
        if self.graphite is not None:
            self.graphite.close()
        self.timer, self.pushers, self.graphite, self.meter = None, [], None, None

    def close(self) -> None:
        """The end, or another program takes over; ``open`` begins anew."""
        self.deaf()
        self.rest()
        self.settings = None

    # ---- Every second -------------------------------------------------------------------------------

    def turn(self) -> None:
        """Collect, and send what is due."""
        if self.supervisor.current is None:
            return  # nothing serves yet
        server = self.facts.server()
        self.facts.overloaded += metering.overloaded(server)
        if self.meter is not None:
            self.meter.collect(server, self.supervisor.alarm)
            self.lend(self.meter)
            for pusher in self.pushers:
                self.push(pusher, self.meter)
        if self.graphite is not None and self.graphite.due <= monotonic():
            self.graphite.due = monotonic() + self.graphite.freq - TURN / 2
            self.to_graphite(server)

    def lend(self, meter: metering.Meter) -> None:
        """Tell the workers of those that the access log's lines have."""
        if self.logged:
            entries = meter.metrics.entries
            values = {name: entries[name].shown for name in self.logged if name in entries}
            self.inquiry.ask("logged", lambda answers: None, values=values)

    def push(self, pusher: Pusher, meter: metering.Meter) -> None:
        """One who is sent figures, when it is due."""
        if pusher.due <= monotonic():
            # Half a turn of grace: a turn that is a millisecond early is not to wait for the next.
            pusher.due = monotonic() + pusher.freq - TURN / 2
            pusher.push(meter.metrics, self.tell)

    def to_graphite(self, server: ServerFigures) -> None:
        """All that Graphite is told."""
        if self.graphite is not None:
            metrics = self.meter.metrics if self.meter is not None else None
            self.graphite.push(server, metrics, int(time()))

    def last_words(self) -> None:
        """The last worker is gone: Graphite hears of what it has counted, as uWSGI sees to."""
        if self.graphite is not None:
            self.to_graphite(self.facts.server())

    def unfinished(self) -> bool:
        """Whether the end has to wait for that, for ``carbon-timeout`` at most."""
        return self.graphite is not None and self.graphite.busy

    # ---- The document -------------------------------------------------------------------------------

    def answer(self, request: PageRequest) -> PageReply | Deferred:
        """Somebody asks."""
        if request.rebound:
            return plain(403, NO_NAME)
        later = Deferred()
        self.tell(lambda text: later.done(PageReply(200, JSON, text)))
        return later

    def tell(self, done: Callable[[bytes], None]) -> None:
        """The document as it is sent, at once or when busy workers have said what they do."""
        settings: Settings = self.supervisor.settings
        server = self.facts.server()
        cores = not settings.stats_no_cores

        def known() -> None:
            metrics = metering.told(self.meter, settings)
            done(text_of(document(server, metrics, cores), settings.stats_minified))

        if cores:
            asking.fill(self.inquiry, server, known)
        else:
            known()


def beside(supervisor: Any, inquiry: Inquiry) -> Reporting:
    """A supervisor's, told from now on of what happens there."""
    reporting = Reporting(supervisor, inquiry)
    supervisor.herd.parted = reporting.facts.parted
    supervisor.carrying["stats"] = reporting.facts
    supervisor.take_up()
    supervisor.on_change.append(reporting.changed)
    supervisor.on_exec.append(reporting.close)
    supervisor.on_stay.append(reporting.changed)
    supervisor.on_drained.append(reporting.last_words)
    supervisor.unfinished.append(reporting.unfinished)
    return reporting


def within(lone: Any) -> None:
    """A single process's, from now to its end. Raises StartError."""
    reporting = Reporting(lone, lone.inquiry)
    reporting.meet(lone.settings)
    reporting.open()
    lone.on_drained.append(reporting.close)
