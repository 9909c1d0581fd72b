"""A prototype's forks: who is whose child, who holds what, and whose death means nothing to whom."""

import ctypes
import errno
import gc
import json
import os
import signal
import textwrap
from dataclasses import replace
from pathlib import Path

from penstock.interprocess.channel import pair
from penstock.interprocess.scoreboard import Scoreboard
from penstock.process import boot as boots
from penstock.process.prototype import Order, Prototype, ended_with
from tests.process.nursery import HELLO, nursery, reap, wait_for
from tests.process.test_boot import a_boot
from tests.process.test_prototype import FACTS

# ---- Signals, forks and ends ----------------------------------------------------------------------------


def test_what_a_terminal_sends_to_all_does_nothing_to_it(tmp_path: Path) -> None:
    code = """
        import signal, subprocess, sys
        script = "import signal; print([str(signal.getsignal(n)) for n in (1, 3, 10, 12, 15)])"
        found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout

        def application(environ, start_response):
            start_response("200 OK", [])
            return [found.encode()]
    """
    with nursery(tmp_path, code) as it:
        it.ear.until("loaded")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1):
            os.kill(it.prototype.pid, number)
        it.fork()
        found = it.get()
        assert found.count("Handlers.SIG_DFL") + found.count("'0'") == 5, (
            "the application's children are clean"
        )


def test_the_death_of_the_prototype_means_nothing_to_its_workers(tmp_path: Path) -> None:
    with nursery(tmp_path) as it:
        workers = [it.fork(wid) for wid in (1, 2)]
        os.kill(it.prototype.pid, signal.SIGKILL)
        assert reap(it.prototype.pid) == -signal.SIGKILL
        assert [it.get() for _ in range(4)] == ["hello"] * 4
        for worker in workers:
            worker.tell("leave", final=False, seconds=5)
            assert reap(worker.pid) == 0
            worker.pid = 0


def test_the_end_of_its_channel_is_its_end_and_not_its_workers(tmp_path: Path) -> None:
    with nursery(tmp_path) as it:
        it.fork()
        it.prototype.channel.close()
        assert reap(it.prototype.pid) == 0
        assert it.get() == "hello"


def test_no_worker_holds_what_is_anothers(tmp_path: Path) -> None:
    with nursery(tmp_path, FACTS) as it:
        it.ear.until("loaded")
        first, second, third = [it.order(wid) for wid in (1, 2, 3)]  # all in one go
        for worker in (first, second, third):
            it.ready(worker)
        for worker in (first, second):
            os.kill(worker.pid, signal.SIGKILL)
            assert reap(worker.pid) == -signal.SIGKILL
            worker.pid = 0
            wait_for(lambda worker=worker: worker.take() or worker.channel.ended)  # type: ignore[misc]  # its default
        facts = json.loads(it.get())
        assert facts["pid"] == third.pid
        # The listener, the channel, the connection, and the pair by which the loop hears of signals.
        assert facts["sockets"] <= 5


def test_what_the_application_does_after_a_fork_it_does_in_workers_alone(tmp_path: Path) -> None:
    code = """
        import os, threading, time
        told = open("forks", "a", buffering=1)

        def after():
            told.write(f"{os.getpid()}\\n")
            threading.Thread(target=time.sleep, args=(100,), name="restarted", daemon=True).start()

        os.register_at_fork(after_in_child=after)
    """
    before = os.getcwd()
    os.chdir(tmp_path)
    try:
        with nursery(tmp_path, textwrap.dedent(code) + textwrap.dedent(HELLO)) as it:
            workers = [it.fork(wid) for wid in (1, 2, 3)]
            assert [it.get() for _ in range(6)] == ["hello"] * 6
            pids = [str(worker.pid) for worker in workers]
            assert (tmp_path / "forks").read_text().split() == pids
    finally:
        os.chdir(before)


def test_what_the_import_prints_is_printed_once(tmp_path: Path) -> None:
    out, printed = os.dup(1), tmp_path / "printed"
    with printed.open("wb") as file:
        os.dup2(file.fileno(), 1)
    try:
        with nursery(tmp_path, "print('imported')\n" + textwrap.dedent(HELLO)) as it:
            for wid in (1, 2):
                worker = it.fork(wid)
                assert printed.read_text() == "imported\n"
                worker.tell("leave", final=False, seconds=5)
                assert reap(worker.pid) == 0
                worker.pid = 0
    finally:
        os.dup2(out, 1)
        os.close(out)
    assert printed.read_text() == "imported\n"


def test_logs_that_were_rotated_are_the_later_workers_too(tmp_path: Path) -> None:
    with nursery(tmp_path) as it:
        it.ear.until("loaded")
        it.log.rename(tmp_path / "old")
        fd = os.open(it.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        it.prototype.channel.send({"do": "reopen"}, [fd])
        os.close(fd)
        worker = it.fork()
        it.get("/after")
        worker.tell("leave", final=False, seconds=5)
        assert reap(worker.pid) == 0
        worker.pid = 0
        assert "GET /after" in it.text()
        assert "GET /after" not in (tmp_path / "old").read_text()


def test_orders_that_make_no_sense_are_let_alone(tmp_path: Path) -> None:
    with nursery(tmp_path) as it:
        for message in ({"do": "fork"}, {"do": "fork", "wid": "x", "slot": 1}, {"do": "dance"}, {}):
            it.prototype.channel.send(message, [0])
        it.fork()
        assert it.get() == "hello"


def a_boot_of_ours() -> boots.Boot:
    """A boot that names no descriptor but those that every process has."""
    return replace(a_boot(), listeners=(), scoreboard=2, lifeline=2, errors=(2, ""), access=None)


class NoProcesses:
    """A C library whose fork finds the system full."""

    def fork(self) -> int:
        ctypes.set_errno(errno.EAGAIN)
        return -1


def test_a_system_that_gives_no_process_is_told_of() -> None:
    board = Scoreboard.create(2)
    ours, theirs = pair()
    prototype = Prototype(replace(a_boot_of_ours(), scoreboard=board.fd), theirs)
    prototype.libc = NoProcesses()  # type: ignore[assignment]  # the one function of it that is used
    try:
        assert not prototype.fork(Order(4, 0, os.dup(0), False))
    finally:
        gc.unfreeze()
    (message, _), *more = ours.receive()
    assert message == {"is": "fork-failed", "wid": 4, "text": os.strerror(errno.EAGAIN)}
    assert not more
    ours.close()
    theirs.close()
    board.close()


def test_a_process_between_that_failed_says_why_by_its_status() -> None:
    for status in (0, errno.ENOMEM):
        pid = os.posix_spawn("/bin/sh", ["sh", "-c", f"exit {status}"], {})
        assert ended_with(pid) == status
    assert ended_with(pid) == 0, "somebody else has reaped it"
