"""systemd is told that the service is ready, and that it stops; the application knows nothing of it."""

import signal
import socket
from pathlib import Path

import pytest

from tests.e2e.server import serving

APPLICATION = """
import os

def application(environ, start_response):
    start_response("200 OK", [])
    return [os.environ.get("NOTIFY_SOCKET", "nothing").encode()]
"""


@pytest.mark.parametrize("abstract", [False, True], ids=["path", "abstract"])
def test_it_is_told_when_it_serves_and_when_it_leaves(tmp_path: Path, abstract: bool) -> None:
    (tmp_path / "app.py").write_text(APPLICATION)
    address = f"@penstock-test-{tmp_path.name}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0" + address[1:] if abstract else address)
        systemd.settimeout(10)
        env = {"NOTIFY_SOCKET": address}
        with serving(tmp_path, "--chdir", str(tmp_path), app="app", env=env) as server:
            said = systemd.recv(1000).decode().splitlines()
            assert said == ["READY=1", f"MAINPID={server.process.pid}", "STATUS=penstock is serving"]
            with server.client() as client:
                assert client.get("/").body == b"nothing"
            server.process.send_signal(signal.SIGTERM)
            assert systemd.recv(1000).decode().startswith("STOPPING=1\n")
            assert server.process.wait(10) == 0  # a second signal would cut what runs


def test_nobody_there_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APPLICATION)
    env = {"NOTIFY_SOCKET": str(tmp_path / "nobody")}
    with serving(tmp_path, "--chdir", str(tmp_path), app="app", env=env) as server:
        with server.client() as client:
            assert client.get("/").status == 200
        assert (
            f"penstock warning: NOTIFY_SOCKET {tmp_path}/nobody: No such file or directory" in server.text()
        )
