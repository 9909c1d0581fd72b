"""Alarms of real servers: lines of every process, whatever becomes of the log and of the server meanwhile."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.server import LISTENING, Client, Server, serving
from tests.e2e.shop import alive, answer, children, until_mark, workers, write
from tests.e2e.surroundings import environment
from tests.process.alarms.posting import OK as HTTP_OK
from tests.process.alarms.posting import peer
from tests.waiting import until

APP = """
import os, subprocess, sys
print("imported: danger of the import", flush=True)
"""
PATHS = """
    if path == "/print":
        print("danger printed", query, flush=True)
    if path == "/errors":
        environ["wsgi.errors"].write(f"danger written {query}\\n")
    if path == "/program":
        subprocess.run(["/bin/echo", "danger of a program", query])
    if path == "/many":
        for number in range(int(query)):
            os.write(1, f"{os.getpid()} line {number} {'x' * (number % 200)}\\n".encode())
"""


EMBEDDED = """
import penstock

def application(environ, start_response):
    environ["wsgi.errors"].write("danger written\\n")
    start_response("200 OK", [("Content-Length", "0")])
    return []

alarms = {"alarm": "file cmd:cat >> {tmp}/told; echo >> {tmp}/told", "log_alarm": "file danger"}
hooks = {"hook_post_fork": "alarm:file it begins", "hook_accepting": "alarm:file it is ready"}
penstock.run(application, "127.0.0.1:0", **alarms, **hooks)
"""


def prepare(folder: Path, mark: str = "one") -> None:
    write(folder, mark, APP)
    text = (folder / "shop.py").read_text()
    (folder / "shop.py").write_text(
        text.replace('    if path == "/exit":', PATHS + '    if path == "/exit":')
    )


@contextmanager
def alarmed(tmp: Path, *words: str, expect: int | None = 0, fds: tuple[int, ...] = ()) -> Iterator[Server]:
    """The application with an alarm that appends what it is told to the file ``told``."""
    prepare(tmp)
    alarm = f"file cmd:cat >> {tmp}/told"
    options = ("--processes", "2", "--disable-logging", "--pythonpath", str(tmp), "--alarm", alarm)
    with serving(tmp, *options, *words, app="shop", expect=expect, pass_fds=fds) as server:
        answer(server)
        yield server


def told(tmp: Path) -> str:
    path = tmp / "told"
    return path.read_text() if path.exists() else ""


def wait_for(tmp: Path, text: str, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while text not in told(tmp):
        assert time.monotonic() < end, told(tmp)
        time.sleep(0.02)


def test_lines_of_every_process_raise_alarms(tmp_path: Path) -> None:
    with alarmed(tmp_path, "--not-log-alarm", "file harmless", "--log-alarm", "file danger") as server:
        for path in ("/print?1", "/print?harmless", "/errors?2", "/program?3"):
            answer(server, path)
        lines = ["danger of the import", "danger printed 1", "danger written 2", "danger of a program 3"]
        for line in lines:
            wait_for(tmp_path, f"{line}\n")
            assert f"{line}\n" in server.text()
        assert "danger printed harmless\n" in server.text()
    assert "harmless" not in told(tmp_path)
    assert server.text().count("danger printed 1\n") == 1


def test_without_it_workers_write_to_the_log_themselves(tmp_path: Path) -> None:
    with alarmed(tmp_path) as server:
        answer(server, "/print?1")
        server.wait_for("danger printed 1\n")
        assert os.path.samefile(f"/proc/{answer(server)[1]}/fd/1", server.log)
    assert told(tmp_path) == ""


def test_nothing_is_lost_or_mixed(tmp_path: Path) -> None:
    with alarmed(tmp_path, "--log-alarm", "file nothing like this") as server:
        pids = workers(server, 2)
        threads = [threading.Thread(target=answer, args=(server, "/many?1000")) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = re.findall(r"^(\d+) line (\d+) (x*)$", server.text(), re.MULTILINE)
    assert len(found) == 4000
    assert all(len(xs) == int(number) % 200 for _, number, xs in found)
    for pid in pids:
        numbers = [int(number) for who, number, _ in found if int(who) == pid]
        assert numbers == [*range(1000)] * (len(numbers) // 1000)


def test_a_log_that_nobody_reads_keeps_nobody_waiting(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reading = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    words = ("--access-log", str(fifo), "--log-alarm", "file danger")
    prepare(tmp_path)
    alarm = ("--alarm", f"file cmd:cat >> {tmp_path}/told")
    options = ("--processes", "1", "--pythonpath", str(tmp_path), *alarm, *words)
    with serving(tmp_path, *options, app="shop") as server:
        with server.client() as client:
            for number in range(400):
                assert client.get(f"/{number}/{'x' * 1000}").status == 200
        answer(server, "/print?1")
        wait_for(tmp_path, "danger printed 1")
        found = bytearray()
        reader = threading.Thread(target=read_all, args=(reading, found))
        reader.start()
        assert server.stop() == 0
        reader.join()
    os.close(reading)
    assert found.count(b" GET /") == 401, found[-300:]


def read_all(fd: int, found: bytearray) -> None:
    """Until nobody writes any more."""
    os.set_blocking(fd, True)
    while data := os.read(fd, 1 << 16):
        found += data


def test_logs_are_rotated(tmp_path: Path) -> None:
    prepare(tmp_path)
    log = tmp_path / "access"
    options = ("--processes", "2", "--pythonpath", str(tmp_path), "--access-log", str(log))
    alarm = ("--alarm", f"file cmd:cat >> {tmp_path}/told", "--log-alarm", "file GET /danger")
    with serving(tmp_path, *options, *alarm, app="shop") as server:
        answer(server, "/danger?1")
        wait_for(tmp_path, "/danger?1")
        log.rename(tmp_path / "old")
        server.process.send_signal(signal.SIGUSR1)
        until(log.exists)
        answer(server, "/danger?2")
        wait_for(tmp_path, "/danger?2")
        assert log.read_text().count("/danger?2") == 1
        assert "/danger?2" not in (tmp_path / "old").read_text()


def test_a_daemon_that_leaves_the_terminal_later(tmp_path: Path) -> None:
    prepare(tmp_path)
    alarm = ("--alarm", f"file cmd:cat >> {tmp_path}/told", "--log-alarm", "file danger printed")
    words = ["--processes", "1", "--pythonpath", str(tmp_path), *alarm, "--daemonize2", "log", "--pidfile",
             "pid", "--http-socket", "127.0.0.1:0", "--module", "shop"]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "penstock", *words],
        capture_output=True,
        text=True,
        timeout=30,
        env=environment(),
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    pid = int((tmp_path / "pid").read_text())
    try:
        port = int(LISTENING.findall(done.stderr)[0][1].rpartition(":")[2])
        with Client(("127.0.0.1", port)) as client:
            client.get("/print?1")
        wait_for(tmp_path, "danger printed 1\n")
        assert "danger printed 1\n" in (tmp_path / "log").read_text()
        assert "danger of the import" in done.stdout
    finally:
        os.kill(pid, signal.SIGTERM)
    until(lambda: not alive(pid))


def test_an_application_that_is_an_object(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(EMBEDDED.replace("{tmp}", str(tmp_path)))
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "run.py"], stdout=output, stderr=output, env=environment(), cwd=tmp_path
        )
    try:
        until(lambda: bool(LISTENING.findall(log.read_text())))
        wait_for(tmp_path, "it begins")  # by hooks; two commands may write at once
        wait_for(tmp_path, "it is ready")
        port = int(LISTENING.findall(log.read_text())[0][1].rpartition(":")[2])
        with Client(("127.0.0.1", port)) as client:
            client.get("/danger")
        wait_for(tmp_path, "danger written\n")
        wait_for(tmp_path, "GET /danger")
        until(lambda: not children(process.pid))
    finally:
        process.terminate()
    assert process.wait(10) == 0, log.read_text()


def test_it_comes_and_goes_with_a_reload(tmp_path: Path) -> None:
    prepare(tmp_path)
    ini = tmp_path / "app.ini"
    base = f"""[uwsgi]
