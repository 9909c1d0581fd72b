"""Pages from files: the first that is there, as it is now, and nothing that would hold a thread."""

import os
from pathlib import Path

import pytest

from penstock.serve.finish.pages import LARGEST, Pages


def test_the_first_file_that_can_be_read_is_the_page(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    pages = Pages({404: [str(first), str(second)]})
    assert pages.read(404) is None and pages.read(500) is None
    second.write_bytes(b"2")
    assert pages.read(404) == b"2"
    first.write_bytes(b"1")
    assert pages.read(404) == b"1"
    first.unlink()
    assert pages.read(404) == b"2", "what was remembered went with its file"


def test_a_file_that_changes_is_read_anew(tmp_path: Path) -> None:
    page, other = tmp_path / "page", tmp_path / "other"
    pages = Pages({404: [str(page)]})
    page.write_bytes(b"old")
    assert pages.read(404) == b"old"
    page.write_bytes(b"newer")
    assert pages.read(404) == b"newer"
    other.write_bytes(b"OTHER")
    os.utime(other, ns=(page.stat().st_mtime_ns, page.stat().st_mtime_ns))
    other.replace(page)
    assert pages.read(404) == b"OTHER", "another file of the same size and time"


def test_a_file_that_did_not_change_is_not_read(tmp_path: Path) -> None:
    page = tmp_path / "page"
    page.write_bytes(b"x")
    pages = Pages({404: [str(page)]})
    assert pages.read(404) is pages.read(404)


@pytest.mark.parametrize("kind", ["fifo", "folder", "huge", "dangling"])
def test_what_is_no_page_is_passed_over_and_holds_nobody(tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "huge":
        with path.open("wb") as file:
            file.truncate(LARGEST + 1)
    else:
        path.symlink_to("nowhere")
    (tmp_path / "next").write_bytes(b"next")
    assert Pages({500: [str(path), str(tmp_path / "next")]}).read(500) == b"next"


def test_a_relative_path_is_from_where_the_server_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "page").write_bytes(b"here")
    monkeypatch.chdir(tmp_path)
    pages = Pages({404: ["page"]})
    monkeypatch.chdir("/")
    assert pages.read(404) == b"here"
