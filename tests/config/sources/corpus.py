"""The cases of tests/corpus/config-*.toml: what a text is read as, or how it is refused."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from penstock.config.sources.fetch import decoded
from penstock.config.sources.lines import Parsed, SyntaxFault

FOLDER = Path(__file__).parents[2] / "corpus"


class Case(NamedTuple):
    """One row; ``fault`` None where the text is read."""

    text: str
    section: str
    mode: str
    file: str
    lines: list[tuple[str, str, int]]
    warned: list[tuple[int, str]]
    fault: tuple[int, str] | None


def cases(kind: str) -> list[object]:
    """All cases of a format, as parameters that carry their names."""
    rows = tomllib.loads((FOLDER / f"config-{kind}.toml").read_text())["case"]
    return [pytest.param(case(row, kind), id=row["name"]) for row in rows]


def case(row: dict[str, Any], kind: str) -> Case:
    """A row with what it leaves out."""
    text = row.get("text", "")
    if "octets" in row:
        text = decoded(bytes.fromhex(row["octets"]), kind)
    fault = tuple(row["fault"]) if "fault" in row else None
    words = [row.get(word, "") for word in ("section", "mode", "file")]
    lines, warned = ([tuple(entry) for entry in row.get(word, ())] for word in ("lines", "warned"))
    return Case(text, words[0], words[1], words[2], lines, warned, fault)


def read_or_refused(parse: Callable[[str, str], Parsed], text: str, section: str) -> None:
    """Any text is read, with lines that are its own and in order, or refused with a line of it."""
    last = text.count("\n") + 1
    try:
        parsed = parse(text, section)
    except SyntaxFault as fault:
        assert 0 <= fault.line <= last
        return
    numbers = [line.number for line in parsed.lines]
    assert numbers == sorted(numbers)
    assert all(1 <= number <= last for number in numbers)


def hold(case: Case, read: Callable[[], Parsed]) -> None:
    """Whether ``read`` gives what a case says, or refuses as it says."""
    if case.fault:
        with pytest.raises(SyntaxFault) as caught:
            read()
        assert caught.value.line == case.fault[0]
        assert case.fault[1] in caught.value.message
        assert str(caught.value).endswith(caught.value.message)
        return
    parsed = read()
    assert [tuple(line) for line in parsed.lines] == case.lines
    assert len(parsed.warnings) == len(case.warned), parsed.warnings
    for (line, message), (number, words) in zip(parsed.warnings, case.warned, strict=True):
        assert (line, words in message) == (number, True), message
