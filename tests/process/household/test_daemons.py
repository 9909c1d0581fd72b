"""Programs beside the server: started, started again, renewed with a generation, and ended."""

import os
import signal
import time
from pathlib import Path

import pytest

from penstock.core.errors import StartError
from penstock.process.household.attached import Attached
from penstock.process.household.daemons import Daemons
from penstock.process.household.kin import alive, family, processes
from penstock.process.household.sweep import children
from tests.household.villains import VILLAINS
from tests.process.household.keeping import gone
from tests.process.household.ruling import Ruling, ruling
from tests.process.supervisor.recording import settings

DEAF = "trap '' TERM; echo ready; while :; do sleep 0.05; done"


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


def test_the_settings_of_now_are_the_ones_of_a_new_start(tmp_path: Path) -> None:
    if not os.access("/bin/bash", os.X_OK):
        pytest.skip("/bin/bash is not there")
    command = 'echo "by $0"; exec sleep 60'
    with ruling(tmp_path, attach_daemon=[command]) as (house, _):
        house.until(lambda: "] by /bin/sh" in house.text())
        house.change(settings(attach_daemon=[command], binsh=["/nowhere", "/bin/bash"]))
        house.until(lambda: "] by /bin/bash" in house.text())
