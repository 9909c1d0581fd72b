"""py-autoreload in the supervisor: the watcher beside it, the files it is given, and what a save asks for."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from penstock.process.supervisor import autoreload
from penstock.process.supervisor.autoreload import Autoreload
from tests.e2e.surroundings import environment
from tests.process.supervisor.recording import Recording, recording, settings


@contextmanager
def reloading(tmp: Path, **options: Any) -> Iterator[tuple[Recording, Autoreload]]:
    with recording(tmp, **{"py_autoreload": 0.1, **options}) as it:
        auto = Autoreload(it, environment)
        try:
            yield it, auto
        finally:
            auto.close()


@pytest.fixture(autouse=True)
def no_zombies() -> Iterator[None]:
    """What was started ends with its input, and is reaped, as the supervisor does."""
    yield
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.02)
        except ChildProcessError:
            return
    raise AssertionError("a watcher lives on")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path / "app.py")


def written(path: Path) -> Path:
    """A file that was written long ago."""
    path.write_text("a = 1\n")
    os.utime(path, (1e9, 1e9))
    return path


def loaded(*paths: Path, kind: str = "loaded") -> dict[str, Any]:
    return {"is": kind, "files": [str(path) for path in paths]}


def saved(it: Recording, path: Path, count: int = 1) -> float:
    """Save, until so much was asked; how many seconds that took."""
    path.write_text(f"{path.read_text()}#")
    began = time.monotonic()
    it.until(count)
    return time.monotonic() - began


def test_a_save_asks_for_a_reload_and_names_the_file(tmp_path: Path, file: Path) -> None:
    with reloading(tmp_path) as (it, auto):
        auto.heard(loaded(file))
        it.run(1.0)  # it starts
        assert it.asked == []
        assert saved(it, file) < 1.0
        it.run(0.5)
        assert it.asked == [("reload", f"py-autoreload: {file} changed", "graceful")]


def test_what_was_saved_before_anybody_watched_is_not_lost(tmp_path: Path, file: Path) -> None:
    second, third = (written(tmp_path / name) for name in ("second.py", "third.py"))
    with reloading(tmp_path) as (it, auto):
        file.write_text("while it was being imported")
        auto.heard({**loaded(file), "seconds": 3.0})
        it.until(1)
        second.write_text("a moment before a worker told of it")
        auto.heard(loaded(second, kind="files"))
        it.until(2)
        os.utime(third, (time.time() - 4, time.time() - 4))  # before the import began
        auto.heard({**loaded(third), "seconds": 3.0})
        it.run(0.5)
        assert [why for _, why, _ in it.asked] == [
            f"py-autoreload: {path} changed" for path in (file, second)
        ]


def test_nothing_is_started_for_nothing(tmp_path: Path, file: Path) -> None:
    with reloading(tmp_path) as (it, auto):
        auto.heard({"is": "loaded", "files": []})
        auto.heard({"is": "ready"})
        assert auto.sock is None
        it.settings = settings()
        auto.heard(loaded(file))
        assert auto.sock is None


def test_files_of_workers_and_of_failed_generations_count(tmp_path: Path, file: Path) -> None:
    later, wrong = written(tmp_path / "urls.py"), written(tmp_path / "wrong.py")
    with reloading(tmp_path) as (it, auto):
        auto.heard(loaded(file))
        auto.heard(loaded(later, kind="files"))
        saved(it, later)
        auto.heard(loaded(wrong, kind="failed"))
        saved(it, wrong, 2)
        auto.heard(loaded(wrong, kind="files"))
        assert auto.failed, "a worker of the old generation knows nothing of the failed one"
        assert [why for _, why, _ in it.asked] == [
            f"py-autoreload: {later} changed",
            f"py-autoreload: {wrong} changed",
        ]


def test_a_missing_module_counts_only_while_an_import_has_failed(tmp_path: Path, file: Path) -> None:
    with reloading(tmp_path) as (it, auto):
        auto.heard(loaded(file))
        saved(it, file)
        (tmp_path / "scratch.py").write_text("")
        os.utime(tmp_path / "scratch.py", (1, 1))  # long before the import that fails
        it.run(0.5)
        assert len(it.asked) == 1
        auto.heard(loaded(file, kind="failed"))
        it.run(0.5)
        (tmp_path / "missing.py").write_text("")
        it.until(2)
        assert it.asked[1][1] == f"py-autoreload: {tmp_path / 'missing.py'} changed"
        auto.heard(loaded(file))
        it.run(0.5)
        (tmp_path / "another.py").write_text("")
        it.run(0.5)
        assert len(it.asked) == 2


def test_many_files_are_named_in_one_line(tmp_path: Path, file: Path) -> None:
    with reloading(tmp_path) as (it, auto):
        auto.heard(loaded(file))
        auto.obey(b'{"changed": ["/1", "/2", "/3", "/4", "/5", "/6", "/7"]}')
        assert it.asked == [("reload", "py-autoreload: /1, /2, /3, /4, /5, and 2 more changed", "graceful")]
        auto.obey(b'{"notice": "it is so"}')
        assert "py-autoreload: it is so" in it.text()


@pytest.mark.parametrize("files", [None, 7, {"a": 1}, "text", [1, None, ["/x"]]])
def test_what_a_worker_says_is_not_believed(tmp_path: Path, files: object) -> None:
    with reloading(tmp_path) as (_, auto):
        auto.heard({"is": "files", "files": files})
        assert auto.files == {} and auto.sock is None


def test_more_files_than_a_pipe_holds_arrive(tmp_path: Path, file: Path) -> None:
    many = [tmp_path / ("x" * 150) / f"module{number}.py" for number in range(6000)]
    with reloading(tmp_path) as (it, auto):
        auto.heard(loaded(*many, file))
        assert auto.unsent, "more than fits at once"
        until = time.monotonic() + 10
        while auto.unsent and time.monotonic() < until:
            it.run(0.1)
        assert auto.unsent == b""
        saved(it, file)


def test_no_worker_can_have_it_watch_without_an_end(tmp_path: Path) -> None:
    with reloading(tmp_path, py_autoreload=0) as (_, auto):
        for start in range(0, 3 * autoreload.MOST, 1000):
            auto.heard({"is": "files", "files": [f"/{number}" for number in range(start, start + 1000)]})
        assert len(auto.files) == autoreload.MOST


def test_a_watcher_that_dies_is_followed_by_another(tmp_path: Path, file: Path) -> None:
    with reloading(tmp_path) as (it, auto):
        auto.pause = 0.05
        auto.heard(loaded(file))
        saved(it, file)
        auto.pause = 0.05
        first = auto.pid
        os.kill(first, signal.SIGKILL)
        it.run(0.5)
        assert "the process that watches the files has ended; another one in 0.05 s" in it.text()
        assert auto.pid != first
        saved(it, file, 2)
        os.kill(auto.pid, signal.SIGKILL)
        saved(it, file, 3)  # while nobody watches


def test_one_that_cannot_start_is_tried_later_each_time(tmp_path: Path, file: Path) -> None:
    with reloading(tmp_path) as (it, auto):
        auto.environ = lambda: {**environment(), "PYTHONHOME": str(tmp_path / "nowhere")}
        auto.pause = 0.05
        auto.heard(loaded(file))
        it.run(1.5)
        assert auto.pause > 0.1
        auto.environ = environment
        saved(it, file)
        assert auto.pause == autoreload.PAUSE


def test_it_ends_when_it_is_not_wanted_any_more(tmp_path: Path, file: Path) -> None:
    with reloading(tmp_path) as (it, auto):
        auto.heard(loaded(file))
        saved(it, file)
        it.settings = settings()
        auto.heard(loaded(file))
        assert auto.sock is None
        assert os.waitpid(auto.pid, 0)[1] == 0
        it.settings = settings(py_autoreload=0.1)
        auto.heard(loaded(file))
        saved(it, file, 2)
