"""Files that hold the process's number, and signals to the process that a file names.

Written by the main thread at start and removed by it at the end. ``signal_process`` is all there is to
``--stop``, and to ``--reload`` of a server without a control socket; both run in a process of their own. It
knows neither the order of a start nor who is at the other end.
"""

import fcntl
import os
import re
import signal
import stat
from collections.abc import Callable

from penstock.core.errors import StartError
from penstock.core.opening import open_unled

SIGNALS = {"stop": signal.SIGINT, "reload": signal.SIGHUP, "pause": signal.SIGTSTP}


class PidFile:
    """The file at ``path``, open as long as we run.

    Kept open so that its lock says that its writer lives, and so that it can be written anew or emptied
    when we may no longer remove it (it was written as root). ``number`` is what it says where that is not
    our own: of the process that waits for us (``refork``).
    """

    def __init__(self, path: str, number: int = 0) -> None:
        self.path = os.path.abspath(path)
        self.number = number
        self.fd = -1

    def write(self, warn: Callable[[str], None]) -> None:
        """Write our number; whatever the file held is overwritten, as uWSGI does, with a warning where a
        running penstock wrote it. Raises StartError."""
        try:
            self.fd = opened(self.path)
            if not self.claim():
                warn(
                    f"pidfile {self.path}: it belonged to a penstock that still runs, process "
                    f"{first_line(self.path)}; it names this one from now on"
                )
            self.rewrite()
        except OSError as error:
            raise StartError(f"pidfile {self.path}: {error.strerror}") from error

    def claim(self) -> bool:
        """Lock the file; False when another process has it."""
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def rewrite(self) -> None:
        """Our number, which changed if we forked since it was written."""
        os.ftruncate(self.fd, 0)
        os.pwrite(self.fd, f"{self.number or os.getpid()}\n".encode(), 0)

    def remove(self) -> None:
        """Remove the file if it still names us; where we may not, empty it, so that a later ``--stop`` does
        not reach a stranger who got our number."""
        if self.fd < 0:
            return
        try:
            if os.pread(self.fd, 32, 0) == f"{self.number or os.getpid()}\n".encode():
                os.ftruncate(self.fd, 0)
                if os.path.samestat(os.stat(self.path), os.fstat(self.fd)):
                    os.unlink(self.path)
        except OSError:
            pass  # it is empty, or gone
        self.close()

    def close(self) -> None:
        """Let go of the file as it is."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def opened(path: str) -> int:
    """A descriptor of the file at ``path``, which is made where there is none. Raises OSError and StartError.

    A file that has a second name is not written either (see ``open_unled``); uWSGI writes to all of them.
    """
    fd = open_unled(path, os.O_RDWR | os.O_CREAT, 0o644)
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        os.close(fd)
        what = "has another name, and is not written" if found.st_nlink > 1 else "is no plain file"
        raise StartError(f"pidfile {path}: it {what}")
    return fd


def first_line(path: str) -> str:
    """What stands in the first line, for people."""
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.readline(20).strip()


def number_in(option: str, path: str) -> int:
    """The process number that a pidfile holds. Raises StartError, which names ``option``, when there is none.

    Digits that lead are the number, as in uWSGI; 0 and 1 are none (uWSGI takes a file without a number
    for 0, and so signals its own process group).
    """
    where = f"{option} {path}"
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe is not waited for
        try:
            text = os.read(fd, 64)
        finally:
            os.close(fd)
    except OSError as error:
        raise StartError(f"{where}: {error.strerror}") from error
    found = re.match(rb"\s*(\d{1,9})", text)
    pid = int(found[1]) if found else 0
    if pid <= 1:
        raise StartError(f"{where}: there is no process number in it")
    return pid


def signal_process(option: str, path: str) -> None:
    """uWSGI's ``stop``, ``reload`` and ``pause``: signal the process that the pidfile ``path`` names, and do
    not wait for what it does. Raises StartError with the reason when there is none, or one that would stand
    still where it is to pause."""
    pid = number_in(option, path)
    if option == "pause" and not catches(pid, SIGNALS[option]):
        raise StartError(
            f"{option} {path}: process {pid} has no supervisor (master), which is needed to pause"
        )
    try:
        os.kill(pid, SIGNALS[option])
    except OSError as error:
        raise StartError(f"{option} {path}: process {pid}: {error.strerror}") from error


def catches(pid: int, number: int) -> bool:
    """Whether a process has something of its own to do at a signal (SigCgt, proc(5)); True where it is not
    known, or the process is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
            masks = [int(line.split()[1], 16) for line in file if line.startswith("SigCgt:")]
    except (OSError, ValueError, IndexError):
        return True
    return not masks or bool(masks[0] >> (number - 1) & 1)
