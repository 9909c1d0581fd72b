"""A server's part in OpenTelemetry's traces: a span for each request, its phases as events.

``Naming`` runs on pool threads and gives a request its span's name before the application sees it; ``Traces``
makes the spans from records, on the service thread that reads them. The SDK's own thread sends them. Imported
only where traces are asked for, because the SDK is.
"""

import re
from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

from opentelemetry import trace
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Decision, Sampler
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.span import TraceState

from penstock import __version__
from penstock.codecs.target import host_of
from penstock.core.record import FAILED, LANE, WRITE_ERROR, Record

PARENT = "HTTP_TRACEPARENT"
GIVEN = "penstock.traceparent"
"""The environ's word for what the client sent as traceparent, "-" for nothing that could be read; PARENT then
names this server's own span, so that those of the application become its children."""
WANTED = (PARENT, GIVEN, "HTTP_TRACESTATE", "HTTP_USER_AGENT", "HTTP_HOST", "wsgi.url_scheme")
"""What a record must carry of the environ, in this order."""
NONE = "-"
TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
SCOPE = "penstock"
SAMPLED = 1
METHODS = {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"}
OTHER = "_OTHER"  # the conventions' word for a method that is none of these
SECOND = 1_000_000_000  # ns

Environ = dict[str, Any]


class Place(NamedTuple):
    """A span's place: numbers of its trace and of itself, and its flags (W3C Trace Context)."""

    trace: int
    span: int
    flags: int

    @property
    def text(self) -> str:
        """As ``traceparent`` has it."""
        return f"00-{self.trace:032x}-{self.span:016x}-{self.flags:02x}"

    def context(self, remote: bool, state: str = "") -> SpanContext:
        """The same for the SDK."""
        carried = TraceState.from_header([state]) if state else None
        return SpanContext(self.trace, self.span, remote, TraceFlags(self.flags & SAMPLED), carried)


def place_of(text: str) -> Place | None:
    """What a ``traceparent`` says; None where it says nothing (W3C Trace Context, §3.2.2)."""
    found = TRACEPARENT.fullmatch(text)
    if found is None or (found[1] == "00" and found[5]):
        return None
    place = Place(int(found[2], 16), int(found[3], 16), int(found[4], 16))
    return place if place.trace and place.span else None


class Naming:
    """Gives requests their places: a span of our own, in the client's trace or in a new one."""

    def __init__(self, sampler: Sampler) -> None:
        self.sampler = sampler
        # Of its own, so that an application that seeds the usual one does not make numbers come twice.
        self.some = Random().getrandbits

    def name(self, environ: Environ) -> None:
        """Before the application: its environ says our span is its parent, and whether it is sampled."""
        given = environ.get(PARENT, "")
        above = place_of(given) if given else None
        environ[GIVEN] = given if above is not None else NONE
        environ[PARENT] = self.below(above).text

    def below(self, above: Place | None) -> Place:
        """A new place below another, or at the top of a new trace."""
        number = above.trace if above is not None else self.some(128) or 1
        taken = self.sampler.should_sample(around(above), number, SCOPE, SpanKind.SERVER)
        return Place(
            number, self.some(64) or 1, SAMPLED if taken.decision is Decision.RECORD_AND_SAMPLE else 0
        )


def around(above: Place | None, state: str = "") -> Any:
    """The SDK's context of what is ``above``; None for the top."""
    if above is None:
        return None
    return trace.set_span_in_context(NonRecordingSpan(above.context(True, state)))


class Given(IdGenerator):
    """Numbers that are known already."""

    def __init__(self) -> None:
        self.place = Place(1, 1, SAMPLED)

    def generate_span_id(self) -> int:
        """The next span's."""
        return self.place.span

    def generate_trace_id(self) -> int:
        """That of a trace that begins with it."""
        return self.place.trace


class Traces:
    """``take`` makes spans of a batch of records; ``at`` is where WANTED begins in ``Record.said``. One
    thread at a time. ``processor`` has them from then on."""

    def __init__(self, service: str, processor: SpanProcessor, at: int = 0) -> None:
        self.at = at
        self.given = Given()
        self.processor = processor
        # The SDK reads its sampler from the environment (OTEL_TRACES_SAMPLER) where none is named; it has
        # decided by the time that a record comes, so what is made of one is made.
        self.naming = Naming(TracerProvider(shutdown_on_exit=False).sampler)
        named = {SERVICE_NAME: service} if service else {}
        self.provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=Resource.create(named),
            id_generator=self.given,
            shutdown_on_exit=False,
        )
        self.provider.add_span_processor(processor)
        self.tracer = self.provider.get_tracer(SCOPE, __version__)

    def take(self, batch: Sequence[Record]) -> None:
        """The spans of a batch; what this server asks of itself (health, metrics) has none."""
        for made in batch:
            record = Record._make(made)
            if record.kind != LANE:
                self.span(record)

    def span(self, record: Record) -> None:
        """One request's, if it is sampled."""
        said = dict(zip(WANTED, record.said[self.at :], strict=False))
        own, above = self.placed(said)
        if not own.flags & SAMPLED:
            return
        self.given.place = own
        start = int(record.started * SECOND)
        span = self.tracer.start_span(
            name_of(record),
            context=around(above, said["HTTP_TRACESTATE"]),
            kind=SpanKind.SERVER,
            attributes=attributes_of(record, said),
            start_time=start,
        )
        for name, seconds in events_of(record):
            span.add_event(name, timestamp=start + int(seconds * SECOND))
        if record.status >= 500 or record.faults & (FAILED | WRITE_ERROR):
            span.set_status(Status(StatusCode.ERROR))
        span.end(start + int(record.seconds * SECOND))

    def placed(self, said: dict[str, str]) -> tuple[Place, Place | None]:
        """A request's place and what is above it. One that the loop refused has been given none yet."""
        given = said[GIVEN]
        if not given:
            above = place_of(said[PARENT])
            return self.naming.below(above), above
        return place_of(said[PARENT]) or self.naming.below(None), place_of(given)

    def end(self) -> None:
        """Send what is left; returns when that is done or the SDK gives up."""
        self.provider.shutdown()


