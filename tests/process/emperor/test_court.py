"""What becomes of vassals: started, reloaded, stopped, throttled, cursed, helped; with real processes."""

import json
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from penstock.process.emperor.vassal import State
from tests.process.emperor.throneroom import heard, put, room

READY, ACCEPTING, LOYAL, RETIRE, HEARTBEAT, HELP = 1, 5, 17, 22, 26, 30


def dead(pid: int) -> bool:
    return not os.path.exists(f"/proc/{pid}")


def test_a_file_is_a_vassal_that_is_reloaded_when_it_changes_and_stopped_when_it_is_gone(
    tmp_path: Path,
) -> None:
    file = put(tmp_path, "a.ini", f"say {READY}", f"say {ACCEPTING}", f"say {LOYAL}")
    with room(tmp_path) as emperor:
        emperor.look_until(lambda: emperor.pids() and emperor.vassal("a.ini").loyal)
        vassal = emperor.vassal("a.ini")
        pid = vassal.pid
        assert vassal.ready and vassal.accepting and vassal.times.loyal
        emperor.look()
        emperor.look()
        assert emperor.pids() == [pid]
        found = file.stat()
        os.utime(file, ns=(found.st_atime_ns, found.st_mtime_ns + 1))
        emperor.look_until(lambda: heard(file) == [1])
        assert emperor.pids() == [pid] and vassal.respawns == 1
        file.unlink()
        emperor.look_until(lambda: not emperor.court.vassals)
        assert dead(pid)
        assert heard(file) == [1, 0]
        assert emperor.children == {}


def test_a_link_that_is_turned_to_an_older_file_is_a_change(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).write_text(f"say {LOYAL}\n")
    os.utime(tmp_path / "old", (1, 1))
    file = tmp_path / "vassals" / "a.ini"
    file.parent.mkdir()
    file.symlink_to(tmp_path / "new")
    with room(tmp_path) as emperor:
        emperor.look_until(lambda: emperor.pids() and emperor.vassal("a.ini").loyal)
        file.unlink()
        file.symlink_to(tmp_path / "old")
        emperor.look_until(lambda: heard(file) == [1])


def test_a_renamed_file_is_another_vassal(tmp_path: Path) -> None:
    file = put(tmp_path, "a.ini", f"say {LOYAL}")
    with room(tmp_path) as emperor:
        emperor.look_until(lambda: emperor.pids() and emperor.vassal("a.ini").loyal)
        file.rename(file.with_name("b.ini"))
        emperor.look_until(lambda: emperor.has("b.ini") and not emperor.has("a.ini"))
        emperor.look_until(lambda: len(emperor.pids()) == 1)


def test_one_that_dies_is_started_again_ever_more_slowly_until_it_is_loyal(tmp_path: Path) -> None:
    file = put(tmp_path, "a.ini", "exit 3")
    with room(tmp_path, emperor_throttle=100) as emperor:
        emperor.look_until(lambda: emperor.text().count("exit status 3") == 3)
        assert "has failed 2 times" in emperor.text()
        entry = emperor.court.blacklist.entries[(0, "a.ini")]
        assert entry.attempts == 3 and 0.2 <= entry.level < 0.21
        put(tmp_path, "a.ini", f"say {LOYAL}")  # at once: it was another file that had failed
        begun = time.monotonic()
        emperor.look_until(lambda: emperor.pids() and emperor.vassal("a.ini").loyal)
        assert time.monotonic() - begun < 10
        assert emperor.court.blacklist.entries == {}
        assert file.exists()


def test_one_that_was_loyal_is_followed_after_the_throttle_and_is_not_listed(tmp_path: Path) -> None:
    put(tmp_path, "a.ini", f"say {LOYAL}")
    with room(tmp_path) as emperor:
        emperor.look_until(lambda: emperor.pids() and emperor.vassal("a.ini").loyal)
        before = emperor.pids()
        os.kill(before[0], signal.SIGKILL)
        emperor.look_until(lambda: emperor.pids() not in ([], before))
        assert emperor.court.blacklist.entries == {}
        assert "killed by SIGKILL" in emperor.text()


