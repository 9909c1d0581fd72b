"""Which files are vassals, and what counts as a change."""

import os
from pathlib import Path

import pytest

from penstock.process.emperor.scan import Realm, Scanner, realm_of, realms_of
from tests.process.emperor.throneroom import settings


def names(scanner: Scanner, realm: Realm) -> list[str]:
    return [found.name for found in scanner.look(realm) or []]


def test_uwsgis_endings_and_those_that_are_added(tmp_path: Path) -> None:
    for name in ("a.ini", "b.xml", "c.yml", "d.yaml", "e.js", "f.json", "g.toml", "h.conf", "i.ini~", ".ini"):
        (tmp_path / name).touch()
    (tmp_path / "folder.ini").mkdir()
    (tmp_path / "a\n2026-01-01 penstock error: what anybody likes.ini").touch()
    (tmp_path / f"{'n' * 251}.ini").touch()
    realm = Realm(0, str(tmp_path))
    plain = Scanner(settings(tmp_path), print)
    assert names(plain, realm) == [".ini", "a.ini", "b.xml", "c.yml", "d.yaml", "e.js", "f.json"]
    more = Scanner(settings(tmp_path, emperor_extra_extension=[".toml", ".conf"]), print)
    assert names(more, realm)[-2:] == ["g.toml", "h.conf"]


def test_links_are_followed_unless_they_are_not_to_be(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    link, dangling = tmp_path / "a.ini", tmp_path / "b.ini"
    link.symlink_to(file)
    dangling.symlink_to(tmp_path / "nowhere")
    realm = Realm(0, str(tmp_path))
    follow = Scanner(settings(tmp_path), print)
    stay = Scanner(settings(tmp_path, emperor_nofollow=True), print)
    assert names(follow, realm) == ["a.ini"]
    assert names(stay, realm) == ["a.ini", "b.ini"]
    before = (follow.look(realm) or [])[0], (stay.look(realm) or [])[0]
    os.utime(file, (1 << 31, 1 << 31))
    after = (follow.look(realm) or [])[0], (stay.look(realm) or [])[0]
    assert after[0].renewed(before[0])
    assert not after[1].renewed(before[1])
    assert follow.gone(realm, "b.ini") and not stay.gone(realm, "b.ini")


def test_whose_a_link_is(tmp_path: Path) -> None:
    if os.getuid():
        pytest.skip("needs root")
    file = tmp_path / "file"
    file.touch()
    os.chown(file, 1001, 1001)
    (tmp_path / "a.ini").symlink_to(file)
    realm = Realm(0, str(tmp_path))
    follow = Scanner(settings(tmp_path, emperor_tyrant=True), print)
    stay = Scanner(settings(tmp_path, emperor_tyrant=True, emperor_tyrant_nofollow=True), print)
    assert [(found.uid, found.gid) for found in follow.look(realm) or []] == [(1001, 1001)]
    assert [(found.uid, found.gid) for found in stay.look(realm) or []] == [(0, 0)]


def test_a_change_is_a_later_time_or_another_file(tmp_path: Path) -> None:
    file = tmp_path / "a.ini"
    file.touch()
    os.utime(file, (1000, 1000))
    realm, scanner = Realm(0, str(tmp_path)), Scanner(settings(tmp_path), print)
    before = (scanner.look(realm) or [])[0]
    os.utime(file, (900, 900))
    assert not (scanner.look(realm) or [])[0].renewed(before)
    os.utime(file, ns=(0, 1000 * 10**9 + 1))
    assert (scanner.look(realm) or [])[0].renewed(before)
    other = tmp_path / "other"
    other.touch()
    os.utime(other, (1, 1))
    other.rename(file)
    assert (scanner.look(realm) or [])[0].renewed(before)


def test_a_folder_that_cannot_be_read_says_nothing_of_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "vassals"
    told: list[str] = []
    realm, scanner = Realm(0, str(folder)), Scanner(settings(folder), told.append)
    assert scanner.look(realm) is None
    assert scanner.look(realm) is None
    assert len(told) == 1 and "go on as they are" in told[0]
    folder.mkdir()
    assert scanner.look(realm) == []
    folder.rmdir()
    assert scanner.look(realm) is None
    assert len(told) == 2


def test_what_is_gone_and_what_is_only_out_of_sight(tmp_path: Path) -> None:
    (tmp_path / "a.ini").touch()
    (tmp_path / "file").touch()
    realm, scanner = Realm(0, str(tmp_path)), Scanner(settings(tmp_path), print)
    assert scanner.gone(realm, "b.ini")
    assert scanner.gone(realm, "file/b.ini")
    assert not scanner.gone(realm, "a.ini")
    assert not scanner.gone(realm, "n" * 300)  # it cannot be known


def test_folders_and_patterns(tmp_path: Path) -> None:
    (tmp_path / "here" / "one").mkdir(parents=True)
    (tmp_path / "start").mkdir()
    here, start = str(tmp_path / "here"), str(tmp_path / "start")
    whole = os.path.realpath(tmp_path / "here" / "one")
    assert realm_of(0, "one", here, start) == Realm(0, whole)
    assert realm_of(0, "dir://one", here, start) == Realm(0, whole)
    assert realm_of(1, "*/x.ini", here, start) == Realm(1, start, "*/x.ini")
    assert realm_of(1, "glob://x.ini", here, start) == Realm(1, start, "x.ini")
    assert realm_of(0, "later", here, start).folder == os.path.realpath(f"{here}/later")
    given = settings("one", "*.ini")
    assert [realm.place for realm in realms_of(given, here, start)] == [whole, "*.ini"]


def test_the_path_of_one_file_is_that_one(tmp_path: Path) -> None:
    """There already, or to come; but a folder may be called like a file."""
    (tmp_path / "one").write_text("[uwsgi]\n")
    (tmp_path / "sites.ini").mkdir()
    at, top = (str(tmp_path), "/"), str(tmp_path)
    assert realm_of(0, f"{top}/one", *at) == Realm(0, "/", f"{top}/one")
    assert realm_of(0, f"{top}/later.ini", *at) == Realm(0, "/", f"{top}/later.ini")
    assert realm_of(0, f"{top}/sites.ini", *at) == Realm(0, f"{top}/sites.ini")


def test_a_pattern_finds_by_its_own_folder(tmp_path: Path) -> None:
    for name in ("x/a.ini", "y/a.ini", "y/b.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    scanner = Scanner(settings("*/*"), print)
    assert names(scanner, Realm(0, str(tmp_path), "*/*")) == ["x/a.ini", "y/a.ini"]
