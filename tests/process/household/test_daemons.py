"""Programs beside the server: started, started again, renewed with a generation, and ended."""

import marshal
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penstock.core.errors import StartError
from penstock.process.household.attached import Attached
from penstock.process.household.daemons import Daemons
from penstock.process.programs.kin import alive, family, processes
from penstock.process.programs.sweep import children
from tests.household.villains import VILLAINS
from tests.process.household.ruling import Ruling, ruling
from tests.process.programs.keeping import gone
from tests.process.supervisor.recording import settings

DEAF = "trap '' TERM; echo ready; while :; do sleep 0.05; done"


ALONE = "trap 'sleep 0.2; rmdir lock; exit' TERM; mkdir lock || exit 1; while :; do sleep 0.02; done"
"""Two of it cannot be, and it takes a while to end."""


def only(daemons: Daemons) -> Attached:
    (one,) = daemons.ones.values()
    assert isinstance(one, Attached)
    return one


def pid_of(daemons: Daemons) -> int:
    running = only(daemons).running
    assert running is not None
    return running.pid


def test_it_runs_from_the_start_and_ends_with_the_server(tmp_path: Path) -> None:
    with ruling(tmp_path, attach_daemon=["echo $FROM; exec sleep 60"]) as (house, daemons):
        house.until(lambda: "settings" in house.text())
        pid = pid_of(daemons)
        assert '[daemon "echo $FROM; exec sleep 60"] settings\n' in house.text()
        assert daemons.figures() == [
            {"option": "attach-daemon", "command": "echo $FROM; exec sleep 60", "pid": pid,
             "state": "running", "starts": 1}
        ]  # fmt: skip
        assert daemons.spare() == set()
    assert gone(pid)
    assert house.looked == 1
    assert "killed" not in house.text()


def test_the_same_command_twice_is_two(tmp_path: Path) -> None:
    with ruling(tmp_path, attach_daemon=["sleep 60", "sleep 60"]) as (_, daemons):
        assert len({one["pid"] for one in daemons.figures()}) == 2


def test_one_that_dies_is_started_again_after_a_pause_that_grows(tmp_path: Path) -> None:
    with ruling(tmp_path, attach_daemon2=["cmd=echo up; exec sleep 60,max_throttle=2"]) as (house, daemons):
        first = pid_of(daemons)
        os.kill(first, signal.SIGSEGV)
        house.until(lambda: only(daemons).timer is not None)
        assert "has ended: killed by SIGSEGV; it is started again in 1 s" in house.text()
        assert daemons.figures()[0]["state"] == "waiting"
        begun = time.monotonic()
        house.until(lambda: only(daemons).running)
        assert 0.8 < time.monotonic() - begun < 8
        assert pid_of(daemons) != first
        assert only(daemons).starts == 2


def test_what_one_leaves_behind_is_ended_before_the_next_one(tmp_path: Path) -> None:
    command = "cmd=trap '' TERM; sh -c 'echo child $$; exec sleep 60' & trap - TERM; exec sleep 60"
    with ruling(tmp_path, attach_daemon2=[command], reload_mercy=0.3) as (house, daemons):
        house.until(lambda: "] child " in house.text())
        child = int(house.text().partition("] child ")[2].split()[0])
        os.kill(pid_of(daemons), signal.SIGSEGV)
        house.until(lambda: only(daemons).leaving is not None)
        assert daemons.figures()[0]["state"] == "ending"
        house.until(lambda: only(daemons).starts == 2)
        assert gone(child)
        assert "did not end in time, and is killed" in house.text()


def test_the_server_ends_with_one_that_controls_it(tmp_path: Path) -> None:
    with ruling(tmp_path, attach_control_daemon=["sleep 0.05"]) as (house, daemons):
        house.until(lambda: house.asked)
        assert house.asked == [('daemon "sleep 0.05" has ended (attach-control-daemon)', False, 0)]
        assert only(daemons).timer is None


def test_nothing_is_started_any_more_once_the_end_has_begun(tmp_path: Path) -> None:
    with ruling(tmp_path, attach_daemon=["sleep 60", "exec sleep 61"]) as (house, daemons):
        one, two = daemons.ones.values()
        assert isinstance(one, Attached) and isinstance(two, Attached)
        assert one.running and two.running
        one.running.signal(signal.SIGKILL)
        house.until(lambda: one.timer is not None)
        house.stop("the end")
        assert one.timer is None
        two.running.signal(signal.SIGKILL)
        house.until(lambda: not two.busy)
        assert two.timer is None


