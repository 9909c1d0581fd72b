"""The mules of a supervisor: those that the settings name, those of the next generation, and their end."""

import os
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest

from penstock.process.mules import doors
from penstock.process.mules.mules import Mules
from tests.process.mules.ranch import Ranch, ranch
from tests.process.programs.keeping import gone
from tests.process.supervisor.recording import later


def works(house: Ranch) -> list[tuple[int, str]]:
    return [(figure["mule"], figure["work"]) for figure in house.mules.figures()]


def test_settings_that_change(tmp_path: Path) -> None:
    with ranch(tmp_path, "steady.py", "short.py", mules=("1",)) as house:
        house.begun(3)
        first = house.mule().pid
        house.follow("steady.py", "other.py")
        house.until(lambda: works(house) == [(1, "steady.py"), (2, "other.py")])
        assert house.mule().pid == first, "nothing has changed for it"
        house.until(lambda: gone(house.pids[2]))
        house.follow()
        house.until(lambda: works(house) == [] and gone(first))
        house.follow("steady.py")
        house.until(lambda: works(house) == [(1, "steady.py")])


@pytest.mark.parametrize(("kind", "others"), [("graceful", True), ("brutal", True), ("chain", False)])
def test_a_new_generation(tmp_path: Path, kind: str, others: bool) -> None:
    with ranch(tmp_path, "steady.py", "") as house:
        house.begun(2)
        for tell in house.on_generation:
            tell(kind)
        if others:
            house.begun(4)
            assert "has ended: a new generation serves" in house.text()
        else:
            house.rest(0.2)
        assert [gone(pid) for pid in house.pids[:2]] == [others] * 2


@pytest.mark.parametrize(("brutal", "number"), [(False, signal.SIGHUP), (True, signal.SIGTERM)])
def test_which_signal_ends_it(tmp_path: Path, brutal: bool, number: int) -> None:
    with ranch(tmp_path, "steady.py") as house:
        house.begun(1)
        statuses: list[int] = []
        house.children[house.mule().pid] = statuses.append
        house.mules.reload("a test", brutal)
        house.until(lambda: statuses)
        assert statuses == [-number]


def test_a_touched_file(tmp_path: Path) -> None:
    file = tmp_path / "touched"
    file.touch()
    with ranch(tmp_path, "steady.py", touch_mules_reload=(str(file),), check_interval=0.05) as house:
        house.begun(1)
        house.rest(0.15)
        assert len(house.orders) == 1
        later(file)
        house.begun(2)
        assert f"touch-mules-reload: {file} was touched" in house.text()


def test_the_end_waits_for_all(tmp_path: Path) -> None:
    with ranch(tmp_path, "steady.py", "short.py", "stubborn.py", mule_reload_mercy=0.4) as house:
        house.begun(3)
        house.ending = SimpleNamespace(now=False)
        house.mules.stop()
        assert house.unfinished[0]()
        house.until(lambda: not house.unfinished[0]())
        assert house.looked >= 2
        assert all(gone(pid) for pid in house.pids)
        assert "it takes too long to end and is killed" in house.text()
        house.rest(1.1)
        assert house.text().count(": spawned mule ") <= 4, "nobody follows"


def test_an_urgent_end_is_quicker(tmp_path: Path) -> None:
    with ranch(tmp_path, "stubborn.py") as house:
        house.begun(1)
        house.ending = SimpleNamespace(now=False)
        house.mules.stop()
        house.ending.now = True
        house.until(lambda: not house.unfinished[0](), 3.5)  # 60 s of mercy otherwise
        assert gone(house.pids[0])


def test_doors_stay_over_generations_and_go_with_their_mules(tmp_path: Path) -> None:
    with ranch(tmp_path, "steady.py", farm=("a:1",)) as house:
        generation = SimpleNamespace(settings=house.settings)
        given = house.lineage.doors(generation.settings)
        assert [name for name, _, _ in given] == ["any", "mule 1", "farm a"]
        assert house.mules.send(1, b"one")
        assert house.mules.send("a", b"two")
        assert house.mules.send(0, b"three")
        house.follow("steady.py", "")
        assert sorted(house.mules.doors) == ["any", "mule 1", "mule 2"]
        assert not house.mules.send("a", b"four")
        assert "a message is lost: there is no farm a" in house.text()
        inside = {name: fd for name, _, fd in house.mules.doors.values()}
        assert doors.receive([inside["mule 1"]], 10, 0) == b"one"
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(given[2][1])


@pytest.mark.parametrize("size", [0, 4096])
def test_mule_msg_size_bounds_a_message(tmp_path: Path, size: int) -> None:
    with ranch(tmp_path, "steady.py", mule_msg_size=size) as house:
        house.mules.doors_of(house.settings)
        assert house.mules.send(1, b"x" * 60_000) is (size == 0)
        assert house.mules.send(1, b"x" * 2000)


def test_doors_of_a_generation_that_is_being_built_are_not_closed(tmp_path: Path) -> None:
    with ranch(tmp_path, "") as house:
        house.build = SimpleNamespace()
        coming = SimpleNamespace(settings=type(house.settings)(mule=("", ""), mule_msg_size=8192))
        assert len(house.lineage.doors(coming.settings)) == 3
        house.mules.settle()
        assert len(house.mules.doors) == 3
        house.build = None
        house.mules.settle()
        assert len(house.mules.doors) == 2


def test_another_supervisor_goes_on_with_them(tmp_path: Path) -> None:
    with ranch(tmp_path, "steady.py", "silent.py") as house:
        house.until(lambda: house.mule().pid and len(house.pids) == 2)
        pid, channel = house.mule().pid, house.mule().channel.fileno()
        for call in house.on_exec:
            call()
        assert os.waitpid(house.pids[1], 0)[1] == 0, "whoever was not born ends"
        state = house.mules.state()
        assert set(state["fds"]) == {channel, *(fd for _, *both in house.mules.doors.values() for fd in both)}
        house.children.clear()
        house.watch.remove(channel)
        before, house.mules = house.mules, Mules(house)
        before.stalls[1].mule.channel.sock.detach()  # type: ignore[union-attr]  # it was there above
        assert house.carrying["mules"] is house.mules
        house.mules.resume(state)
        house.mules.settle()
        assert house.mule().pid == pid
        assert house.orders[-1]["wid"] == 2
        assert house.mules.send(1, b"still")
        os.kill(pid, signal.SIGKILL)
        house.until(lambda: f"mule 1 (pid {pid}) (steady.py) has ended by itself" in house.text())


def test_they_are_told_of_logs_that_were_opened_anew(tmp_path: Path) -> None:
    with ranch(tmp_path, "noting.py") as house:
        noted = tmp_path / "noted"
        house.begun(1)
        house.rest(0.1)
        house.mules.reopen((2,), "")
        house.until(lambda: noted.exists() and noted.read_bytes())
        assert noted.read_bytes() == b'{"do":"reopen","leave":""}'
