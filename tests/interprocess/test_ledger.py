"""The ledger: what workers add up, what stays of those that are gone, and what a process may hand over."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.core.errors import StartError
from penstock.interprocess import ledger as form
from penstock.interprocess.ledger import (
    CLASSES,
    CONNECTIONS,
    CORE,
    CORES_AT,
    COUNTERS,
    EDGES,
    EVENTS,
    HISTOGRAM,
    MOUNTS_AT,
    OTHER_NAME,
    PHASES,
    STRIDE,
    Ledger,
    add,
    row_at,
)

OTHER_PROCESS = """
import sys
from penstock.interprocess.ledger import Ledger, REQUESTS
book = Ledger.attach(int(sys.argv[1]))
assert book.slots == 3 and book.mounts() == {"": 0, "/shop": 1}, book.mounts()
book.cell(1).words[REQUESTS] += 41
"""


@pytest.fixture
def book() -> Iterator[Ledger]:
    made = Ledger.create(3)
    yield made
    made.close()


def resident(book: Ledger) -> int:
    """Bytes that a ledger takes in memory."""
    return os.fstat(book.fd).st_blocks * 512


def test_a_new_ledger_is_empty(book: Ledger) -> None:
    assert book.mounts() == {"": 0}
    for figures in (book.totals, book.read_all(), book.cell(2).figures()):
        assert set(figures.counters.values()) == {0}
        assert set(figures.refused.values()) == {0}
        assert figures.phases == {}
        assert figures.gil.count == 0
    assert set(book.events().values()) == {0}
    assert not os.get_inheritable(book.fd)
    for slot in (-1, 3):
        with pytest.raises(IndexError):
            book.cell(slot)


def test_what_nobody_writes_takes_no_memory() -> None:
    large = Ledger.create(1000)
    try:
        large.know(f"/{number}" for number in range(60))
        assert os.fstat(large.fd).st_size > 300 << 20
        assert resident(large) < 64 << 10
    finally:
        large.close()


def test_another_process_adds_and_is_read(book: Ledger) -> None:
    book.know(["/shop"])
    subprocess.run(
        [sys.executable, "-c", OTHER_PROCESS, str(book.fd)], pass_fds=[book.fd], check=True, timeout=30
    )
    assert book.cell(1).counters()["requests"] == 41
    assert book.cell(0).counters()["requests"] == 0


def test_all_parts_of_a_cell_have_words_of_their_own() -> None:
    spans = [
        range(form.SUMMED),
        [form.AVERAGE],
        [form.CORES],
        range(form.REFUSED, form.REFUSED + len(CLASSES)),
        range(form.GIL, form.GIL + HISTOGRAM),
        range(form.STATES, form.STATES + len(CONNECTIONS)),
        [form.OLDEST],
        range(CORES_AT, MOUNTS_AT),
        *(
            range(row_at(mount, status), row_at(mount, status + 1))
            for mount in (0, 63)
            for status in range(6)
        ),
    ]
    words = [word for span in spans for word in span]
    assert len(words) == len(set(words))
    assert max(words) < STRIDE
    assert len(COUNTERS) == form.SUMMED
    assert len(EVENTS) <= form.MOST_EVENTS
    assert form.HEAD_NAMES < form.EVENTS_AT
    assert form.EVENTS_AT + form.MOST_EVENTS <= form.NAMES_AT


def fill(book: Ledger, slot: int, factor: int) -> None:
    """Write something into each part of a cell."""
    words = book.cell(slot).words
    for at in range(form.SUMMED):
        words[at] = factor * (at + 1)
    words[form.AVERAGE], words[form.CORES] = 777, 2
    words[CORES_AT] = words[CORES_AT + CORE] = factor
    for at in range(len(CLASSES)):
        words[form.REFUSED + at] = factor
    words[form.GIL + 3], words[form.GIL + HISTOGRAM - 1] = factor, factor * 500_000_000
    words[form.STATES] = 9
    for mount in (0, 1, form.OTHER):
        words[row_at(mount, 2)] = factor


def test_what_a_worker_counted_stays_when_it_is_gone(book: Ledger) -> None:
    book.know(["/shop"])
    for factor in (1, 2):
        fill(book, 1, factor)
        book.free(1)
    assert book.totals.counters == {name: 3 * (at + 1) for at, name in enumerate(COUNTERS)}
    assert set(book.totals.refused.values()) == {3}
    assert (book.totals.gil.count, book.totals.gil.seconds) == (3, 1.5)
    found = {key: histogram.count for key, histogram in book.totals.phases.items()}
    assert found == {(mount, "2xx", "receive"): 3 for mount in ("", "/shop", OTHER_NAME)}
    cell = book.cell(1)
    assert not any(cell.words.tolist()), "and whoever has the slot next finds it clean"


def test_all_is_the_sum_of_who_lives_and_who_is_gone(book: Ledger) -> None:
    fill(book, 0, 1)
    book.free(0)
    fill(book, 0, 10)
    fill(book, 2, 100)
    whole = book.read_all()
    assert whole.counters["requests"] == 111
    assert whole.gil.count == 111
    assert whole.phases["", "2xx", "receive"].count == 111
    assert whole.refused["4xx"] == 111
    assert book.read_all() == whole, "looking changes nothing"


def test_a_worker_that_only_refused_is_counted(book: Ledger) -> None:
    book.cell(1).words[form.REFUSED + 4] = 5
    assert book.read_all().refused["4xx"] == 5


def test_cores_are_told_of_as_far_as_they_worked_or_were_asked_for(book: Ledger) -> None:
    fill(book, 0, 7)
    assert [core["requests"] for core in book.cell(0).cores()] == [7, 7]
    assert [core["requests"] for core in book.cell(0).cores(4)] == [7, 7, 0, 0]
    assert len(book.cell(0).cores(10_000)) == form.MOST_CORES
    assert book.cell(0).average == 777
    assert book.cell(0).connections() == dict.fromkeys(CONNECTIONS, 0) | {CONNECTIONS[0]: 9}


def test_mount_points_have_places_while_there_are_any(book: Ledger) -> None:
    book.know(["/a", "/a", "", "/b"])
    assert book.mounts() == {"": 0, "/a": 1, "/b": 2}
    book.know(["/b", "/ü", "/" + "x" * 255])
    assert book.mounts() == {"": 0, "/a": 1, "/b": 2, "/ü": 3}
    book.know(f"/{number}" for number in range(100))
    found = book.mounts()
    assert len(found) == form.OTHER
    assert sorted(found.values()) == list(range(form.OTHER)), "the last place is that of all others"
    assert book.rows()[-1] == (form.OTHER, OTHER_NAME)


@given(st.lists(st.text(alphabet=st.characters(codec="utf-8"), max_size=70), max_size=30))
@settings(max_examples=50, deadline=None)
def test_names_come_back_as_they_were(names: list[str]) -> None:
    book = Ledger.private()
    try:
        book.know(names)
        fitting = dict.fromkeys(["", *(name for name in names if len(name.encode()) < 255)])
        assert list(book.mounts()) == list(fitting)
    finally:
        book.close()


def test_events_are_counted_by_name(book: Ledger) -> None:
    for name in EVENTS:
        book.count(name)
    book.count("upgrades")
    assert book.events() == dict.fromkeys(EVENTS, 1) | {"upgrades": 2}
    with pytest.raises(ValueError, match="not in tuple"):
        book.count("no such")


def test_sums_of_histograms(book: Ledger) -> None:
    fill(book, 0, 1)
    fill(book, 1, 2)
    one, two = book.cell(0).figures(), book.cell(1).figures()
    add(one, two)
    assert one.phases["", "2xx", PHASES[0]].counts[0] == 3
    assert two.phases["", "2xx", PHASES[0]].counts[0] == 2, "the other is not touched"
    assert len(one.gil.counts) == len(EDGES) + 1


def test_a_copy_outlives_who_made_it(book: Ledger) -> None:
    fill(book, 1, 4)
    again = Ledger.attach(os.dup(book.fd))
    try:
        assert again.read_all() == book.read_all()
        again.count("upgrades")
        assert book.events()["upgrades"] == 1
    finally:
        again.close()
        again.close()


@pytest.mark.parametrize("size", [0, 8, STRIDE * 8, STRIDE * 8 * 3, (form.HEAD + 2 * STRIDE) * 8])
def test_what_is_no_ledger_is_refused_and_stays_the_callers(size: int) -> None:
    fd = os.memfd_create("other")
    try:
        os.ftruncate(fd, size)
        with pytest.raises(StartError, match="another form"):
            Ledger.attach(fd)
        os.fstat(fd)
    finally:
        os.close(fd)


def test_a_ledger_of_another_version_is_refused(book: Ledger) -> None:
    book.words[form.HEAD_VERSION] += 1
    with pytest.raises(StartError, match="another form"):
        Ledger.attach(book.fd)


def test_nobody_can_shorten_it_under_the_others(book: Ledger) -> None:
    with pytest.raises(PermissionError):
        os.ftruncate(book.fd, 0)
    assert fcntl.fcntl(book.fd, fcntl.F_GET_SEALS) & fcntl.F_SEAL_SHRINK
