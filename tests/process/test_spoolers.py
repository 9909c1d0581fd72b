"""The folders of spoolers: made, with uWSGI's mode and for who is to write; or a reason why not."""

import os
from pathlib import Path

import pytest

from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.process.identity import Identity
from penstock.process.spoolers import give, open_folders


def test_folders_are_made_where_they_are_not(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir(0o700)
    before = os.umask(0o022)
    try:
        names = (str(there), str(tmp_path / "new"), str(there / ".." / "new"))
        assert open_folders(Settings(spooler=names), None) == [str(there), str(tmp_path / "new")]
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o750
    assert there.stat().st_mode & 0o777 == 0o700


def test_none_is_no_folder(tmp_path: Path) -> None:
    assert open_folders(Settings(), None) == []
    (tmp_path / "file").touch()
    with pytest.raises(StartError, match="and no folder that can be written to"):
        open_folders(Settings(spooler=(str(tmp_path / "file"),)), None)
    with pytest.raises(StartError, match="No such file or directory"):
        open_folders(Settings(spooler=(str(tmp_path / "a" / "b"),)), None)


@pytest.mark.skipif(os.getuid() != 0, reason="needs root: a folder is given to another user")
def test_it_is_whoevers_who_writes_into_it(tmp_path: Path) -> None:
    open_folders(Settings(spooler=(str(tmp_path / "new"),)), Identity(65534, 65533))
    found = (tmp_path / "new").stat()
    assert (found.st_uid, found.st_gid) == (65534, 65533)


@pytest.mark.skipif(os.getuid() != 0, reason="needs root: a folder is given to another user")
def test_nobody_is_given_what_was_put_in_its_place(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (tmp_path / "link").symlink_to(secret)
    (secret / "file").touch()
    os.chown(tmp_path, 65534, 65533)
    for place in (tmp_path / "link", secret, secret / "file", tmp_path):
        with pytest.raises(OSError):
            give(str(place), Identity(1001, 1001))
    assert {path.stat().st_uid for path in (secret, secret / "file", tmp_path)} == {0, 65534}
