"""Records added up: each figure against the plain sum over the records, whatever the batches."""

from collections.abc import Iterator, Sequence
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.core.record import (
    APPLICATION,
    FAILED,
    FILE,
    LANE,
    NO_THREAD,
    READ_ERROR,
    REFUSED,
    RULE,
    WRITE_ERROR,
    Record,
)
from penstock.interprocess.ledger import (
    CLASSES,
    EDGES,
    GIL,
    HISTOGRAM,
    MOST_CORES,
    OTHER_NAME,
    PHASES,
    Ledger,
)
from penstock.services.tally import RecordTally, add_one, class_of
from tests.records import usual

FIELDS = {"receive": "receive", "queue": "queue", "run": "run", "write": "write", "whole": "seconds"}


@pytest.fixture
def book() -> Iterator[Ledger]:
    made = Ledger.private()
    made.know(["/shop"])
    yield made
    made.close()


def tally(book: Ledger) -> RecordTally:
    return RecordTally(book.cell(0), book.mounts())


def test_one_request(book: Ledger) -> None:
    tally(book).take([usual(core=3)])
    cell = book.cell(0)
    assert cell.counters() | {"running": 0} == dict.fromkeys(cell.counters(), 0) | {
        "requests": 1,
        "sent": 500,
    }
    assert cell.counters()["running"] == 5000, "the time in the queue is no work"
    assert cell.average == 2500, "uWSGI halves the sum of the average before, 0, and the new time"
    assert [core["requests"] for core in cell.cores()] == [0, 0, 0, 1]
    found = cell.figures().phases
    assert {phase: histogram.count for (_, _, phase), histogram in found.items()} == dict.fromkeys(PHASES, 1)
    assert found["", "2xx", "whole"].seconds == pytest.approx(0.007)
    assert found["", "2xx", "queue"].counts[EDGES.index(0.0025)] == 1


def test_a_bin_has_its_upper_edge(book: Ledger) -> None:
    tally(book).take([usual(run=edge) for edge in (*EDGES, 0.0, 61.0)])
    assert book.cell(0).figures().phases["", "2xx", "run"].counts == [2, *[1] * len(EDGES)]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"kind": FILE}, "static"),
        ({"kind": FILE, "via": "sendfile()"}, "static"),
        ({"kind": RULE}, "routed"),
        ({"via": "route()"}, "routed"),
        ({"via": "offload()"}, "offloaded"),
        ({"faults": FAILED}, "exceptions"),
        ({"faults": READ_ERROR}, "read_errors"),
        ({"faults": WRITE_ERROR}, "write_errors"),
    ],
)
def test_what_is_peculiar_is_counted_in_all_and_by_thread(
    book: Ledger, changes: dict[str, object], name: str
) -> None:
    tally(book).take([usual(), usual(core=1, **changes), usual(via="sendfile()")])
    peculiar = ("static", "routed", "offloaded", "exceptions", "read_errors", "write_errors")
    counters = book.cell(0).counters()
    assert {key: counters[key] for key in peculiar} == dict.fromkeys(peculiar, 0) | {name: 1}
    cores = book.cell(0).cores()
    assert {key: cores[1][key] for key in peculiar} == dict.fromkeys(peculiar, 0) | {name: 1}
    assert not any(cores[0][key] for key in peculiar)


def test_what_the_loop_answered_is_counted_apart(book: Ledger) -> None:
    refused = usual(kind=REFUSED, status=503, core=NO_THREAD, seconds=0.0)
    tally(book).take([refused, usual(), usual(kind=LANE, core=NO_THREAD), refused._replace(status=400)])
    tally(book).take([refused])
    figures = book.read_all()
    assert figures.refused == dict.fromkeys(CLASSES, 0) | {"4xx": 1, "5xx": 2}
    assert figures.counters["requests"] == 1
    assert figures.counters["refused_sent"] == 1500
    assert figures.phases["", "2xx", "whole"].count == 1
    assert ("", "5xx", "whole") not in figures.phases


def test_mount_points_and_classes(book: Ledger) -> None:
    tally(book).take([usual(), usual(mount="/shop"), usual(mount="/shop", status=404), usual(mount="/no")])
    found = {
        (mount, status): h.count
        for (mount, status, phase), h in book.read_all().phases.items()
        if phase == "run"
    }
    assert found == {("", "2xx"): 1, ("/shop", "2xx"): 1, ("/shop", "4xx"): 1, (OTHER_NAME, "2xx"): 1}


@pytest.mark.parametrize(
    ("status", "name"), [(0, "none"), (99, "none"), (101, "1xx"), (204, "2xx"), (599, "5xx"), (999, "5xx")]
)
def test_every_status_has_a_class(status: int, name: str) -> None:
    assert CLASSES[class_of(status)] == name


