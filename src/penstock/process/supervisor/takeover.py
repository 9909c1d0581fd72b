"""Taking over by exec: the penstock that is installed now goes on as this supervisor, with its sockets.

Runs in the supervisor. What it knows is written to a file in memory; the new program first tries in a
process of its own whether it could go on from there, and only then becomes this one. Workers notice
nothing: their parent, their channels and their lifeline stay.
"""

import marshal
import os
import signal
import sys
from contextlib import suppress
from time import monotonic
from typing import Any

from penstock import __version__
from penstock.config.option import settings_of
from penstock.config.settings import Settings
from penstock.config.sources.env import TAKEOVER, environment
from penstock.core.errors import StartError
from penstock.interprocess.inmemory import filled
from penstock.process import stock
from penstock.process.boot import FORMAT
from penstock.process.supervisor.building import Asked, Outcome
from penstock.process.supervisor.generation import (
    Prototype,
    interpreter_flags,
    lending,
    listeners_of,
    program,
)
from penstock.process.supervisor.reaper import how
from penstock.process.supervisor.supervisor import Supervisor
from penstock.process.supervisor.watch import Timer

PROBE = "probe:"
LONGEST = 30.0  # seconds of the trial


class Takeover:
    """``lineage.exec`` of a supervisor."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self.asked: Asked | None = None
        self.timer: Timer | None = None

    def begin(self, asked: Asked) -> None:
        """Try the new program; it takes over when it can."""
        supervisor = self.supervisor
        parting = supervisor.ending is not None or supervisor.lame
        if supervisor.current is None or parting or self.asked is not None:
            text = "no other program is run now: nothing serves yet, or an upgrade or an end is under way"
            supervisor.diary.warning(f"{asked.why}: {text}")
            asked.answer(Outcome(False, text, 1))
            return
        self.asked = asked
        supervisor.diary.info(f"{asked.why}: trying whether the penstock that is installed can take over")
        fd = written(state_of(supervisor))
        try:
            pid = self.spawn(fd)
        except OSError as error:
            self.refuse(f"no process could be started: {error.strerror}")
            return
        finally:
            os.close(fd)
        self.timer = supervisor.watch.later(LONGEST, lambda: end(pid))
        supervisor.children[pid] = self.tried

    def spawn(self, fd: int) -> int:
        """The trial."""
        environ = environment([(TAKEOVER, f"{PROBE}{fd}")])
        return lending(
            [fd], lambda: os.posix_spawn(sys.executable, command(self.words), environ, setsigmask=())
        )

    @property
    def words(self) -> tuple[str, ...]:
        """The command line of the start."""
        return self.supervisor.lineage.launch.words

    def refuse(self, text: str) -> None:
        """It comes to nothing."""
        asked, self.asked = self.asked, None
        if asked is not None:
            self.supervisor.lineage.refuse(asked, text)

    def tried(self, status: int) -> None:
        """The trial is over."""
        asked = self.asked
        if self.timer is not None:
            self.timer.cancel()
        parting = self.supervisor.ending is not None or self.supervisor.lame
        if status != 0 or asked is None or parting:
            self.refuse(f"the penstock that is installed cannot take over ({how(status)}); the log says why")
            return
        self.supervisor.lineage.give_up("another penstock takes over")
        self.supervisor.diary.info(f"{asked.why}: it takes over")
        asked.answer(Outcome(True, "the penstock that is installed takes over"))
        try:
            self.become()
        except (OSError, StartError) as error:
            for call in self.supervisor.on_stay:
                call()
            self.refuse(f"it could not be started: {getattr(error, 'strerror', None) or error}")

    def become(self) -> None:
        """Be the new program. Raises OSError and StartError; then all is as it was."""
        supervisor = self.supervisor
        for call in supervisor.on_exec:
            call()
        for handle in supervisor.handles():
            handle.channel.flush()
        state = state_of(supervisor)
        fd = written(state)
        environ = environment([(TAKEOVER, str(fd))])
        if supervisor.lineage.standing.notice.address:
            environ["NOTIFY_SOCKET"] = supervisor.lineage.standing.notice.address
        if supervisor.lineage.standing.watchdog:
            environ["WATCHDOG_USEC"] = str(int(supervisor.lineage.standing.watchdog * 1e6))
        # What comes now waits for the new program's handlers (execve(2) keeps the mask).
        before = signal.pthread_sigmask(signal.SIG_BLOCK, set(supervisor.watch.signals))
        try:
            lending([fd, *state["descriptors"]], lambda: execute(command(self.words), environ))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            os.close(fd)


def execute(words: list[str], environ: dict[str, str]) -> int:
    """execve, which returns only by raising."""
    os.execve(sys.executable, words, environ)


def command(words: tuple[str, ...]) -> list[str]:
    """This interpreter with penstock and the words of the start."""
    return [sys.executable, *interpreter_flags(), *program("penstock"), *words]


def end(pid: int) -> None:
    """The trial takes too long."""
    with suppress(ChildProcessError, ProcessLookupError):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        os.kill(pid, signal.SIGKILL)


# ---- What is handed over ------------------------------------------------------------------------------


def written(state: dict[str, Any]) -> int:
    """A descriptor of a file in memory with ``state``. Raises OSError."""
    return filled("penstock-takeover", marshal.dumps(state, FORMAT))


def state_of(supervisor: Supervisor) -> dict[str, Any]:
    """All that the next program must know, as plain data; ``descriptors`` are those that it inherits."""
    lineage, current = supervisor.lineage, supervisor.current
    if current is None:
        raise StartError("nothing serves yet")
    standing, diary = lineage.standing, lineage.diary
    sinks = [(sink.fd, sink.path) for sink in (diary.error_sink, diary.access_sink) if sink is not None]
    prototype = current.prototype if current.able else None
    launch = lineage.launch
    state: dict[str, Any] = {
        "version": __version__,
        "settings": current.settings.as_data(),
        "generation": current.number,
        "lazy": current.lazy,
        "folder": current.folder,
        "listeners": listeners_of(current),
        "prototype": None if prototype is None else of_prototype(prototype),
        "workers": [
            (h.wid, h.slot, h.generation, h.pid, h.state.name, h.channel.fileno(), monotonic() - h.born)
            for h in supervisor.handles()
            if h.pid
        ],
        "board": supervisor.board.fd,
        "caches": stock.fds_of(current.caches),
        "certificates": current.certificates,
        "lifeline": lineage.lifeline,
        "wanted": supervisor.wanted,
        "paused": supervisor.paused,
        "since": supervisor.since,
        "elders": sorted(supervisor.elders),
        "launch": (launch.words, launch.folder, launch.activated, launch.path),
        "sinks": sinks,
        "stdio": standing.stdio.taken,
        "pidfiles": [(file.path, file.fd) for file in standing.pidfiles],
        "carried": {name: one.state() for name, one in supervisor.carrying.items()},
    }
    state["descriptors"] = descriptors(state)
    return state


def of_prototype(prototype: Prototype) -> tuple[int, int, bool]:
    """A prototype as plain data."""
    return prototype.pid, prototype.channel.fileno(), prototype.lazy


def descriptors(state: dict[str, Any]) -> list[int]:
    """All that ``state`` names."""
    found = [fd for _, fd, _ in state["listeners"]]
    found += [worker[5] for worker in state["workers"]]
    found += [state["board"], *state["caches"], *state["lifeline"], *(fd for _, fd in state["pidfiles"])]
    found += [fd for fd, _ in state["sinks"]]
    found += [fd for carried in state["carried"].values() for fd in carried.get("fds", ())]
    if state["prototype"] is not None:
        found.append(state["prototype"][1])
    return sorted({fd for fd in found if fd >= 0})


def read(fd: int) -> dict[str, Any]:
    """What ``written`` wrote. Raises StartError."""
    os.lseek(fd, 0, os.SEEK_SET)
    pieces = []
    while piece := os.read(fd, 1 << 20):
        pieces.append(piece)
    try:
        state: dict[str, Any] = marshal.loads(b"".join(pieces))
    except (ValueError, EOFError, TypeError) as error:
        raise StartError(f"what was handed over cannot be read: {error}") from error
    return state


def settings_from(data: dict[str, Any]) -> Settings:
    """Settings that another version wrote: what this one does not know is left out, what that one did not
    know has its default. Raises StartError."""
    known = settings_of(Settings)
    try:
        return Settings.from_data({name: value for name, value in data.items() if name in known})
    except (TypeError, KeyError, ValueError) as error:
        raise StartError(f"the settings that were handed over cannot be read: {error!r}") from error
