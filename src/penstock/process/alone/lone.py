"""A server that is one process, seen as its supervisor would see it: one worker, one slot, no reload.

Runs on the loop of that process. Whoever shows or commands a server with a supervisor (figures, commands,
pages) works on this as well, and does not know the difference. Nothing here is imported or made for a
request; the commands are not before somebody asks.
"""

import os
import socket
from collections.abc import Callable
from functools import cached_property
from time import monotonic, time
from typing import TYPE_CHECKING, Any

from penstock.config.settings import Settings
from penstock.interprocess.scoreboard import ACCEPTING, DRAINING, PAUSED, Cell, Scoreboard
from penstock.process.alone.loopwatch import LoopWatch
from penstock.process.sights import tells
from penstock.process.standing import Standing
from penstock.process.supervisor.berth import Berth
from penstock.process.supervisor.occasions import Occasions
from penstock.process.tally import Tally
from penstock.process.worker import Worker

if TYPE_CHECKING:
    from penstock.process.supervisor.control import Control
    from penstock.process.supervisor.handle import State
    from penstock.process.supervisor.inquiry import Inquiry

NUMBER = 1  # of its only worker, as uWSGI counts
ALONE = "this server is a single process: start it with master = true for that"
UNABLE = dict.fromkeys(
    (
        *("reload", "reload-brutal", "reload-chain", "reload-workers", "reload-brutal-workers"),
        *("add-workers", "remove-workers", "replace-worker", "cheap", "upgrade"),
    ),
    ALONE,
)
"""Commands that need a supervisor."""


class Ending:
    """The end that is under way; ``code`` as a supervisor's."""

    def __init__(self, why: str, code: int = 0) -> None:
        self.why = why
        self.code = code


class Refused:
    """How a reload of it ends."""

    ok = False
    text = ALONE
    code = 1


