"""Traces: what a request's span is called, where it stands, and what it says; and that it arrives."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, StatusCode

from penstock.core.record import FAILED, LANE, REFUSED, Record
from penstock.services.otel import (
    GIVEN,
    PARENT,
    WANTED,
    Environ,
    Naming,
    Traces,
    endpoint_of,
    exporting,
    place_of,
)
from tests.e2e.surroundings import environment
from tests.services.spans import receiving, record

ABOVE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = f"{ABOVE[:-2]}00"


class Seen:
    """Traces whose spans come to a list at once."""

    def __init__(self, at: int = 0) -> None:
        self.memory = InMemorySpanExporter()
        self.traces = Traces("shop", SimpleSpanProcessor(self.memory), at)

    def request(self, traceparent: str = "", **more: str) -> tuple[Environ, tuple[str, ...]]:
        """A request's environ after it was named, and what its record carries."""
        environ: Environ = {"wsgi.url_scheme": "https", **more}
        if traceparent:
            environ[PARENT] = traceparent
        self.traces.naming.name(environ)
        return environ, tuple(str(environ.get(name) or "") for name in WANTED)

    def one(self, made: Record) -> ReadableSpan:
        """The span of a record."""
        self.traces.take([made])
        [span] = self.memory.get_finished_spans()
        return span


@pytest.fixture
def seen() -> Iterator[Seen]:
    it = Seen()
    yield it
    it.traces.end()


def parts(span: ReadableSpan) -> tuple[str, str, str]:
    """Numbers of its trace, of itself and of what is above, in hexadecimal."""
    context = span.context
    assert context is not None
    above = f"{span.parent.span_id:016x}" if span.parent is not None else ""
    return f"{context.trace_id:032x}", f"{context.span_id:016x}", above


# ---- Places ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        f"{ABOVE}-more",
        f"{ABOVE}\n",
        ABOVE.upper(),
        ABOVE[:-1],
    ],
)
def test_what_is_no_traceparent_says_nothing(text: str) -> None:
    assert place_of(text) is None


def test_a_place_is_read_and_written() -> None:
    place = place_of(ABOVE)
    assert place is not None and place.text == ABOVE
    assert place_of(f"01-{ABOVE[3:]}-of-the-future") == place


def test_the_application_sees_our_span_as_its_parent(seen: Seen) -> None:
    environ, said = seen.request(ABOVE)
    span = seen.one(record(said=said))
    trace, own, above = parts(span)
    assert environ[PARENT] == f"00-{trace}-{own}-01" and environ[GIVEN] == ABOVE
    assert (trace, above) == (ABOVE[3:35], ABOVE[36:52])
    assert own != above


def test_without_one_a_trace_begins(seen: Seen) -> None:
    environ, said = seen.request("nonsense")
    trace, own, above = parts(seen.one(record(said=said)))
    assert environ[PARENT] == f"00-{trace}-{own}-01" and not above


def test_numbers_are_never_the_same_twice(seen: Seen) -> None:
    places = {seen.request()[0][PARENT] for _ in range(1000)}
    assert len(places) == 1000


def test_what_the_client_does_not_sample_is_not_sampled(seen: Seen) -> None:
    environ, said = seen.request(UNSAMPLED)
    seen.traces.take([record(said=said)])
    assert environ[PARENT].endswith("-00") and not seen.memory.get_finished_spans()


@pytest.mark.parametrize(
    ("naming", "least", "most"),
    [
        (Naming(ALWAYS_OFF), 0, 0),
        (Naming(ALWAYS_ON), 1000, 1000),
        (Naming(ParentBased(TraceIdRatioBased(0.5))), 400, 600),
    ],
)
def test_the_sampler_decides_of_new_traces(naming: Naming, least: int, most: int) -> None:
    environs: list[Environ] = [{} for _ in range(1000)]
    for environ in environs:
        naming.name(environ)
    assert least <= sum(environ[PARENT].endswith("-01") for environ in environs) <= most


def test_the_variables_of_the_sdk_name_the_sampler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    never = Seen()
    environ, said = never.request()
    never.traces.take([record(said=said)])
    assert environ[PARENT].endswith("-00") and not never.memory.get_finished_spans()


def test_the_state_of_the_trace_goes_along(seen: Seen) -> None:
    _, said = seen.request(ABOVE, HTTP_TRACESTATE="rojo=00f067aa0ba902b7")
    span = seen.one(record(said=said))
    assert span.context is not None and span.context.trace_state.get("rojo") == "00f067aa0ba902b7"