def test_an_end_that_was_to_be_a_new_beginning_is_one_no_more(tmp_path: Path) -> None:
    given = {"attach_daemon": ["trap 'sleep 0.2; exit' TERM; echo ready; while :; do sleep 0.02; done"]}
    with ruling(tmp_path, **given) as (house, daemons):
        house.until(lambda: "] ready" in house.text())
        house.change(settings(**given))
        assert only(daemons).leaving is not None
        house.stop("the end")
        house.until(lambda: not only(daemons).busy)
        assert (only(daemons).starts, only(daemons).timer) == (1, None)


def test_one_that_controls_the_server_may_be_the_last_of_all(tmp_path: Path) -> None:
    command = "(trap '' TERM; echo child; exec sleep 60) & sleep 0.1"
    with ruling(tmp_path, attach_control_daemon=[command], reload_mercy=0.2) as (house, daemons):
        house.on_stop.append(daemons.end)  # no worker is there
        house.until(lambda: house.asked)
        assert daemons.unfinished()
        house.until(house.done)


@pytest.mark.parametrize("name", ["deaf", "deaf and stopped", "another group", "shells below shells"])
def test_whoever_does_not_end_in_time_is_killed_with_all_that_is_its(tmp_path: Path, name: str) -> None:
    given = {"attach_daemon": [VILLAINS[name]], "reload_mercy": 0.2}
    with ruling(tmp_path, **given) as (house, daemons):
        house.until(lambda: "] ready" in house.text())
        house.rest(0.1)
        members = family(processes(), pid_of(daemons))
    assert alive(members) == set()


def test_one_that_is_stopped_is_let_go_on_to_its_end(tmp_path: Path) -> None:
    with ruling(tmp_path, attach_daemon=[VILLAINS["stopped"]], reload_mercy=20) as (house, daemons):
        pid = pid_of(daemons)
        house.until(lambda: (one := processes().get(pid)) is not None and one.state == "T")
    assert "is killed" not in house.text()


def test_a_child_in_a_session_of_its_own_does_not_outlive_it(tmp_path: Path) -> None:
    name = "left a child in another session"
    with ruling(tmp_path, attach_daemon=[VILLAINS[name]], reload_mercy=0.2) as (house, daemons):
        house.until(lambda: "] ready" in house.text())
        house.until(lambda: len(family(processes(), pid_of(daemons))) == 2)
        members = family(processes(), pid_of(daemons))
    assert alive(members) == set()


def test_an_urgent_end_cuts_the_mercy(tmp_path: Path) -> None:
    with ruling(tmp_path, attach_daemon=[DEAF], reload_mercy=60) as (house, _):
        house.until(lambda: "] ready" in house.text())
        house.stop("asked")
        for call in house.on_drained:
            call()
        house.rest(0.1)
        assert house.unfinished[0]()
        assert house.ending is not None
        house.ending.now = True
        house.drain(5)
    assert "did not end in time, and is killed" in house.text()


def test_its_own_signals(tmp_path: Path) -> None:
    trap = "trap 'echo quit; exit' QUIT; trap 'echo hup; exit' HUP; echo ready; while :; do sleep 0.02; done"
    given = {"attach_daemon2": [f"cmd={trap},stopsignal=QUIT,reloadsignal=1"]}
    with ruling(tmp_path, **given) as (house, daemons):
        house.until(lambda: "] ready" in house.text())
        house.change(settings(**given))
        house.until(lambda: only(daemons).starts == 2 and house.text().count("] ready") == 2)
        assert "] hup" in house.text() and "] quit" not in house.text()
    assert "] quit" in house.text()


def test_a_reload_renews_them_after_the_new_generation(tmp_path: Path) -> None:
    before = {"attach_daemon": ["exec sleep 60", "exec sleep 61"]}
    after = settings(attach_daemon=["exec sleep 61", "exec sleep 62"])
    with ruling(tmp_path, **before) as (house, daemons):
        pids = {one["command"]: one["pid"] for one in daemons.figures()}
        house.change(after, "chain")  # nothing is renewed, and what has changed is followed
        house.until(lambda: not daemons.dropped)
        chain = {one["command"]: one["pid"] for one in daemons.figures()}
        assert gone(pids["exec sleep 60"])
        assert chain["exec sleep 61"] == pids["exec sleep 61"]
        house.change(after)
        house.until(lambda: all(one["state"] == "running" for one in daemons.figures()))
        new = {one["command"]: one["pid"] for one in daemons.figures()}
        assert not set(new.values()) & set(chain.values())
        assert gone(chain["exec sleep 61"])


