"""Logs of real servers that cannot be written, and loggers: no request waits, and what is lost is said."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.cases import turns
from tests.e2e.server import Server, serving
from tests.e2e.shop import workers, write
from tests.waiting import until

SPEAKING = """
import sys
"""
PATHS = """
    if path == "/say":
        environ["wsgi.errors"].write(f"said {query} {'x' * 8000}\\n")
    if path == "/print":
        print(f"printed {query}", flush=True)
"""
PATIENCE = 1.0  # seconds that a request may take; on a machine that does much else, too
CONFESSED = re.compile(rb"penstock: (\d+) lines? of the log (?:was|were) lost here\n")


@contextmanager
def speaking(tmp: Path, *words: str, expect: int | None = 0) -> Iterator[Server]:
    write(tmp, "one", SPEAKING)
    text = (tmp / "shop.py").read_text()
    (tmp / "shop.py").write_text(text.replace('    if path == "/exit":', PATHS + '    if path == "/exit":'))
    with serving(tmp, "--pythonpath", str(tmp), *words, app="shop", expect=expect) as server:
        yield server


def asked(server: Server, count: int, path: str) -> float:
    """Ask so often; the longest that one took, in seconds."""
    longest = 0.0
    with server.client() as client:
        for number in range(count):
            begun = time.monotonic()
            assert client.get(path.replace("#", str(number))).status == 200
            longest = max(longest, time.monotonic() - begun)
    return longest


def drained(fd: int) -> bytes:
    found = b""
    with suppress(BlockingIOError):
        while data := os.read(fd, 1 << 20):
            found += data
    return found


def everything(data: bytes, pattern: bytes) -> tuple[int, int]:
    """How many lines there are, and how many are confessed to be lost."""
    return len(re.findall(pattern, data, re.MULTILINE)), sum(int(count) for count in CONFESSED.findall(data))


# ---- What cannot be written ------------------------------------------------------------------------------


@pytest.mark.parametrize("master", turns([False, True], False), ids=["single", "supervised"])
def test_a_pipe_whose_reader_hangs(tmp_path: Path, master: bool) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reading = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    words = ["--logto", str(fifo), "--threads", "2", *(["--processes", "1"] if master else [])]
    write(tmp_path, "one")
    with speaking_at(tmp_path, reading, *words) as server:
        assert asked(server, 900, "/say?#") < PATIENCE
        found = b""

        def read() -> bool:
            nonlocal found
            found += drained(reading)
            return everything(found, rb"^\[pid: .*GET /say")[0] + everything(found, b"never")[1] > 0

        until(read)
        asked(server, 1, "/say?last")
        until(lambda: read() and b"said last" in found)
        time.sleep(0.6)
        read()
    found += drained(reading)
    os.close(reading)
    said, lost = everything(found, rb"^said \d+ x{8000}$")
    lines, _ = everything(found, rb"^\[pid: .* GET /say\?\d+ => ")
    assert lost > 0
    assert said + lines + lost == 1800, "a line of the application's and one of the request each"
    numbers = [int(number) for number in re.findall(rb"^said (\d+) ", found, re.MULTILINE)]
    assert numbers == sorted(numbers)


@contextmanager
def speaking_at(tmp: Path, reading: int, *words: str, where: Path | None = None) -> Iterator[Server]:
    """One whose own words are in a pipe, too, or in the file ``where``: that it listens is read there."""
    write(tmp, "one", SPEAKING)
    text = (tmp / "shop.py").read_text()
    (tmp / "shop.py").write_text(text.replace('    if path == "/exit":', PATHS + '    if path == "/exit":'))
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    command = [sys.executable, "-m", "penstock", "--http-socket", f"127.0.0.1:{port}", "--module", "shop"]
    process = subprocess.Popen(
        [*command, "--pythonpath", str(tmp), *words],
        cwd=tmp,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    server = Server(process, tmp / "none")
    (tmp / "none").touch()
    server.listening = [("http", f"127.0.0.1:{port}")]
    text = ""

    def serves() -> bool:
        nonlocal text
        text += drained(reading).decode() if where is None else read(where)
        return "listening on" in text

    try:
        until(serves, 20.0)
        yield server
        process.send_signal(signal.SIGTERM)
        end = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        assert process.returncode == 0
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def test_a_disk_that_is_full_and_has_room_again(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        ballast = disk / "ballast"
        ballast.write_bytes(b"x" * (200 << 10))
        with speaking(tmp_path, "--access-log", str(disk / "log")) as server:
            long = "y" * 3000
            assert asked(server, 2000, f"/#?{long}") < PATIENCE
            time.sleep(0.5)  # the last of them have come to the log, and wait or are lost
            ballast.unlink()
            subprocess.run(["mount", "-o", "remount,size=32m", str(disk)], check=True)
            until(lambda: CONFESSED.search((disk / "log").read_bytes()))
            asked(server, 1, "/last")
        data = (disk / "log").read_bytes()
        lines, lost = everything(data, rb"^\[pid: .* GET /\d+\?y{3000} => .*\)$")
        assert lost > 0 and lines + lost == 2000
        assert b"GET /last" in data.splitlines()[-1]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("way", ["single", pytest.param("supervised", marks=pytest.mark.slow), "log-master"])
def test_a_disk_that_stays_full(tmp_path: Path, way: str) -> None:
    words = ["--access-log", "/dev/full", "--metrics", "127.0.0.1:0"]
    words += [] if way == "single" else ["--processes", "1"]
    words += ["--log-master"] if way == "log-master" else []
    with speaking(tmp_path, *words) as server:
        asked(server, 1, "/first")  # who comes before the worker waits for its start, not for a log
        assert asked(server, 2000, f"/#?{'y' * 3000}") < PATIENCE
        server.wait_for("penstock warning: the access log", 10.0)
        told = r"access log( \S+)? cannot be written \(No space left on device\): \d+ KB wait, \d+ lines"
        assert re.search(told, server.text())
        found = re.search(r"metrics on http://(\S+):(\d+)/metrics", server.text())
        assert found is not None
        lost = 0

        def counted() -> int:
            nonlocal lost
            with urlopen(f"http://{found[1]}:{found[2]}/metrics", timeout=5) as page:
                lost = int(re.findall(r"^penstock_log_lines_lost_total (\d+)", page.read().decode(), re.M)[0])
            return lost

        until(counted)
        assert 0 < lost < 2000
        begun = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begun < 3.0, "the end does not wait for it either"
    last = re.findall(r"cannot be written .* (\d+) lines were lost so far", server.text())[-1]
    assert int(last) == 2001, "what waited is lost with the process, and counted"


def test_lines_count_the_requests_of_all_workers(tmp_path: Path) -> None:
    with speaking(tmp_path, "--processes", "2", "--threads", "1") as server:
        pids, asked_for = set[str](), 0
        while len(pids) < 2 or asked_for < 40:
            with server.client() as client:
                pids.add(client.get("/", "Connection: close").body.decode().split()[1])
            asked_for += 1
        time.sleep(0.6)  # what each has had is told to the others
        asked(server, 1, "/last")
        server.wait_for("GET /last")
    found = re.search(r"\|req: (\d+)/(\d+)\] .* GET /last", server.text())
    assert found is not None
    assert int(found[2]) == asked_for + 1 > int(found[1])


def test_a_log_server_that_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    packets = ("--rsyslog-packet-size", "9000")
    with speaking(tmp_path, "--processes", "1", "--logger", f"rsyslog:{path},site", *packets) as server:
        asked(server, 1, "/first")  # the worker's start is not the log's doing
        assert asked(server, 900, "/say?#") < PATIENCE
        until(
            lambda: re.search(r"logger rsyslog:\S+: [1-9]\d* lines were lost so far", server.text()),
            20.0,
            server.text,
        )
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
            there.bind(str(path))
            there.settimeout(10)
            found = there.recv(1 << 16)
            while b"lost here" not in found:
                found = there.recv(1 << 16)
            asked(server, 1, "/say?last")
            while b"said last" not in found:
                found = there.recv(1 << 16)
            assert re.match(rb"<29>\w{3} [ \d]\d \d\d:\d\d:\d\d site: said last", found)


# ---- Loggers ---------------------------------------------------------------------------------------------


def read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


@pytest.mark.parametrize("processes", ["1", "2"])
def test_lines_of_all_processes_go_to_their_loggers(tmp_path: Path, processes: str) -> None:
    words = [
        *(
            "--processes",
            processes,
            "--logger",
            f"said file:{tmp_path}/said",
            "--logger",
            f"file:{tmp_path}/all",
        ),
        *(
            "--log-route",
            "said ^said",
            "--log-encoder",
            'json:said {"m":"${msg}"}',
            "--log-encoder",
            "nl:said",
        ),
        *("--req-logger", f"pipe:exec cat >> {tmp_path}/requests", "--log-drain", "^printed 1"),
    ]
    with speaking(tmp_path, *words) as server:
        asked(server, 20, "/say?#")
        asked(server, 3, "/print?#")
        until(lambda: read(tmp_path / "said").count("\n") == 20)
        until(lambda: read(tmp_path / "requests").count("\n") == 23)
        until(lambda: "printed 2" in read(tmp_path / "all"))
    printed = re.findall(r"^printed .*", read(tmp_path / "all"), re.MULTILINE)
    assert printed == ["printed 0", "printed 2"]
    assert "SIGTERM: finishing what runs" in read(tmp_path / "all")
    said = sorted(re.findall(r'^{"m":"said (\d+) x{8000}"}$', read(tmp_path / "said"), re.MULTILINE), key=int)
    assert said == [str(number) for number in range(20)]
    assert "[pid: " not in read(tmp_path / "all") and "printed" not in server.text()


def test_the_program_of_a_pipe_has_the_last_line_and_outlives_the_server(tmp_path: Path) -> None:
    command = f"cat > {tmp_path}/got; sleep 0.3; echo over >> {tmp_path}/got"
    with speaking(tmp_path, "--processes", "1", "--logger", f"pipe:{command}") as server:
        workers(server, 1)
    until(lambda: read(tmp_path / "got").endswith("over\n"))
    assert "has left" in read(tmp_path / "got")


def test_processes_write_a_file_themselves_and_it_is_renamed_when_it_is_large(tmp_path: Path) -> None:
    log = f"file:logfile={tmp_path}/log,backupname={tmp_path}/old,maxsize=50000"
    reading = os.open(os.devnull, os.O_RDONLY)
    words = ["--processes", "2", "--logger", log, "--disable-logging"]
    with speaking_at(tmp_path, reading, *words, where=tmp_path / "log") as server:
        os.close(reading)
        pids = workers(server, 2)
        for pid in pids:
            assert os.readlink(f"/proc/{pid}/fd/2") == f"{tmp_path}/log"
        asked(server, 10, "/say?#")
        until(lambda: "triggering rotation" in read(tmp_path / "old"))
        until(lambda: all(os.readlink(f"/proc/{pid}/fd/2") == f"{tmp_path}/log" for pid in pids))
        asked(server, 1, "/print?after")
        until(lambda: "printed after" in read(tmp_path / "log"))
    assert len(re.findall(r"^said \d", read(tmp_path / "old") + read(tmp_path / "log"), re.MULTILINE)) == 10


@pytest.mark.slow
def test_loggers_follow_a_reload_and_an_upgrade(tmp_path: Path) -> None:
    ini = tmp_path / "site.ini"
    base = f"[uwsgi]\nprocesses = 1\npythonpath = {tmp_path}\nlogger = pipe:exec cat >> {tmp_path}/first\n"
    ini.write_text(base)
    with speaking(tmp_path, "--ini", str(ini)) as server:
        asked(server, 1, "/say?1")
        until(lambda: "said 1 " in read(tmp_path / "first"))
        server.process.send_signal(signal.SIGUSR2)
        server.wait_for("goes on in place of", 20.0)
        until(lambda: "generation 2 serves" in read(tmp_path / "first"), 20.0)
        asked(server, 1, "/say?2")
        until(lambda: "said 2 " in read(tmp_path / "first"))
        ini.write_text(base.replace("/first", "/second") + "log-encoder = prefix >\n")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "generation 3 serves" in read(tmp_path / "first") + read(tmp_path / "second"), 20.0)
        asked(server, 1, "/say?3")
        until(lambda: ">said 3 " in read(tmp_path / "second"))
    assert "said 3 " not in read(tmp_path / "first")


def test_one_process_has_its_loggers_too(tmp_path: Path) -> None:
    program = f"""
import penstock

def application(environ, start_response):
    environ["wsgi.errors"].write("said\\n")
    start_response("200 OK", [("Content-Length", "0")])
    return []

penstock.run(application, "127.0.0.1:0", req_logger="pipe:exec cat > {tmp_path}/requests",
             logger=["said file:{tmp_path}/said", "stdio"], log_route="said ^said")
"""
    (tmp_path / "one.py").write_text(program)
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, str(tmp_path / "one.py")], stdout=output, stderr=output)
    server = Server(process, log)
    try:
        server.wait_until_listening(1)
        asked(server, 2, "/")
        until(lambda: read(tmp_path / "said") == "said\nsaid\n")
        until(lambda: read(tmp_path / "requests").count("GET / ") == 2)
        assert server.stop() == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    assert "\nsaid\n" not in server.text() and "[pid: " not in server.text()
