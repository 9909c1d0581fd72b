"""Supervisor, prototype and workers as real processes: births, reloads, deaths, and what survives them."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from tests.cases import turns
from tests.e2e.server import Server, serving
from tests.e2e.shop import alive, answer, children, descendants, shop, title, until_mark, workers, write
from tests.e2e.surroundings import environment
from tests.waiting import until


def test_who_is_whose_child(tmp_path: Path) -> None:
    with shop(tmp_path, begun=False) as server:
        found = workers(server, 2)
        own = children(server.process.pid)
        assert found <= set(own)
        assert len(own) == 3  # and the prototype
        assert {answer(server)[2] for _ in range(5)} == {server.process.pid}
        modules = Path(f"/proc/{server.process.pid}/maps").read_text()
        assert "shop" not in modules and "uvloop" not in modules


def test_the_start_fails_as_one_process_would(tmp_path: Path) -> None:
    write(tmp_path, "one", "import missing_module\n")
    words = [sys.executable, "-m", "penstock", "--master", "--processes", "2", "--http-socket", "127.0.0.1:0"]
    done = subprocess.run(
        [*words, "--pythonpath", str(tmp_path), "-w", "shop"],
        capture_output=True,
        text=True,
        timeout=30,
        env=environment(),
        cwd=tmp_path,
    )
    assert done.returncode == 22
    assert "No module named 'missing_module'" in done.stderr
    assert "Traceback" in done.stderr


@pytest.mark.parametrize("lazy", [False, True])
def test_a_reload_takes_the_new_code(tmp_path: Path, lazy: bool) -> None:
    with shop(tmp_path, *["--lazy-apps"] * lazy) as server:
        before = workers(server, 2)
        write(tmp_path, "two")
        server.process.send_signal(signal.SIGHUP)
        until_mark(server, "two")
        server.wait_for("generation 2 serves")
        after = workers(server, 2)
        assert not before & after


DEPLOYS = {
    "def broken(:\n": "SyntaxError",
    "raise RuntimeError('no database')\n": "no database",
    "import os; os._exit(1)\n": ": exit status 1",
    "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)\n": "killed by SIGSEGV",
    "import time; time.sleep(60)\n": "start-timeout",
    "import sys; sys.exit('enough')\n": "enough",
}
"""Code that does not start, and what is said of it."""


def refused(server: Server, number: int, said: str) -> bool:
    """Whether so many reloads have failed, the last one for this."""
    failures = server.text().split("the reload failed")[1:]
    return len(failures) == number and said in failures[-1]


@pytest.mark.parametrize("lazy", turns([False, True], True))
def test_a_broken_deploy_keeps_the_old_code(tmp_path: Path, lazy: bool) -> None:
    ini = tmp_path / "app.ini"
    ini.write_text("[uwsgi]\nthreads = 2\n")
    with shop(tmp_path, str(ini), *["--lazy-apps"] * lazy) as server:
        before = workers(server, 2)
        for number, (more, said) in enumerate(DEPLOYS.items(), 1):
            write(tmp_path, "two", more)
            if said == "start-timeout":  # only now, so that a start on a busy machine has its time
                ini.write_text("[uwsgi]\nstart-timeout = 1\n")
            server.process.send_signal(signal.SIGHUP)
            until(partial(refused, server, number, said), shown=server.text)
            assert workers(server, 2) == before
            ini.write_text("[uwsgi]\nthreads = 2\n")
        write(tmp_path, "three")
        server.process.send_signal(signal.SIGHUP)
        until_mark(server, "three")


def test_a_configuration_with_an_error_keeps_the_old_one(tmp_path: Path) -> None:
    ini = tmp_path / "app.ini"
    good = f"[uwsgi]\nmaster = true\nprocesses = 1\npythonpath = {tmp_path}\nmodule = shop\nthreads = 2\n"
    ini.write_text(good)
    write(tmp_path, "one")
    with serving(tmp_path, "--http-socket", "127.0.0.1:0", str(ini), app="") as server:
        _, pid, _ = answer(server)
        ini.write_text(good + "threads = many\n")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("the reload failed")
        assert "app.ini:7" in server.text()
        assert answer(server)[1] == pid
        ini.write_text(good.replace("processes = 1", "processes = 3"))
        server.process.send_signal(signal.SIGHUP)
        workers(server, 3)


def test_listeners_are_kept_added_and_dropped(tmp_path: Path) -> None:
    ini, sock = tmp_path / "app.ini", tmp_path / "app.sock"
    head = f"[uwsgi]\nmaster = true\nprocesses = 1\npythonpath = {tmp_path}\nmodule = shop\n"
    ini.write_text(f"{head}http-socket = 127.0.0.1:0\n")
    write(tmp_path, "one")
    with serving(tmp_path, str(ini), "--bind", "127.0.0.1:0", app="", listeners=2) as server:
        answer(server)
        ini.write_text(f"{head}http-socket = {sock}\n")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("no longer listening on http://127.0.0.1")
        server.wait_for(f"listening on http://unix:{sock}")
        server.wait_for("generation 2 serves")
        server.wait_until_listening(3)
        names = [name for name, _ in server.listening]
        assert names == ["http"] * 3
        with server.client(2) as client:
            assert client.get().status == 200
        gone = server.text().partition("no longer listening on http://")[2].split()[0]
        kept = [i for i in (0, 1) if server.listening[i][1] != gone]
        assert len(kept) == 1
        with server.client(kept[0]) as client:
            assert client.get().status == 200
        with pytest.raises(OSError, match="refused"):
            server.client(1 - kept[0]).close()
        ini.write_text(f"{head}http-socket = 127.0.0.1:0\n")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("generation 3 serves")
        assert not sock.exists()


@pytest.mark.parametrize("death", [f"/signal?{signal.SIGKILL}", f"/signal?{signal.SIGSEGV}", "/exit?7"])
def test_a_worker_that_dies_is_followed_at_once(tmp_path: Path, death: str) -> None:
    with shop(tmp_path, count=2) as server:
        before = workers(server, 2)
        with server.client() as client:
            client.send(f"GET {death} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            assert client.ended()
        server.wait_for("died: ")
        end = time.monotonic() + 10
        while len(found := workers(server, 2)) and found == before:
            assert time.monotonic() < end
        assert len(before & found) == 1
        text = server.text()
        wanted = "exit status 7" if "exit" in death else "killed by SIG"
        assert wanted in text


def test_sys_exit_is_one_requests_500(tmp_path: Path) -> None:
    with shop(tmp_path, count=1) as server:
        _, pid, _ = answer(server)
        with server.client() as client:
            assert client.get("/sys-exit").status == 500
        assert answer(server)[1] == pid


def test_a_prototype_that_dies_is_built_anew_while_its_workers_serve(tmp_path: Path) -> None:
    with shop(tmp_path) as server:
        before = workers(server, 2)
        (prototype,) = set(children(server.process.pid)) - before
        os.kill(prototype, signal.SIGKILL)
        server.wait_for("the prototype was started anew")
        assert workers(server, 2) == before
        os.kill(min(before), signal.SIGKILL)
        end = time.monotonic() + 10
        while workers(server, 2) == before:
            assert time.monotonic() < end


def test_a_supervisor_that_is_killed_leaves_no_orphans(tmp_path: Path) -> None:
    with shop(tmp_path, expect=None) as server:
        workers(server, 2)
        family = descendants(server.process.pid)
        server.process.kill()
        server.process.wait()
        end = time.monotonic() + 10
        while left := [pid for pid in family if alive(pid)]:
            assert time.monotonic() < end, [title(pid) for pid in left]
            time.sleep(0.02)


def test_an_import_that_starts_threads_is_done_in_each_worker(tmp_path: Path) -> None:
    thread = "threading.Thread(target=time.sleep, args=(999,), name='poller', daemon=True)"
    more = f"import threading, time\n{thread}.start()\n"
    write(tmp_path, "one", more)
    with shop(tmp_path) as server:
        assert len(workers(server, 2)) == 2
        assert "poller" in server.text()
        assert "lazy-apps" in server.text()
        for pid in workers(server, 2):
            assert len(os.listdir(f"/proc/{pid}/task")) >= 3  # loop, pool, and the application's own


def test_a_reload_during_a_reload_is_the_one_that_counts(tmp_path: Path) -> None:
    with shop(tmp_path) as server:
        write(tmp_path, "two", "import time; time.sleep(30)\n")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("SIGHUP: reloading")
        time.sleep(0.3)
        write(tmp_path, "three")
        server.process.send_signal(signal.SIGHUP)
        until_mark(server, "three")
        assert len(workers(server, 2)) == 2


def test_a_running_request_outlives_a_reload(tmp_path: Path) -> None:
    with shop(tmp_path, "--threads", "2") as server, server.client() as client:
        client.send(b"GET /sleep?3 HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.2)
        write(tmp_path, "two")
        server.process.send_signal(signal.SIGHUP)
        until_mark(server, "two")
        reply = client.reply()
        assert reply.body.startswith(b"one ")
        assert reply.headers["connection"] == "close"


def test_mercy_ends(tmp_path: Path) -> None:
    with shop(tmp_path, "--worker-reload-mercy", "1") as server, server.client() as client:
        client.send(b"GET /sleep?30 HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.2)
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("generation 2 serves")
        started = time.monotonic()
        assert client.ended()
        assert time.monotonic() - started < 6


def test_a_worker_that_is_told_to_go_is_replaced_first(tmp_path: Path) -> None:
    with shop(tmp_path, count=1) as server:
        _, pid, _ = answer(server)
        os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + 10
        while answer(server)[1] == pid:
            assert time.monotonic() < end, server.text()
        assert "is to be replaced" in server.text()


def test_stopping_twice_cuts(tmp_path: Path) -> None:
    with shop(tmp_path, expect=30) as server, server.client() as client:
        client.send(b"GET /sleep?30 HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.2)
        server.process.send_signal(signal.SIGTERM)
        server.wait_for("finishing what runs")
        time.sleep(0.5)  # one that comes at once is taken for the same
        server.process.send_signal(signal.SIGTERM)
        assert client.ended()
        assert server.process.wait(10) == 30


def test_without_a_worker_it_ends_where_that_is_wanted(tmp_path: Path) -> None:
    # One that dies is followed at once, and nobody is missed; one that dies too often is waited for.
    with shop(tmp_path, "--die-on-no-workers", "--lazy-apps", count=1, expect=None) as server:
        before = answer(server)[1]
        write(tmp_path, "two", "import os, threading\nthreading.Timer(0.05, os._exit, (9,)).start()\n")
        os.kill(before, signal.SIGKILL)
        assert server.process.wait(15) == 1, "uWSGI's status"
        assert "die-on-no-workers: no worker is left" in server.text()


def test_a_reload_is_the_end_where_that_is_wanted(tmp_path: Path) -> None:
    with shop(tmp_path, "--exit-on-reload", count=1) as server:
        os.kill(server.process.pid, signal.SIGHUP)
        assert server.process.wait(15) == 0
        assert "SIGHUP; exit-on-reload" in server.text()


def test_another_penstock_takes_over(tmp_path: Path) -> None:
    pidfile = tmp_path / "pid"
    with shop(tmp_path, "--pidfile", str(pidfile)) as server:
        before = workers(server, 2)
        write(tmp_path, "two")
        server.process.send_signal(signal.SIGUSR2)
        server.wait_for("goes on in place of")
        until_mark(server, "two")
        server.wait_for("generation 2 serves")
        assert not before & workers(server, 2)
        assert int(pidfile.read_text()) == server.process.pid
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("generation 3 serves")


def test_one_that_cannot_take_over_does_not(tmp_path: Path) -> None:
    ini = tmp_path / "app.ini"
    good = f"[uwsgi]\nmaster = true\nprocesses = 1\npythonpath = {tmp_path}\nmodule = shop\n"
    ini.write_text(good)
    write(tmp_path, "one")
    with serving(tmp_path, "--http-socket", "127.0.0.1:0", str(ini), app="") as server:
        _, pid, _ = answer(server)
        ini.write_text(good + "processes = many\n")
        server.process.send_signal(signal.SIGUSR2)
        server.wait_for("cannot take over")
        assert answer(server)[1] == pid
        assert "goes on in place of" not in server.text()


def test_deaths_before_the_first_reply_slow_down(tmp_path: Path) -> None:
    # Ready, and dead before it can have answered anything.
    death = "threading.Timer(0.05, os._exit, (9,)).start()"
    with shop(tmp_path, "--forkbomb-delay", "250ms", "--lazy-apps", count=1) as server:
        _, pid, _ = answer(server)
        time.sleep(0.4)  # its tick has counted the reply
        write(tmp_path, "two", f"import os, threading\n{death}\n")
        os.kill(pid, signal.SIGKILL)
        for deaths, wait in ((2, 0.25), (3, 0.5), (4, 1)):
            server.wait_for(
                f"{deaths} in a row died before they had answered anything; the next one starts in {wait} s"
            )
        write(tmp_path, "three")
        until_mark(server, "three")