master = true
pythonpath = {tmp_path}
module = shop
disable-logging = true
http-socket = 127.0.0.1:0
"""
    alarms = f"alarm = file cmd:cat >> {tmp_path}/told\nlog-alarm = file danger printed\n"
    ini.write_text(base)
    with serving(tmp_path, "--ini", str(ini), "--bind", "127.0.0.1:0", app="", listeners=2) as server:
        answer(server)
        for mark, text in (("two", base + alarms), ("three", base)):
            ini.write_text(text)
            prepare(tmp_path, mark)
            server.process.send_signal(signal.SIGHUP)
            until_mark(server, mark)
            answer(server, f"/print?{mark}")
            server.wait_for(f"danger printed {mark}\n")
    assert told(tmp_path) == "danger printed two\n"


@pytest.mark.slow
def test_another_penstock_takes_over(tmp_path: Path) -> None:
    with alarmed(tmp_path, "--log-alarm", "file danger printed") as server:
        answer(server, "/print?1")
        wait_for(tmp_path, "danger printed 1\n")
        prepare(tmp_path, "two")
        server.process.send_signal(signal.SIGUSR2)
        server.wait_for("goes on in place of")
        answer(server, "/print?2")
        wait_for(tmp_path, "danger printed 2\n")
        until_mark(server, "two")
        answer(server, "/print?3")
        wait_for(tmp_path, "danger printed 3\n")
        pipes = {os.readlink(f"/proc/{answer(server)[1]}/fd/{number}") for number in (1, 2)}
        assert len(pipes) == 1 and pipes.pop().startswith("pipe:")
        assert server.text().count("danger printed") == 3


def test_a_crash_and_a_descriptor(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    words = ("--alarm-segfault", "file", "--alarm-fd", f"file {reading} a byte came")
    with (
        peer(HTTP_OK) as hook,
        alarmed(
            tmp_path,
            *words,
            "--alarm",
            f"hook http://127.0.0.1:{hook.port}/x",
            "--alarm-segfault",
            "hook",
            fds=(reading,),
        ) as server,
    ):
        os.write(writing, b"x")
        wait_for(tmp_path, "a byte came")
        with server.client() as client:
            client.send(f"GET /signal?{int(signal.SIGSEGV)} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            wait_for(tmp_path, "died: killed by SIGSEGV")
        workers(server, 2)
        until(lambda: b"killed by SIGSEGV" in hook.heard)
        assert hook.heard.startswith(b"POST /x HTTP/1.1")
    os.close(reading)
    os.close(writing)


def test_the_example_of_the_page(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "alarms.md").read_text()
    example = page.partition("```ini\n")[2].partition("```")[0]
    pager = tmp_path / "page-somebody"
    pager.write_text(f"#!/bin/sh\ncat >> {tmp_path}/told\n")
    pager.chmod(0o755)
    example = example.replace("/usr/local/bin/page-somebody", str(pager)).replace(":8000", ":0")
    (tmp_path / "shop.ini").write_text(example)
    prepare(tmp_path)
    text = (tmp_path / "shop.py").read_text()
    (tmp_path / "shop.py").write_text(text.replace("danger printed", "ERROR"))
    with serving(tmp_path, "--ini", "shop.ini", "--bind", "127.0.0.1:0", app="", listeners=2) as server:
        answer(server, "/print?1")
        wait_for(tmp_path, "ERROR 1\n")
        server.wait_for("ALARM: look at this ERROR 1")
        with server.client() as client:
            client.send(f"GET /signal?{int(signal.SIGSEGV)} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            wait_for(tmp_path, "died: killed by SIGSEGV")
