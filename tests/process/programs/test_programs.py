"""Programs beside the application: how they are started, what is read of them, and their ends."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.process.programs.programs import LONGEST, Program, regain, run, shell_of
from tests.process.programs.keeping import PATH, Keeping, Started, gone, keeping

root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Keeping]:
    with keeping(tmp_path) as kept:
        yield kept


def test_both_outputs_go_to_the_log_behind_the_label(house: Keeping) -> None:
    one = Started(house, "echo out; echo err >&2; exit 3", with_lines=False, label='cron "x"')
    assert one.end() == 3
    assert house.text() == '[cron "x"] out\n[cron "x"] err\n'


def test_a_status_is_a_number_or_a_signal(house: Keeping) -> None:
    assert Started(house, "exit 0").end() == 0
    assert Started(house, "kill -9 $$").end() == -9


def test_lines_that_are_too_long_or_never_end_come_in_pieces(house: Keeping) -> None:
    one = Started(house, f"head -c {2 * LONGEST + 5} /dev/zero | tr '\\0' a; printf '\\nend'")
    one.end()
    assert "".join(one.lines) == "a" * (2 * LONGEST + 5) + "end"
    assert max(map(len, one.lines)) == LONGEST
    assert one.lines[-1] == "end"


def test_bytes_that_are_no_text_are_told(house: Keeping) -> None:
    one = Started(house, "printf 'a\\377b\\r\\n'")
    one.end()
    assert one.lines == ["a\\xffb"]


def test_a_flood_takes_neither_the_loop_nor_the_log(house: Keeping) -> None:
    turns: list[int] = []
    one = Started(house, "exec yes")
    ticking = house.watch.every(0.02, lambda: turns.append(1))
    house.rest(0.6)
    ticking.cancel()
    assert len(turns) > 3
    assert 1000 < len(one.lines) < 100_000
    one.running.signal(signal.SIGKILL)
    house.until(lambda: one.statuses)
    assert one.statuses == [-9]


def test_output_is_read_on_when_the_program_has_left_somebody(house: Keeping) -> None:
    one = Started(house, "(sleep 0.2; echo later) & exit 4")
    house.until(lambda: one.statuses)
    assert one.statuses == [4]
    assert one.lines == []
    one.says("later")
    one.end()


def test_a_program_that_closes_its_output_runs_on(house: Keeping) -> None:
    one = Started(house, "exec >&- 2>&-; exec sleep 60")
    house.until(lambda: one.running.fd < 0)
    assert not one.running.ended
    one.running.signal(signal.SIGTERM)
    assert one.end() == -signal.SIGTERM


def test_it_reads_nothing_or_what_it_is_given(house: Keeping) -> None:
    nothing = Started(house, "cat; echo over")
    nothing.end()
    assert nothing.lines == ["over"]
    much = Started(house, "wc -c", stdin=b"x" * 300_000)
    much.end()
    assert much.lines == ["300000"]


def test_our_standard_input_is_its_own_when_asked_for(house: Keeping) -> None:
    one = Started(house, "readlink /proc/self/fd/0", keep_stdin=True)
    one.end()
    assert one.lines == [os.readlink("/proc/self/fd/0")]


def test_folder_and_environment(house: Keeping, tmp_path: Path) -> None:
    one = Started(house, "pwd; env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD=", folder=str(tmp_path))
    one.end()
    assert one.lines == [str(tmp_path), f"PATH={PATH['PATH']}"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"folder": "/nowhere"}, "it could not be started: [Errno 2] No such file or directory: '/nowhere'"),
        ({"shell": "/nowhere/sh"}, "it could not be started: [Errno 2] No such file or directory"),
        ({"pidfile": "/nowhere/pid"}, "it could not be started: [Errno 2] No such file or directory"),
    ],
)
def test_what_cannot_be_started_says_why(house: Keeping, more: dict[str, str], said: str) -> None:
    one = Started(house, "true", True, **more)
    assert one.end() == 127
    assert one.lines[0].startswith(said)


def test_descriptors_are_lent_at_their_numbers_and_no_others_are(house: Keeping) -> None:
    first, second, inherited = os.pipe(), os.pipe(), os.pipe()
    os.set_inheritable(inherited[0], True)
    # Each is wanted where another one lies.
    lent = {first[1]: second[1], second[1]: first[1], 9: first[0]}
    code = f"import os; os.write({first[1]}, b'one'); os.write({second[1]}, b'two')"
    one = Started(house, f'{sys.executable} -S -c "{code}"; ls /proc/self/fd', fds=lent)
    assert one.end() == 0, one.lines
    assert os.read(second[0], 9) == b"one"
    assert os.read(first[0], 9) == b"two"
    listing = {int(line) for line in one.lines}
    assert listing - {0, 1, 2, *lent} <= {max(listing - set(lent))}  # but for the folder that ls reads
    assert inherited[0] not in listing or inherited[0] == max(listing - set(lent))
    for fd in (*first, *second, *inherited):
        os.close(fd)


def test_signals_are_as_a_new_program_expects_them(house: Keeping) -> None:
    one = Started(house, "grep -e SigBlk -e SigIgn /proc/self/status")
    one.end()
    # 32 and 33 are the C library's own, which nobody can set (signal(7)).
    assert {int(line.split()[1], 16) & ~(0b11 << 31) for line in one.lines} == {0}


def test_a_signal_reaches_the_whole_group(house: Keeping) -> None:
    one = Started(house, "sleep 60 & echo $!; wait")
    house.until(lambda: one.lines)
    assert os.getsid(one.running.pid) == one.running.pid
    one.running.signal(signal.SIGKILL)
    one.end()
    house.until(lambda: gone(int(one.lines[0])))
    one.running.signal(signal.SIGKILL)  # nobody


def test_without_a_session_it_stays_in_our_group(house: Keeping) -> None:
    one = Started(house, "exec sleep 60", session=False)
    house.rest(0.05)
    assert os.getpgid(one.running.pid) == os.getpgrp()
    one.running.signal(signal.SIGTERM)
    assert one.end() == -signal.SIGTERM


def test_a_signal_at_once_does_not_miss_it(house: Keeping) -> None:
    one = Started(house, "exec sleep 60")
    one.running.signal(signal.SIGTERM)
    assert one.end() == -signal.SIGTERM


STARTER = """
import os, sys, time
from pathlib import Path
from penstock.process.programs.programs import Program, run
from tests.process.programs.keeping import Keeping
house = Keeping(Path(sys.argv[1]))
for stays in (True, False):
    program = Program(command="exec sleep 60", label="p", environ=os.environ, dies_with_us=not stays)
    print(run(house, program, print).pid, flush=True)
