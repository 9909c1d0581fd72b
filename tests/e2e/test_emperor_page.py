"""Every example of docs/emperor.md, run as it stands, in folders of the test's own."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.emperors import LONGEST, descendants, real_uwsgi
from tests.e2e.server import Client
from tests.e2e.surroundings import TOP, environment

PAGE = TOP / "docs" / "emperor.md"
EXAMPLE = re.compile(r"```ini\n; (\S+)\n(.*?)```", re.DOTALL)
SHOP = """
import os
def application(environ, start_response):
    start_response("200 OK", [])
    return [f"shop {os.environ.get('STAGE')} {os.getuid()}".encode()]
"""
FOLDERS = ("etc/vassals", "etc/penstock", "run/sites", "srv/shop", "srv/wiki/deploy", "var/log")


class Host:
    """``/etc``, ``/run``, ``/srv`` and ``/var`` of the page, in a folder."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.log = top / "log"
        self.examples = dict(EXAMPLE.findall(PAGE.read_text()))
        for folder in FOLDERS:
            (top / folder).mkdir(parents=True, exist_ok=True)
        (top / "srv/shop/shop.py").write_text(SHOP)

    def moved(self, text: str) -> str:
        return re.sub(r"(?<![\w/*])/(etc|run|srv|var)/", rf"{self.top}/\1/", text)

    def put(self, *names: str) -> None:
        for name in names:
            (self.top / name.lstrip("/")).write_text(self.moved(self.examples[name]))

    @contextmanager
    def running(self, *words: str) -> Iterator["subprocess.Popen[bytes]"]:
        with self.log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "penstock", *map(self.moved, words)], stdout=output,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment(), cwd=self.top,
            )  # fmt: skip
        try:
            yield process
            process.terminate()
            assert process.wait(30) == 0, self.log.read_text()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    def until(self, done: Callable[[], object]) -> None:
        end = time.monotonic() + LONGEST
        while not done():
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.02)

    def ask(self, path: str) -> str:
        try:
            with Client(f"{self.top}{path}") as client:
                return client.get("/").body.decode()
        except (OSError, EOFError):
            return ""


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_a_folder_of_sites(host: Host) -> None:
    command = re.search(r"```sh\npenstock (.*)\n```", PAGE.read_text())
    assert command
    host.put("/etc/vassals/shop.ini")
    with host.running(*command[1].split()):
        host.until(lambda: host.ask("/run/shop.sock").startswith("shop"))
        # It has no application whose rights it could warn of; the vassal has, and does.
        own, _, rest = host.log.read_text().partition("the emperor looks for vassals")
        assert "running as root" not in own and ("running as root" in rest) is (os.getuid() == 0)


def test_folders_patterns_and_statistics(host: Host) -> None:
    host.put("/etc/penstock/emperor.ini", "/etc/vassals/shop.ini")
    other = host.top / "srv/wiki/deploy/wiki.ini"
    other.write_text((host.top / "etc/vassals/shop.ini").read_text().replace("shop.sock", "wiki.sock"))
    with host.running("--ini", "/etc/penstock/emperor.ini"):
        host.until(lambda: host.ask("/run/shop.sock") and host.ask("/run/wiki.sock"))
        assert (host.top / "run/emperor.pid").read_text().strip().isdecimal()
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(host.top / "run/emperor.stats"))
            assert '"vassals"' in sock.makefile().read()


def test_what_all_have_in_common(host: Host) -> None:
    host.put("/etc/penstock/common.ini", "/etc/penstock/templates.ini", "/etc/vassals/wiki.ini")
    with host.running("--ini", "/etc/penstock/templates.ini"):
        host.until(lambda: host.ask("/run/wiki.sock").startswith("shop production"))
        assert "4 threads" in (host.top / "var/log/wiki.log").read_text()
        assert "4 threads" not in host.log.read_text()


def test_a_tyrant(host: Host) -> None:
    if os.getuid():
        pytest.skip("needs root")
    host.put("/etc/penstock/tyrant.ini", "/etc/vassals/shop.ini")
    with host.running("--ini", "/etc/penstock/tyrant.ini"):
        host.until(lambda: "vassal shop.ini is not started: its file is root's" in host.log.read_text())


def test_on_demand(host: Host) -> None:
    host.put("/etc/penstock/on-demand.ini", "/etc/vassals/blog.ini")
    with host.running("--ini", "/etc/penstock/on-demand.ini") as process:
        host.until((host.top / "run/sites/blog.socket").exists)
        assert not descendants(process.pid)
        assert host.ask("/run/sites/blog.socket").startswith("shop")
        assert descendants(process.pid)


@pytest.mark.slow
def test_beside_an_application(host: Host) -> None:
    host.put("/etc/penstock/beside.ini", "/etc/vassals/shop.ini")
    with host.running("--ini", "/etc/penstock/beside.ini"):
        host.until(lambda: host.ask("/run/main.sock") and host.ask("/run/shop.sock"))


def test_a_wrapper(host: Host) -> None:
    program = real_uwsgi()
    host.put("/etc/penstock/wrapped.ini", "/etc/vassals/shop.ini")
    file = host.top / "etc/penstock/wrapped.ini"
    file.write_text(file.read_text().replace("/usr/bin/uwsgi", program))
    # Not the half minute that vassals have: a worker of uWSGI's may not hear that it is to end.
    with host.running("--ini", "/etc/penstock/wrapped.ini", "--reload-mercy", "5"):
        host.until(lambda: host.ask("/run/shop.sock").startswith("shop"))
        # A worker of uWSGI's that is told to end before it accepts does not hear it.
        host.until(lambda: "vassal shop.ini accepts requests" in host.log.read_text())
        host.until(lambda: "spawned uWSGI worker 2" in host.log.read_text())


def test_no_example_is_left_out() -> None:
    examples = set(dict(EXAMPLE.findall(PAGE.read_text())))
    used = set(re.findall(r'"(/etc/[\w./-]+\.ini)"', Path(__file__).read_text()))
    assert examples == used and PAGE.read_text().count("```ini") == len(examples)
