"""A root as it stands: what happens to it while files are served from it."""

import os
import time
from pathlib import Path

import pytest

from penstock.serve.static.opening import READ
from penstock.serve.static.roots import LOOK, Means, Root, is_below, names_of
from tests.serve.static.sites import OPENERS, Said, opener, write


def root_of(name: str, path: Path, single: bool = False) -> Root:
    return Root(os.fsencode(path), Means(opener(name), Said()), single=single)


def read(root: Root, *parts: bytes) -> bytes:
    fd, _ = root.open(parts, READ)
    try:
        return os.read(fd, 100)
    finally:
        os.close(fd)


def relink(link: Path, target: str) -> None:
    (new := link.with_name("new")).symlink_to(target)
    os.rename(new, link)


@pytest.mark.parametrize("name", OPENERS)
def test_a_release_is_followed(name: str, tmp_path: Path) -> None:
    for number in (1, 2):
        write(tmp_path / "releases" / str(number) / "static" / "x.txt", b"%d" % number)
    (current := tmp_path / "current").symlink_to("releases/1")
    root = root_of(name, current / "static")
    assert read(root, b"x.txt") == b"1"
    relink(current, "releases/2")
    time.sleep(LOOK + 0.01)
    assert read(root, b"x.txt") == b"2"


@pytest.mark.parametrize("name", OPENERS)
def test_an_absolute_link_through_the_new_release_is_inside_at_once(name: str, tmp_path: Path) -> None:
    for number in (1, 2):
        static = tmp_path / "releases" / str(number) / "static"
        write(static / "x.txt", b"%d" % number)
        (static / "link").symlink_to(tmp_path / "current" / "static" / "x.txt")
    (current := tmp_path / "current").symlink_to("releases/1")
    root = root_of(name, current / "static")
    assert read(root, b"link") == b"1"
    relink(current, "releases/2")
    assert read(root, b"link") == b"2"  # without the moment's patience


@pytest.mark.parametrize("name", OPENERS)
def test_a_root_may_come_go_and_come_back(name: str, tmp_path: Path) -> None:
    root = root_of(name, tmp_path / "site")
    with pytest.raises(FileNotFoundError):
        read(root, b"x.txt")
    write(tmp_path / "site" / "x.txt", b"first")
    assert read(root, b"x.txt") == b"first"
    os.rename(tmp_path / "site", tmp_path / "old")
    time.sleep(LOOK + 0.01)
    with pytest.raises(FileNotFoundError):
        read(root, b"x.txt")
    write(tmp_path / "site" / "x.txt", b"second")
    assert read(root, b"x.txt") == b"second"


def test_old_folders_are_let_go(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path / str(number) / "x.txt", b"")
    (link := tmp_path / "link").symlink_to("0")
    root = root_of("walk", link)
    root.base()
    before = len(os.listdir("/dev/fd"))
    for number in range(30):
        relink(link, str(number % 3))
        assert root.base(anew=True) is not None
    assert len(os.listdir("/dev/fd")) == before
    del root
    assert len(os.listdir("/dev/fd")) == before - 1


@pytest.mark.parametrize("name", OPENERS)
def test_a_file_is_a_root_only_where_it_may_be(name: str, tmp_path: Path) -> None:
    write(tmp_path / "x.txt", b"all")
    assert read(root_of(name, tmp_path / "x.txt", single=True), b"any", b"path") == b"all"
    with pytest.raises(NotADirectoryError):
        read(root_of(name, tmp_path / "x.txt"), b"any")


def test_below_is_by_whole_names() -> None:
    assert is_below(names_of(b"/srv/st/x"), names_of(b"/srv/st"))
    assert is_below(names_of(b"/srv/st"), names_of(b"/srv/st/"))
    assert is_below(names_of(b"/srv"), names_of(b"/"))
    assert not is_below(names_of(b"/srv/st-evil/x"), names_of(b"/srv/st"))
    assert not is_below(names_of(b"/srv"), names_of(b"/srv/st"))


def test_the_root_may_be_the_top(tmp_path: Path) -> None:
    write(tmp_path / "x.txt", b"here")
    for name in OPENERS:
        assert read(root_of(name, Path("/")), *names_of(os.fsencode(tmp_path / "x.txt"))) == b"here"
