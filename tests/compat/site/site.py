"""One server in a folder of its own, real uWSGI or penstock, asked all of a group's requests.

Both get the same text and the same bytes. What of a server's own is in what is seen, its folder and its port,
is taken out.
"""

import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.compat import pair
from tests.compat.site.cases import Case, Group
from tests.compat.site.packets import MARK, packed
from tests.compat.wire import Reply, ask
from tests.e2e.surroundings import environment

PATIENCE = 15.0  # seconds for a start or an end
UP = b"GET /up HTTP/1.0\r\n\r\n"


@dataclass
class Seen:
    """Of one case: the replies, those of them to a HEAD by number, the files afterwards (None: not there),
    which patterns the log has."""

    replies: list[Reply]
    heads: set[int]
    files: dict[str, str | None]
    logs: dict[str, bool] = field(default_factory=dict)


class Site:
    """``name`` is "uwsgi" or "penstock"; ``words`` what else is replaced in the ini and the requests."""

    def __init__(self, name: str, folder: Path, words: dict[str, str]) -> None:
        self.name = name
        self.folder = folder
        self.port = free_port()
        self.second = free_port()  # for packets, where the group's ini has a socket for them
        self.words = {"DIR": str(folder), "PORT": str(self.port), "SECOND": str(self.second), **words}
        self.log = folder / "log"
        self.begun = 0
        folder.mkdir(mode=0o755)
        shutil.copy(Path(__file__).with_name("app.py"), folder / "app.py")

    def filled(self, text: str) -> str:
        """With the site's own words."""
        for word, value in self.words.items():
            text = re.sub(rf"\b{word}\b", value.replace("\\", r"\\"), text)
        return text

    def normal(self, text: str) -> str:
        """Without what the two do not share."""
        return re.sub(rf"\b{self.port}\b", "PORT", text.replace(str(self.folder), "DIR"))

    def play(self, group: Group, rules: bool = True) -> dict[str, Seen]:
        """All of the group's cases."""
        for name, text in group.files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.filled(text).encode("latin-1"))
        if group.prepare is not None:
            group.prepare(self.folder)
        with self.running(f"[uwsgi]\n{group.socket} = 127.0.0.1:PORT\n{group.text(rules)}\n"):
            seen = {case.name: self.one(case) for case in group.cases}
        # The rules themselves are in uWSGI's log: only what is behind its start is looked at.
        text = self.normal(self.log.read_bytes()[self.begun :].decode(errors="replace"))
        for case in group.cases:
            seen[case.name].logs = {
                pattern: re.search(case.local(pattern), text) is not None for pattern in case.logs
            }
        return seen

    def one(self, case: Case) -> Seen:
        """A case's requests."""
        replies = []
        for raw in case.asks:
            data = self.filled(case.local(raw.decode("latin-1"))).encode("latin-1")
            port = self.port
            if data.startswith(MARK):
                port, data = self.second, packed(data)
            replies.append(self.shown(ask(port, data, head=data.startswith(b"HEAD"), to_end=True)))
        heads = {number for number, raw in enumerate(case.asks, 1) if raw.startswith(b"HEAD")}
        return Seen(replies, heads, {name: self.content(name) for name in case.files})

    def shown(self, reply: Reply) -> Reply:
        """Without what is this site's alone."""
        headers = tuple((name, self.normal(value)) for name, value in reply.headers)
        return replace(reply, headers=headers, body=self.normal(reply.body))

    def content(self, name: str) -> str | None:
        try:
            return self.normal((self.folder / name).read_text(encoding="latin-1"))
        except OSError:
            return None

    @contextmanager
    def running(self, ini: str) -> Iterator[None]:
        """With this ini, while the block runs."""
        (self.folder / "site.ini").write_text(self.filled(ini))
        program = [str(pair.UWSGI)] if self.name == "uwsgi" else [sys.executable, "-m", "penstock"]
        kept = {key: value for key, value in environment().items() if not key.startswith("UWSGI_")}
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [*program, "--ini", "site.ini"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=kept,
            )
        try:
            self.wait(process)
            self.begun = self.log.stat().st_size
            yield
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def wait(self, process: "subprocess.Popen[bytes]") -> None:
        """Until it answers."""
        until = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < until:
            try:
                if ask(self.port, UP, head=False, to_end=True).status:
                    return
            except ConnectionRefusedError:
                time.sleep(0.02)
        raise AssertionError(f"{self.name} does not serve:\n{self.log.read_text(errors='replace')}")


def free_port() -> int:
    """One that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port: int = held.getsockname()[1]
        return port