def test_without_a_blacklist_every_pause_is_the_throttle(tmp_path: Path) -> None:
    put(tmp_path, "a.ini", "exit 3")
    with room(tmp_path, emperor_no_blacklist=True) as emperor:
        emperor.look_until(lambda: emperor.text().count("exit status 3") == 4)
        assert emperor.court.blacklist.entries == {}


def test_forgiveness_ends_a_pause(tmp_path: Path) -> None:
    put(tmp_path, "a.ini", "exit 3")
    with room(tmp_path, emperor_throttle=60_000) as emperor:
        emperor.look_until(lambda: "exit status 3" in emperor.text())
        assert emperor.vassal("a.ini").state is State.DUE
        emperor.forgive()
        emperor.until(lambda: emperor.text().count("exit status 3") == 2)


def test_one_that_does_not_end_is_killed(tmp_path: Path) -> None:
    file = put(tmp_path, "a.ini", "deaf", f"say {READY}")
    with room(tmp_path, emperor_curse_tolerance="0.2") as emperor:
        emperor.look_until(lambda: emperor.pids() and emperor.vassal("a.ini").ready)
        file.unlink()
        emperor.look_until(lambda: not emperor.court.vassals)
        assert "is killed: it does not end" in emperor.text()


def test_one_that_lets_go_of_its_pipe_is_killed_and_started_again(tmp_path: Path) -> None:
    put(tmp_path, "a.ini", "letgo")
    with room(tmp_path, emperor_curse_tolerance="0.2") as emperor:
        emperor.look_until(lambda: emperor.pids())
        before = emperor.pids()
        emperor.look_until(lambda: emperor.pids() not in ([], before))
        assert "has let go of its pipe" in emperor.text()


def test_graceful_shutdown_is_another_word(tmp_path: Path) -> None:
    file = put(tmp_path, "a.ini", f"say {READY}")
    with room(tmp_path, emperor_graceful_shutdown=True) as emperor:
        emperor.look_until(lambda: emperor.pids() and emperor.vassal("a.ini").ready)
        emperor.stop("TERM")
        emperor.until(lambda: not emperor.court.vassals)
        assert heard(file) == [2]


def test_a_heart_that_stops_is_the_end(tmp_path: Path) -> None:
    put(tmp_path, "a.ini", f"say {HEARTBEAT}")
    put(tmp_path, "b.ini", f"say {READY}")  # one that never sent one is not expected to
    with room(tmp_path, emperor_required_heartbeat="1") as emperor:
        emperor.look_until(lambda: len(emperor.pids()) == 2 and emperor.vassal("a.ini").times.heartbeat)
        before = emperor.vassal("a.ini").pid, emperor.vassal("b.ini").pid
        emperor.look_until(lambda: emperor.has("a.ini") and emperor.vassal("a.ini").pid not in (0, before[0]))
        assert "no heartbeat for more than 1 s" in emperor.text()
        assert emperor.vassal("b.ini").pid == before[1]


def test_a_clock_that_is_put_right_is_nobodys_end(tmp_path: Path) -> None:
    put(tmp_path, "a.ini", f"say {HEARTBEAT}")
    with room(tmp_path, emperor_required_heartbeat="60") as emperor:
        emperor.look_until(lambda: emperor.pids() and emperor.vassal("a.ini").times.heartbeat)
        emperor.vassal("a.ini").times.heartbeat -= 3600  # as the clock saw it before
        emperor.look()
        assert "no heartbeat" not in emperor.text()


def test_a_broodlord_sends_helpers_and_no_more_than_allowed(tmp_path: Path) -> None:
    told = tmp_path / "told"
    file = put(tmp_path, "a.ini", f"record {told}", f"say {HELP}", f"say {HELP}")
    with room(tmp_path, emperor_broodlord=1) as emperor:
        emperor.look_until(lambda: emperor.has("a.ini:zerg") and len(emperor.pids()) == 2)
        emperor.until(lambda: told.exists() and "UWSGI_BROODLORD_NUM" in told.read_text())
        seen = json.loads(told.read_text())
        assert seen["argv"] == ["--ini", "a.ini:zerg"]
        assert seen["env"]["UWSGI_BROODLORD_NUM"] == "1"
        file.unlink()
        emperor.look_until(lambda: not emperor.court.vassals)


