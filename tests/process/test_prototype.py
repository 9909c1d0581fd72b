"""The prototype: what it says of its import, whom it forks, and whose death means nothing to whom."""

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from penstock import __version__
from penstock.interprocess.channel import pair
from penstock.process.prototype import ANOTHER_VERSION
from tests.cases import covering
from tests.e2e.server import LOOPS
from tests.e2e.surroundings import environment
from tests.process.nursery import Hearing, nursery, reap

FACTS = """
    import gc, json, os, sys, signal, threading
    at_import = {"nice": os.getpriority(os.PRIO_PROCESS, 0), "policy": os.sched_getscheduler(0),
                 "gc": gc.isenabled(), "pid": os.getpid(), "argv": sys.argv, "cwd": os.getcwd()}

    def application(environ, start_response):
        facts = {"import": at_import, "pid": os.getpid(), "parent": os.getppid(),
                 "frozen": gc.get_freeze_count(), "gc": gc.isenabled(), "cwd": os.getcwd(),
                 "nice": os.getpriority(os.PRIO_PROCESS, 0), "policy": os.sched_getscheduler(0),
                 "who": os.environ.get("WHO"),
                 "gone": os.environ.get("GONE"), "multiprocess": environ["wsgi.multiprocess"],
                 "mask": [int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, ())],
                 "threads": [thread.name for thread in threading.enumerate()],
                 "sockets": sum(os.readlink(f"/proc/self/fd/{fd}").startswith("socket:")
                                for fd in os.listdir("/proc/self/fd")
                                if os.path.exists(f"/proc/self/fd/{fd}"))}
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(facts).encode()]
"""


# ---- From the start to the end --------------------------------------------------------------------------


@pytest.mark.parametrize(("loop", "final"), covering(LOOPS, [False, True]))
def test_it_loads_once_and_forks_workers_that_serve_and_leave(tmp_path: Path, loop: str, final: bool) -> None:
    with nursery(tmp_path, loop=loop) as it:
        assert it.ear.until("hello") == {"is": "hello", "version": __version__, "pid": it.prototype.pid}
        loaded = it.ear.until("loaded")
        assert (loaded["threads"], loaded["native"], loaded["sockets"], loaded["files"]) == ([], [], [], [])
        assert 0 <= loaded["seconds"] < 15
        assert not loaded["empty"]
        workers = [it.fork(wid) for wid in (1, 2)]
        assert it.get() == "hello"
        for worker in workers:
            worker.tell("leave", final=final, seconds=5)
            assert reap(worker.pid) == 0
            worker.pid = 0
        it.prototype.channel.send({"do": "end"})
        assert reap(it.prototype.pid) == 0


def test_a_worker_is_our_child_and_has_what_the_prototype_prepared(tmp_path: Path) -> None:
    options: dict[str, Any] = {"env": ["WHO=penstock", "GONE"], "pyargv": "one two"}
    (tmp_path / "second").mkdir()
    with nursery(tmp_path, FACTS, chdir2=str(tmp_path / "second"), **options) as it:
        worker = it.fork()
        facts = json.loads(it.get())
        assert facts["pid"] == worker.pid
        assert facts["parent"] == os.getpid()
        assert facts["import"]["pid"] == it.prototype.pid
        assert facts["import"]["argv"] == ["penstock", "one", "two"]
        assert (facts["who"], facts["gone"]) == ("penstock", None)
        assert facts["cwd"] == str(tmp_path / "second")
        assert facts["multiprocess"] is True
        assert facts["mask"] == []


def test_the_import_is_not_looked_through_for_garbage_and_then_set_apart(tmp_path: Path) -> None:
    with nursery(tmp_path, FACTS) as it:
        it.fork()
        facts = json.loads(it.get())
        assert facts["import"]["gc"] is False
        assert facts["gc"] is True
        assert facts["frozen"] > 1000


@pytest.mark.parametrize("busy", [False, True])
def test_the_import_gives_way_to_those_who_serve_and_comes_back(tmp_path: Path, busy: bool) -> None:
    with nursery(tmp_path, FACTS, busy=busy) as it:
        it.fork()
        facts = json.loads(it.get())
        usual = os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0)
        assert ((facts["import"]["nice"], facts["import"]["policy"]) != usual) is busy
        assert (facts["nice"], facts["policy"]) == usual


# ---- What fails ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reason", "text"),
    [
        ("import nothing_of_this_name", "No module named 'nothing_of_this_name'", "line 1"),
        ("application = (", "SyntaxError", "site_of_test.py"),
        ("raise SystemExit(3)", "SystemExit(3)", "line 1"),
        ("import signal, os; signal.raise_signal(signal.SIGINT); 1 / 0", "ZeroDivisionError", "line 1"),
        ("app = 3", "not callable", ""),
    ],
)
def test_an_import_that_fails_is_told_with_its_traceback(
    tmp_path: Path, code: str, reason: str, text: str
) -> None:
    with nursery(tmp_path, code, watch_files=True) as it:
        failed = it.ear.until("failed")
        assert failed["code"] == 22
        assert reason in failed["reason"]
        assert "\n" not in failed["reason"]
        assert text in failed["text"]
        assert str(tmp_path / "site_of_test.py") in failed["files"]
        assert reap(it.prototype.pid) == 22
        it.ear.take()
        assert it.ear.channel.ended


