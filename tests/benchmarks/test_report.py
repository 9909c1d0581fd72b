"""The report's tables, its JSON, the targets and what goes into the documentation."""

import pytest
from benchmarks.measure import Figures, Round
from benchmarks.pages import between, page, short
from benchmarks.report import Results, dump, load, markdown, table
from benchmarks.scenarios import BY_NAME
from benchmarks.targets import FURTHER, TARGETS, check, needed

ABOUT = {
    "cpu": "a processor",
    "cores": 2,
    "kernel": "Linux 6",
    "python": "CPython 3.11.7",
    "tag": "3.11",
    "date": "2026-11-21",
    "threads": 8,
    "command": "python -m benchmarks",
    "rounds": 3,
    "pinned": "pinned to one core, the load on another",
}


def figures(cpu: float | None, **more: float | None) -> Figures:
    """A round under wrk alone."""
    return {"cpu": cpu, "rate": 1000.0, "p50": 1.0, "p99": 2.0, "rss": 40.0, "errors": 0, **more}


def results(*rounds: Round) -> Results:
    return Results(dict(ABOUT), {"penstock": "0.1.0"}, {}, list(rounds))


def browser() -> Results:
    ours = [Round("browser", "penstock", number, figures(cpu)) for number, cpu in enumerate((30, 20, 19), 1)]
    theirs = [
        Round("browser", "granian", number, figures(cpu, errors=2)) for number, cpu in ((1, 20), (2, 25))
    ]
    return results(*ours, *theirs, Round("browser", "gunicorn", 0, failure="cannot be installed: no network"))


def test_a_table_has_medians_ratios_sums_and_reasons() -> None:
    lines = table(browser(), BY_NAME["browser"]).splitlines()
    assert lines[0] == "## Hello, keep-alive, 10 varied headers of a browser"
    assert lines[2] == "64 connections under wrk."
    assert "| penstock | 20.0 | 1.00 | 1,000 | 1.00 | 2.00 | 40 | 0 |" in lines
    assert "| granian | 22.5 | 1.12 | 1,000 | 1.00 | 2.00 | 40 | 4 |" in lines
    assert lines[-1] == "| gunicorn gthread | not measured: cannot be installed: no network |"
    assert {line.count("|") for line in lines[4:8]} == {9}


def test_who_answers_nobody_is_said_so() -> None:
    shown = {"p99": None, "alone_p99": 2.0, "growth": None, "rate": 0.0, "alone_rate": 900.0}
    more = {"connected": 500.0, "rss": 20.0, "errors": 0.0}
    text = table(results(Round("slow-head", "gunicorn", 1, {**shown, **more})), BY_NAME["slow-head"])
    assert "| gunicorn gthread | none answered | - | 2.00 | none answered | 0 | 900 | 500 | 20 | 0 |" in text


def test_json_brings_everything_back() -> None:
    assert load(dump(browser())) == browser()


def test_the_report_names_machine_versions_and_what_is_missing() -> None:
    found = browser()
    found.failures["gunicorn"] = "no network"
    found.notes.append("No plot: no matplotlib")
    text = markdown(found)
    for words in ("a processor", "CPython 3.11.7", "penstock 0.1.0", "no network", "No plot", "2026-11-21"):
        assert words in text


def test_targets_are_medians_of_the_rounds_ratios() -> None:
    verdicts = check(browser(), ["browser"])
    assert [verdict.kept for verdict in verdicts] == [False, False, False, False]
    granian, gunicorn, compiled, _ = verdicts
    assert compiled.value is None and "compiled, browser" in compiled.line()
    # The third round has no figure of granian's, and does not count.
    assert granian.value == pytest.approx((20 / 25 + 30 / 20) / 2)
    assert granian.spread == pytest.approx((20 / 25, 30 / 20))
    assert granian.line().startswith("MISS  1.150 (at most 1.1, rounds 0.800 to 1.500)")
    assert gunicorn.value is None and "MISS  not measured" in gunicorn.line()


def test_a_machine_that_is_slow_for_minutes_decides_nothing() -> None:
    pairs = {1: (10.0, 10.0), 2: (20.0, 19.9), 3: (30.0, 31.0)}
    ours = [Round("browser", "penstock", number, figures(cpu)) for number, (cpu, _) in pairs.items()]
    theirs = [Round("browser", "granian", number, figures(cpu)) for number, (_, cpu) in pairs.items()]
    verdict = check(results(*ours, *theirs), ["browser"])[0]
    assert verdict.kept and verdict.value == pytest.approx(1.0)


def test_a_round_that_failed_shifts_no_other() -> None:
    ours = [Round("browser", "penstock", number, figures(cpu)) for number, cpu in ((2, 20.0), (3, 30.0))]
    theirs = [Round("browser", "granian", number, figures(cpu)) for number, cpu in ((1, 10.0), (2, 20.0))]
    verdict = check(results(*ours, *theirs), ["browser"])[0]
    assert verdict.value == pytest.approx(1.0) and verdict.spread == (1.0, 1.0)


def test_the_best_rival_counts() -> None:
    costs = {"penstock": 100.0, "granian": 110.0, "gunicorn": 300.0, "waitress": 98.0}
    rounds = [Round("flask", name, 1, figures(cpu)) for name, cpu in costs.items()]
    verdict, _ = check(results(*rounds), ["flask"])
    assert verdict.kept and verdict.value == pytest.approx(100 / 98) and "best: waitress" in verdict.text


def test_every_target_names_a_scenario() -> None:
    assert {target.scenario for target in (*TARGETS, *FURTHER)} <= set(BY_NAME)
    assert set(needed()) == {"browser", "browser-log", "close", "uwsgi", "flask", "django"}


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    text = "before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n"
    assert between(text, "bench", "new\n") == "before\n<!-- bench -->\nnew\n<!-- /bench -->\nafter\n"
    assert between("before\n", "bench", "new") == "before\n\n<!-- bench -->\nnew\n<!-- /bench -->\n"


def test_the_page_keeps_a_block_for_each_python() -> None:
    first = browser()
    second = browser()
    second.about |= {"tag": "3.13", "python": "CPython 3.13.0"}
    text = page(second, page(first, "# Benchmarks\n", True), True)
    assert text.count("<!-- bench 3.1") == 2
    assert "benchmarks-3.11.png" in text and "benchmarks-3.13.png" in text
    assert page(second, text, True) == text


def test_the_short_table_has_a_column_for_each_family() -> None:
    lines = short(browser(), False).splitlines()
    assert lines[2] == "| Hello, 10 varied headers | 20 | - | 22 | - | - | - | - |"
    assert "](docs/" in lines[-1]
