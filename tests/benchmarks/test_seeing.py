"""What seeing inside costs: how figures become verdicts, and that looks are looks."""

from pathlib import Path

from benchmarks.seeing import ALL, WAYS, Looking, ratios, table_of_costs, table_of_windows, verdict
from benchmarks.servers import free_port

from tests.e2e.server import serving
from tests.waiting import until


def test_a_bound_is_kept_or_not() -> None:
    assert verdict("x", 1.44, 1.45) == ("kept: x: +44.0 % (at most +45 %)", True)
    assert verdict("x", 1.46, 1.45) == ("NOT KEPT: x: +46.0 % (at most +45 %)", False)


def test_a_round_is_held_against_itself() -> None:
    # The second round found the machine twice as slow, which makes no way dearer.
    found = {name: [12.0, 24.0, 12.0] for name in WAYS} | {"everything off": [10.0, 20.0, 10.0]}
    assert ratios(found[ALL], found["everything off"]) == [1.2, 1.2, 1.2]
    rows = table_of_costs(found)
    assert rows[2] == "| everything off | 10.0 | 10.0 to 20.0 | +0 % |"
    assert len(rows) == 2 + len(WAYS)
    assert all(row.endswith(" | 12.0 | 12.0 to 24.0 | +20 % |") for row in rows[3:])


def test_windows_with_looks_stand_beside_those_without() -> None:
    rows = table_of_windows({"a single process": [[6.0, 5.0, 7.0], [6.5, 6.6, 6.0]]})
    assert rows[2:] == ["| a single process | 6.00 | 5.00 to 7.00 | 6.50 | 6.00 to 6.60 |"]


def test_a_look_has_both_and_a_server_that_is_gone_none(tmp_path: Path) -> None:
    metrics, stats = free_port(), free_port()
    with serving(tmp_path, "--metrics", f"127.0.0.1:{metrics}", "--stats", f"127.0.0.1:{stats}"):
        looking = Looking(metrics, stats)
        looking.start()
        until(lambda: looking.looks > 1)
        assert looking.stop() >= 2
    gone = Looking(metrics, stats)
    gone.start()
    assert gone.stop() == 0