house.rest(60)
"""


def test_it_dies_with_us_or_not(tmp_path: Path) -> None:
    words = [sys.executable, "-c", STARTER, str(tmp_path / "log")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        stays, dies = (int(starter.stdout.readline()) for _ in range(2))
        with keeping(tmp_path) as house:
            house.rest(0.1)
            starter.kill()
            house.until(lambda: gone(dies))
            assert not gone(stays)
            os.kill(stays, signal.SIGKILL)


@root
def test_it_becomes_another_user_with_the_groups_of_that_user(house: Keeping) -> None:
    one = Started(house, "id -u; id -g; id -G", uid=1, gid=1)
    assert one.end() == 0
    assert one.lines[:2] == ["1", "1"]
    assert "0" not in one.lines[2].split()
    unknown = Started(house, "id -u", uid=54321)
    assert unknown.end() == 127
    assert "its gid must be given" in unknown.lines[0]


@root
def test_in_a_pid_space_of_its_own_all_ends_with_it(house: Keeping, tmp_path: Path) -> None:
    one = Started(house, "setsid sleep 61.5 & echo $$; wait", own_pid_space=True)
    one.says("1")
    house.until(lambda: named("sleep\x0061.5"))
    one.running.signal(signal.SIGTERM)  # its first process has no handler, and would be exempt
    house.until(lambda: one.statuses)
    assert one.statuses == [128 + 9]
    house.until(lambda: not named("sleep\x0061.5"))


@root
def test_in_a_pid_space_of_its_own_a_signal_that_it_catches_is_passed_on(house: Keeping) -> None:
    command = "trap 'echo caught; exit 7' TERM; echo ready; while :; do sleep 0.05; done"
    one = Started(house, command, own_pid_space=True)
    one.says("ready")
    one.running.signal(signal.SIGTERM)
    assert one.end() == 7
    assert "caught" in one.lines


def named(words: str) -> list[int]:
    """Processes with such a command line."""
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdecimal() and words in Path(f"/proc/{name}/cmdline").read_text():
                found.append(int(name))
        except OSError:
            continue
    return found


def test_a_pidfile_and_an_output_of_ones_own(house: Keeping, tmp_path: Path) -> None:
    file, log = tmp_path / "pid", os.open(tmp_path / "own.log", os.O_WRONLY | os.O_CREAT, 0o600)
    one = Started(house, "echo $$; echo err >&2", pidfile=str(file), output=log)
    one.end()
    os.close(log)
    assert one.lines == []
    assert file.read_text() == f"{one.running.pid}\n"
    assert (tmp_path / "own.log").read_text() == f"{one.running.pid}\nerr\n"


def test_another_penstock_goes_on_with_it(house: Keeping) -> None:
    one = Started(house, "printf half; sleep 0.2; echo ' whole'; exit 5")
    house.until(lambda: one.running.rest)
    state = one.running.state()
    house.watch.remove(one.running.fd)
    lines: list[str] = []
    statuses: list[int] = []
    again = regain(house, one.running.program, state, statuses.append, lines.append)
    assert again.started == one.running.started
    house.until(lambda: statuses and again.fd < 0)
    assert (lines, statuses) == (["half whole"], [5])
    assert one.lines == []


def test_without_descriptors_it_is_an_error_and_nothing_is_lost(house: Keeping) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = len(os.listdir("/proc/self/fd"))
    highest = max(int(name) for name in os.listdir("/proc/self/fd"))
    program = Program(command="true", label="p", environ=PATH, stdin=b"x")
    for room in range(1, 4):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(highest + room, before[0]), before[1]))
        filler = fill()
        if room < 3:
            os.close(filler.pop())
        try:
            with pytest.raises(OSError):
                run(house, program, lambda status: None)
        finally:
            for fd in filler:
                os.close(fd)
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert len(os.listdir("/proc/self/fd")) == count
    assert not house.children


def fill() -> list[int]:
    """Take every descriptor that there still is."""
    found = []
    while True:
        try:
            found.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            return found


def test_the_shell_is_the_first_that_can_be_run(tmp_path: Path) -> None:
    assert shell_of(()) == "/bin/sh"
    assert shell_of(("/nowhere/zsh", str(tmp_path))) == "/bin/sh"
    assert shell_of(("/nowhere/zsh", "/bin/bash", "/bin/sh")) == "/bin/bash"