class OnlyGeneration:
    """What serves, for ever."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.listening: tuple[Any, ...] = ()
        self.number = 1


class OnlyPlace:
    """The place of the only worker."""

    def __init__(self, worker: "OnlyHandle") -> None:
        self.worker = worker
        self.wid = NUMBER
        self.coming: None = None
        self.failures = 0
        self.failure = ""


class OnlyHerd:
    """A herd of one."""

    def __init__(self, place: OnlyPlace) -> None:
        self.places = {place.wid: place}
        self.deaths = 0


class Within:
    """The channel to a worker in the same process: what is sent is answered at once, or by and by."""

    def __init__(self, worker: Worker, heard: Callable[[dict[str, Any]], None]) -> None:
        self.worker = worker
        self.heard = heard

    def send(self, message: dict[str, Any]) -> None:
        """Ask it something; other orders it has none to take."""
        if message.get("do") == "tell":
            tells.answer(self.worker.tells, message, self.heard)


class OnlyHandle:
    """The worker, as ``supervisor/handle.py`` has one."""

    def __init__(self, worker: Worker, cell: Cell, channel: Within) -> None:
        self.worker = worker
        self.cell = cell
        self.channel = channel
        self.wid = NUMBER
        self.slot = 0
        self.generation = 1
        self.pid = os.getpid()
        self.born = monotonic()
        self.ready_at = 0.0
        self.why = ""

    @property
    def state(self) -> "State":
        """Where it stands."""
        from penstock.process.supervisor.handle import State  # not before somebody looks

        if self.worker.leaving_since:
            return State.LEAVING
        return State.SERVING if self.ready_at else State.STARTING

    @property
    def name(self) -> str:
        """For the log."""
        return f"worker {self.wid} (pid {self.pid})"


class Lone(Occasions):
    """Made before the worker starts; ``serve`` once its loop runs, ``end`` when it has ended.

    It is a supervisor to ``figures``, ``inquiry`` and ``commands``: those say what they ask of one.
    """

    def __init__(self, worker: Worker, settings: Settings, standing: Standing) -> None:
        super().__init__()
        self.worker = worker
        self.settings = settings
        self.standing = standing
        self.diary = worker.diary
        self.watch = LoopWatch(worker.loop, self.diary.error)
        self.board = Scoreboard.private()
        cell = self.board.claim(0, os.getpid())
        self.tally = Tally(worker, cell)
        self.handle = OnlyHandle(worker, cell, Within(worker, self.hear))
        self.herd = OnlyHerd(OnlyPlace(self.handle))
        self.current = OnlyGeneration(settings)
        self.build: None = None
        self.wanted = 1
        self.last: dict[str, Any] = {}
        self.since = time()
        self.berth = Berth(self.diary.warning)
        self.control: Control | None = None
        self.knocking: socket.socket | None = None
        worker.door.on_tick.append(self.tick)
        worker.on_leave.append(self.leaving)

    # ---- As a supervisor is seen --------------------------------------------------------------------

    @cached_property
    def inquiry(self) -> "Inquiry":
        """Asks the worker; not before somebody does."""
        from penstock.process.supervisor.inquiry import Inquiry

        return Inquiry(self)

    @property
    def paused(self) -> bool:
        """Whether it takes nothing."""
        return self.worker.paused

    @property
    def lame(self) -> bool:
        """Whether the end is about to begin."""
        return self.worker.lame

    @property
    def ending(self) -> Ending | None:
        """The end that is under way."""
        return Ending("it was told to end", self.worker.code) if self.worker.leaving_since else None

    def handles(self) -> list[OnlyHandle]:
        """The worker, its figures those of this moment."""
        self.tick(monotonic(), count=False)
        return [self.handle]

    def hear(self, message: dict[str, Any]) -> None:
        """The worker has an answer."""
        handle: Any = self.handle  # it is one in all that they read
        for call in self.on_message:
            call(handle, message)

    def tick(self, now: float, count: bool = True) -> None:
        """Every quarter second, and when somebody looks."""
        if self.worker.leaving_since:
            self.tally.state = DRAINING
        elif self.handle.ready_at:
            self.tally.state = PAUSED if self.worker.paused else ACCEPTING
        if count:
            self.tally.tick(now)
        else:
            self.tally.write(now)

    # ---- Its life -----------------------------------------------------------------------------------

    def open(self) -> None:
        """The control socket. Raises StartError."""
        self.knocking = self.berth.open(self.settings.control_socket)
        if self.knocking is not None:
            self.watch.add(self.knocking.fileno(), self.knocked)

    def knocked(self) -> None:
        """The first visitor: what there is to command with is loaded for it, and not at the start."""
        from penstock.process.supervisor.commands import Commands
        from penstock.process.supervisor.control import Control

        sock, self.knocking = self.knocking, None
        if sock is not None:
            self.watch.remove(sock.fileno())
            commands = Commands(self, self.inquiry)
            commands.unable = UNABLE
            self.control = Control(commands)
            self.control.host(self.watch, sock)

    def serve(self) -> None:
        """It takes requests from now on."""
        self.handle.ready_at = monotonic()
        if self.settings.py_tracebacker:
            from penstock.process.sights.tracebacker import Tracebacker

            Tracebacker(self.worker, self.settings.py_tracebacker, NUMBER).open()
        for call in self.on_serving:
            call()

    def leaving(self) -> None:
        """The end begins."""
        for call in self.on_stop:
            call()

    def end(self) -> None:
        """After the loop: leave nothing behind."""
        for call in self.on_drained:
            call()
        if self.control is not None:
            self.control.close()
        elif self.knocking is not None:
            self.knocking.close()
        self.berth.close()

    # ---- Commands -----------------------------------------------------------------------------------

    def stop(self, why: str, now: bool = False) -> None:
        """Finish what runs and end; ``now``: cut it."""
        if now:
            self.diary.info(f"{why}: stopping at once")
            self.worker.halt()
        else:
            self.worker.retire(why)

    def pause(self) -> None:
        """Take no requests, or take them again."""
        if not self.worker.leaving_since:
            if self.worker.paused:
                self.worker.resume()
            else:
                self.worker.pause()

    def reopen_logs(self) -> None:
        """Open the log files anew."""
        self.standing.reopen()

    def write_pidfiles(self) -> None:
        """Write the pidfiles anew."""
        for file in self.standing.pidfiles:
            file.rewrite()

    def reload(self, why: str, how: str = "graceful", done: Callable[[Any], None] | None = None) -> None:
        """It cannot."""
        self.refuse(why, done)

    def upgrade(self, why: str, done: Callable[[Any], None] | None = None) -> None:
        """It cannot."""
        self.refuse(why, done)

    def resize(self, delta: int) -> None:
        """It cannot."""
        self.refuse(f"{delta:+d} workers")

    def replace(self, handle: Any, why: str) -> None:
        """It cannot."""
        self.refuse(why)

    def cheap(self, why: str) -> None:
        """It cannot."""
        self.refuse(why)

    def refuse(self, why: str, done: Callable[[Any], None] | None = None) -> None:
        """There is nobody to hold the sockets meanwhile."""
        self.diary.warning(f"{why}: {ALONE}")
        if done is not None:
            done(Refused())