def test_one_that_has_changed_begins_when_the_one_before_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with ruling(tmp_path, attach_control_daemon=[ALONE]) as (house, daemons):
        house.until((tmp_path / "lock").exists)
        before = pid_of(daemons)
        house.change(settings(attach_control_daemon=[f"{ALONE} # another one"]))
        house.change(settings(attach_control_daemon=[f"{ALONE} # a third one"]))
        house.until(lambda: only(daemons).running)
        assert gone(before) and not daemons.dropped
        house.until((tmp_path / "lock").exists)
        assert "File exists" not in house.text() and house.asked == []
        assert only(daemons).starts == 1 and len(house.children) == 1


def test_two_reloads_at_once_leave_one(tmp_path: Path) -> None:
    given = settings(attach_daemon=[DEAF], reload_mercy=0.3)
    with ruling(tmp_path, attach_daemon=[DEAF], reload_mercy=0.3) as (house, daemons):
        house.until(lambda: "] ready" in house.text())
        house.change(given)
        house.rest(0.05)
        house.change(given)
        house.until(lambda: only(daemons).starts == 2)
        house.rest(0.3)
        assert len(house.children) == 1
        house.stop("asked")


def test_one_that_is_touched_starts_anew(tmp_path: Path) -> None:
    file = tmp_path / "touched"
    file.touch()
    with ruling(tmp_path, attach_daemon2=[f"cmd=exec sleep 60,touch=/nowhere;{file}"]) as (house, daemons):
        first = pid_of(daemons)
        stamp = time.time() + 5
        os.utime(file, (stamp, stamp))
        house.until(lambda: only(daemons).starts == 2)
        assert f"{file} was touched" in house.text()
        assert gone(first)


def test_they_are_started_in_their_order(tmp_path: Path) -> None:
    commands = [f"exec sleep 6{number}" for number in range(9)]
    with ruling(tmp_path, attach_daemon=commands) as (_, daemons):
        assert [one["command"] for one in daemons.figures()] == commands
        pids = [one["pid"] for one in daemons.figures()]
        assert [pid for pid in children(os.getpid()) if pid in pids] == pids


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another")
def test_a_user_that_there_is_not_ends_the_start_and_not_a_reload(tmp_path: Path) -> None:
    bad = "cmd=true,uid=nobody-of-that-name"
    with pytest.raises(StartError, match="there is no such user"), ruling(tmp_path, attach_daemon2=[bad]):
        pass
    with ruling(tmp_path, attach_daemon2=["cmd=id -un; exec sleep 60,uid=daemon"]) as (house, _):
        house.until(lambda: "] daemon\n" in house.text())
        house.change(settings(attach_daemon2=[bad]))
        house.until(lambda: "could not be started: uid nobody-of-that-name" in house.text())


def test_another_penstock_goes_on_with_them(tmp_path: Path) -> None:
    commands = ["echo up; exec sleep 60", "sleep 61", "exec sleep 0.01"]
    with ruling(tmp_path, attach_daemon=commands) as (house, daemons):
        house.until(lambda: "] up" in house.text())
        one, two, three = daemons.ones.values()
        assert isinstance(one, Attached) and isinstance(two, Attached) and isinstance(three, Attached)
        house.until(lambda: three.timer is not None)
        state = daemons.state()
        assert one.running and two.running
        assert set(state["fds"]) == {one.running.fd, two.running.fd}
        for running in (one.running, two.running):
            house.watch.remove(running.fd)
        three.hold()
        again = Ruling(tmp_path / "again.log", house.settings)
        after = Daemons(again)
        after.resume(state)
        after.start()
        assert [one["pid"] for one in after.figures()] == [one.running.pid, two.running.pid, 0]
        assert after.figures()[2]["state"] == "waiting"
        again.until(lambda: after.figures()[2]["starts"] == 2)
        again.stop("the end")
        again.drain()
        house.children.clear()
        daemons.ones.clear()
        again.watch.close()
        again.diary.close()
        assert again.faults == []