def test_more_threads_than_there_is_room_for_are_counted_together(book: Ledger) -> None:
    tally(book).take([usual(core=MOST_CORES), usual(core=MOST_CORES - 1, faults=FAILED)])
    tally(book).take([usual(core=5000, faults=FAILED)])
    cell = book.cell(0)
    assert cell.counters()["requests"] == 3
    assert cell.counters()["exceptions"] == 2
    assert sum(core["requests"] for core in cell.cores()) == 1


def test_the_average_is_uwsgis_over_many_batches(book: Ledger) -> None:
    times = [0.001 * (1 + number % 17) for number in range(400)]
    adding = tally(book)
    expected = 0
    for start in range(0, 400, 100):
        adding.take([usual(receive=0.0, run=t, write=0.0) for t in times[start : start + 100]])
        for t in times[start : start + 100]:
            expected = (expected + int(t * 1e6)) // 2
        assert abs(book.cell(0).average - expected) <= 1


def test_nothing_is_no_batch(book: Ledger) -> None:
    tally(book).take([])
    assert not any(book.cell(0).words.tolist())


def test_times_that_a_clock_made_negative_do_no_harm(book: Ledger) -> None:
    tally(book).take([usual(queue=-1.0, run=-3.0)])
    assert book.cell(0).counters()["running"] == 0
    assert book.read_all().phases["", "2xx", "queue"].seconds == 0.0


def test_single_values(book: Ledger) -> None:
    words = book.cell(0).words
    add_one(words, GIL, 0.0002)
    add_one(words, GIL, 0.5)
    figures = book.cell(0).figures().gil
    assert figures.count == 2
    assert figures.seconds == pytest.approx(0.5002)
    assert words[GIL + HISTOGRAM] == 0


RECORDS = st.lists(
    st.builds(
        usual,
        seconds=st.floats(0, 200),
        receive=st.floats(0, 100),
        queue=st.floats(0, 100),
        run=st.floats(0, 100),
        write=st.floats(0, 100),
        status=st.sampled_from([0, 101, 200, 204, 304, 404, 500, 503]),
        mount=st.sampled_from(["", "/shop", "/elsewhere"]),
        core=st.integers(0, 4),
        kind=st.sampled_from([APPLICATION, FILE, RULE, REFUSED, LANE]),
        faults=st.integers(0, 7),
        via=st.sampled_from(["", "sendfile()", "route()", "offload()"]),
        body_bytes=st.integers(0, 10**9),
    ),
    max_size=60,
)


@given(RECORDS, st.integers(1, 60))
@settings(max_examples=150, deadline=None)
def test_the_sums_are_those_of_the_records(records: list[Record], size: int) -> None:
    book = Ledger.private()
    try:
        book.know(["/shop"])
        adding = tally(book)
        for start in range(0, len(records), size):
            # As the request path makes them: plain tuples.
            adding.take([tuple(one) for one in records[start : start + size]])
        compare(book, [one for one in records if one.kind < REFUSED])
    finally:
        book.close()


def compare(book: Ledger, threaded: Sequence[Record]) -> None:
    """The ledger against a plain count."""
    figures, cell = book.read_all(), book.cell(0)
    assert figures.counters["requests"] == len(threaded)
    assert figures.counters["sent"] == sum(one.header_bytes + one.body_bytes for one in threaded)
    assert figures.counters["write_errors"] == sum(bool(one.faults & WRITE_ERROR) for one in threaded)
    assert figures.counters["static"] == sum(one.kind == FILE for one in threaded)
    for number, core in enumerate(cell.cores()):
        assert core["requests"] == sum(one.core == number for one in threaded)
        assert core["exceptions"] == sum(one.core == number and bool(one.faults & FAILED) for one in threaded)
    for phase, name in FIELDS.items():
        parts = {key: histogram for key, histogram in figures.phases.items() if key[2] == phase}
        assert sum(histogram.count for histogram in parts.values()) == len(threaded)
        for (mount, status, _), histogram in parts.items():
            known = {"": "", "/shop": "/shop", "/elsewhere": OTHER_NAME}
            mine = [
                getattr(one, name)
                for one in threaded
                if known[one.mount] == mount and CLASSES[class_of(one.status)] == status
            ]
            assert histogram.count == len(mine)
            assert histogram.seconds == pytest.approx(sum(mine), abs=1e-6)
            below = [sum(value <= edge for value in mine) for edge in EDGES]
            assert [sum(histogram.counts[: at + 1]) for at in range(len(EDGES))] == below


def test_it_costs_little(book: Ledger) -> None:
    """At most 1.0 µs of a processor for each record, where the machine is its own; here ten times as much,
    for machines that are not."""
    batch = [usual(core=number % 8, run=number / 1e5) for number in range(512)]
    adding = tally(book)
    best = min(timed(adding, batch) for _ in range(20))
    assert best / len(batch) < 10e-6


def timed(adding: RecordTally, batch: list[Record]) -> float:
    begun = process_time()
    adding.take(batch)
    return process_time() - begun
