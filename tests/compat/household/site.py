"""One server in a folder of its own, real uWSGI or penstock, and what can be seen of it.

Used by the cases. Both servers get the same text but for their folder, which is taken out of what is seen.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.compat import pair
from tests.e2e.daemons import public_python
from tests.e2e.surroundings import environment

RECORDER = Path(__file__).with_name("recorder.py")
APP = """
import json, os, sys, threading
def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/env":
        body = os.environ.get(environ["QUERY_STRING"], "absent")
    elif path == "/cwd":
        body = os.getcwd()
    elif path == "/ids":
        body = json.dumps([os.getuid(), os.getgid(), sorted(os.getgroups())])
    elif path == "/crash":
        os.kill(os.getpid(), 11)
        body = ""
    else:
        body = "hello"
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body.encode()]
"""
PATIENCE = 12.0  # seconds for anything to happen
STOPPED = 8.0  # seconds for an end
CALM = 0.7  # seconds in which nothing more happens
Line = dict[str, Any]


class Site:
    """``name`` is "uwsgi" or "penstock"."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.python = [sys.executable]
        folder.mkdir(mode=0o755)
        self.trace_file = folder / "trace"
        self.log_file = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None
        python = f"{public_python()} -SE"
        shutil.copy(RECORDER, folder / "recorder.py")
        self.recorder = f"{python} {folder}/recorder.py {self.trace_file}"
        self.write("app.py", APP)
        self.write("trace", "")
        self.trace_file.chmod(0o666)

    def write(self, name: str, text: str, mode: int = 0o644) -> Path:
        """A file of the folder; DIR and REC stand for the folder and for the recorder's command."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.replace("REC", self.recorder).replace("DIR", str(self.folder)))
        path.chmod(mode)
        return path

    # ---- Life ---------------------------------------------------------------------------------------

    @property
    def program(self) -> list[str]:
        return [str(pair.UWSGI)] if self.name == "uwsgi" else [*self.python, "-m", "penstock"]

    def start(
        self, ini: str, words: Sequence[str] = (), serves: bool = True, stdin: int = subprocess.DEVNULL
    ) -> None:
        """With this ini; ``serves``: until it answers."""
        text = f"[uwsgi]\n{ini}\n"
        if serves:
            text += "http-socket = DIR/http.sock\nwsgi-file = DIR/app.py\n"
        path = self.write("site.ini", text)
        kept = {key: value for key, value in environment().items() if not key.startswith("UWSGI_")}
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.program, "--ini", str(path), *words],
                stdin=stdin,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**kept, "HOUSE": "set"},
                start_new_session=True,
            )
        if serves:
            self.until(lambda: self.get("/") == "hello", "it serves")

    def send(self, number: int) -> None:
        """A signal to the server."""
        assert self.process is not None
        self.process.send_signal(number)

    def end(self) -> int | str:
        """The exit status, when it has ended by itself."""
        assert self.process is not None
        try:
            return self.process.wait(STOPPED)
        except subprocess.TimeoutExpired:
            return f"lives after {STOPPED:g} s"

    def stop(self, number: int = signal.SIGINT) -> int | str:
        """Stop it; the exit status."""
        self.send(number)
        return self.end()

    def close(self) -> None:
        """Whatever is left goes: everything whose command line or folder is of this site."""
        for _ in range(20):
            found = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if self.owns(pid)]
            for pid in found:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            if not found:
                break
            time.sleep(0.05)
        if self.process is not None:
            self.process.wait(PATIENCE)

    def owns(self, pid: int) -> bool:
        if pid == os.getpid():
            return False
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
            here = os.readlink(f"/proc/{pid}/cwd")
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        return state != "Z" and (str(self.folder).encode() in line or here.startswith(str(self.folder)))

    def others(self) -> int:
        """Processes of this site that outlive its server for long."""
        pids = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if self.owns(pid)]
        self.soon(lambda: not any(self.alive(pid) for pid in pids))
        return sum(self.alive(pid) for pid in pids)

    def ran(self, label: str) -> bool:
        """Whether something of that name was recorded."""
        return label in self.labels()

    def dead(self, pid: int) -> bool:
        return not self.alive(pid)

    def alive(self, pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    # ---- What is seen -------------------------------------------------------------------------------

    def get(self, path: str) -> str:
        """A reply's body; "" without one."""
        try:
            with socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(5)
                sock.connect(str(self.folder / "http.sock"))
                sock.sendall(f"GET {path} HTTP/1.0\r\nHost: x\r\n\r\n".encode())
                data = b""
                while piece := sock.recv(65536):
                    data += piece
        except OSError:
            return ""
        return str(self.normal(data.partition(b"\r\n\r\n")[2].decode()))

    def trace(self, label: str = "") -> list[Line]:
        """What was recorded so far; plain lines have "text"."""
        lines: list[Line] = []
        for text in self.trace_file.read_text().splitlines():
            line = json.loads(text) if text.startswith("{") else {"label": text, "text": text}
            if not label or line["label"] == label:
                lines.append(line)
        return lines

    def labels(self) -> list[str]:
        return [line["label"] + (f" {line['signal']}" if "signal" in line else "") for line in self.trace()]

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def normal(self, value: Any) -> Any:
        """Without what the two runs do not share."""
        if isinstance(value, str):
            return value.replace(str(self.folder), "DIR")
        if isinstance(value, dict):
            return {key: self.normal(item) for key, item in value.items() if key != "pid"}
        if isinstance(value, list):
            return [self.normal(item) for item in value]
        return value

    def until(self, true: Callable[[], object], what: str, seconds: float = PATIENCE) -> bool:
        """Wait for it; fails with the log when it does not come."""
        until = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < until, f"{self.name}: not within {seconds:g} s: {what}\n{self.log()}"
            time.sleep(0.02)
        return True

    def soon(self, true: Callable[[], object], seconds: float = 5.0) -> bool:
        """Whether it comes."""
        until = time.monotonic() + seconds
        while not true():
            if time.monotonic() >= until:
                return False
            time.sleep(0.02)
        return True

    def calm(self) -> None:
        """Until the trace has not grown for a while."""
        size, since = -1, time.monotonic()
        while time.monotonic() - since < CALM:
            now = self.trace_file.stat().st_size
            if now != size:
                size, since = now, time.monotonic()
            time.sleep(0.05)

    def logged(self, pattern: str) -> bool:
        return re.search(pattern, self.log()) is not None
