"""A real nginx in front of penstock, from Debian, with the samples of ``configs/``."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TOP = Path(__file__).parents[2]
PROGRAM = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
MISSING = "nginx is not installed: apt-get install nginx"


def free_port() -> int:
    """One that nobody has: on no address, and not as a client that has just left either (TIME-WAIT)."""
    with socket.socket() as sock:
        sock.bind(("", 0))
        port: int = sock.getsockname()[1]
        return port


def configuration(name: str, tmp: Path, **replaced: str) -> Path:
    """A sample of ``configs/`` with its addresses put in place, and nothing outside ``tmp`` touched."""
    text = (TOP / "configs" / name).read_text()
    for old, new in replaced.items():
        assert old in text, (name, old)
        text = text.replace(old, new)
    lines = [f"pid {tmp}/nginx.pid;", "daemon off;", f"error_log {tmp}/error.log info;"]
    if os.geteuid() == 0:
        # Another session of tests that begins shuts the folder above ``tmp`` to all other users.
        lines.append("user root;")
    kept = [
        line for line in text.splitlines() if not line.lstrip().startswith(("user ", "pid ", "error_log "))
    ]
    text = "\n".join([*lines, *kept])
    folders = "".join(
        f"    {kind}_temp_path {tmp}/{kind};\n"
        for kind in ("client_body", "proxy", "uwsgi", "fastcgi", "scgi")
    )
    text = text.replace("http {\n", f"http {{\n    access_log {tmp}/access.log;\n{folders}", 1)
    path = tmp / "nginx.conf"
    path.write_text(text)
    return path


@contextmanager
def nginx(tmp: Path, path: Path, port: int) -> Iterator[str]:
    """nginx with that configuration; yields its base URL."""
    assert PROGRAM is not None
    with (tmp / "nginx.out").open("wb") as output:
        process = subprocess.Popen([PROGRAM, "-p", str(tmp), "-c", str(path)], stdout=output, stderr=output)
    try:
        until = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < until, (tmp / "nginx.out").read_text()
                assert process.poll() is None, (tmp / "nginx.out").read_text()
                time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)
