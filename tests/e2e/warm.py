"""Processes of a server that begin after the imports which each of them makes.

Python and what every server imports are more than half of the processor time of a start, and the tests start
hundreds. So one process for each that runs tests imports it once (``python -m tests.e2e.warm``), and forks
for each server; from there on all is as in ``python -m penstock``. What is judged by its start, such as by
its imports or its command line, starts as users do: ``serving(..., begun=False)``.
"""

import array
import atexit
import json
import os
import runpy
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from tests.e2e.surroundings import environment

STATUS = struct.Struct("i")
LARGEST = 1 << 20  # bytes of one order: its words and its environment
EARLY = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "GLIBC_", "TZ")


class Process:
    """One of them, as its user has it: what the tests use of ``subprocess.Popen``."""

    def __init__(self, pid: int, status: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._status = status  # the end of a pipe where the exit status comes

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status; raises ``subprocess.TimeoutExpired``."""
        end = None if timeout is None else time.monotonic() + timeout
        while self.returncode is None:
            with selectors.DefaultSelector() as selector:
                selector.register(self._status, selectors.EVENT_READ)
                if not selector.select(None if end is None else max(0.0, end - time.monotonic())):
                    raise subprocess.TimeoutExpired("penstock", timeout or 0.0)
            (self.returncode,) = STATUS.unpack(os.read(self._status, STATUS.size))
            os.close(self._status)
        return self.returncode

    def poll(self) -> int | None:
        """Its exit status, once it has one."""
        try:
            return self.wait(0.0)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        """Nothing where it has ended: its number may be another's by then."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


@cache
def warm() -> socket.socket:
    """The connection to the process that forks."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        words = [sys.executable, "-m", "tests.e2e.warm", str(its.fileno())]
        null = subprocess.DEVNULL
        # What goes on is nobody's child here: tests wait for all of theirs. It ends with the connection.
        subprocess.run(
            words, env=environment(), pass_fds=[its.fileno()], stdin=null, stdout=null, cwd="/", check=True
        )
    atexit.register(ours.close)
    return ours


def alike(env: Mapping[str, str]) -> bool:
    """Whether a process with that environment would start as the one that forks did: the interpreter and the
    C library look at some of it before all else."""

    def early(of: Mapping[str, str]) -> dict[str, str]:
        return {key: value for key, value in of.items() if key.startswith(EARLY)}

    return early(env) == early(environment())


def start(words: Sequence[str], env: Mapping[str, str], folder: Path, output: int) -> Process:
    """``python -m penstock`` with these words, in that folder; stdout and stderr are ``output``."""
    there = warm()
    status, its = os.pipe()
    order = json.dumps([list(words), dict(env), str(folder)]).encode()
    with open(os.devnull, "rb") as nothing:
        fds = array.array("i", [nothing.fileno(), output, its])
        there.sendmsg([order], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
    os.close(its)
    (pid,) = STATUS.unpack(there.recv(STATUS.size))
    return Process(pid, status)


# ---- In the process that forks ------------------------------------------------------------------------


def become(words: Sequence[str], env: Mapping[str, str], folder: str, fds: Sequence[int]) -> None:
    """This process is as ``python -m penstock`` finds it."""
    for number, fd in zip((0, 1, 2), (fds[0], fds[1], fds[1]), strict=True):
        os.dup2(fd, number)
    os.closerange(3, max(fds) + 1)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    sys.path[0] = folder
    sys.argv = ["penstock", *words]
    sys.orig_argv = [sys.executable, "-m", "penstock", *words]


def serve(control: socket.socket) -> bool:
    """Fork for each order, and say how each ended; ``True`` in one that was forked."""
    ends: dict[int, tuple[int, int]] = {}  # of each pidfd: the process, and where its status goes
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd in ends:
                    pid, status = ends.pop(key.fd)
                    selector.unregister(key.fd)
                    os.write(status, STATUS.pack(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))
                    os.close(status)
                    os.close(key.fd)
                    continue
                order, fds, _, _ = socket.recv_fds(control, LARGEST, 3)
                if not order:
                    return False
                pid = os.fork()
                if not pid:
                    selector.close()
                    control.close()
                    words, env, folder = json.loads(order)
                    become(words, env, folder, fds)
                    return True
                there = os.pidfd_open(pid)
                ends[there] = pid, fds[2]
                selector.register(there, selectors.EVENT_READ)
                os.close(fds[0])
                os.close(fds[1])
                control.send(STATUS.pack(pid))


if __name__ == "__main__":
    if os.fork():
        os._exit(0)
    import uvloop  # noqa: F401  # as a server does that is not told otherwise

    import penstock.process.launch
    import penstock.process.single  # noqa: F401  # with it, all that serves

    if serve(socket.socket(fileno=int(sys.argv[1]))):
        runpy.run_module("penstock", run_name="__main__", alter_sys=True)