def test_an_import_that_ends_the_process_is_seen_by_its_end(tmp_path: Path) -> None:
    with nursery(tmp_path, "import os; os._exit(7)") as it:
        assert reap(it.prototype.pid) == 7
        it.ear.until("hello")
        it.ear.take()
        assert it.ear.channel.ended
        assert it.ear.heard == []


def test_where_no_application_is_needed_its_absence_is_told(tmp_path: Path) -> None:
    with nursery(tmp_path, "1 / 0", need_app=False) as it:
        assert it.ear.until("loaded")["empty"]
        assert "ZeroDivisionError" in it.text()
        it.fork()
        with it.client() as client:
            assert client.get("/").status == 500


def test_a_folder_that_cannot_be_entered_afterwards_is_a_failure(tmp_path: Path) -> None:
    with nursery(tmp_path, chdir2=str(tmp_path / "nowhere")) as it:
        failed = it.ear.until("failed")
        assert failed["reason"].startswith(f"chdir2 {tmp_path / 'nowhere'}: ")
        assert failed["code"] == reap(it.prototype.pid) == 1


def test_another_version_says_which_and_goes() -> None:
    ours, theirs = pair()
    description = os.memfd_create("of another version", 0)
    os.write(description, b"penstock 0.0.0\n...")
    os.set_inheritable(theirs.fileno(), True)
    words = [sys.executable, "-m", "penstock.process.prototype", str(description), str(theirs.fileno())]
    pid = os.posix_spawn(sys.executable, words, environment())
    os.close(description)
    theirs.close()
    assert Hearing(ours).until("hello")["version"] == __version__
    assert reap(pid) == ANOTHER_VERSION
    ours.close()


def test_whoever_is_not_our_child_does_not_stay(tmp_path: Path) -> None:
    with nursery(tmp_path, supervisor=os.getppid()) as it:
        assert reap(it.prototype.pid) == 1


# ---- What the import leaves behind ----------------------------------------------------------------------


def test_threads_and_connections_of_the_import_are_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = somebody.getsockname()[1]
        code = f"""
            import _thread, socket, threading, time
            socket.setdefaulttimeout(5)
            connection = socket.create_connection(("127.0.0.1", {port}))
            listening = socket.create_server(("127.0.0.1", 0))
            alone = socket.socketpair()
            threading.Thread(target=time.sleep, args=(100,), name="the poller", daemon=True).start()
            running = _thread.allocate_lock()
            running.acquire()
            _thread.start_new_thread(lambda: (running.release(), time.sleep(100)), ())
            running.acquire()
            application = print
        """
        with nursery(tmp_path, code) as it:
            loaded = it.ear.until("loaded")
            assert len(loaded["sockets"]) == 1
            assert loaded["sockets"][0].startswith(f"127.0.0.1:{port} (descriptor ")
            assert "the poller" in loaded["threads"]
            assert len(loaded["threads"]) == 2


def test_of_many_files_all_are_told_and_the_applications_own_first(tmp_path: Path) -> None:
    code = """
        import sys, types
        for number in range(3000):
            module = types.ModuleType(f"made_{number}")
            module.__file__ = f"/srv/lib/site-packages/{'long' * 20}/made_{number}.py"
            sys.modules[module.__name__] = module
        application = print
    """
    with nursery(tmp_path, code, watch_files=True) as it:
        files = it.ear.until("loaded")["files"]
        assert len(files) > 3000
        assert files.index(str(tmp_path / "site_of_test.py")) < len(files) - 3000
        assert not any("/penstock/process/" in file for file in files)
        it.fork()


# ---- lazy-apps -------------------------------------------------------------------------------------------


def test_with_lazy_apps_each_worker_imports_for_itself(tmp_path: Path) -> None:
    with nursery(tmp_path, FACTS, lazy=True, watch_files=True, chdir2=str(tmp_path)) as it:
        assert it.ear.until("loaded")["files"] == []
        worker = it.fork()
        facts = json.loads(it.get())
        assert facts["import"]["pid"] == facts["pid"] == worker.pid
        assert facts["cwd"] == str(tmp_path)
        assert str(tmp_path / "site_of_test.py") in worker.until("files")["files"]


def test_with_lazy_apps_a_failure_is_the_workers(tmp_path: Path) -> None:
    with nursery(tmp_path, "1 / 0", lazy=True) as it:
        it.ear.until("loaded")
        worker = it.order(1)
        worker.pid = worker.until("hello")["pid"]
        failed = worker.until("failed")
        assert failed["code"] == reap(worker.pid) == 22
        worker.pid = 0
        assert "ZeroDivisionError" in failed["text"]
        (tmp_path / "site_of_test.py").write_text(
            "def application(e, s): s('200 OK', []); return [b'mended']"
        )
        it.fork(1)
        assert it.get() == "mended"
