"""Where control sockets lie, so that a command finds its server without an address.

Used by the supervisor, which makes one, and by ``penstock ctl``, which looks for them. Each is called by
its server's process number; a server with a socket elsewhere leaves a link. It does not know what is said.
"""

import errno
import os
import re
import socket
import stat
import struct
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

ROOT = 0
SHARED = "/run/penstock"
NAME = re.compile(r"(\d{1,9})\.ctl")
CREDENTIALS = struct.Struct("3i")
FALLBACK = "/tmp/penstock-"


class Place(NamedTuple):
    """A server's process number, as the server knows it, and the path of its control socket."""

    pid: int
    path: str


# ---- Folders --------------------------------------------------------------------------------------------


def folders(environ: Mapping[str, str], uid: int) -> list[str]:
    """Folders where a server of user ``uid`` puts its socket, the best first.

    RUNTIME_DIRECTORY is systemd's for a service that asks for one; XDG_RUNTIME_DIR a logged-in user's, for
    root the last but one, since it goes when root logs out.
    """
    service = environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    session = environ.get("XDG_RUNTIME_DIR", "")
    login = f"{session.rstrip('/')}/penstock" if session.startswith("/") else ""
    order = (service, SHARED, login) if uid == ROOT else (service, login, SHARED)
    return list(dict.fromkeys(folder for folder in (*order, f"{FALLBACK}{uid}") if folder.startswith("/")))


def own_folder(environ: Mapping[str, str]) -> str:
    """The first of them that is ours alone to write, made where there is none; "" when none can be had."""
    return next((folder for folder in folders(environ, os.geteuid()) if ours(folder)), "")


def ours(folder: str) -> bool:
    """Whether the folder is ours and nobody else may write there; it is made, mode 0700, where it is not
    and its parent is not somebody else's."""
    try:
        parent = os.stat(os.path.dirname(folder))
        if parent.st_uid not in (ROOT, os.geteuid()):
            return False
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        return trusted(folder, os.geteuid()) and os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        return False


def trusted(folder: str, uid: int) -> bool:
    """Whether it is a folder, no link to one, that only ``uid`` may write in."""
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == uid and not found.st_mode & 0o022


def socket_in(folder: str, pid: int) -> str:
    """The path of a server's socket in a folder."""
    return f"{folder}/{pid}.ctl"


def sweep(folder: str) -> None:
    """Remove what servers left that are gone: nobody has the number, and nobody answers."""
    for place in listed(folder):
        left_behind = place.pid == os.getpid() or not alive(place.pid)
        if left_behind and not answers(place.path):
            with suppress(OSError):
                os.unlink(place.path)


def listed(folder: str) -> list[Place]:
    """Every socket in a folder, whether anybody answers or not."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    found = [(NAME.fullmatch(name), name) for name in names]
    return [Place(int(match[1]), f"{folder}/{name}") for match, name in found if match]


def alive(pid: int) -> bool:
    """Whether there is a process of this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # it is, and is not ours
    return True


def answers(path: str) -> bool:
    """Whether somebody listens at a path."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        try:
            sock.connect(path)
        except OSError as error:
            # None: the path is longer than an address of a socket can be.
            return error.errno not in (None, errno.ECONNREFUSED, errno.ENOENT, errno.ENOTSOCK, errno.ENOTDIR)
    return True


def credentials(sock: socket.socket) -> tuple[int, int]:
    """Process and user at the other end (SO_PEERCRED, unix(7))."""
    data = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    pid, uid, _ = CREDENTIALS.unpack(data)
    return pid, uid


# ---- Looking for servers --------------------------------------------------------------------------------


def running(environ: Mapping[str, str]) -> list[Place]:
    """Every server of ours that answers, and for root those of everybody."""
    uid = os.geteuid()
    where = [(folder, uid) for folder in folders(environ, uid)]
    if uid == ROOT:
        # A service's folder under /run is the service's user's; in /tmp anybody may make one of any name.
        where += [(folder, owner_of(folder)) for folder, _ in where if not folder.startswith(FALLBACK)]
        where += others()
    found: dict[str, Place] = {}
    for folder, owner in where:
        if trusted(folder, owner):
            for place in listed(folder):
                found.setdefault(os.path.realpath(place.path), place)
    return [place for place in found.values() if answers(place.path)]


def others() -> list[tuple[str, int]]:
    """Other users' folders, with whose they have to be."""
    found = []
    for parent, pattern in (("/tmp", r"penstock-(\d{1,10})"), ("/run/user", r"(\d{1,10})")):
        with suppress(OSError):
            for name in sorted(os.listdir(parent)):
                match = re.fullmatch(pattern, name)
                if match:
                    folder = f"{parent}/{name}" if parent == "/tmp" else f"{parent}/{name}/penstock"
                    found.append((folder, int(match[1])))
    return found


def owner_of(folder: str) -> int:
    """Whose a folder is, -1 where there is none."""
    try:
        return os.lstat(folder).st_uid
    except OSError:
        return -1


def socket_of(pid: int, environ: Mapping[str, str]) -> str:
    """The control socket of process ``pid``, "" where none answers.

    A process in another root or with another numbering (a container, PrivateTmp) is looked for by what
    /proc says of it.
    """
    uid, inner, nested = facts(pid)
    where = list(dict.fromkeys((*folders(environ_of(pid), uid), *folders(environ, uid))))
    roots = (f"/proc/{pid}/root",) if nested else ("", f"/proc/{pid}/root")
    for root in roots:
        for folder in where:
            path = pointed(root, socket_in(folder, inner))
            if trusted(root + folder, uid) and answers(path):
                return path
    return ""


def pointed(root: str, path: str) -> str:
    """A path below ``root``; a link there is one of that root's."""
    try:
        return root + os.path.join(os.path.dirname(path), os.readlink(root + path))
    except OSError:
        return root + path


def facts(pid: int) -> tuple[int, int, bool]:
    """A process's user, its number as it knows it itself, and whether that is another than ours.

    From its status: the owner of the folder in /proc is root for one that has changed its user (proc(5)).
    """
    uid, inner, nested = os.geteuid(), pid, False
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
            for line in file:
                words = line.split()
                if words[:1] == ["Uid:"]:
                    uid = int(words[2])
                elif words[:1] == ["NSpid:"]:
                    inner, nested = int(words[-1]), len(words) > 2
    except (OSError, ValueError, IndexError):
        pass  # not Linux, or gone: what we assume
    return uid, inner, nested


def environ_of(pid: int) -> dict[str, str]:
    """The environment that a process was started with; empty where we may not know."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            text = os.fsdecode(file.read(1 << 20))
    except OSError:
        return {}
    return dict(entry.partition("=")[::2] for entry in text.split("\0") if "=" in entry)
