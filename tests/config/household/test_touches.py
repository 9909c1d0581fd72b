"""``touch-exec`` as it is written."""

import pytest

from penstock.config.household.touches import TouchExec, parse_exec


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/a sh -c 'x  y'", TouchExec("/a", "sh -c 'x  y'")),
        ("/a  x", TouchExec("/a", " x")),
        ("/a", TouchExec("/a", "/a")),
    ],
)
def test_a_file_and_a_command(text: str, found: TouchExec) -> None:
    assert parse_exec(text) == found


@pytest.mark.parametrize("text", ["", " x", "/a ", "/a   "])
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="FILE COMMAND is expected"):
        parse_exec(text)
