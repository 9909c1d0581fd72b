"""The example of docs/isolation.md: what the page says of it, seen from the application's side.

Needs root, and a kernel that allows new namespaces.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.daemons import NOBODY, ROOT, command, open_folder, public_python, run
from tests.e2e.server import Server
from tests.e2e.surroundings import TOP, environment
from tests.process.isolation.alone import needs

PAGE = TOP / "docs" / "isolation.md"
EXAMPLES = re.findall(r"```ini\n(.*?)```", PAGE.read_text(), re.S)
SPACES = ("mnt", "pid", "ipc", "net")
MOUNTS, IPC, PID = 0x00020000, 0x08000000, 0x20000000
NET_BIND_SERVICE = 1 << 10
APPLICATION = """
import json, os
def application(environ, start_response):
    found = dict(line.split(":", 1) for line in open("/proc/self/status"))
    body = json.dumps({
        "uids": os.getresuid(), "pid": os.getpid(), "caps": int(found["CapEff"], 16),
        "spaces": {name: os.readlink(f"/proc/self/ns/{name}") for name in %r},
    }).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


def moved(home: Path) -> str:
    """The example with a user, a port, a lock and a module that there are."""
    (example,) = EXAMPLES
    (home / "app.py").write_text(APPLICATION % (SPACES,))
    (home / "lock").touch()
    for ours, theirs in (
        (":80\n", "127.0.0.1:0\n"), ("uid = shop", f"uid = {NOBODY.pw_name}"),
        ("/run/lock/shop", str(home / "lock")),
    ):  # fmt: skip
        assert example.count(ours) == 1
        example = example.replace(ours, theirs)
    return str(example)


@contextmanager
def serving(home: Path, words: list[str], said: str = "log") -> Iterator[Server]:
    """``said``: where the server's log is."""
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            words, cwd=home, env=environment(), stdin=subprocess.DEVNULL, stdout=log,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
    (home / said).touch()
    server = Server(process, home / said)
    try:
        server.wait_until_listening(1)
        yield server
        assert server.stop() == 0, server.text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_the_example_of_the_page() -> None:
    needs(MOUNTS | PID | IPC)
    with open_folder() as home:
        (home / "app.ini").write_text(moved(home))
        words = [public_python(), "-m", "penstock", "--ini", "app.ini"]
        with serving(home, words) as server:
            with server.client() as client:
                found: dict[str, Any] = json.loads(client.get("/").body)
            assert found["uids"] == [NOBODY.pw_uid] * 3 and found["caps"] == NET_BIND_SERVICE
            assert found["pid"] < 20
            ours = {name: os.readlink(f"/proc/self/ns/{name}") for name in SPACES}
            assert [name for name in SPACES if found["spaces"][name] != ours[name]] == ["mnt", "pid", "ipc"]
            second = run(home, words)
            assert second.returncode == 1 and "flock2" in second.stderr


@ROOT
@pytest.mark.parametrize("words", [("--refork",), ("--refork", "--logto", "site.log")])
def test_whoever_waits_for_a_fork_lets_go_of_what_it_has(words: tuple[str, ...]) -> None:
    with open_folder() as home:
        (home / "lock").touch()
        line = command(public_python(), *words, "--flock", "lock", "--pidfile", "pid")
        with serving(home, line, "site.log" if "--logto" in words else "log") as server:
            assert run(home, line).returncode == 1
        assert "Traceback" not in server.text() and not (home / "pid").exists()


def test_no_example_of_the_page_is_left_out() -> None:
    text = PAGE.read_text()
    assert len(EXAMPLES) == 1 and text.count("```") == 2
