"""Programs that outlive the server, and are known by a pidfile."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from penstock.process.household.daemons import Daemons
from penstock.process.household.smart import Smart, lives, read_pid
from tests.process.household.ruling import Loading, Ruling, ruling
from tests.process.programs.keeping import gone
from tests.process.supervisor.recording import settings

# Goes to the background as daemons do: forks, and the child writes the pidfile.
BACKGROUND = "(setsid sh -c 'echo $$ > pid; echo hello; exec sleep 60' &) ; exit 0"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Whoever the pidfile names at the end is ended: nobody else would."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    pid = read_pid(str(tmp_path / "pid"))
    if pid > 1 and pid != os.getpid() and lives(pid):
        os.kill(pid, signal.SIGKILL)


def only(daemons: Daemons) -> Smart:
    (one,) = daemons.ones.values()
    assert isinstance(one, Smart)
    return one


def steady(house: Ruling, daemons: Daemons, but: int = 0) -> int:
    """Wait until it runs, and is another than ``but``; its pid."""

    def look() -> bool:
        one = only(daemons)
        # Looks come a second apart: so many in a row are no sign that it does not come up.
        if one.found() or monotonic() - one.launched > 2:
            daemons.tick()
        return only(daemons).steady and only(daemons).pid != but

    house.until(look)
    return only(daemons).pid


def reaped(pid: int) -> bool:
    """Whether it is gone; where it is our own child, that is for us to see."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
    return gone(pid)


def test_one_that_goes_to_the_background_stays_when_the_server_ends(folder: Path) -> None:
    with ruling(folder, smart_attach_daemon=[f"pid {BACKGROUND}"]) as (house, daemons):
        pid = steady(house, daemons)
        assert pid == read_pid("pid") > 1
        house.until(lambda: daemons.spare() == {pid})  # the shell that brought it ends in a moment
        assert "hello\n" in house.text()  # straight to the log, since we may not be there to read it
        assert daemons.figures()[0]["state"] == "running"
    assert not gone(pid)
    with ruling(folder, smart_attach_daemon=[f"pid {BACKGROUND}"]) as (house, daemons):
        assert f"runs already (pid {pid}, {folder}/pid)" in house.text()
        assert only(daemons).starts == 0
    assert not gone(pid)


def test_one_that_is_gone_is_started_again(folder: Path) -> None:
    with ruling(folder, smart_attach_daemon=[f"pid {BACKGROUND}"]) as (house, daemons):
        first = steady(house, daemons)
        only(daemons).launched -= 10  # it has run for a while
        os.kill(first, signal.SIGKILL)
        house.until(lambda: reaped(first))
        assert steady(house, daemons, first)
        assert f"(pid {first}) is gone" in house.text()


def test_one_that_we_send_to_the_background(folder: Path) -> None:
    with ruling(folder, smart_attach_daemon2=["pid exec sleep 60"]) as (house, daemons):
        house.until(lambda: read_pid("pid"))
        pid = steady(house, daemons)
        running = only(daemons).running
        assert running is not None and running.pid == pid == read_pid("pid")
        assert daemons.spare() == {pid}
        os.kill(pid, signal.SIGKILL)
        house.until(lambda: only(daemons).starts == 2, 5)
        assert "it is started again in 1 s" not in house.text()  # said on its own
        assert "is started again in 1 s" in house.text()
        house.until(lambda: read_pid("pid") == only(daemons).pid)
        second = only(daemons).pid
        house.stop("the end")
        house.children.clear()
    assert not gone(second)
    os.kill(second, signal.SIGKILL)
    os.waitpid(second, 0)


def test_one_that_has_only_just_come_up_stays_too(folder: Path) -> None:
    with ruling(folder, smart_attach_daemon=[f"pid {BACKGROUND}"]) as (house, daemons):
        house.until(lambda: read_pid("pid"))
        assert only(daemons).pid == 0
        assert read_pid("pid") in daemons.spare()


def test_one_that_somebody_else_has_started_meanwhile_is_not_started(folder: Path) -> None:
    with ruling(folder, smart_attach_daemon2=["pid exec sleep 60"]) as (house, daemons):
        house.until(lambda: read_pid("pid"))
        os.kill(steady(house, daemons), signal.SIGKILL)
        house.until(lambda: only(daemons).timer is not None)
        with subprocess.Popen(["sleep", "60"]) as other:
            Path("pid").write_text(f"{other.pid}\n")
            house.until(lambda: only(daemons).timer is None)
            assert (only(daemons).starts, only(daemons).pid) == (1, other.pid)
            other.kill()


def test_a_new_pid_in_the_file_is_followed(folder: Path) -> None:
    with ruling(folder, smart_attach_daemon=[f"pid {BACKGROUND}"]) as (house, daemons):
        first = steady(house, daemons)
        with subprocess.Popen(["sleep", "60"]) as other:
            Path("pid").write_text(f"{other.pid}\n")
            only(daemons).tick()
            assert only(daemons).pid == other.pid
            assert f"is pid {other.pid} now" in house.text()
            other.kill()
        os.kill(first, signal.SIGKILL)
        Path("pid").write_text("")


