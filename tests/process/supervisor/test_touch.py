"""Files that are touched, folders that change, descriptors that are ready: what each asks for, and when."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock.process.supervisor.touch import PATIENCE, Ready, Touch, shape_of
from tests.process.supervisor.recording import Recording, later, recording, settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "touched"
    path.write_text("")
    return path


def begun(supervisor: Recording) -> Touch:
    touch = Touch(supervisor)
    touch.start()
    return touch


KINDS = [
    ("touch-reload", "graceful"),
    ("touch-workers-reload", "workers"),
    ("touch-chain-reload", "chain"),
]


@pytest.mark.parametrize(("option", "how"), KINDS)
def test_each_option_asks_for_its_own(tmp_path: Path, file: Path, option: str, how: str) -> None:
    with recording(tmp_path, **{option.replace("-", "_"): str(file)}) as it:
        touch = begun(it)
        touch.look()
        assert it.asked == []
        later(file)
        touch.look()
        touch.look()
        assert it.asked == [("reload", f"{option}: {file} was touched", how)]


def test_a_file_counts_when_its_time_grows(tmp_path: Path, file: Path) -> None:
    with recording(tmp_path, touch_reload=str(file)) as it:
        touch = begun(it)
        later(file, -100)
        touch.look()
        assert it.asked == [], "set back"
        later(file, 50)
        touch.look()
        assert len(it.asked) == 1, "later than it was last seen, if not than ever, as in uWSGI"
        later(file, 0.001)
        touch.look()
        assert len(it.asked) == 2, "within one second"


def test_a_file_counts_when_it_goes_and_when_it_comes(tmp_path: Path, file: Path) -> None:
    with recording(tmp_path, touch_reload=str(file)) as it:
        touch = begun(it)
        file.unlink()
        touch.look()
        touch.look()
        file.write_text("")
        touch.look()
        touch.look()
        assert [why for _, why, _ in it.asked] == [
            f"touch-reload: {file} was removed",
            f"touch-reload: {file} is there now",
        ]


def test_one_that_is_missing_is_told_of_and_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "not there"
    with recording(tmp_path, touch_reload=str(path)) as it:
        touch = begun(it)
        assert f"touch-reload: {path} is not there; it counts when it appears" in it.text()
        touch.look()
        assert it.asked == []
        path.write_text("")
        touch.look()
        assert it.asked == [("reload", f"touch-reload: {path} is there now", "graceful")]


def test_a_folder_and_what_a_link_leads_to_can_be_touched(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    os.utime(old, (1000, 1000))
    link = tmp_path / "current"
    link.symlink_to(old)
    with recording(tmp_path, touch_reload=[str(old), str(link)]) as it:
        touch = begun(it)
        (old / "file").write_text("")
        touch.look()
        assert len(it.asked) == 2
        new.mkdir()
        later(new)
        (tmp_path / "next").symlink_to(new)
        (tmp_path / "next").rename(link)
        touch.look()
        assert it.asked[2:] == [("reload", f"touch-reload: {link} was touched", "graceful")]


def test_a_relative_path_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "it").write_text("")
    with recording(tmp_path, touch_reload="it") as supervisor:
        touch = begun(supervisor)
        monkeypatch.chdir("/")
        later(tmp_path / "it")
        touch.look()
        assert [why for _, why, _ in supervisor.asked] == [f"touch-reload: {tmp_path / 'it'} was touched"]


def test_it_looks_by_itself_every_check_interval(tmp_path: Path, file: Path) -> None:
    with recording(tmp_path, touch_reload=str(file), check_interval=0.1) as it:
        begun(it)
        it.run(0.3)
        assert it.asked == []
        later(file)
        began = time.monotonic()
        it.until(1)
        assert time.monotonic() - began < 2
        later(file)
        it.until(2)


def test_changed_settings_are_taken_up_and_nothing_is_forgotten(tmp_path: Path, file: Path) -> None:
    other = tmp_path / "other"
    other.write_text("")
    with recording(tmp_path, touch_reload=str(file), check_interval=0.05) as it:
        touch = begun(it)
        later(file)
        later(other)
        it.settings = settings(touch_reload=[str(file), str(other)], check_interval=0.05)
        it.until(1)
        assert it.asked == [("reload", f"touch-reload: {file} was touched", "graceful")]
        later(other)
        it.until(2)
        it.settings = settings(touch_workers_reload=str(other))
        touch.turn()
        later(file)
        later(other)
        touch.look()
        assert it.asked[2:] == [("reload", f"touch-workers-reload: {other} was touched", "workers")]


# ---- Folders --------------------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path) -> Path:
    path = tmp_path / "place"
    path.mkdir()
    (path / "one").write_text("1")
    return path


def settled(touch: Touch) -> None:
    touch.look()
    touch.look()


@pytest.mark.parametrize(("option", "how"), [("fs-reload", "graceful"), ("fs-brutal-reload", "brutal")])
def test_any_change_of_a_folder_counts(tmp_path: Path, place: Path, option: str, how: str) -> None:
    changes: list[Callable[[], object]] = [
        lambda: (place / "two").write_text(""),
        lambda: (place / "one").write_text("22"),
        lambda: (place / "one").chmod(0o600),
        lambda: (place / "one").rename(place / "three"),
        lambda: (place / "two").unlink(),
        lambda: place.chmod(0o700),
    ]
    with recording(tmp_path, **{option.replace("-", "_"): str(place)}) as it:
        touch = begun(it)
        settled(touch)
        assert it.asked == []
        for count, change in enumerate(changes, 1):
            change()
            settled(touch)
            assert it.asked[count - 1 :] == [("reload", f"{option}: {place} has changed", how)], count
            settled(touch)


def test_a_folder_that_is_being_written_is_waited_for(tmp_path: Path, place: Path) -> None:
    with recording(tmp_path, fs_reload=str(place)) as it:
        touch = begun(it)
        for number in range(PATIENCE - 1):
            (place / f"part{number}").write_text("")
            touch.look()
        assert it.asked == []
        touch.look()
        assert len(it.asked) == 1, "nothing more has changed"
        for number in range(2 * PATIENCE):
            (place / f"more{number}").write_text("")
            touch.look()
        assert len(it.asked) == 3, "but not for ever"


def test_a_file_that_is_replaced_is_still_watched(tmp_path: Path, file: Path) -> None:
    with recording(tmp_path, fs_reload=str(file)) as it:
        touch = begun(it)
        for count in (1, 2):
            beside = tmp_path / "beside"
            beside.write_text("same size" * count)
            beside.rename(file)
            settled(touch)
            assert len(it.asked) == count
        file.unlink()
        settled(touch)
        assert it.asked[2:] == [("reload", f"fs-reload: {file} was removed", "graceful")]
        file.write_text("")
        settled(touch)
        assert len(it.asked) == 4


def test_a_folder_has_a_shape_whatever_is_in_it(place: Path) -> None:
    (place / "dangling").symlink_to("nowhere")
    os.mkfifo(place / "pipe")
    assert shape_of(str(place)) == shape_of(str(place)) != ()
    assert shape_of(str(place / "nothing")) == shape_of("\0") == ()


# ---- Descriptors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "ready"),
    [
        ("3", Ready(3, 1, "descriptor 3 is ready")),
        (" 7:8", Ready(7, 8, "descriptor 7 is ready")),
        ("3:0", Ready(3, 1, "descriptor 3 is ready")),
        ("3:8 the deploy said so", Ready(3, 8, "the deploy said so")),
    ],
)
def test_how_a_descriptor_is_written(written: str, ready: Ready) -> None:
    assert Ready.parse(written) == ready


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.mark.parametrize(("option", "how"), [("reload_on_fd", "graceful"), ("brutal_reload_on_fd", "brutal")])
def test_a_descriptor_that_is_ready_reloads(
    tmp_path: Path, pair: tuple[socket.socket, socket.socket], option: str, how: str
) -> None:
    ours, theirs = pair
    with recording(tmp_path, **{option: f"{ours.fileno()}:4 go"}) as it:
        begun(it)
        it.run(0.05)
        assert it.asked == []
        theirs.send(b"now!")
        it.until(1)
        theirs.send(b"now!")
        it.until(2)
        assert it.asked == [("reload", f"{option.replace('_', '-')}: go", how)] * 2


def test_one_that_has_ended_does_not_reload_for_ever(
    tmp_path: Path, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = pair
    with recording(tmp_path, reload_on_fd=str(ours.fileno())) as it:
        begun(it)
        theirs.close()
        it.run(0.1)
        assert it.asked == []
        assert it.text().count("it has ended; it is not watched any more") == 1
        assert ours.fileno() not in it.watch.calls
        assert ours.fileno() >= 0, "it is not ours to close"


def test_what_is_no_open_descriptor_is_said(tmp_path: Path) -> None:
    with recording(tmp_path, reload_on_fd="999999") as it:
        begun(it)
        assert "this is no open descriptor" in it.text()


def test_a_file_is_always_ready_and_so_is_refused(tmp_path: Path, file: Path) -> None:
    with file.open() as opened, recording(tmp_path, reload_on_fd=str(opened.fileno())) as it:
        begun(it)
        assert "this is a file, which is always ready" in it.text()
        it.run(0.05)
        assert it.asked == []


def test_a_descriptor_that_is_no_longer_named_is_let_go(
    tmp_path: Path, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = pair
    with recording(tmp_path, reload_on_fd=str(ours.fileno()), check_interval=0.05) as it:
        begun(it)
        it.settings = settings(check_interval=0.05)
        it.run(0.2)
        theirs.send(b"x")
        it.run(0.1)
        assert it.asked == []
        it.settings = settings(check_interval=0.05, reload_on_fd=str(ours.fileno()))
        it.until(1)