def test_one_that_repeats_itself_is_not_repeated_to_the_log(tmp_path: Path) -> None:
    put(tmp_path, "a.ini", *(f"say {word}" for word in (READY, ACCEPTING, LOYAL, 99) for _ in range(50)))
    with room(tmp_path) as emperor:
        emperor.look_until(lambda: emperor.pids() and emperor.vassal("a.ini").loyal)
        emperor.until(lambda: len(emperor.text().splitlines()) >= 4)
        assert [emperor.text().count(word) for word in ("is ready", "accepts requests", "is loyal")] == [
            1,
            1,
            1,
        ]


def test_without_a_broodlord_nobody_comes(tmp_path: Path) -> None:
    put(tmp_path, "a.ini", f"say {HELP}", f"say {LOYAL}")
    with room(tmp_path) as emperor:
        emperor.look_until(lambda: emperor.pids() and emperor.vassal("a.ini").loyal)
        assert list(emperor.court.vassals) == [(0, "a.ini")]


def test_two_folders_may_have_files_of_the_same_name(tmp_path: Path) -> None:
    put(tmp_path, "a.ini", f"say {READY}")
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.ini").write_text(f"say {READY}")
    with room(tmp_path, emperor=[str(tmp_path / "vassals"), f"{tmp_path}/oth*/*.ini"]) as emperor:
        emperor.look_until(lambda: len(emperor.pids()) == 2)
        assert list(emperor.court.vassals) == [(0, "a.ini"), (1, f"{tmp_path}/other/a.ini")]


def test_a_file_that_is_named_twice_is_one_vassal(tmp_path: Path) -> None:
    put(tmp_path, "a.ini", f"say {READY}")
    folder = tmp_path / "vassals"
    with room(tmp_path, emperor=[str(folder), str(folder), f"{folder}/*.ini"]) as emperor:
        emperor.look_until(lambda: emperor.pids())
        emperor.look()
        assert list(emperor.court.vassals) == [(0, "a.ini")]
        assert emperor.text().count("its file is that of a.ini already") == 2


def test_one_that_fails_again_and_again_waits_no_longer_than_the_longest_pause(tmp_path: Path) -> None:
    put(tmp_path, "a.ini", "exit 1")
    with room(tmp_path, emperor_throttle=20, emperor_max_throttle=30) as emperor:
        listed = emperor.court.blacklist.entries
        emperor.look_until(lambda: listed and listed[0, "a.ini"].attempts == 7)
        assert listed[0, "a.ini"].level < 0.05  # without a longest one 0.12


def test_the_stop_hook_comes_between_two_lives(tmp_path: Path) -> None:
    hook = tmp_path / "hook"
    hook.write_text(f'#!/bin/sh\necho "$UWSGI_VASSALS_DIR $1" >> {tmp_path}/hooked\n')
    hook.chmod(0o755)
    file = put(tmp_path, "a.ini", f"say {LOYAL}")
    with room(tmp_path, vassals_stop_hook=str(hook)) as emperor:
        emperor.look_until(lambda: emperor.pids() and emperor.vassal("a.ini").loyal)
        file.unlink()
        emperor.look_until(lambda: not emperor.court.vassals)
    assert (tmp_path / "hooked").read_text() == f"{tmp_path}/vassals a.ini\n"


def test_the_end_waits_for_all_and_then_for_nobody(tmp_path: Path) -> None:
    put(tmp_path, "a.ini", f"say {READY}")
    put(tmp_path, "b.ini", "deaf", f"say {READY}")
    with room(tmp_path, reload_mercy="1.5") as emperor:
        emperor.look_until(lambda: sum(one.ready for one in emperor.court.vassals.values()) == 2)
        pids = emperor.pids()
        emperor.stop("TERM")
        emperor.until(lambda: all(map(dead, pids)))
        assert "they have not ended in time and are killed: b.ini" in emperor.text()
        assert "vassal a.ini has ended: exit status 0" in emperor.text()


