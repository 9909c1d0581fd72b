"""Every rule of the configuration language, as data."""

from collections import Counter
from pathlib import Path

import pytest

from penstock.config.language.collect import Collected, collect
from tests.config.language.rules import Rule, pair, rules

HEAD, TAIL = ";uWSGI instance configuration\n[uwsgi]\n", ";end of configuration\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.name)
def test_rule(rule: Rule, folder: Path) -> None:
    rule = rule.put(folder)
    collected = collect(rule.words, rule.environ)
    said = [f"{found.level} {found.kind}: {found.message}" for found in collected.findings]
    if rule.shown is not None:
        assert collected.shown == HEAD + "".join(f"{line}\n" for line in rule.shown) + TAIL
    if rule.options is not None:
        assert [pair(raw) for raw in collected.options] == rule.options
    assert len(said) == len(rule.findings), said
    for line, expected in zip(said, rule.findings, strict=True):
        start, _, part = expected.partition(": ")
        assert line.startswith(start) and part in line, (line, expected)
    assert (list(collected.prints), collected.code) == (rule.prints, rule.code)
    assert_consistent(collected)


def assert_consistent(collected: Collected) -> None:
    """What is so for every configuration: each option can be traced to a line, and each line to its place."""
    for raw in (*collected.options, *collected.lines):
        assert raw.origin
        assert bool(raw.file) == bool(raw.line)
        assert not raw.file or raw.origin == f"{raw.file}:{raw.line}"
    for found in collected.findings:
        assert found.text and found.level in ("error", "warning")


def test_the_rules_are_there_once() -> None:
    assert [name for name, count in Counter(rule.name for rule in rules()).items() if count > 1] == []
    assert {rule.section for rule in rules()} == {
        *("order", "command line", "magic", "passes", "words", "declared", "logic", "files"),
    }
    assert all(rule.shown is not None or rule.findings for rule in rules()), "a rule that says nothing"
