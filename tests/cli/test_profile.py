"""The files of a profile, and what is said of it."""

from pathlib import Path
from typing import Any

import pytest

from penstock.cli.profile import written

PARTS: list[Any] = [
    {"wid": 1, "reason": "", "seconds": 10.0, "samples": 100, "threads": 2, "cost": 0.1,
     "labels": ["a:f:1", "b:g:2"], "stacks": [[30, 0, 1], [10, 0]]},
    {"wid": 2, "reason": "", "seconds": 10.1, "samples": 100, "threads": 2, "cost": 0.103,
     "labels": ["b:g:2"], "stacks": [[60, 0]]},
    {"wid": 3, "reason": "silence"},
]  # fmt: skip


def test_workers_are_put_together(tmp_path: Path) -> None:
    lines = written(PARTS, str(tmp_path / "p"), 7).splitlines()
    assert lines == [
        "10.1 s, 4 threads in 2 workers: 25.0 % of 400 looks found a request; "
        "looking took 2.0 % of a processor",
        "worker 3: silence",
        " 90.0 %  b:g:2",
        " 10.0 %  a:f:1",
        f"{tmp_path}/p.svg is for a browser, {tmp_path}/p.collapsed for other tools",
    ]
    assert (tmp_path / "p.collapsed").read_text() == "a:f:1 10\na:f:1;b:g:2 30\nb:g:2 60\n"
    assert "25.0 % of 400 looks" in (tmp_path / "p.svg").read_text()


@pytest.mark.parametrize("name", ["p", "p.svg", "p.collapsed"])
def test_an_ending_is_no_part_of_the_name(tmp_path: Path, name: str) -> None:
    written(PARTS, str(tmp_path / name), 7)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.collapsed", "p.svg"]


def test_without_a_name_it_is_the_process_and_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written([], "", 4711)
    assert all(path.name.startswith("penstock-4711-2") for path in tmp_path.iterdir())
    assert len(list(tmp_path.iterdir())) == 2


def test_what_a_server_says_wrongly_is_no_fault_of_ours(tmp_path: Path) -> None:
    text = written([{"seconds": "x", "samples": None, "labels": 3}, 7], str(tmp_path / "p"), 7)
    assert text.startswith("0.0 s, 0 threads in 1 worker: 0.0 % of 0 looks")


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        written(PARTS, str(tmp_path / "nowhere" / "p"), 7)
