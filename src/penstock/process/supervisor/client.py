"""The other end of the control socket: one command to a server that runs, and how it went.

Runs in ``penstock ctl`` and ``penstock --reload``, on their only thread; it waits. It does not know what is
printed.
"""

import json
import os
import select
import socket
import time
from collections.abc import Mapping
from typing import Any

from penstock.core.errors import PenstockError
from penstock.process.supervisor.places import Place, answers, credentials, socket_of

ANSWER = 10.0  # seconds in which a server says at least that it has understood
TAKEOVER = 60.0  # seconds in which a new program takes the old one's place
PIECE = 1 << 16
LONGEST = 1 << 26  # bytes of a reply
SHOWN = 60  # characters of a server's command line


class NoServer(PenstockError):
    """There is nobody to command: the text says who was looked for."""


class Silent(PenstockError):
    """A server that was reached does not answer, or its connection ended first."""


class Call:
    """A connection to the server at ``path``. Raises NoServer."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.rest = b""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(ANSWER)
        try:
            self.sock.connect("\0" + path[1:] if path.startswith("@") else path)
        except OSError as error:
            self.sock.close()
            raise NoServer(f"no server answers at {path}: {error.strerror or error}") from error
        self.pid = credentials(self.sock)[0]

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Do a command; the line that says how it ended. Once the server has taken it, it has all the time
        that it needs. Raises Silent."""
        try:
            self.sock.sendall(json.dumps(message).encode() + b"\n")
            while True:
                reply = json.loads(self.line())
                if not isinstance(reply, dict):
                    raise ValueError(reply)
                if reply.get("is") == "done":
                    return reply
                self.sock.settimeout(None)
        except TimeoutError as error:
            raise Silent(f"the server at {self.path} does not answer") from error
        except ValueError as error:
            raise Silent(f"what answers at {self.path} is no penstock") from error
        except (OSError, EOFError) as error:
            raise Silent("the server ended the connection before the command had ended") from error

    def line(self) -> bytes:
        """One line. Raises EOFError, and ValueError for one without end."""
        while b"\n" not in self.rest:
            data = self.sock.recv(PIECE)
            if not data:
                raise EOFError
            self.rest += data
            if len(self.rest) > LONGEST:
                raise ValueError("endless")
        found, _, self.rest = self.rest.partition(b"\n")
        return found

    def close(self) -> None:
        """End the connection."""
        self.sock.close()

    def __enter__(self) -> "Call":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


# ---- Which server ---------------------------------------------------------------------------------------


def the_only_one(found: list[Place]) -> str:
    """The path of the only server that runs. Raises NoServer when there is none, or which ones there are."""
    if len(found) == 1:
        return found[0].path
    if not found:
        raise NoServer(
            "no server with a control socket runs here; name one with --socket, --pid or --pidfile"
        )
    lines = [f"{len(found)} servers run; name one with --pid or --socket:"]
    lines += [f"  --pid {place.pid}  ({place.path}){command_of(place.pid)}" for place in found]
    raise NoServer("\n".join(lines))


def command_of(pid: int) -> str:
    """What tells a server from others: the end of its command line, "" where it cannot be read."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read(PIECE).decode(errors="replace").replace("\0", " ").split()
    except OSError:
        return ""
    line = " ".join(words)
    return f"  {line if len(line) <= SHOWN else '…' + line[1 - SHOWN :]}" if line else ""


def of_process(pid: int, environ: Mapping[str, str]) -> str:
    """The path of a process's control socket. Raises NoServer."""
    path = socket_of(pid, environ)
    if not path:
        raise NoServer(f"process {pid} has no control socket that can be found; name it with --socket")
    return path


# ---- What takes its time --------------------------------------------------------------------------------


def wait_until_gone(pid: int, call: Call) -> None:
    """Until the process of a server has ended, however long that takes."""
    try:
        fd = os.pidfd_open(pid)
    except OSError:
        drain(call)  # it is gone, or has no number here: then its connection ends with it
        return
    try:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        poll.poll()
    finally:
        os.close(fd)


def drain(call: Call, seconds: float | None = None) -> None:
    """Until the server ends the connection, or for so long."""
    call.sock.settimeout(seconds)
    try:
        while call.sock.recv(PIECE):
            pass
    except OSError:
        pass


def upgraded(call: Call) -> dict[str, Any]:
    """Have another program take the server's place; how that ended, with the status of the one that did.

    The server says that it begins; its connections end with it. Raises Silent.
    """
    before = call.ask({"command": "status"})
    reply = call.ask({"command": "upgrade"})
    if not reply.get("ok"):
        return reply
    drain(call, TAKEOVER)
    until = time.monotonic() + TAKEOVER
    while time.monotonic() < until:
        now = status_at(call.path)
        if now and now["status"].get("program_since") != before["status"].get("program_since"):
            return {**now, "text": f"penstock {now['status'].get('version')} has taken over"}
        time.sleep(0.05)
    raise Silent(f"no other program had taken the server's place within {TAKEOVER:g} s; its log says why")


def status_at(path: str) -> dict[str, Any]:
    """A server's reply about its status, empty where none answers yet."""
    if not answers(path):
        return {}
    try:
        with Call(path) as call:
            reply = call.ask({"command": "status"})
    except (NoServer, Silent):
        return {}
    return reply if isinstance(reply.get("status"), dict) else {}
