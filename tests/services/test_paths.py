"""The table of paths: exact counts, honest times, a bounded size, and what it costs."""

import json
import random
import time
from typing import Any

import pytest

from penstock.core.record import LANE
from penstock.services.folding import CHILDREN, OTHER
from penstock.services.paths import HELD, KEEP, ROWS, SECONDS, SLOT, SLOTS, TARGETS, TOLD, PathTable
from penstock.services.view import History, Merged, path_of, taken
from tests.records import usual


class Clock:
    """Time that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def rows_of(table: PathTable) -> dict[str, dict[str, Any]]:
    """What it tells, read as whoever asks does."""
    merged = Merged()
    assert taken(json.dumps(table.tell()), 1, merged, History())
    whole = sum(sums.run for sums in merged.rows.values()) or 1.0
    return {path: path_of(path, sums, merged.window, whole) for path, sums in merged.rows.items()}


def test_counts_errors_and_shares_are_exact() -> None:
    table = PathTable(Clock())
    table.take([usual(uri="/a", run=0.003)] * 30 + [usual(uri="/a?x=1", run=0.003, status=500)] * 3)
    table.take([usual(uri="/users/7", run=0.001), usual(uri="/users/8", run=0.001, status=404)])
    found = rows_of(table)
    assert set(found) == {"/a", "/users/*"}
    assert (found["/a"]["count"], found["/a"]["errors"]) == (33, 3)
    assert (found["/users/*"]["count"], found["/users/*"]["errors"]) == (2, 0)
    assert found["/a"]["share"] == pytest.approx(0.099 / 0.101, abs=1e-4)


def test_each_phase_has_its_own_percentiles() -> None:
    table = PathTable(Clock())
    table.take([usual(uri="/a", receive=0.001, queue=0.01, run=0.1, write=1.0, seconds=1.111)] * 9)
    row = rows_of(table)["/a"]
    for phase, seconds in (
        ("receive", 0.001), ("queue", 0.01), ("run", 0.1), ("write", 1.0), ("seconds", 1.111),
    ):  # fmt: skip
        assert row[phase] == pytest.approx([seconds] * 3, rel=0.09)


def test_masses_are_sampled_and_still_right() -> None:
    table, chance = PathTable(Clock()), random.Random(3)
    runs = [0.8 if chance.random() < 0.02 else 0.001 for _ in range(HELD * 8)]
    for at in range(0, len(runs), 512):
        table.take([usual(uri="/a", run=run) for run in runs[at : at + 512]])
    row = rows_of(table)["/a"]
    assert row["count"] == len(runs)
    assert row["run"][0] == pytest.approx(0.001, rel=0.09)
    assert row["run"][1] == pytest.approx(0.001, rel=0.09)
    assert row["run"][2] == pytest.approx(0.8, rel=0.09)


def test_a_minute_and_no_more() -> None:
    clock = Clock()
    table = PathTable(clock)
    table.take([usual(uri="/old")])
    clock.now += SLOT * (SLOTS - 1)
    table.take([usual(uri="/new")])
    assert set(rows_of(table)) == {"/old", "/new"}
    clock.now += SLOT
    assert set(rows_of(table)) == {"/new"}
    clock.now += 2 * SLOT * SLOTS
    assert rows_of(table) == {} and not table.rows
    table.take([usual(uri="/new")])
    assert rows_of(table)["/new"]["count"] == 1, "a path that was forgotten is counted again"


def test_the_window_says_how_long_it_is() -> None:
    clock = Clock()
    table = PathTable(clock)
    clock.now += 3.5
    assert table.tell()["window"] == 3.5
    clock.now += 500.0
    assert SLOT * (SLOTS - 1) <= table.tell()["window"] <= SLOT * SLOTS


def test_history_has_whole_seconds_after_the_one_that_is_known() -> None:
    clock = Clock()
    table = PathTable(clock)
    for count in (1, 2, 3):
        table.take([usual(uri="/a")] * count)
        clock.now += 1
    told = table.tell()
    assert {second: row[0] for second, row in told["history"].items()} == {1000: 1, 1001: 2, 1002: 3}
    assert told["second"] == 1003
    table.take([usual(uri="/a")])
    assert set(table.tell(since=1001)["history"]) == {1002}, "the second of now is not over"
    clock.now += SECONDS
    table.take([usual(uri="/a")])
    clock.now += 1
    assert set(table.tell()["history"]) == {1003 + SECONDS}


def test_it_stays_small_whatever_clients_ask_for() -> None:
    clock, chance = Clock(), random.Random(1)
    table = PathTable(clock)
    for _ in range(40):
        names = [f"/{chance.choice('abcdefgh')}{chr(0x4E00 + chance.randrange(20000))}/x" for _ in range(512)]
        table.take([usual(uri="/busy", run=0.1)] * 64 + [usual(uri=name) for name in names])
        clock.now += 0.25
    assert len(table.rows) <= ROWS + 1 and len(table.targets) <= TARGETS and len(table.held) < HELD
    told = table.tell()
    assert len(told["rows"]) <= TOLD and told["rows"]["/busy"][0] == 40 * 64
    table.settle()
    assert told["count"] <= 40 * 576


def test_room_is_made_for_a_path_that_becomes_busy() -> None:
    clock = Clock()
    table = PathTable(clock)
    table.take([usual(uri=f"/{chr(0x4E00 + at)}/x") for at in range(ROWS + 50)])
    assert OTHER in table.rows
    clock.now += 1
    table.take([])
    assert len(table.rows) <= KEEP
    table.take([usual(uri="/busy/bee", run=1.0)] * 50)
    assert table.tell()["rows"]["/busy/bee"][0] == 50


def test_probes_are_no_traffic() -> None:
    clock = Clock()
    table = PathTable(clock)
    table.take([usual(uri="/-/live", kind=LANE, seconds=9.0)] * 50 + [usual(uri="/a", seconds=0.01)] * 5)
    clock.now += 1
    told = table.tell()
    assert set(told["rows"]) == {"/a"} and told["count"] == 5
    (second,) = told["history"].values()
    assert second == told["rows"]["/a"]
    table.take([usual(uri="/-/live", kind=LANE)])
    clock.now += 1
    assert [row[0] for row in table.tell()["history"].values()] == [5, 0]


def test_a_probe_does_not_take_along_the_requests_whose_row_it_shares() -> None:
    clock = Clock()
    table = PathTable(clock)
    table.take([usual(uri=f"/page{name}") for name in names(CHILDREN)])
    clock.now += 1
    table.take([usual(uri="/healthz", kind=LANE), usual(uri="/pageone"), usual(uri="/pagetwo")])
    found = rows_of(table)
    assert found["/*"]["count"] == 2 and table.tell()["count"] == CHILDREN + 2


def names(count: int) -> list[str]:
    """So many words of letters."""
    return [f"{chr(97 + at // 676 % 26)}{chr(97 + at // 26 % 26)}{chr(97 + at % 26)}" for at in range(count)]


def cost(uris: list[str]) -> float:
    """Microseconds of processor time for a record, the best of several rounds."""
    chance = random.Random(5)
    records = [usual(uri=chance.choice(uris), run=chance.lognormvariate(-6, 1)) for _ in range(20_480)]
    batches = [records[at : at + 512] for at in range(0, len(records), 512)]
    table, best = PathTable(), 1e9
    for _ in range(5):
        begun = time.process_time()
        for batch in batches:
            table.take(batch)
        table.settle()
        best = min(best, (time.process_time() - begun) / len(records) * 1e6)
    return best


def test_a_record_costs_next_to_nothing() -> None:
    # 0.25 to 0.45 µs on the machine that it was written on; the bound is for slower and busier ones.
    assert cost([f"/page/{chr(97 + at)}" for at in range(20)]) < 2.0
