"""Between the look and the opening: somebody swaps a folder for a link while requests run."""

import gc
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penstock.serve.static.files import Files, fill
from tests.serve.static.sites import OPENERS, PUBLIC, SECRET, asked, content, files_of, write

REQUESTS = 10_000
PATHS = ("/d/e/x.txt", "/d/x.txt", "/x.txt", "/abs/x.txt", "/up/x.txt")


@pytest.fixture
def top(tmp_path: Path) -> Path:
    for folder, data in (("site", PUBLIC), ("out", SECRET)):
        for name in ("x.txt", "d/x.txt", "d/e/x.txt"):
            write(tmp_path / folder / name, data)
    site = tmp_path / "site"
    (site / "abs").symlink_to(site / "d" / "e")
    (site / "up").symlink_to("d/e/..")
    return tmp_path


def swap(path: Path, target: Path) -> None:
    """Put a link in the place of what is there, and that back."""
    away = path.with_name("away")
    os.rename(path, away)
    os.symlink(target, path)
    os.unlink(path)
    os.rename(away, path)


def exchange(path: Path, target: Path) -> None:
    """Put a link in the place of a file without a moment in which nothing is there."""
    link, kept = path.with_name("link"), path.with_name("kept")
    os.symlink(target, link)
    os.link(path, kept)
    os.rename(link, path)
    os.rename(kept, path)


def all_swaps(top: Path) -> Callable[[], None]:
    """Each kind of swap once."""
    site, out = top / "site", top / "out"

    def once() -> None:
        swap(site / "d", out / "d")
        swap(site / "d" / "e", out / "d" / "e")
        swap(site / "d" / "e", Path("../../../out"))
        exchange(site / "x.txt", out / "x.txt")
        exchange(site / "d" / "e" / "x.txt", Path("../../../out/x.txt"))
        os.rename(site / "d" / "e", top / "moved")  # and where ".." is meanwhile somewhere else
        os.rename(top / "moved", site / "d" / "e")

    return once


@contextmanager
def meanwhile(act: Callable[[], None]) -> Iterator[list[int]]:
    """Do something again and again on another thread; the list's length is how often."""
    over = threading.Event()
    done: list[int] = []

    def run() -> None:
        while not over.is_set():
            act()
            done.append(1)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield done
    finally:
        over.set()
        thread.join()


def got(files: Files, path: str, anew: bool) -> bytes | None:
    """What a request gets; None where its file was gone or refused."""
    if anew:
        target = files.lookup.look(path)
        found = fill(target, True) if target is not None else None
    else:
        found = files.find(asked(path))
        if found is not None and found.small is not None:
            return found.small
    try:
        return content(found)
    except OSError:
        return None


@pytest.mark.parametrize("opener", OPENERS)
def test_ten_thousand_requests_while_folders_are_swapped(opener: str, top: Path) -> None:
    files = files_of(opener, check_static=(str(top / "site"),))
    served = refused = escaped = 0
    with meanwhile(all_swaps(top)) as done:
        for number in range(REQUESTS):
            data = got(files, PATHS[number % len(PATHS)], anew=number % 4 != 0)
            served += data == PUBLIC
            refused += data is None
            escaped += data not in (PUBLIC, None)
    assert escaped == 0
    assert served > 100 and refused > 10 and len(done) > 10  # else nothing was tried


@pytest.mark.parametrize("opener", OPENERS)
def test_descriptors_are_not_lost(opener: str, top: Path) -> None:
    files = files_of(opener, check_static=(str(top / "site"),))
    files.find(asked("/x.txt"))
    gc.collect()  # what other tests have left is not ours to count
    before = len(os.listdir("/dev/fd"))
    with meanwhile(all_swaps(top)):
        for number in range(500):
            got(files, PATHS[number % len(PATHS)], anew=True)
    assert len(os.listdir("/dev/fd")) == before
