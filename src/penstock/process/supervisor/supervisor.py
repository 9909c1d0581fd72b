"""The supervisor: holds the sockets, keeps the workers at their number, and changes generations.

One process, one thread, no application code: nothing that the application does can hurt it. What may happen
to workers is ``herd``, to prototypes ``loading``, to a generation in the making ``building``; who may
tell it what is ``commands``.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from time import time
from typing import Any

from penstock.config.settings import Settings
from penstock.config.sources.env import environment, reloads
from penstock.interprocess.scoreboard import Scoreboard
from penstock.logs.setup import Diary
from penstock.process.supervisor.building import BRUTAL_WORKERS, WORKERS, Asked, Build, Done, Outcome
from penstock.process.supervisor.generation import Generation
from penstock.process.supervisor.handle import Handle, State
from penstock.process.supervisor.herd import Herd, Place
from penstock.process.supervisor.lineage import Lineage
from penstock.process.supervisor.loading import FAILED
from penstock.process.supervisor.occasions import Occasions
from penstock.process.supervisor.reaper import reap
from penstock.process.supervisor.recycling import Recycling
from penstock.process.supervisor.watch import Watch

CLEAN, CUT_SHORT = 0, 30
LOOK = 0.25  # seconds between two looks at whether all workers are gone
AGAIN = 1.0  # seconds until a worker is tried for again for which there was no slot or no descriptor
DUMP = 0.2  # seconds that a worker has to write its stacks before it is killed


@dataclass
class Ending:
    """A stop that is under way: why, whether what runs is cut, and the exit status."""

    why: str
    now: bool = False
    code: int = CLEAN


class Supervisor(Occasions):
    """``lineage`` makes generations. ``children`` are processes beside workers and prototypes, with what is
    called with their status; ``elders`` were here before us, of whoever became this program."""

    def __init__(self, watch: Watch, diary: Diary, board: Scoreboard, lineage: Lineage) -> None:
        super().__init__()
        self.watch = watch
        self.diary = diary
        self.board = board
        self.shared["scoreboard"] = board.fd
        self.lineage = lineage
        self.herd = Herd(watch, diary, board)
        self.herd.want = self.bring
        self.herd.gone = self.one_gone
        self.herd.on_message = self.heard
        self.herd.unborn = self.stuck
        self.recycling = Recycling(self)
        self.current: Generation | None = None
        self.build: Build | None = None
        self.wanted = 0
        self.paused = False
        self.lame = False  # about to end, and not ready any more
        self.ending: Ending | None = None
        self.last: dict[str, Any] = {}
        self.since = time()
        self.drained = False
        self.children: dict[int, Callable[[int], None]] = {}
        self.elders: set[int] = set()
        lineage.attach(self)

    @property
    def settings(self) -> Settings:
        """Those of the generation that serves."""
        return self.lineage.settings if self.current is None else self.current.settings

    def environ(self) -> dict[str, str]:
        """Of programs that are started beside the application: ours, and what ``env`` sets or unsets."""
        count = 0 if self.current is None else self.current.number - 1
        return environment([reloads(count), *self.settings.env_pairs])

    def handles(self) -> list[Handle]:
        """Every worker that is not gone."""
        return self.herd.handles()

    def run(self) -> int:
        """Until the end; returns the exit status."""
        self.watch.on_signal(signal.SIGCHLD, self.reap)
        # All of them have handlers now; whoever made us by exec had blocked them until then.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, set(self.watch.signals))
        self.reap()
        self.watch.run()
        code = self.ending.code if self.ending is not None else FAILED
        return CUT_SHORT if code == CLEAN and self.herd.cut else code

    def reap(self) -> None:
        """Children have ended."""
        for pid, status in reap():
            self.elders.discard(pid)
            call = self.children.pop(pid, None)
            if call is not None:
                call(status)
            elif not self.lineage.reaped(pid, status):
                self.herd.reaped(pid, status)

    # ---- The number of workers ----------------------------------------------------------------------

    def set_wanted(self, count: int) -> None:
        """So many workers are to run, numbers 1 and up."""
        self.wanted = max(0, count)
        self.ensure()

    def resize(self, delta: int) -> None:
        """So many more or, below 0, fewer."""
        self.set_wanted(max(1, self.wanted + delta))

    def ensure(self) -> None:
        """Bring workers where one is missing, have those leave that are too many."""
        if self.ending is not None or self.current is None:
            return
        for wid in range(1, self.wanted + 1):
            place = self.herd.place(wid)
            if place.coming is None and (place.worker is None or place.worker.asked):
                self.bring(place)
        for place in list(self.herd.places.values()):
            if place.wid > self.wanted:
                self.vacate(place)

    def vacate(self, place: Place) -> None:
        """Nobody is needed there."""
        place.calm()
        coming, place.coming = place.coming, None
        worker, place.worker = place.worker, None
        if coming is not None:
            self.herd.retract(coming, "it is not needed any more", self.settings.worker_reload_mercy)
        if worker is not None:
            self.let_go(worker, "it is not needed any more")
        self.recycling.settled((place.wid,))

    def let_go(self, handle: Handle, why: str) -> None:
        """Have a worker finish and leave."""
        self.herd.leave(handle, why, self.settings.worker_reload_mercy)

    def bring(self, place: Place) -> None:
        """Have a worker for a place, as soon as one may be tried."""
        if self.ending is not None or place.wid > self.wanted or place.coming or place.retry:
            return
        pause = self.herd.delay(place, self.settings.forkbomb_delay)
        if pause:
            self.diary.warning(
                f"worker {place.wid}: {place.failures} in a row died before they had answered anything; the "
                f"next one starts in {pause:g} s"
            )
            place.retry = self.watch.later(pause, lambda: self.try_again(place))
            return
        self.fork(place)

    def try_again(self, place: Place) -> None:
        """The pause is over."""
        place.retry = None
        if place.coming is None and self.ending is None and place.wid <= self.wanted:
            self.fork(place)

    def fork(self, place: Place) -> None:
        """Fork now; without an able prototype ``ensure`` comes back to it, without a free slot the clock."""
        generation = self.current
        if generation is None:
            return
        handle = self.herd.fork(place.wid, generation, generation.settings.start_timeout)
        if handle is None:
            if not generation.able:
                self.lineage.rebuild(generation)
            elif place.retry is None:
                place.retry = self.watch.later(AGAIN, lambda: self.try_again(place))
            return
        place.coming = handle
        handle.ready = self.took

    def took(self, handle: Handle) -> None:
        """A worker is ready: whoever served for it leaves."""
        place = self.herd.place(handle.wid)
        before, coming = place.worker, place.coming
        place.worker, place.coming = handle, None
        place.calm()
        if coming is not None and coming is not handle:  # a chain has been faster
            self.herd.retract(coming, "another one has its place", self.settings.worker_reload_mercy)
        if self.paused:
            handle.channel.send({"do": "pause"})
        if before is not None and before.brutal:
            self.herd.halt(before, before.reason)
        elif before is not None:
            self.let_go(before, before.reason or "another one has its place")
        elif self.current is not None:
            self.diary.info(f"{handle.name} serves")
        self.recycling.settled((handle.wid,))

    def replace(self, handle: Handle, why: str) -> None:
        """Have another worker built for this one, which serves until then."""
        place = self.herd.place(handle.wid)
        if handle.asked or place.worker is not handle or self.ending is not None:
            return
        handle.asked = True
        handle.reason = why
        self.diary.info(f"{handle.name} is to be replaced: {why}")
        self.bring(place)

    def kill(self, handle: Handle, why: str) -> None:
        """Have it write its stacks where it can, then SIGKILL; another one is started at once."""
        self.diary.error(f"{handle.name} is killed: {why}")
        handle.reason = why
        place = self.herd.place(handle.wid)
        if place.worker is handle and place.coming is None and self.ending is None:
            self.fork(place)
        if handle.pid and self.lineage.stacks_signal:
            try:
                os.kill(handle.pid, self.lineage.stacks_signal)
            except ProcessLookupError:
                return
        self.watch.later(DUMP, lambda: self.herd.kill(handle))

    # ---- What workers say, and their end ------------------------------------------------------------

    def heard(self, handle: Handle, message: dict[str, Any]) -> None:
        """A worker said something beyond hello and ready."""
        kind = message.get("is")
        if kind == "replace":
            why = str(message.get("why", "it asked for it"))
            if message.get("urgent") is True:
                self.diary.warning(f"{handle.name}: {why}")
            self.replace(handle, why)
        elif kind == "kill-me":
            self.kill(handle, str(message.get("why", "it asked for it")))
        elif kind == "leaving" and handle.move("leave"):
            handle.why = str(message.get("why", ""))
            self.herd.expect(handle, self.settings.worker_reload_mercy)
            place = self.herd.place(handle.wid)
            if place.worker is handle:
                place.worker = None
                self.bring(place)
        for call in self.on_message:
            call(handle, message)

    def stuck(self, handle: Handle) -> None:
        """A prototype does not take orders: it is stopped, or hangs. Its death has another one loaded."""
        current = self.current
        if current is None or current.number != handle.generation or current.prototype is None:
            return
        if current.able:
            self.diary.error(f"the prototype (pid {current.prototype.pid}) forks nobody; it is killed")
            os.kill(current.prototype.pid, signal.SIGKILL)

    def change_over(self, asked: Asked, first: bool) -> None:
        """Another generation serves; what the one before has brought meanwhile is replaced."""
        self.recycling.settled(list(self.herd.places))
        for handle in self.herd.serving:
            if self.current is not None and handle.generation != self.current.number:
                handle.asked = False
                self.replace(handle, asked.why)
        self.ensure()
        for call in self.on_serving if first else self.on_change:
            call()
        for tell in () if first else self.on_generation:
            tell(asked.how)

    def one_gone(self, handle: Handle) -> None:
        """One is gone: a slot is free, and perhaps it was the last."""
        for call in self.on_gone:
            call(handle)
        if self.ending is not None:
            self.look_whether_done()
        elif self.current is not None:
            if not handle.ready_at and handle.generation == self.current.number:
                self.recycling.failed(handle)
            if self.settings.die_on_no_workers and not self.herd.members:
                self.stop("die-on-no-workers: no worker is left", code=FAILED)
                return
            self.ensure()

    # ---- Generations --------------------------------------------------------------------------------

    def keeps_code(self, how: str) -> bool:
        """Whether a reload is other workers of the same generation."""
        return how in (WORKERS, BRUTAL_WORKERS) or (how == "graceful" and self.settings.lazy)

    def reload(self, why: str, how: str = "graceful", done: Done | None = None) -> None:
        """Load the application anew and change over when all new workers are ready.

        ``how``: graceful, brutal (what runs is cut), chain (one worker after the other), workers and
        brutal-workers (the same generation, other workers). ``done`` is told how it ended.
        """
        asked = Asked(why, how, [done] if done is not None else [])
        if self.ending is not None or self.lame:
            asked.answer(Outcome(False, "the server is stopping", FAILED))
        elif self.settings.exit_on_reload:
            self.stop(f"{why}; exit-on-reload")
            asked.answer(Outcome(True, "exit-on-reload: the server stops"))
        elif self.current is not None and self.keeps_code(how):
            number = self.current.number
            self.recycling.begin([h for h in self.herd.serving if h.generation == number], asked)
        else:
            self.lineage.reload(asked)

    def reloading(self, begun: bool) -> None:
        """A reload has begun, or has ended whichever way."""
        for call in self.on_reload:
            call(begun)

    def note(self, ok: bool, text: str) -> None:
        """How the last reload ended, for ``status``."""
        self.last = {"ok": ok, "text": text, "at": time()}

    # ---- The end ------------------------------------------------------------------------------------

    def stop(self, why: str, now: bool = False, code: int = CLEAN) -> None:
        """Finish what runs and end; ``now``, or asked a second time, cut it."""
        if not now and self.postpone(why, code):
            return
        first = self.ending is None
        if self.ending is None:
            self.ending = Ending(why, now, code=code)
            for call in self.on_stop:
                call()
            self.watch.every(LOOK, self.look_whether_done)
        elif self.ending.now:
            return
        self.lineage.cancel()
        self.recycling.cancel("the server is stopping")
        if now or not first:
            self.ending.now = True
            self.diary.info(f"{why}: stopping at once")
            for handle in self.handles():
                handle.counts = handle.state is not State.STARTING
                self.herd.halt(handle, why)
        else:
            seconds = self.settings.shutdown_timeout
            self.diary.info(f"{why}: finishing what runs, at most {seconds:g} s")
            self.lineage.refuse_new()
            for handle in self.handles():
                if handle.state is State.STARTING:
                    self.herd.retract(handle, why, seconds, final=True)
                elif handle.state is State.SERVING:
                    handle.counts = True
                    self.herd.leave(handle, why, seconds, final=True)
                else:  # a reload's mercy is the longer one
                    handle.counts = self.herd.hurry(handle, seconds)
        self.look_whether_done()

    def look_whether_done(self) -> None:
        """The end is here when the last worker is gone, and what was started beside them."""
        if self.herd.members:
            return
        if not self.drained:
            self.drained = True
            for call in self.on_drained:
                call()
        if not any(unfinished() for unfinished in self.unfinished):
            self.watch.stop()

    # ---- Smaller commands ---------------------------------------------------------------------------

    def pause(self) -> None:
        """Stop accepting, or go on."""
        self.paused = not self.paused
        self.diary.info("paused: new connections wait" if self.paused else "resumed")
        for handle in self.herd.serving:
            handle.channel.send({"do": "pause" if self.paused else "resume"})

    def reopen_logs(self) -> None:
        """The logs were rotated."""
        self.lineage.standing.reopen()
        self.hand_out_logs()

    def follow_log(self) -> None:
        """The application is loaded: with ``daemonize2`` the log is another one from here on."""
        if self.lineage.standing.detached():
            self.hand_out_logs(leave=self.diary.error_sink.path)

    def hand_out_logs(self, leave: str = "") -> None:
        """Give every process the log's descriptors; ``leave``: the terminal's place is taken by that file."""
        fds = self.lineage.lent(self.settings).anew
        for channel in [handle.channel for handle in self.handles()] + self.lineage.channels():
            channel.send({"do": "reopen", "leave": leave}, fds)
        for call in self.on_reopen:
            call(tuple(fds), leave)

    def cheap(self, why: str) -> None:
        """No workers until a connection comes."""
        self.make_cheap(why)

    def write_pidfiles(self) -> None:
        """Write the pidfiles anew."""
        for file in self.lineage.standing.pidfiles:
            file.rewrite()

    def upgrade(self, why: str, done: Done | None = None) -> None:
        """Go on as the penstock that is installed by now."""
        self.lineage.exec(Asked(why, "graceful", [done] if done is not None else []))
