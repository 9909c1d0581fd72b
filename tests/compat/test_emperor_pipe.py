"""Emperors and vassals with a real uWSGI on the other side of the pipe."""

import os
import sys
from pathlib import Path

import pytest

from tests.e2e.emperors import descendants, empire, gone, real_uwsgi

pytestmark = [pytest.mark.compat, pytest.mark.timeout(120)]


def uwsgis_emperor(folder: Path) -> list[str]:
    """A command for uWSGI's emperor whose vassals are penstock."""
    ours = folder / "ours"
    ours.write_text(f'#!/bin/sh\nexec {sys.executable} -m penstock "$@"\n')
    ours.chmod(0o755)
    return [real_uwsgi(), "--emperor-freq", "1", "--emperor-wrapper", str(ours)]


def test_a_uwsgi_is_a_vassal_of_ours(tmp_path: Path) -> None:
    with empire(tmp_path, "--emperor-wrapper", real_uwsgi()) as emperor:
        file = emperor.put("one", "master = true", "processes = 1")
        emperor.until(lambda: emperor.serves("one"))
        emperor.wait_for("vassal one.ini is loyal")
        before = emperor.ask("one")[1]
        emperor.put("one", "master = true", "env = WORD=changed")
        emperor.until(lambda: emperor.serves("one", "changed"))
        assert emperor.ask("one")[1] != before
        emperor.wait_for("vassal one.ini accepts requests", 2)
        pids = descendants(emperor.process.pid)
        file.unlink()
        emperor.wait_for("vassal one.ini is removed")
        emperor.until(lambda: gone(pids))


def test_ours_is_a_vassal_of_uwsgis(tmp_path: Path) -> None:
    program = uwsgis_emperor(tmp_path)
    with empire(tmp_path, program=program) as emperor:
        file = emperor.put("one")
        emperor.until(lambda: emperor.serves("one"))
        for word in ("has been spawned", "is ready to accept requests", "is now loyal"):
            emperor.wait_for(f"[emperor] vassal one.ini {word}")
        master = emperor.ask("one")[2]
        found = emperor.put("one", "env = WORD=changed").stat()
        os.utime(file, (found.st_atime + 5, found.st_mtime + 5))
        emperor.until(lambda: emperor.serves("one", "changed"))
        assert emperor.ask("one")[2] == master
        file.unlink()
        emperor.wait_for("[emperor] removed uwsgi instance one.ini")
        assert gone([int(master)])


def test_ours_is_woken_by_uwsgis_emperor_and_goes_back(tmp_path: Path) -> None:
    program = uwsgis_emperor(tmp_path)
    with empire(tmp_path, "--emperor-on-demand-directory", str(tmp_path), program=program) as emperor:
        (tmp_path / "one.sock").symlink_to("one.socket")
        file = emperor.put("one", "idle = 1", "die-on-idle = true")
        file.write_text(file.read_text().replace("one.sock", "one.socket"))
        emperor.wait_for('"on demand" instance detected')
        assert emperor.serves("one")
        emperor.wait_for('back to "on demand" mode')
        assert emperor.serves("one")
