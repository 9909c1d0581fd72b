"""The process that one generation's workers are forked from: ``python -m penstock.process.prototype``.

A fresh interpreter that loads the application, says what its import left behind, and then forks whenever the
supervisor orders it. It has no loop and no thread of ours, and it serves nobody.
"""

import ctypes
import gc
import importlib
import os
import select
import signal
import socket
import sys
import warnings
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any

from penstock import __version__
from penstock.core.errors import StartError
from penstock.interprocess.channel import Channel
from penstock.interprocess.scoreboard import Scoreboard
from penstock.process import application as applications
from penstock.process import certificates, child, daemon, diaries, leftovers, stock
from penstock.process.boot import Boot, read
from penstock.process.child import Birth, last_words
from penstock.process.hooks import start as hooks
from penstock.process.isolation.entry import loaded_by
from penstock.process.isolation.rights import begin as begin_rights
from penstock.process.lasting import EVERY, die_with_parent, hear, nothing
from penstock.process.mules import doors
from penstock.process.reopening import follow
from penstock.process.rlimits import limit_application
from penstock.process.sights.observers import FIGURES
from penstock.process.titles import MULE, PROTOTYPE, WORKER, set_title
from penstock.serve.wsgi.call import Application
from penstock.serve.wsgi.loader import no_application

AGAIN = 250  # ms until lines are tried again that a log had no room for
ANOTHER_VERSION = 3
"""Exit status of a prototype that is of another version of penstock than its supervisor."""


@dataclass(frozen=True, slots=True)
class Order:
    """A worker that is to be forked, with its end of its channel; or a mule, which has no slot."""

    wid: int
    slot: int
    fd: int
    hold: bool
    role: str = WORKER


class Prototype:
    """One generation's."""

    def __init__(self, boot: Boot, channel: Channel) -> None:
        self.boot = boot
        self.channel = channel
        self.board = Scoreboard.attach(boot.scoreboard)
        self.diary = diaries.open_diary_at(boot.errors, boot.access, boot.settings)
        self.application: Application | None = None
        self.orders: deque[Order] = deque()
        self.role = PROTOTYPE
        self.born_once: set[int] = set()
        self.poll = select.poll()
        self.poll.register(channel.sock, select.POLLIN)
        # The C library's own: the process between is nobody's, and must not run what the application wants
        # to run in a child. With the lock of the interpreter held, as os.fork has it.
        self.libc = ctypes.PyDLL(None, use_errno=True)

    # ---- Loading ------------------------------------------------------------------------------------

    def load(self) -> int:
        """Import the application; the exit status when that failed, else 0."""
        begun = monotonic()
        settings = self.boot.settings
        limit_application(settings, self.diary.warning)
        try:
            begin_rights(settings)
            stock.attached(self.boot, self.diary)
            certificates.prepare(settings, self.boot.certificates)
            if self.boot.again:
                self.clock(False)
                hooks.again(settings, self.diary.say, self.boot.anew)
                self.clock(True)
            if not self.boot.lazy:
                self.application = applications.load(self.boot, self.board, self.diary, self.clock)
            elif settings.lazy_apps or settings.lazy:
                loaded_by(settings, self.diary)  # else it is to be loaded as root, by who drops it then
            self.prepare()
            set_title(settings, PROTOTYPE, 0, lambda text: None)  # the supervisor has passed it on
        except BaseException as error:
            message = applications.failure(error, self.boot)
            last_words(self.channel, message)
            return int(message["code"])
        self.channel.send(
            {
                "is": "loaded",
                "seconds": round(monotonic() - begun, 3),
                "threads": leftovers.python_threads(),
                "native": leftovers.native_threads(),
                "sockets": leftovers.connections({*self.boot.descriptors, self.channel.fileno()}),
                "files": [] if self.boot.lazy else applications.files(self.boot),
                "empty": self.application is no_application,
            }
        )
        return 0

    def clock(self, going: bool) -> None:
        """Whether the time of ``start-timeout`` is to run."""
        self.channel.send({"is": "clock", "going": going})

    def prepare(self) -> None:
        """Import what every worker needs, so that they share it."""
        wanted = ["asyncio", "resource"]
        if self.boot.settings.loop != "asyncio":
            wanted.append("uvloop")
        if self.diary.access_sink is not None:
            wanted.append("penstock.logs.format")
        if self.boot.settings.any_of(FIGURES):
            wanted.append("penstock.process.sights.bookkeeping")
        if self.boot.doors:
            wanted.append("penstock.process.mules.mule")
        for name in wanted:
            with suppress(ImportError):  # said by whoever needs it
                importlib.import_module(name)

    # ---- Orders -------------------------------------------------------------------------------------

    def wait(self) -> Birth | None:
        """Do as ordered until the end, None; or return in a worker, as that worker."""
        while not self.channel.ended:
            self.channel.flush()
            waiting = select.POLLOUT if self.channel.pending else 0
            self.poll.modify(self.channel.sock, select.POLLIN | waiting)
            # It has no tick: where lines wait for room in a log, they are tried again all the same.
            self.poll.poll(AGAIN if any(sink.waiting for sink in self.diary.sinks) else None)
            self.diary.retry()
            for message, fds in self.channel.receive():
                if not self.hear(message, fds):
                    return None
            while self.orders:
                order = self.orders.popleft()
                if self.fork(order):
                    return self.born(order)
        return None

    def hear(self, message: dict[str, Any], fds: list[int]) -> bool:
        """One message; False for the end."""
        do = message.get("do")
        wid, slot = message.get("wid"), message.get("slot")
        if do == "fork" and isinstance(wid, int) and isinstance(slot, int) and fds:
            role = MULE if message.get("role") == MULE else WORKER
            self.orders.append(Order(wid, slot, fds.pop(0), message.get("hold") is True, role))
        elif do == "reopen":
            follow(self.diary, message, fds)
        for fd in fds:
            os.close(fd)
        return do != "end"

    def fork(self, order: Order) -> bool:
        """Fork a worker that is the supervisor's child: by a process between, which ends at once. True in the
        worker, with all signals blocked."""
        gc.freeze()
        flush()  # what the import printed and Python holds back would be printed by every worker
        before = signal.pthread_sigmask(signal.SIG_BLOCK, EVERY)
        between = int(self.libc.fork())
        if between == 0:
            fork_last()
            return True
        error = ctypes.get_errno() if between < 0 else ended_with(between)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self.tell(order, error)
        return False

    def tell(self, order: Order, error: int) -> None:
        """In the prototype, after a fork: let go of what is the child's, and say what went wrong."""
        if order.role == MULE:  # by its own channel: nobody takes its number for a worker's
            with socket.socket(fileno=order.fd) as sock:
                if error:
                    Channel(sock).send({"is": "failed", "reason": os.strerror(error)})
            return
        os.close(order.fd)
        self.born_once.add(order.wid)
        if error:
            self.channel.send({"is": "fork-failed", "wid": order.wid, "text": os.strerror(error)})

    def born(self, order: Order) -> Birth:
        """In the worker: have nothing that is the prototype's or another worker's, and hear signals."""
        self.channel.close()
        for other in self.orders:
            os.close(other.fd)
        self.orders.clear()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(number, nothing)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        channel = Channel(socket.socket(fileno=order.fd))
        self.role = order.role
        return Birth(
            self.boot,
            order.wid,
            order.slot,
            channel,
            self.board,
            self.application,
            order.hold,
            first=self.boot.fresh and order.wid not in self.born_once,
        )


