"""XML: its rules as data, what is written is read, and any text is read or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.config.sources.xmlfile import parse
from tests.config.sources.corpus import Case, cases, hold, read_or_refused
from tests.config.sources.texts import BROKEN, Written, written


@pytest.mark.parametrize("case", cases("xml"))
def test_rules(case: Case) -> None:
    hold(case, lambda: parse(case.text, case.section, case.mode))


@given(written("xml"))
def test_what_is_written_is_read_with_its_lines(file: Written) -> None:
    assert [tuple(line) for line in parse(file.text, "").lines] == file.lines


@given(BROKEN, st.sampled_from(["", "a", "tool.penstock"]))
def test_any_text_is_read_or_refused(text: str, section: str) -> None:
    read_or_refused(parse, text, section)
