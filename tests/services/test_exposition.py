"""The metrics as text: both forms read by prometheus-client's own parsers, and every figure in them."""

from collections.abc import Callable, Iterable

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open
from prometheus_client.parser import text_string_to_metric_families as read_classic

from penstock.interprocess.ledger import CLASSES, CONNECTIONS, EDGES, EVENTS, Histogram, Ledger
from penstock.services.exposition import Process, Seen, Snapshot, buckets, render
from penstock.services.tally import RecordTally
from tests.records import usual

OPEN = "application/openmetrics-text; version=1.0.0"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
Read = Callable[[str], Iterable[Metric]]


def snapshot() -> Snapshot:
    book = Ledger.private()
    book.know(["/shop"])
    book.cell(0).words[3] = 5
    batch = [usual(), usual(status=404, faults=1), usual(mount="/shop"), usual(kind=3, status=503)]
    RecordTally(book.cell(0), book.mounts()).take(batch)
    for name in EVENTS[:4]:
        book.count(name)
    made = Snapshot(
        version="1.2.3",
        figures=book.read_all(),
        events=book.events(),
        workers=[
            Seen(1, Process(11, 1000, 10, 1.5), "serving", 8, 3, 2, 0.25, dict.fromkeys(CONNECTIONS, 4)),
            Seen(1, Process(12, 1000, 10, 1.5), "leaving", 8, 3, 2, 0.25, dict.fromkeys(CONNECTIONS, 4)),
            Seen(2, Process(14, 9, 9, 9.0), "serving", 8, 1, 9, 9.0, dict.fromkeys(CONNECTIONS, 9)),
            Seen(2, Process(13, -1, -1, -1.0), "serving", 8, 9, 0, 0.0, dict.fromkeys(CONNECTIONS, 0)),
        ],
        listeners=[('unix:/run/"a"\\b', 7)],
        supervisor=Process(10, 500, 5, 0.5),
        generation=3,
        wanted=2,
        ready=True,
        since=1_700_000_000.0,
        deadlines=6,
    )
    book.close()
    return made


def samples(read: Read, accept: str) -> Samples:
    _, body = render(snapshot(), accept)
    found: Samples = {}
    for family in read(body.decode()):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, f"{key} twice"
            found[key] = sample.value
    return found


def values(read: Read, accept: str) -> Callable[..., float]:
    """A look-up by a name without its beginning, and labels."""
    found = samples(read, accept)
    return lambda name, **labels: found[f"penstock_{name}", frozenset(labels.items())]


FORMS = [pytest.param(read_open, OPEN, id="openmetrics"), pytest.param(read_classic, "", id="classic")]


@pytest.mark.parametrize(("read", "accept"), FORMS)
def test_every_figure_is_there(read: Read, accept: str) -> None:
    value = values(read, accept)
    assert value("requests_total", mount="/", status="2xx") == 1
    assert value("requests_total", mount="/", status="4xx") == 1
    assert value("requests_total", mount="/shop", status="2xx") == 1
    assert value("requests_total", mount="/shop", status="5xx") == 0
    assert value("refused_requests_total", status="5xx") == 1
    assert value("lane_requests_total") == 5
    assert value("malformed_requests_total") == 0
    assert value("request_seconds_count", mount="/", status="2xx") == 1
    assert value("request_seconds_sum", mount="/", status="2xx") == pytest.approx(0.007)
    assert value("request_seconds_bucket", mount="/", status="2xx", le="0.005") == 0
    assert value("request_seconds_bucket", mount="/", status="2xx", le="0.01") == 1
    assert value("phase_seconds_count", phase="queue", mount="/shop", status="2xx") == 1
    assert value("sent_bytes_total") == 2000
    assert value("busy_seconds_total") == pytest.approx(0.015)
    assert value("faults_total", kind="exception") == 1
    assert value("faults_total", kind="deadline") == 6
    assert value("served_otherwise_total", by="file") == 0
    assert value("log_lines_lost_total") == 0
    assert value("gil_wait_seconds_count") == 0


@pytest.mark.parametrize(("read", "accept"), FORMS)
def test_what_is_now_is_there_too(read: Read, accept: str) -> None:
    value = values(read, accept)
    assert value("threads", worker="1", state="busy") == 3
    assert value("threads", worker="1", state="idle") == 5
    assert value("threads", worker="2", state="idle") == 0
    assert value("queue_requests", worker="1") == 2
    assert value("queue_oldest_seconds", worker="1") == 0.25
    assert value("connections", worker="1", state="idle") == 4
    assert value("workers", state="serving") == 3, "while one follows another that serves, too"
    assert value("workers", state="leaving") == 1
    assert value("workers", state="starting") == 0
    assert value("resident_bytes", process="worker 1") == 1000
    assert value("resident_bytes", process="supervisor") == 500
    assert value("info", version="1.2.3") == 1
    assert value("generation") == 3
    assert value("ready") == 1
    assert value("workers_wanted") == 2
    assert value("reloads_total", outcome="done") == 1
    assert value("reloads_total", outcome="failed") == 1
    assert value("upgrades_total") == 1
    assert value("worker_ends_total", cause="stop") == 1
    assert value("worker_ends_total", cause="died") == 0
    assert value("backlog", listener='unix:/run/"a"\\b') == 7
    assert value("start_time_seconds") == 1_700_000_000


@pytest.mark.parametrize(("read", "accept"), FORMS)
def test_what_the_system_does_not_tell_is_left_out(read: Read, accept: str) -> None:
    found = samples(read, accept)
    assert ("penstock_resident_bytes", frozenset({("process", "worker 2")})) not in found
    assert ("penstock_open_descriptors", frozenset({("process", "worker 1")})) in found


def test_the_form_is_the_one_that_is_asked_for() -> None:
    assert render(snapshot(), OPEN)[0].startswith("application/openmetrics-text; version=1.0.0")
    assert render(snapshot(), OPEN)[1].endswith(b"# EOF\n")
    assert render(snapshot(), "")[0].startswith("text/plain; version=0.0.4")
    assert b"# EOF" not in render(snapshot(), "*/*")[1]


def test_a_new_server_has_its_series() -> None:
    """A first error is then a step from 0, which rate() sees, and no series that begins with 1."""
    book = Ledger.private()
    empty = Snapshot("1", book.read_all(), book.events(), [], [], None, 1, 1, False, 0.0, 0)
    text = render(empty, "")[1].decode()
    book.close()
    for status in CLASSES[2:]:
        assert f'penstock_requests_total{{mount="/",status="{status}"}} 0.0' in text
    assert "penstock_ready 0.0" in text


def test_buckets_count_what_is_below_too() -> None:
    found = buckets(Histogram([1] * (len(EDGES) + 1), 9.0))
    assert [count for _, count in found] == list(range(1, len(EDGES) + 2))
    assert found[-1][0] == "+Inf"