def test_one_that_wants_to_end_comes_back_after_a_pause(tmp_path: Path) -> None:
    file = put(tmp_path, "a.ini", f"say {LOYAL}", f"say {RETIRE}")
    with room(tmp_path, emperor_throttle=300) as emperor:
        emperor.look_until(lambda: "has ended: exit status 0" in emperor.text())
        begun = time.monotonic()
        assert emperor.vassal("a.ini").state is State.DUE
        emperor.until(lambda: emperor.pids())
        assert time.monotonic() - begun > 0.2
        assert heard(file)[0] == 0 and not emperor.court.blacklist.entries


def test_on_demand_it_is_started_by_a_connection_and_goes_back_to_waiting(tmp_path: Path) -> None:
    sock, told = str(tmp_path / "vassals" / "a.sock"), tmp_path / "told"
    file = put(tmp_path, "a.ini", f"record {told}", f"say {LOYAL}", f"say {RETIRE}")
    (file.parent / "a.ini.socket").write_text("a.sock\n")
    with room(tmp_path, emperor_on_demand_extension=".socket") as emperor:
        emperor.look_until(lambda: os.path.exists(sock))
        vassal = emperor.vassal("a.ini")
        assert vassal.state is State.WAITING and not emperor.pids()
        assert os.stat(sock).st_mode & 0o777 == 0o666
        client = socket.socket(socket.AF_UNIX)
        client.connect(sock)
        emperor.look_until(lambda: "vassal a.ini has ended" in emperor.text())
        assert json.loads(told.read_text())["stdin"].startswith("socket:")
        assert vassal.listening is not None
        vassal.listening.accept()[0].close()
        emperor.look_until(lambda: vassal.state is State.WAITING)
        client.close()
        file.unlink()
        emperor.look_until(lambda: not emperor.court.vassals)
        assert not os.path.exists(sock)


def test_a_socket_that_somebody_has_is_not_taken_from_them(tmp_path: Path) -> None:
    put(tmp_path, "a.ini", f"say {READY}")
    with (
        socket.socket(socket.AF_UNIX) as taken,
        room(tmp_path, emperor_on_demand_directory=str(tmp_path)) as emperor,
    ):
        taken.bind(str(tmp_path / "a.socket"))
        taken.listen()
        emperor.look()
        emperor.look()
        assert emperor.text().count("is not started: cannot listen on") == 1
        assert not emperor.court.vassals
        taken.close()
        emperor.look_until(lambda: emperor.has("a.ini"))


def test_a_program_says_which_socket(tmp_path: Path) -> None:
    program = tmp_path / "which"
    program.write_text(f'#!/bin/sh\ncase "$1" in a*) echo {tmp_path}/$1.sock;; esac\n')
    program.chmod(0o755)
    put(tmp_path, "a.ini", f"say {READY}")
    put(tmp_path, "b.ini", f"say {READY}")
    with room(tmp_path, emperor_on_demand_exec=str(program)) as emperor:
        emperor.look_until(lambda: emperor.has("a.ini") and emperor.pids())
        assert emperor.vassal("a.ini").address == f"{tmp_path}/a.ini.sock"
        assert emperor.vassal("b.ini").pid


@pytest.mark.parametrize("name", ["a:b.ini", "a%n.ini", "$(HOME).ini", "@(b).ini"])
def test_a_tyrant_starts_none_whose_name_may_mean_another_file(name: str, tmp_path: Path) -> None:
    if os.getuid():
        pytest.skip("needs root")
    os.chown(put(tmp_path, name), 1001, 1001)
    with room(tmp_path, emperor_tyrant=True) as emperor:
        emperor.look()
        assert not emperor.court.vassals and "its name may mean another file" in emperor.text()
