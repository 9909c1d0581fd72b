"""The process that watches files: every way in which editors save is seen, whole, and in under a second."""

import importlib.util
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.surroundings import environment

SOON = 1.0  # seconds in which a save is to be said
NOTHING = 0.6  # seconds in which nothing is to be said
SLOWEST = 0.5  # seconds between two looks, as the supervisor asks for at most
KERNEL, CLOCK = "watchfiles", "clock"


class Watching:
    """The process, and what it says."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self.rest = b""
        self.probe = ""

    def say(self, **message: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def line(self, seconds: float) -> dict[str, Any] | None:
        """What it says next within so many seconds."""
        assert self.process.stdout is not None
        fd = self.process.stdout.fileno()
        until = time.monotonic() + seconds
        while b"\n" not in self.rest:
            left = until - time.monotonic()
            if left <= 0 or not select.select([fd], [], [], left)[0]:
                return None
            data = os.read(fd, 1 << 16)
            assert data, "it has ended"
            self.rest += data
        line, _, self.rest = self.rest.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message

    def add(self, *paths: Path) -> None:
        """Watch these, and wait until they surely are: a file that was given with them is seen to change."""
        self.probe = str(paths[0].parent / "probe.txt")
        Path(self.probe).write_text("")
        self.say(add=[*map(str, paths), self.probe])
        for number in range(100):
            Path(self.probe).write_text("x" * (number + 1))
            said = self.line(0.2)
            if said is not None:
                assert said == {"changed": [self.probe]}
                return
        raise AssertionError("it does not watch")

    def changed(self, seconds: float = SOON) -> list[str] | None:
        """What it says has changed, within so many seconds, but for that file."""
        until = time.monotonic() + seconds
        while (said := self.line(until - time.monotonic())) is not None:
            changed: list[str] = [path for path in said["changed"] if path != self.probe]
            if changed:
                return changed
        return None


def blocked(tmp: Path) -> str:
    """A folder that hides watchfiles."""
    folder = tmp / "hiding"
    folder.mkdir()
    (folder / "watchfiles.py").write_text("raise ImportError('hidden')")
    return str(folder)


def found(name: str) -> str:
    """The folder that a package is imported from, "" without one."""
    spec = importlib.util.find_spec(name)
    return "" if spec is None or spec.origin is None else str(Path(spec.origin).parents[1])


def started(folder: str, seconds: float) -> "subprocess.Popen[bytes]":
    """The process, with ``folder`` before all others."""
    environ = environment()
    environ["PYTHONPATH"] = os.pathsep.join([folder, environ["PYTHONPATH"]])
    words = [sys.executable, "-P", "-m", "penstock.process.watcher", str(seconds)]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ)


def told_by_kernel(pid: int) -> bool:
    """Whether a process has asked the kernel for news."""
    return any("inotify" in os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir())


@contextmanager
def watching(tmp: Path, way: str = CLOCK, seconds: float = 0.1) -> Iterator[Watching]:
    process = started(blocked(tmp) if way == CLOCK else found(KERNEL), seconds)
    try:
        yield Watching(process)
        assert process.poll() is None, "it has ended by itself"
        assert told_by_kernel(process.pid) is (way == KERNEL)
    finally:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        assert process.wait(5) == 0, "it ends with its input"


def ways() -> list[Any]:
    missing = pytest.mark.skipif(not found(KERNEL), reason="watchfiles is not installed")
    kernel = pytest.param(KERNEL, marks=missing)
    return [CLOCK, kernel]


@pytest.fixture(params=ways())
def way(request: pytest.FixtureRequest) -> str:
    way: str = request.param
    return way


def in_place(path: Path) -> None:
    path.write_text("a = 2  # longer\n")


def same_size(path: Path) -> None:
    path.write_text(path.read_text().replace("1", "2"))


def renamed_over(path: Path) -> None:
    beside = path.with_name(".app.py.swp")
    beside.write_text("a = 2\n")
    beside.rename(path)


def removed_and_made(path: Path) -> None:
    path.unlink()
    time.sleep(0.02)
    path.write_text("a = 2\n")


def moved_away_and_made(path: Path) -> None:
    path.rename(path.with_name("app.py~"))
    path.write_text("a = 2\n")


def truncated_and_written(path: Path) -> None:
    with path.open("w") as file:
        file.flush()
        time.sleep(0.02)
        file.write("a = 2\n")


def older_over_it(path: Path) -> None:
    beside = path.with_name("older")
    beside.write_text("a = 0\n")
    os.utime(beside, (1, 1))
    shutil.move(beside, path)


SAVES = [
    in_place,
    same_size,
    renamed_over,
    removed_and_made,
    moved_away_and_made,
    truncated_and_written,
    older_over_it,
]


def test_every_save_is_said_within_a_second(tmp_path: Path, way: str) -> None:
    path = tmp_path / "app.py"
    path.write_text("a = 1\n")
    with watching(tmp_path, way, SLOWEST) as it:
        it.add(path)
        for save in SAVES:
            save(path)
            assert it.changed() == [str(path)], save.__name__
        assert it.changed(NOTHING) is None, "each is said once"


def test_what_is_beside_the_files_is_nothing(tmp_path: Path, way: str) -> None:
    path = tmp_path / "app.py"
    path.write_text("a = 1\n")
    with watching(tmp_path, way) as it:
        it.add(path)
        for name in ("log.txt", "new.py", ".#app.py", "4913", "app.py~"):
            (tmp_path / name).write_text("something")
        path.read_text()
        path.chmod(0o600)
        assert it.changed(NOTHING) is None


def test_many_saves_at_once_are_one_change(tmp_path: Path, way: str) -> None:
    paths = [tmp_path / f"m{number}.py" for number in range(60)]
    for path in paths:
        path.write_text("a = 1\n")
    with watching(tmp_path, way) as it:
        it.add(*paths)
        for path in paths:
            path.write_text("a = 22\n")
        said = [it.changed() or []]
        while more := it.changed(NOTHING):
            said.append(more)
        assert sorted(path for some in said for path in some) == sorted(map(str, paths)), "each once"
        assert len(said) <= 3, "not one by one, however slow the machine"


def test_a_file_that_stays_away_has_changed_and_so_has_one_that_comes(tmp_path: Path, way: str) -> None:
    path = tmp_path / "app.py"
    path.write_text("a = 1\n")
    coming = tmp_path / "coming.py"
    with watching(tmp_path, way) as it:
        it.add(path, coming)
        path.unlink()
        assert it.changed(2.5) == [str(path)]
        coming.write_text("")
        assert it.changed() == [str(coming)]
        path.write_text("a = 1\n")
        assert it.changed() == [str(path)]


def test_a_file_behind_a_link_is_seen(tmp_path: Path, way: str) -> None:
    real = tmp_path / "store" / "app.py"
    real.parent.mkdir()
    real.write_text("a = 1\n")
    link = tmp_path / "app.py"
    link.symlink_to(real)
    with watching(tmp_path, way) as it:
        it.add(link)
        in_place(real)
        assert it.changed() == [str(link)]
        other = tmp_path / "store" / "other.py"
        other.write_text("a = 3\n")
        (tmp_path / "next").symlink_to(other)
        (tmp_path / "next").rename(link)
        assert it.changed() == [str(link)], "the link leads elsewhere now"


def test_new_modules_count_while_something_is_missing(tmp_path: Path, way: str) -> None:
    path = tmp_path / "app.py"
    path.write_text("import missing\n")
    with watching(tmp_path, way) as it:
        it.add(path)
        it.say(new=True)
        assert it.changed(NOTHING) is None
        for name in (".#missing.py", "missing.py~", "no module.py", "missing.txt"):
            (tmp_path / name).write_text("")
        assert it.changed(NOTHING) is None
        (tmp_path / "missing.py").write_text("")
        assert it.changed(2.5) == [str(tmp_path / "missing.py")]
        (tmp_path / "package").mkdir()
        (tmp_path / "package" / "__init__.py").write_text("")
        assert it.changed(2.5) == [str(tmp_path / "package" / "__init__.py")]
        it.say(new=False)
        assert it.changed(0.5) is None
        (tmp_path / "another.py").write_text("")
        assert it.changed(NOTHING) is None


def test_files_in_folders_that_are_given_later_are_seen(tmp_path: Path, way: str) -> None:
    first, second = tmp_path / "one" / "a.py", tmp_path / "two" / "b.py"
    for path in (first, second):
        path.parent.mkdir()
        path.write_text("a = 1\n")
    with watching(tmp_path, way) as it:
        it.add(first)
        it.add(second, tmp_path / "nowhere" / "c.py")
        in_place(second)
        assert it.changed() == [str(second)]
        in_place(first)
        assert it.changed() == [str(first)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT, signal.SIGHUP])
def test_the_terminals_signals_are_not_for_it(tmp_path: Path, number: int) -> None:
    path = tmp_path / "app.py"
    path.write_text("a = 1\n")
    with watching(tmp_path) as it:
        it.add(path)
        it.process.send_signal(number)
        in_place(path)
        assert it.changed() == [str(path)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1 / 0", "watchfiles cannot be used"),
        ("def watch(*paths, **more):\n    raise OSError(28, 'no space for watches')", "watchfiles gave up"),
    ],
)
def test_where_watchfiles_is_broken_the_clock_does(tmp_path: Path, text: str, says: str) -> None:
    folder = Path(blocked(tmp_path))
    (folder / "watchfiles.py").write_text(text)
    path = tmp_path / "app.py"
    path.write_text("a = 1\n")
    with started(str(folder), 0.3) as process:
        it = Watching(process)
        it.say(add=[str(path)])
        notice = it.line(10)
        assert notice is not None and notice["notice"].startswith(says)
        it.add(path)
        in_place(path)
        assert it.changed() == [str(path)]
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(5) == 0