def test_one_that_does_not_come_up_is_tried_again_or_told(folder: Path) -> None:
    with ruling(folder, smart_attach_daemon=["pid,2 true"]) as (house, daemons):
        one = only(daemons)
        house.until(lambda: one.running is None)
        one.tick()
        assert one.starts == 1
        one.tick()
        assert one.starts == 2
        house.until(lambda: one.running is None)
    with ruling(folder, smart_attach_daemon=["pid,2 exec sleep 60"]) as (house, daemons):
        one = only(daemons)
        for _ in range(2):
            one.tick()
        assert "it did not go to the background" in house.text()
        assert one.starts == 1
        assert one.running is not None
        one.running.signal(signal.SIGKILL)
        house.until(lambda: one.running is None)


@pytest.mark.parametrize("who", ["us", "a worker", "a prototype", "init"])
def test_a_pidfile_never_means_us(folder: Path, who: str) -> None:
    """A container's processes have the same small numbers each time."""

    class Worker:
        pid = os.getppid()

    number = {"us": os.getpid(), "init": 1}.get(who, os.getppid())
    with ruling(folder) as (house, _):
        Path("pid").write_text(f"{number}\n")
        if who == "a worker":
            house.workers.append(Worker())
        elif who == "a prototype":
            house.lineage.loadings.append(Loading({number: None}))
        house.change(settings(smart_attach_daemon=["pid rm pid; exit 1"]))
        house.until(lambda: not Path("pid").exists())


def test_who_has_asked_to_hear_of_it_does(folder: Path) -> None:
    trap = "; ".join(f"trap 'echo heard {name}' {name}" for name in ("USR1", "HUP"))
    command = f"{trap}; trap 'exit' USR2; echo ready; while :; do sleep 0.02; done"
    keyed = [f"cmd={command},pidfile=pid,daemonize=1,notifypid=1,stop_signal=USR1"]
    with ruling(folder, attach_daemon2=keyed) as (house, daemons):
        house.until(lambda: "ready\n" in house.text())
        pid = steady(house, daemons)
        house.change(settings(attach_daemon2=keyed))
        house.until(lambda: "heard HUP\n" in house.text())
        assert "heard USR1\n" not in house.text()
        house.stop("the end")
        house.drain()
        house.until(lambda: "heard USR1\n" in house.text())
        os.kill(pid, signal.SIGUSR2)
        house.until(lambda: not house.children)


def test_one_that_the_settings_do_not_name_any_more_is_left_to_itself(folder: Path) -> None:
    with ruling(folder, smart_attach_daemon=[f"pid {BACKGROUND}"]) as (house, daemons):
        pid = steady(house, daemons)
        house.change(settings())
        assert f"(pid {pid}) is left to itself" in house.text()
        assert not daemons.ones
        assert not gone(pid)
        house.until(lambda: daemons.spare() == {pid})  # to the end of the server, and of its heir
        again = Ruling(folder / "again.log", house.settings)
        after = Daemons(again)
        after.resume(daemons.state())
        after.start()
        assert after.spare() == {pid} and not after.ones
        again.stop("the end")
        again.drain()
        again.watch.close()
        again.diary.close()
        house.change(settings(smart_attach_daemon=[f"pid {BACKGROUND}"]))
        house.change(settings())
        assert len(daemons.dropped) == 2
        os.kill(pid, signal.SIGKILL)
        house.until(lambda: reaped(pid))
        house.change(settings(attach_daemon=["exec sleep 60"]))
        house.change(settings())
        house.until(lambda: not daemons.dropped)


def test_another_penstock_goes_on_with_it(folder: Path) -> None:
    with ruling(folder, smart_attach_daemon=[f"pid {BACKGROUND}"]) as (house, daemons):
        pid = steady(house, daemons)
        state = daemons.state()
        assert state["fds"] == []
        again = Ruling(folder / "again.log", house.settings)
        after = Daemons(again)
        after.resume(state)
        after.start()
        assert (only(after).pid, only(after).steady, only(after).starts) == (pid, True, 1)
        again.watch.close()
        again.diary.close()


@pytest.mark.parametrize(
    ("text", "pid"),
    [("12\n", 12), ("  12 34", 12), ("", 0), ("x12", 0), ("-1", 0), ("99999999999999", 0), ("\0\xff", 0)],
)
def test_pidfiles(folder: Path, text: str, pid: int) -> None:
    Path("pid").write_text(text, encoding="latin-1")
    assert read_pid("pid") == pid
    Path("pid").unlink()


def test_what_is_no_file_is_no_pidfile(folder: Path) -> None:
    os.mkfifo("fifo")
    for path in ("fifo", ".", "/nowhere", "/dev/zero", "\0"):
        assert read_pid(path) == 0


def test_lives() -> None:
    assert lives(os.getpid())
    assert not lives(2**22 + 5)
    assert not lives(10**10)
    if os.getuid() == 0:
        find = "import os; from penstock.process.household.smart import lives; "
        code = find + "os.setuid(65534); print(lives(1))"
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20)
        assert told.stdout == "True\n", told.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="needs root: who may signal everybody")
def test_a_users_pidfile_has_nobody_elses_process_signalled(folder: Path) -> None:
    keyed = ["cmd=exit 1,pidfile=pid,notifypid=1,stop_signal=TERM"]
    for owner, signalled in ((1001, False), (0, True)):
        with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
            (folder / "pid").write_text(str(process.pid))
            os.chown(folder / "pid", owner, owner)
            with ruling(folder, attach_daemon2=keyed) as (house, daemons):
                assert only(daemons).pid == process.pid
                only(daemons).signal(signal.SIGTERM)
                assert "which is another user's" in house.text() or signalled
            if not signalled:
                assert process.poll() is None
                process.kill()
            assert process.wait(10) == (-signal.SIGTERM if signalled else -signal.SIGKILL)
