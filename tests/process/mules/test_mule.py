"""A mule as a real process of a real prototype: what it runs, what it hears, and how it ends."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from penstock.process.boot import Boot
from penstock.process.child import ORPHANED
from penstock.process.mules import doors, mule
from tests.process.mules.stable import stable
from tests.process.nursery import HELLO, reap, wait_for

FACTS = """
    import json, os, sys, time
    facts = {
        "name": __name__, "file": __file__, "main": sys.modules["__main__"].__dict__ is globals(),
        "argv": sys.argv, "app": "site_of_test" in sys.modules, "parent": os.getppid(), "cwd": os.getcwd(),
        "builtins": len(dir(__builtins__)), "env": os.environ.get("COLOUR"),
        "tcp": sum("socket" in os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
                   if os.path.lexists(f"/proc/self/fd/{fd}")),
    }
    with open("facts.new", "w") as file:
        json.dump(facts, file)
    os.rename("facts.new", "facts")
    time.sleep(60)
"""
CLEANLY = """
    import atexit, os, time
    atexit.register(lambda: open("atexit", "w").close())
    try:
        open("begun", "w").close()
        time.sleep(60)
    finally:
        time.sleep(1.2)
        open("finally", "w").close()
"""
STUBBORN = """
    import time
    open("begun", "w").close()
    while True:
        try:
            time.sleep(60)
        except:
            pass
"""


# ---- Beginning ------------------------------------------------------------------------------------------


def test_nothing_runs_before_the_word(tmp_path: Path) -> None:
    with stable(tmp_path, "work.py", 'open("begun", "w")') as it:
        pid = it.mule.until("hello")["pid"]
        time.sleep(0.1)
        it.mule.channel.close()
        assert reap(pid) == ORPHANED
        assert not (tmp_path / "begun").exists()


def test_what_a_script_finds(tmp_path: Path) -> None:
    with stable(tmp_path, "work.py", FACTS, env=["COLOUR=red"]) as it:
        it.begin()
        wait_for((tmp_path / "facts").exists)
        facts = json.loads((tmp_path / "facts").read_text())
        # Its channel, and two ends of a door for any mule, two mules and two farms; no listener.
        assert facts.pop("tcp") == 1 + 2 * 5
        assert facts.pop("builtins") > 100
        assert facts == {
            "name": "__main__", "file": "work.py", "main": True, "argv": ["penstock"], "app": True,
            "parent": os.getpid(), "cwd": str(tmp_path), "env": "red",
        }  # fmt: skip
        assert it.end(signal.SIGTERM) == 0


@pytest.mark.parametrize("lazy_apps", [True, False])
def test_the_application_is_there_unless_lazy_apps_says_so(tmp_path: Path, lazy_apps: bool) -> None:
    """Without the option each worker loads it where its import leaves threads behind; uWSGI knows no such."""
    with stable(tmp_path, "work.py", FACTS, lazy=True, env=["COLOUR=red"], lazy_apps=lazy_apps) as it:
        it.begin()
        wait_for((tmp_path / "facts").exists)
        facts = json.loads((tmp_path / "facts").read_text())
        assert (facts["app"], facts["env"], facts["argv"]) == (not lazy_apps, "red", ["penstock"])


FUNCTION = """
    from notes import note

    class Tasks:
        def run():
            note("work ran", __name__)
