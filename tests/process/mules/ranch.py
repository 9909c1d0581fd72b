"""A house for mules: a real loop and a real log, and in place of a prototype one that starts a script for
each order, which says and does what a mule might."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from penstock.config.settings import Settings
from penstock.interprocess.channel import pair
from penstock.process.mules.mules import Mules
from tests.process.household.attending import Attended

SPEAK = """
import os, signal, socket, sys, time
sock = socket.socket(fileno=int(sys.argv[1]))
sock.setblocking(True)
def say(text): sock.send(text.encode())
def hello(pid=os.getpid()): say('{"is":"hello","pid":%d}' % pid)
def begin():
    hello()
    return sock.recv(100) == b'{"do":"run"}'
"""
MANNERS = {
    "": "begin() and signal.pause()",
    "steady.py": "begin() and signal.pause()",
    "other.py": "begin() and signal.pause()",
    "short.py": "begin()",
    "failing.py": "sys.exit(3 if begin() else 0)",
    "stubborn.py": """
for number in (1, 15): signal.signal(number, signal.SIG_IGN)
begin()
while True: time.sleep(1)
""",
    "dead.py": "",
    "silent.py": "sock.recv(100)",
    "liar.py": """
for pid in (os.getppid(), 1, -1): hello(pid)
time.sleep(0.2)
begin() and signal.pause()
""",
    "busy.py": """begin(); say('{"is":"busy","seconds":0.1}'); signal.pause()""",
    "quick.py": """
begin(); say('{"is":"alarm","name":"a","text":"b c"}')
say('{"is":"busy","seconds":0.2}'); say('{"is":"idle"}'); say('{"is":"odd"}')
time.sleep(0.5)
sys.exit(4)
""",
    "noting.py": """
open("noted", "w").close()
signal.signal(signal.SIGRTMIN + 6, lambda *_: open("noted", "wb").write(sock.recv(100)))
begin()
while True: time.sleep(1)
""",
}


class Ranch(Attended):
    """``orders`` are those that the prototype was given; ``rebuilt`` counts how often another was asked for;
    ``obeys`` False has it take orders and do nothing."""

    def __init__(self, folder: Path, **options: Any) -> None:
        super().__init__(folder / "house.log", Settings(**options))
        self.folder = folder
        self.orders: list[dict[str, Any]] = []
        self.pids: list[int] = []
        self.rebuilt = 0
        self.obeys = True
        self.stuck: list[Any] = []
        self.herd.unborn = self.stuck.append
        ours, self.theirs = pair()
        prototype = SimpleNamespace(channel=ours)
        self.current = SimpleNamespace(number=1, able=True, prototype=prototype, settings=self.settings)
        self.lineage.rebuild = self.rebuild
        self.watch.add(self.theirs.fileno(), self.obey)
        self.mules = Mules(self)

    def rebuild(self, generation: Any) -> None:
        self.rebuilt += 1

    def obey(self) -> None:
        """As a prototype does, but with a program of its own for each."""
        for message, fds in self.theirs.receive():
            self.orders.append(message)
            work = self.mules.work(message["wid"])
            if self.obeys and work is not None:
                self.pids.append(self.spawn(MANNERS[work.text], fds[0]))
            for fd in fds:
                os.close(fd)

    def spawn(self, manner: str, fd: int) -> int:
        os.set_inheritable(fd, True)
        words = [sys.executable, "-I", "-S", "-c", SPEAK + manner, str(fd)]
        here = os.getcwd()
        os.chdir(self.folder)
        try:
            # Whoever runs the tests may ignore a hangup, and a child would inherit that.
            return os.posix_spawn(sys.executable, words, dict(os.environ), setsigdef=[signal.SIGHUP])
        finally:
            os.chdir(here)

    def follow(self, *mule: str, **options: Any) -> None:
        """Another generation, with these mules, serves; it was no reload that renews them."""
        self.change(Settings(mule=mule, **options), "chain")

    def begun(self, count: int, seconds: float = 20.0) -> None:
        """Wait until so many mules have begun in all."""
        self.until(lambda: self.text().count(": spawned mule ") >= count, seconds)

    def mule(self, number: int = 1) -> Any:
        found = self.mules.stalls[number].mule
        assert found is not None, self.text()
        return found

    def close(self) -> None:
        """Nobody is left: also of those that have said nothing."""
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in self.pids:
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)
        for stall in self.mules.stalls.values():
            stall.calm()
            if stall.mule is not None:
                stall.part(stall.mule)
        self.watch.remove(self.theirs.fileno())
        self.current.prototype.channel.close()
        self.theirs.close()
        self.settings = Settings()
        self.mules.close_doors()
        self.watch.close()
        self.diary.close()


@contextmanager
def ranch(folder: Path, *mule: str, **options: Any) -> Iterator[Ranch]:
    """One for the block, whose first generation serves; what its callbacks raised fails the test."""
    house = Ranch(folder, mule=mule, **options)
    try:
        house.mules.start()
        house.serve()
        yield house
    finally:
        house.close()
    assert house.faults == []