def flush() -> None:
    """Have what was printed printed."""
    with suppress(OSError, ValueError):  # a pipe that nobody reads, an output that the application closed
        daemon.flush()


def fork_last() -> None:
    """In the process between: fork the worker, which returns, and end."""
    try:
        with warnings.catch_warnings():
            # Of threads (3.12 and later warn of them) the supervisor was told; native ones are no reason.
            warnings.simplefilter("ignore", DeprecationWarning)
            worker = os.fork()
    except OSError as error:
        os._exit(error.errno or 1)
    if worker:
        os._exit(0)


def ended_with(pid: int) -> int:
    """Reap the process between; 0, or the error number that it ended with."""
    try:
        return abs(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    except ChildProcessError:
        return 0  # the application has it that the kernel reaps


def main(words: Sequence[str]) -> int:
    """``BOOT CHANNEL``, descriptors; returns the exit status of a worker."""
    gc.disable()  # what the import makes lives for ever, and looking at it would unshare it (gc.freeze)
    hear()
    die_with_parent(signal.SIGKILL)
    description, fd = int(words[0]), int(words[1])
    os.set_inheritable(fd, False)
    channel = Channel(socket.socket(fileno=fd))
    channel.send({"is": "hello", "version": __version__, "pid": os.getpid()})
    boot = begin(description, channel)
    doors.known = boot.doors
    prototype = Prototype(boot, channel)
    code = prototype.load()
    birth = None if code else prototype.wait()
    if birth is None:
        # Not the interpreter's own end: what the application wants to clean up may be its workers' still.
        flush()
        prototype.diary.flush()
        os._exit(code)
    if prototype.role == MULE:
        from penstock.process.mules import mule

        return mule.live(birth)
    return child.live(birth)


def begin(description: int, channel: Channel) -> Boot:
    """What we are given; does not return where it is of no use."""
    try:
        boot = read(description)
    except StartError as error:
        if str(error).startswith("version "):
            os._exit(ANOTHER_VERSION)
        last_words(channel, {"is": "failed", "code": 1, "text": "", "reason": str(error), "files": []})
        os._exit(1)
    os.close(description)
    for fd in boot.descriptors:
        if fd > 2:
            os.set_inheritable(fd, False)
    if os.getppid() != boot.supervisor:
        os._exit(child.ORPHANED)
    return boot


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
