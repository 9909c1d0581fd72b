"""``check-mountpoint``: when the server ends, and when it only says so."""

import os
import signal
from pathlib import Path

from penstock.process.household import mountpoints
from penstock.process.household.mountpoints import Mountpoints
from tests.process.household.attending import Attended, attended
from tests.process.programs.keeping import gone


def pid_of(it: Mountpoints) -> int:
    assert it.asking is not None
    return it.asking.pid


def begun(house: Attended) -> Mountpoints:
    it = Mountpoints(house)
    assert it.asking is None
    house.serve()
    return it


def test_the_server_ends_when_one_does_not_answer(tmp_path: Path) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    with attended(tmp_path, check_mountpoint=["/proc", str(folder)], check_interval=0.05) as house:
        it = begun(house)
        before = it.heard
        house.until(lambda: it.heard > before)
        assert house.asked == []
        folder.rmdir()
        house.until(lambda: house.asked)
        assert house.asked == [("check-mountpoint", True, 1)]
        assert f"check-mountpoint: {folder} does not answer: No such file or directory\n" in house.text()
        house.until(lambda: not house.children)


def test_without_one_nobody_asks(tmp_path: Path) -> None:
    with attended(tmp_path) as house:
        assert begun(house).asking is None and house.children == {}


def test_other_settings_are_asked_about(tmp_path: Path) -> None:
    with attended(tmp_path, check_mountpoint="/proc", check_interval=0.05) as house:
        it = begun(house)
        first = pid_of(it)
        house.serve(check_mountpoint="/proc", threads=2)
        assert pid_of(it) == first
        house.serve(check_mountpoint=["/proc", str(tmp_path / "none")], check_interval=0.05)
        house.until(lambda: house.asked)
        house.until(lambda: gone(first))
        assert "none does not answer" in house.text()


def test_none_is_asked_about_any_more(tmp_path: Path) -> None:
    with attended(tmp_path, check_mountpoint="/proc") as house:
        it = begun(house)
        first = pid_of(it)
        house.serve(threads=2)
        assert it.asking is None
        house.until(lambda: gone(first))


def test_one_that_asks_and_dies_is_replaced(tmp_path: Path) -> None:
    with attended(tmp_path, check_mountpoint="/proc", check_interval=0.05) as house:
        it = begun(house)
        os.kill(pid_of(it), signal.SIGKILL)
        house.until(lambda: it.asking is None)
        assert "the process that asks has ended" in house.text() and it.timer is not None
        it.begin()
        before = it.heard
        house.until(lambda: it.heard > before)
        assert house.asked == []


def test_a_silence_is_told_of_and_ends_nothing(tmp_path: Path) -> None:
    with attended(tmp_path, check_mountpoint="/proc", check_interval=0.05) as house:
        it = begun(house)
        before = it.heard
        house.until(lambda: it.heard > before)
        os.kill(pid_of(it), signal.SIGSTOP)
        house.rest(0.2)
        it.heard -= mountpoints.SILENCE
        it.listen()
        it.listen()
        assert house.text().count("/proc: no answer for 10 s; still waiting") == 1
        os.kill(pid_of(it), signal.SIGCONT)
        house.until(lambda: "/proc: answers again" in house.text())
        assert house.asked == []


def test_nobody_is_left_at_the_end_nor_over_another_program(tmp_path: Path) -> None:
    with attended(tmp_path, check_mountpoint="/proc") as house:
        it = begun(house)
        first = pid_of(it)
        for call in house.on_exec:
            call()
        house.until(lambda: gone(first))
        for call in house.on_stay:
            call()
        second = pid_of(it)
        house.finish()
        house.until(lambda: gone(second))
        assert it.timer is None
