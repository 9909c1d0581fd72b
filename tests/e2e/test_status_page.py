"""The status page and ``penstock top`` on a real server: the slow path is the first row of both, in a real
browser and on a real terminal; who may see it; and that it is answered while every thread is stuck."""

import http.client
import json
import random
import re
import shutil
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.server import Server, serving
from tests.e2e.surroundings import environment
from tests.e2e.terminal import Terminal
from tests.waiting import until

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
MISSING = "chromium is not installed: apt-get install chromium"
SHOP = """
import time
def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path.startswith("/slow"):
        time.sleep(float(environ["QUERY_STRING"] or 0.8))
    elif path == "/broken":
        raise ValueError("broken")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "3")])
    return [b"ok\\n"]
"""
PAGE = re.compile(r"penstock: status page on (http://\S+:(\d+)/)")
FIRST = re.compile(r"slowest first\s+PATH .*?(?:QUEUE|WRITE) 95%\s+/slow ", re.DOTALL)
JANE = f"Authorization: Basic {b64encode(b'jane:secret').decode()}"


@contextmanager
def shop(folder: Path, *options: str) -> Iterator[Server]:
    (folder / "shop.py").write_text(SHOP)
    control = ("--control-socket", str(folder / "ctl"))
    with serving(folder, *options, *control, "--threads", "4", app="shop:application") as server:
        yield server


def page_of(server: Server) -> tuple[str, int]:
    """The page's URL and port."""
    server.wait_for("status page on")
    found = PAGE.search(server.text())
    assert found, server.text()
    return found[1], int(found[2])


def get(port: int, path: str, **headers: str) -> tuple[int, bytes]:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        client.request("GET", path, headers={name.replace("_", "-"): text for name, text in headers.items()})
        reply = client.getresponse()
        return reply.status, reply.read()
    finally:
        client.close()


def figures(port: int, path: str = "/", **headers: str) -> dict[str, Any]:
    status, body = get(port, f"{path}?data", **headers)
    assert status == 200, body
    found: dict[str, Any] = json.loads(body)
    return found