"""


def test_a_function(tmp_path: Path) -> None:
    with stable(tmp_path, "work:Tasks.run", FUNCTION) as it:
        it.begin()
        assert it.end() == 0
        it.until("work ran work")


def test_the_hook_of_mules_comes_first(tmp_path: Path) -> None:
    hook = [f"write:{tmp_path}/hooked yes", "alarm:somebody it begins"]
    script = "import notes; notes.note('found', open('hooked').read())"
    with stable(tmp_path, "work.py", script, hook_as_mule=hook) as it:
        it.begin()
        it.until("found yes")
        alarm = it.mule.until("alarm")
        assert (alarm["name"], alarm["text"]) == ("somebody", "it begins")
        assert it.end() == 0


@pytest.mark.parametrize(
    ("work", "script", "said"),
    [
        ("work.py", "1/0", 'File "work.py", line 1, in <module>'),
        ("work.py", "def broken(:", "SyntaxError"),
        ("other.py", "", "other.py cannot be read: No such file or directory"),
        ("work:run", "", "there is no run in it"),
        ("nowhere:run", "", "there is no module named nowhere"),
        ("work.py", "import sys; sys.exit('enough')", "mule 1: enough"),
    ],
)
def test_what_cannot_be_run_is_said(tmp_path: Path, work: str, script: str, said: str) -> None:
    with stable(tmp_path, work, script) as it:
        it.begin()
        assert it.end() == 1
        it.until(said)
        assert "process/mules/mule.py" not in it.nursery.text(), "our own part of a traceback says nothing"


def test_a_hook_that_fails_is_the_end_of_its_mule(tmp_path: Path) -> None:
    with stable(tmp_path, "work.py", "open('ran', 'w')", hook_as_mule=["exec:exit 3"]) as it:
        it.begin()
        assert it.end() == 1
        it.until("hook-as-mule")
        assert not (tmp_path / "ran").exists()


def test_an_exit_status_is_its_scripts(tmp_path: Path) -> None:
    with stable(tmp_path, "work.py", "import sys; sys.exit(7)") as it:
        it.begin()
        assert it.end() == 7


# ---- Messages -------------------------------------------------------------------------------------------

LISTENING = (
    HELLO
    + """
    from penstock.process.mules import mule
    from notes import note

    def heard(message):
        if message == b"fail":
            raise LookupError("an error of a listener")
        note("heard", message.decode())

    mule.listeners.append(heard)
