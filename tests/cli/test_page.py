"""Every example of the page about check, explain and migrate prints what the page shows."""

from pathlib import Path

import pytest

from tests.cli.page import CONSOLE, FILE, PAGE, UNSET, rendered


def test_the_examples_print_what_they_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in UNSET:
        monkeypatch.delenv(name, raising=False)
    text = PAGE.read_text()
    assert len(CONSOLE.findall(text)) >= 8 and len(FILE.findall(text)) == 2
    # python -m tests.cli.page writes the page anew
    assert rendered(text) == text