def test_what_the_loop_refused_is_placed_late(seen: Seen) -> None:
    span = seen.one(record(kind=REFUSED, status=503, said=(ABOVE, "", "", "", "", "")))
    trace, own, above = parts(span)
    assert (trace, above) == (ABOVE[3:35], ABOVE[36:52]) and own != above


def test_what_the_log_asks_for_comes_first() -> None:
    seen = Seen(at=2)
    _, said = seen.request(ABOVE)
    assert parts(seen.one(record(said=("log", "log", *said))))[0] == ABOVE[3:35]


# ---- What a span says -----------------------------------------------------------------------------------


def test_a_span_says_what_the_conventions_ask(seen: Seen) -> None:
    _, said = seen.request(HTTP_HOST="shop.test:8443", HTTP_USER_AGENT="curl/8")
    span = seen.one(record(said=said, id="abc", mount="/shop"))
    assert span.name == "GET /shop" and span.kind is SpanKind.SERVER
    assert span.resource.attributes["service.name"] == "shop"
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET",
        "url.path": "/shop/item",
        "url.query": "id=7",
        "url.scheme": "https",
        "http.response.status_code": 200,
        "http.response.body.size": 5,
        "http.route": "/shop",
        "client.address": "192.0.2.7",
        "user_agent.original": "curl/8",
        "server.address": "shop.test",
        "network.protocol.version": "1.1",
        "penstock.request_id": "abc",
        "penstock.receive": 0.01,
        "penstock.queue": 0.02,
        "penstock.run": 0.05,
        "penstock.write": 0.02,
    }
    assert span.status.status_code is StatusCode.UNSET


def test_phases_are_events_at_their_times(seen: Seen) -> None:
    # A proxy had it for a second before: that is in its queue, and not in the span.
    span = seen.one(record(queue=1.02))
    assert (span.start_time, span.end_time) == (1000_000_000_000, 1000_100_000_000)
    ms = [(event.name, round((event.timestamp - 1000 * 10**9) / 1e6)) for event in span.events]
    assert ms == [("penstock.received", 10), ("penstock.started", 30), ("penstock.answered", 80)]


@pytest.mark.parametrize(("more", "kind"), [({"status": 502}, "502"), ({"faults": FAILED}, None)])
def test_failures_are_marked(seen: Seen, more: dict[str, int], kind: str | None) -> None:
    span = seen.one(record(**more))
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {}).get("error.type") == kind


def test_a_method_that_nobody_knows_makes_no_name(seen: Seen) -> None:
    span = seen.one(record(method="BREW"))
    assert span.name == "HTTP"
    assert (span.attributes or {})["http.request.method"] == "_OTHER"
    assert (span.attributes or {})["http.request.method_original"] == "BREW"


def test_health_and_metrics_are_not_traced(seen: Seen) -> None:
    seen.traces.take([record(kind=LANE)])
    assert not seen.memory.get_finished_spans()


def test_a_plain_tuple_is_a_record(seen: Seen) -> None:
    plain: Record = tuple(record())  # type: ignore[assignment]  # as pool threads make them
    assert seen.one(plain).name == "GET"


# ---- Sending --------------------------------------------------------------------------------------------


def test_spans_are_sent_by_otlp_over_http() -> None:
    with receiving() as receiver:
        traces = Traces("shop", exporting(receiver.url))
        traces.take([record(), record(status=500)])
        traces.end()
        assert len(receiver.spans) == 2 and set(receiver.names) == {"shop"}
        assert receiver.paths == ["/v1/traces"]
        assert next(event.name for event in receiver.spans[0].events) == "penstock.received"


GONE = """
import os
from time import monotonic
from penstock.services.otel import Traces, exporting
from tests.e2e.surroundings import environment
from tests.services.spans import record
traces = Traces("shop", exporting("http://127.0.0.1:9"))
batch = [record()] * 5000
began = monotonic()
traces.take(batch)
print(monotonic() - began, flush=True)
os._exit(0)
"""


def test_nobody_waits_for_a_receiver_that_is_gone() -> None:
    # In a process of its own: the SDK's thread would go on trying for a minute, beside the tests that follow.
    words = [sys.executable, "-c", GONE]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=50, check=True)
    assert float(done.stdout) < 5.0  # making that many spans takes half a second; sending one, ten


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("true", None),
        ("http://c:4318", "http://c:4318/v1/traces"),
        ("http://c:4318/", "http://c:4318/v1/traces"),
        ("https://c/otlp/v1/traces", "https://c/otlp/v1/traces"),
    ],
)
def test_a_bare_address_gets_the_usual_path(url: str, whole: str | None) -> None:
    assert endpoint_of(url) == whole
