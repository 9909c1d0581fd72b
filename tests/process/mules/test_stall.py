"""The place of a mule: never two of one number, none that begins unasked, and no haste after failures."""

import os
from pathlib import Path
from time import monotonic

from tests.process.mules.ranch import ranch
from tests.process.programs.keeping import gone


def test_one_begins_when_it_is_told_to(tmp_path: Path) -> None:
    with ranch(tmp_path, "steady.py") as house:
        house.begun(1)
        assert house.orders == [{"do": "fork", "role": "mule", "wid": 1, "slot": -1}]
        assert house.mule().pid == house.pids[0]
        assert f"spawned mule 1 (pid: {house.pids[0]}) (steady.py)" in house.text()


def test_one_that_ends_is_followed_a_second_later(tmp_path: Path) -> None:
    with ranch(tmp_path, "short.py") as house:
        begun = monotonic()
        house.begun(2)
        assert 0.9 <= monotonic() - begun < 3.0
        assert "mule 1 (pid" in house.text()
        assert "has ended by itself: exit status 0" in house.text()
        assert "failed" not in house.text()


def test_each_failure_makes_the_next_wait_longer(tmp_path: Path) -> None:
    begun = monotonic()
    with ranch(tmp_path, "failing.py") as house:
        stall = house.mules.stalls[1]
        for pause in (1, 2, 4, 8, 16, 30, 30):
            house.until(lambda: stall.retry is not None)
            retry = stall.retry
            assert retry is not None
            assert 0 < retry.when - begun - pause < monotonic() - begun
            begun = monotonic()
            stall.bring()
        assert "exit status 3" in house.text()
        assert "7 in a row have failed; the next begins in 30 s" in house.text()


def test_one_that_does_not_end_is_killed_and_only_then_followed(tmp_path: Path) -> None:
    with ranch(tmp_path, "stubborn.py", mule_reload_mercy=0.3) as house:
        house.begun(1)
        begun = monotonic()
        house.mules.reload("a test")
        house.mules.reload("once more")
        house.rest(0.15)
        assert len(house.orders) == 1
        house.begun(2)
        assert gone(house.pids[0])
        assert monotonic() - begun >= 0.3
        assert "it takes too long to end and is killed" in house.text()
        assert "has ended: a test" in house.text()


def test_one_that_is_told_to_end_is_followed_at_once(tmp_path: Path) -> None:
    with ranch(tmp_path, "steady.py") as house:
        house.begun(1)
        begun = monotonic()
        house.mules.reload("a test")
        house.begun(2)
        assert monotonic() - begun < 0.9
        assert gone(house.pids[0])


def test_one_that_was_not_born_may_not_begin_later(tmp_path: Path) -> None:
    with ranch(tmp_path, "silent.py") as house:
        house.until(lambda: house.pids)
        mule = house.mule()
        mule.timer.call()  # it is due after start-timeout
        assert "mule 1: nobody has forked it" in house.text()
        assert house.stuck == [mule], "its prototype is looked at"
        assert mule.channel.ended
        assert os.waitpid(house.pids[0], 0) == (house.pids[0], 0), "it has heard the end of its channel"


def test_one_that_is_not_wanted_any_more_before_it_was_born(tmp_path: Path) -> None:
    with ranch(tmp_path, "silent.py") as house:
        house.until(lambda: house.pids)
        house.mules.reload("a test")
        assert os.waitpid(house.pids[0], 0) == (house.pids[0], 0)
        house.until(lambda: len(house.orders) == 2)


def test_one_that_dies_without_a_word(tmp_path: Path) -> None:
    with ranch(tmp_path, "dead.py") as house:
        house.until(lambda: "mule 1: it ended before its first word" in house.text())
        house.until(lambda: len(house.orders) == 2)


def test_what_the_prototype_says_of_a_fork_that_failed(tmp_path: Path) -> None:
    with ranch(tmp_path) as house:
        house.obeys = False
        house.follow("steady.py")
        mule = house.mule()
        house.mules.stalls[1].say(mule, {"is": "failed", "reason": "Cannot allocate memory"})
        house.until(lambda: house.orders)
        house.until(lambda: "mule 1: it could not be forked: Cannot allocate memory" in house.text())


def test_nobody_is_taken_for_another(tmp_path: Path) -> None:
    with ranch(tmp_path) as house:
        house.herd.by_pid = lambda pid: house if pid == os.getpid() else None
        house.follow("liar.py")
        house.begun(1)
        assert house.mule().pid == house.pids[0]
        stall, other = house.mules.stalls[1], house.mule()
        other.pid = 0
        stall.born(other, house.pids[0])
        assert other.pid == 0, "that number is somebody's already"
        other.pid = house.pids[0]


def test_one_that_was_reaped_before_its_first_word(tmp_path: Path) -> None:
    with ranch(tmp_path) as house:
        house.obeys = False
        house.follow("steady.py")
        pid = os.posix_spawn("/bin/false", ["false"], {})
        os.waitpid(pid, 0)
        house.herd.strangers[pid] = 1
        house.mules.stalls[1].born(house.mule(), pid)
        assert "has ended by itself: exit status 1" in house.text()
        assert house.herd.strangers == {}
        assert house.mules.stalls[1].mule is None


def test_a_task_that_takes_too_long_ends_its_mule(tmp_path: Path) -> None:
    with ranch(tmp_path, "busy.py") as house:
        house.until(lambda: "killed by SIGKILL" in house.text())
        assert "its task takes longer than mule-harakiri; it is killed" in house.text()


def test_a_task_that_was_done_in_time_does_not(tmp_path: Path) -> None:
    with ranch(tmp_path, "quick.py") as house:
        house.until(lambda: "exit status 4" in house.text())
        assert "mule-harakiri" not in house.text()
        assert house.raised == [("a", "b c")]


def test_without_a_prototype_another_is_asked_for(tmp_path: Path) -> None:
    with ranch(tmp_path) as house:
        house.current.able = False
        house.follow("steady.py")
        assert house.rebuilt == 1
        assert house.orders == []
        house.current.able = True
        house.begun(1)