def test_what_was_taken_over_and_is_not_known_is_ended(tmp_path: Path) -> None:
    with ruling(tmp_path, attach_daemon=["exec sleep 60"]) as (house, daemons):
        running = only(daemons).running
        assert running is not None
        state = daemons.state()
        house.watch.remove(running.fd)
        again = Ruling(tmp_path / "again.log", settings())
        after = Daemons(again)
        after.resume(state)
        after.start()
        again.until(lambda: not after.dropped)
        assert gone(running.pid)
        assert "sleep 60" not in again.text()
        house.children.clear()
        daemons.ones.clear()
        again.watch.close()
        again.diary.close()
        assert again.faults == []


@contextmanager
def taken_over(house: Ruling, daemons: Daemons, log: Path) -> Iterator[tuple[Ruling, Daemons]]:
    """Another penstock has them in the block, and ends them."""
    state = marshal.loads(marshal.dumps(daemons.state()))
    for fd in state["fds"]:
        house.watch.remove(fd)
    house.children.clear()
    again = Ruling(log, house.settings)
    after = Daemons(again)
    after.resume(state)
    after.start()
    daemons.hold()
    daemons.ones.clear()
    daemons.dropped.clear()
    house.watch.timers.clear()
    house.watch.every(0.01, house.reap)
    yield again, after
    again.stop("the end")
    again.drain()
    again.watch.close()
    again.diary.close()
    assert again.faults == [] and not again.children


def test_one_that_was_dropped_ends_under_another_penstock_too(tmp_path: Path) -> None:
    with ruling(tmp_path, attach_daemon=[DEAF, "exec sleep 60"], reload_mercy=0.4) as (house, daemons):
        house.until(lambda: "] ready" in house.text())
        house.change(settings(attach_daemon=["exec sleep 60"], reload_mercy=0.4), "chain")
        (dropped,) = daemons.dropped
        assert isinstance(dropped, Attached) and dropped.running is not None
        with taken_over(house, daemons, tmp_path / "again.log") as (again, after):
            again.until(lambda: not after.dropped)
            assert gone(dropped.running.pid)
            assert len(after.ones) == len(again.children) == 1
            assert "started" not in again.text()


def test_one_that_has_ended_and_left_others_is_ended_under_another_penstock(tmp_path: Path) -> None:
    command = "trap '' TERM; sh -c 'echo child $$; exec sleep 60' & trap - TERM; exec sleep 60"
    with ruling(tmp_path, attach_daemon=[command], reload_mercy=0.4) as (house, daemons):
        house.until(lambda: "] child " in house.text())
        child = int(house.text().partition("] child ")[2].split()[0])
        os.kill(pid_of(daemons), signal.SIGSEGV)
        house.until(lambda: only(daemons).leaving is not None)
        with taken_over(house, daemons, tmp_path / "again.log") as (again, after):
            again.until(lambda: only(after).starts == 2, 4)
            assert gone(child)
            assert "could not be ended" not in again.text()


def test_the_settings_of_now_are_the_ones_of_a_new_start(tmp_path: Path) -> None:
    if not os.access("/bin/bash", os.X_OK):
        pytest.skip("/bin/bash is not there")
    command = 'echo "by $0"; exec sleep 60'
    with ruling(tmp_path, attach_daemon=[command]) as (house, _):
        house.until(lambda: "] by /bin/sh" in house.text())
        house.change(settings(attach_daemon=[command], binsh=["/nowhere", "/bin/bash"]))
        house.until(lambda: "] by /bin/bash" in house.text())


@pytest.mark.parametrize("honoured", [True, False])
def test_standard_input_is_theirs_when_asked_for(tmp_path: Path, honoured: bool) -> None:
    (tmp_path / "given").touch()
    command = "readlink /proc/self/fd/0; exec sleep 60"
    before = os.dup(0)
    try:
        with (tmp_path / "given").open() as given:
            os.dup2(given.fileno(), 0)
        with ruling(tmp_path, attach_daemon=[command], daemons_honour_stdin=honoured) as (house, _):
            expected = tmp_path / "given" if honoured else os.devnull
            house.until(lambda: f"] {expected}\n" in house.text())
    finally:
        os.dup2(before, 0)
        os.close(before)