# ---- What a span says (OpenTelemetry's semantic conventions for HTTP) -----------------------------------


def name_of(record: Record) -> str:
    """The method, and the mount point where there is one: few names, whatever clients ask for."""
    method = record.method if record.method in METHODS else "HTTP"
    return f"{method} {record.mount}" if record.mount else method


def attributes_of(record: Record, said: dict[str, str]) -> dict[str, str | int | float]:
    """Its attributes."""
    path, _, query = record.uri.partition("?")
    known = record.method in METHODS
    found: dict[str, str | int | float] = {
        "http.request.method": record.method if known else OTHER,
        "url.path": path,
        "url.scheme": said["wsgi.url_scheme"] or "http",
        "http.response.body.size": record.body_bytes,
        "penstock.receive": record.receive,
        "penstock.queue": record.queue,
        "penstock.run": record.run,
        "penstock.write": record.write,
    }
    if not known:
        found["http.request.method_original"] = record.method
    if record.status:
        found["http.response.status_code"] = record.status
    if record.status >= 500:
        found["error.type"] = str(record.status)
    found.update((name, text) for name, text in texts_of(record, said, query) if text)
    return found


def texts_of(record: Record, said: dict[str, str], query: str) -> list[tuple[str, str]]:
    """Those that are left out where they are empty."""
    return [
        ("url.query", query),
        ("client.address", record.address),
        ("user_agent.original", said["HTTP_USER_AGENT"]),
        ("server.address", host_of(said["HTTP_HOST"])),
        ("network.protocol.version", record.protocol.partition("/")[2]),
        ("http.route", record.mount),
        ("penstock.request_id", record.id),
    ]


def events_of(record: Record) -> list[tuple[str, float]]:
    """What happened when, in seconds after the first byte. What a proxy says of the time before that is in
    ``queue`` and not here; pauses for the client lie between the last two."""
    here = max(0.0, record.seconds - record.receive - record.run - record.write)
    taken = record.receive + here
    return [
        ("penstock.received", record.receive),
        ("penstock.started", taken),
        ("penstock.answered", taken + record.run),
    ]


def exporting(url: str) -> SpanProcessor:
    """What sends spans by OTLP over HTTP to ``url``, or where the SDK's variables say ("true"). It sends in
    batches on a thread of its own, and drops what it cannot get rid of."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint_of(url)))


def endpoint_of(url: str) -> str | None:
    """The whole URL for traces; None for that of the environment."""
    if "://" not in url:
        return None
    bare = url.partition("://")[2].rstrip("/")
    return url if "/" in bare else f"{url.rstrip('/')}/v1/traces"
