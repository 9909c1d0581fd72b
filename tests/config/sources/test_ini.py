"""uWSGI's ini dialect: its rules as data, and any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.config.sources.ini import parse
from penstock.config.sources.lines import SyntaxFault
from tests.config.sources.corpus import Case, cases, hold
from tests.config.sources.texts import BROKEN, Written, written


@pytest.mark.parametrize("case", cases("ini"))
def test_rules(case: Case) -> None:
    hold(case, lambda: parse(case.text, case.section))


@given(written("ini"))
def test_what_is_written_is_read_with_its_lines(file: Written) -> None:
    assert [tuple(line) for line in parse(file.text, "").lines] == file.lines


@given(BROKEN, st.sampled_from(["", "uwsg", "a"]))
def test_any_text_is_read_or_refused(text: str, section: str) -> None:
    try:
        parsed = parse(text, section)
    except SyntaxFault as fault:
        assert 0 <= fault.line <= text.count("\n") + 1
        return
    rows = text.removeprefix("\ufeff").split("\n")
    for line in parsed.lines:
        row = rows[line.number - 1].strip(" \t\r")
        assert line.value is not None
        assert row.startswith(line.key) and row.endswith(line.value)