"""
)


def test_a_mule_without_work_hears_messages(tmp_path: Path) -> None:
    with stable(tmp_path, "") as it:
        it.begin()
        for whom, size in ((1, 1), (0, 2), ("herd", 3), (1, 70_000)):
            assert doors.send(it.doors, whom, b"x" * size, print)
            it.until(f"mule 1 received a message of {min(size, 65536)} bytes")
        assert doors.send(it.doors, 2, b"y" * 50, print)
        assert doors.send(it.doors, "others", b"y" * 60, print)
        assert doors.send(it.doors, 1, b"y" * 70, print)
        it.until("of 70 bytes")
        assert "of 50 bytes" not in it.nursery.text()
        assert "of 60 bytes" not in it.nursery.text()
        assert it.end(signal.SIGHUP) == 0


def test_mule_msg_recv_size_cuts(tmp_path: Path) -> None:
    with stable(tmp_path, "", mule_msg_recv_size=100) as it:
        it.begin()
        assert doors.send(it.doors, 1, b"x" * 101, print)
        it.until("received a message of 100 bytes")


def test_whoever_listens_is_given_them(tmp_path: Path) -> None:
    with stable(tmp_path, "", code=LISTENING) as it:
        it.begin()
        for message in (b"one", b"fail", b"two"):
            assert doors.send(it.doors, 1, message, print)
        it.until("heard two")
        assert "LookupError: an error of a listener" in it.nursery.text()
        assert "received" not in it.nursery.text()
        assert it.end(signal.SIGTERM) == 0


@pytest.mark.parametrize("limit", [0, 5])
def test_mule_harakiri_has_the_supervisor_know_what_runs(tmp_path: Path, limit: int) -> None:
    with stable(tmp_path, "", code=LISTENING, mule_harakiri=limit) as it:
        it.begin()
        assert doors.send(it.doors, 1, b"one", print)
        it.until("heard one")
        if limit:
            assert it.mule.until("busy")["seconds"] == limit
            it.mule.until("idle")
        else:
            it.mule.take()
            assert it.mule.heard == []


def test_a_script_takes_its_messages_itself(tmp_path: Path) -> None:
    script = """
        from penstock.process.mules import mule
        from notes import note

        note("none", mule.get_msg(seconds=0.01))
        note("one", mule.get_msg())
        note("farm", mule.get_msg(seconds=0.01, farmed=False), mule.get_msg(size=2))
        note("sent", mule.send(2, b"to two", print), mule.send("others", b"to them", print))
    """
    with stable(tmp_path, "work.py", script) as it:
        pid = it.begin()
        assert pid
        time.sleep(0.2)
        assert doors.send(it.doors, 1, b"hello", print)
        assert doors.send(it.doors, "herd", b"hello", print)
        it.until("one b'hello'")
        it.until("farm None b'he'")
        it.until("sent True True")
        inside = {name: fd for name, _, fd in it.doors}
        assert doors.receive([inside["mule 2"]], 100, 5) == b"to two"
        assert doors.receive([inside["farm others"]], 100, 5) == b"to them"


def test_only_a_mule_has_messages() -> None:
    with pytest.raises(ValueError, match="only a mule has messages"):
        mule.get_msg()
    with pytest.raises(ValueError, match="there are no mules"):
        mule.send(0, b"", print)


# ---- Ending ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_script_can_put_its_things_in_order(tmp_path: Path, number: int) -> None:
    with stable(tmp_path, "work.py", CLEANLY) as it:
        it.begin()
        wait_for((tmp_path / "begun").exists)
        assert it.end(number) == 0
        assert (tmp_path / "finally").exists()
        assert (tmp_path / "atexit").exists()


def test_what_a_terminal_sends_to_all_is_not_for_it(tmp_path: Path) -> None:
    with stable(tmp_path, "work.py", CLEANLY) as it:
        pid = it.begin()
        wait_for((tmp_path / "begun").exists)
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTSTP):
            os.kill(pid, number)
        time.sleep(0.2)
        os.kill(pid, 0)
        assert not (tmp_path / "finally").exists()


def test_a_script_that_catches_everything_is_ended_all_the_same(tmp_path: Path) -> None:
    with stable(tmp_path, "work.py", STUBBORN) as it:
        it.begin()
        wait_for((tmp_path / "begun").exists)
        begun = time.monotonic()
        assert it.end(signal.SIGTERM) == 0
        assert mule.AGAIN < time.monotonic() - begun < 10
        it.until("its script catches SystemExit and goes on; it is ended")


def test_what_a_script_forks_ends_like_any_process(tmp_path: Path) -> None:
    script = """
        import os, signal, time
        child = os.fork()
        if child == 0:
            time.sleep(60)
        time.sleep(0.2)
        os.kill(child, signal.SIGTERM)
        from notes import note
        note("child", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    with stable(tmp_path, "work.py", script) as it:
        it.begin()
        assert it.end() == 0
        it.until(f"child {-signal.SIGTERM}")


def test_it_ends_with_its_supervisor(tmp_path: Path) -> None:
    """As uWSGI's: nobody else would end it."""
    script = """
        import ctypes
        found = ctypes.c_int()
        ctypes.CDLL(None).prctl(2, ctypes.byref(found), 0, 0, 0)  # PR_GET_PDEATHSIG
        from notes import note
        note("signal", found.value)
    """
    with stable(tmp_path, "work.py", script) as it:
        it.begin()
        it.until(f"signal {int(signal.SIGKILL)}")
        assert it.end() == 0


def test_it_follows_a_log_that_was_rotated(tmp_path: Path) -> None:
    script = """
        import os, time
        open("begun", "w").close()
        while not os.path.exists("rotated"):
            time.sleep(0.02)
        os.write(2, b"after the rotation\\n")
        1/0
    """
    with stable(tmp_path, "work.py", script) as it:
        pid = it.begin()
        wait_for((tmp_path / "begun").exists)
        fd = os.open(tmp_path / "new", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        it.mule.channel.send({"do": "reopen", "leave": ""}, [fd])
        os.kill(pid, doors.HEAR)
        os.close(fd)
        time.sleep(0.2)
        (tmp_path / "rotated").touch()
        assert it.end() == 1
        assert "ZeroDivisionError" in (tmp_path / "new").read_text()
        assert "ZeroDivisionError" not in it.nursery.text()


def test_a_fork_that_fails_is_told_to_who_waits_for_it(tmp_path: Path) -> None:
    code = (
        HELLO
        + """
    import os, resource
    fork = os.fork

    def failing():
        raise OSError(11, "no more")

    os.fork = failing
    """
    )
    with stable(tmp_path, "", code=code) as it:
        assert it.mule.until("failed")["reason"] == os.strerror(11)
        it.nursery.ear.take()
        assert [message["is"] for message in it.nursery.ear.heard] == ["hello"]
        it.mule.pid = 0


def test_boots_of_generations_without_mules_have_no_doors() -> None:
    assert Boot.__dataclass_fields__["doors"].default == ()