@contextmanager
def traffic(server: Server, clients: int = 4) -> Iterator[None]:
    """Customers, 2 % of whose requests are for ``/slow``: about a hundred requests a second."""
    over = threading.Event()

    def customer(seed: int) -> None:
        chance = random.Random(seed)
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        while not over.is_set():
            path = "/slow" if chance.random() < 0.02 else f"/items/{chance.randrange(9999)}?page=1"
            client.request("GET", path)
            client.getresponse().read()
            over.wait(0.02)
        client.close()

    threads = [threading.Thread(target=customer, args=(seed,)) for seed in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def top(folder: Path, *words: str) -> str:
    """What ``penstock top --once`` prints."""
    words = (sys.executable, "-m", "penstock", "top", "--once", "--socket", str(folder / "ctl"), *words)
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def first_path(text: str) -> str:
    """Of the table of paths in what ``top`` printed; "" where it is empty."""
    below = [*text[text.index("Paths of") :].splitlines(), "", ""][2]
    return below.split()[0] if below else ""


# ---- The slow path --------------------------------------------------------------------------------------


def test_the_slow_path_is_the_first_within_10_seconds(tmp_path: Path) -> None:
    with shop(tmp_path, "--processes", "2", "--status-page", "127.0.0.1:0") as server:
        _, port = page_of(server)
        begun = time.monotonic()
        with traffic(server):
            until(lambda: [row["path"] for row in figures(port)["paths"][:2]] == ["/slow", "/items/*"], 20.0)
            assert first_path(top(tmp_path)) == "/slow"
            assert time.monotonic() - begun < 20.0
            found = figures(port)
        slow, items = found["paths"][:2]
        assert 0.75 < slow["run"][0] < 0.9 and slow["share"] > 0.9
        assert items["count"] > slow["count"] and items["run"][1] < 0.1
        assert sum(point[1] for point in found["points"]) > 20
        assert {worker["wid"] for worker in found["workers"]} == {1, 2}
        assert [worker["silent"] for worker in found["workers"]] == ["", ""]
        # Which worker has whose connection is the kernel's to say.
        assert abs(sum(worker["rate"] for worker in found["workers"]) - found["rate"]) < 0.01 < found["rate"]


def test_a_server_without_a_page_has_paths_for_who_looks(tmp_path: Path) -> None:
    with shop(tmp_path) as server:
        assert "no request yet" in top(tmp_path)
        with traffic(server):
            until(lambda: first_path(top(tmp_path)) == "/slow", 20.0)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_first_row_in_a_browser(tmp_path: Path) -> None:
    if CHROMIUM is None:
        pytest.skip(MISSING)
    with shop(tmp_path, "--processes", "2", "--status-page", "127.0.0.1:0") as server:
        url, _ = page_of(server)
        with traffic(server):
            time.sleep(4.0)
            page, console = visit(url, tmp_path / "profile")
        assert console == []
        assert rows(page, "paths")[0] == "/slow", rows(page, "paths")
        assert rows(page, "workers") == ["1", "2"]
        assert "serving" in page and "busy" in page
        for plot in ("traffic", "times"):
            drawn = re.findall(r'class="line" d="([^"]*)"', page[page.index(f'id="{plot}"') :])
            assert drawn and drawn[0].count("L") >= 2, f"{plot}: a line is drawn"


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_browser_with_a_password_in_the_address(tmp_path: Path) -> None:
    if CHROMIUM is None:
        pytest.skip(MISSING)
    words = ("--processes", "2", "--status-page", "/-/status", "--status-auth", "jane:secret")
    with shop(tmp_path, *words) as server:
        with traffic(server):
            time.sleep(4.0)
            where = f"jane:secret@127.0.0.1:{server.port}/-/status"
            page, console = visit(f"http://{where}", tmp_path / "profile")
        assert console == []
        assert rows(page, "paths")[0] == "/slow"


def visit(url: str, profile: Path) -> tuple[str, list[str]]:
    """The document as the browser has it after some looks, and what its console says."""
    words = [
        *(str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *(f"--user-data-dir={profile}", "--enable-logging=stderr", "--virtual-time-budget=9000"),
        *("--no-first-run", "--window-size=1280,1400", "--dump-dom", url),
    ]
    done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=90, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if ":CONSOLE" in line]


def rows(page: str, table: str) -> list[str]:
    """The first cell of each row."""
    found = re.search(rf'<table id="{table}">(.*?)</table>', page, re.DOTALL)
    assert found, page
    return re.findall(r"<tr><td[^>]*>([^<]*)<", found[1])


def test_the_first_row_on_a_terminal_and_a_worker_reloaded_by_a_key(tmp_path: Path) -> None:
    pytest.importorskip("rich", reason="rich is not installed: pip install 'penstock[top]'")
    with shop(tmp_path, "--processes", "2") as server, traffic(server):
        words = ["top", "--socket", str(tmp_path / "ctl"), "--every", "0.5"]
        with Terminal(words, environment(TERM="xterm-256color")) as terminal:
            until(lambda: FIRST.search(terminal.plain()) is not None, 20.0, terminal.plain)
            terminal.press(b"\x1b[B")
            terminal.press(b"ry")
            terminal.wait_for("worker 1 (pid")
            server.wait_for("is to be replaced: penstock ctl")
            terminal.press(b"q")
            code, _ = terminal.end()
        assert code == 0


# ---- Who may see it, and when ---------------------------------------------------------------------------


@pytest.mark.parametrize("options", [(), ("--processes", "2")], ids=["single", "supervised"])
def test_on_a_path_of_the_applications_with_a_password(tmp_path: Path, options: tuple[str, ...]) -> None:
    words = (*options, "--status-page", "/-/status", "--status-auth", "jane:secret")
    with shop(tmp_path, *words) as server:
        assert get(server.port, "/-/status")[0] == 401
        who = {"Authorization": JANE.partition(": ")[2]}
        status, body = get(server.port, "/-/status", **who)
        assert status == 200 and body.startswith(b"<!doctype html>")
        assert get(server.port, "/-/status", Authorization="Basic amFuZTp4")[0] == 401
        assert get(server.port, "/other")[1] == b"ok\n"
        assert figures(server.port, "/-/status", **who)["state"] == "serving"
        with server.client() as client:  # kept alive, and HEAD
            head = client.get("/-/status", JANE, method="HEAD")
            assert head.status == 200 and head.body == b"" and int(head.headers["content-length"]) > 10_000
            assert client.get("/-/status?data", JANE).status == 200
            assert client.get("/").body == b"ok\n"


def test_on_a_path_without_a_password_nobody_sees_it(tmp_path: Path) -> None:
    with shop(tmp_path, "--status-page", "/-/status") as server:
        status, body = get(server.port, "/-/status?data")
        assert status == 403 and b"status-auth" in body
        assert "nobody can see it" in server.text()


def test_on_its_address_only_for_this_machine(tmp_path: Path) -> None:
    with shop(tmp_path, "--status-page", "127.0.0.1:0") as server:
        _, port = page_of(server)
        assert get(port, "/")[0] == 200
        assert get(port, "/?data", Host="evil.example")[0] == 403
        assert get(port, "/?data", X_Forwarded_For="192.0.2.1")[0] == 403
        assert get(port, "/?data", Origin="http://evil.example", Sec_Fetch_Site="cross-site")[0] == 403


def test_it_is_answered_while_every_thread_is_stuck(tmp_path: Path) -> None:
    words = ("--processes", "1", "--master", "--status-page", "/-/status", "--status-auth", "jane:secret")
    with shop(tmp_path, *words) as server:
        who = {"Authorization": JANE.partition(": ")[2]}
        stuck = [server.client(timeout=20) for _ in range(8)]
        for client in stuck:
            client.send(b"GET /slow/1?4 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        until(lambda: figures(server.port, "/-/status", **who)["queued"] == 4)
        begun = time.monotonic()
        found = figures(server.port, "/-/status", **who)
        assert time.monotonic() - begun < 1.0
        assert (found["busy"], found["threads"], found["running"]) == (4, 4, 8)
        assert "time.sleep" in found["requests"][0]["stack"]
        for client in stuck:
            assert client.reply().status == 200
            client.close()


@pytest.mark.slow
def test_it_moves_with_a_reload_and_keeps_its_history(tmp_path: Path) -> None:
    ini = tmp_path / "shop.ini"
    text = "[uwsgi]\nmaster = true\nprocesses = 2\nstatus-page = 127.0.0.1:0\n"
    ini.write_text(text)
    with shop(tmp_path, "--ini", str(ini)) as server:
        _, port = page_of(server)
        for _ in range(30):
            assert get(server.port, "/items/1")[0] == 200
        figures(port)
        time.sleep(2.2)
        assert sum(point[1] for point in figures(port)["points"]) == 30
        ini.write_text(text + "status-auth = jane:secret\n")
        words = (sys.executable, "-m", "penstock", "ctl", "--socket", str(tmp_path / "ctl"), "reload")
        subprocess.run(words, env=environment(), timeout=60, check=True, capture_output=True)
        moved = int(PAGE.findall(server.text())[-1][1])
        assert moved != port
        with pytest.raises(OSError):
            get(port, "/")
        assert get(moved, "/")[0] == 401
        who = {"Authorization": JANE.partition(": ")[2]}
        until(lambda: figures(moved, **who)["generation"] == 2)
        found = figures(moved, **who)
        assert sum(point[1] for point in found["points"]) == 30, "what the old workers told is not forgotten"


def test_top_by_the_pages_address(tmp_path: Path) -> None:
    words = ("--status-page", "127.0.0.1:0", "--status-auth", "jane:secret")
    with shop(tmp_path, *words) as server:
        _, port = page_of(server)
        assert get(server.port, "/items/3")[0] == 200
        time.sleep(0.6)
        command = [
            sys.executable,
            "-m",
            "penstock",
            "top",
            "--once",
            "--url",
            f"http://jane:secret@localhost:{port}",
        ]
        done = subprocess.run(
            command, env=environment(), capture_output=True, text=True, timeout=30, check=True
        )
        assert first_path(done.stdout) == "/items/*"
