"""The workers: who has which number, who is on the way, who leaves; and what their death means.

Runs in the supervisor. It forks through a generation's prototype and never decides about generations.
Whoever fills a place is replaced only when the next one is ready.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from penstock.interprocess.channel import pair
from penstock.interprocess.scoreboard import Scoreboard
from penstock.logs.setup import Diary
from penstock.process.supervisor.generation import Generation
from penstock.process.supervisor.handle import Handle, State
from penstock.process.supervisor.reaper import OutOfMemory, how
from penstock.process.supervisor.watch import Timer, Watch

STRANGERS = 1000  # dead children that may still turn out to be a worker
GRACE = 2.0  # seconds that a worker has beyond its mercy to end by itself
SILENT = 5.0  # seconds after which a worker whose channel ended without it is killed
SLOWEST = 30.0  # seconds between two tries at most
CLEAN, CUT_SHORT = 0, 30
FAILED = "failed"  # why a worker goes that could not load or warm up
LEFT = (CLEAN, CUT_SHORT)
OUT_OF_MEMORY = " by the kernel, which ran out of memory (oom_kill in the cgroup's memory.events)"
MEANWHILE = {
    State.STARTING: "while it started",
    State.SERVING: "while it took requests",
    State.LEAVING: "while it finished what ran",
}


@dataclass(eq=False)
class Place:
    """One worker number: who serves for it, who is to, how often in a row one died unused, and of what the
    last one died."""

    wid: int
    worker: Handle | None = None
    coming: Handle | None = None
    failures: int = 0
    failure: str = ""
    retry: Timer | None = None

    def calm(self) -> None:
        """Nobody is to be tried for it any more."""
        if self.retry is not None:
            self.retry.cancel()
            self.retry = None


class Herd:
    """``on_message(handle, message)`` is given what workers say beyond hello and ready; ``want(place)`` is
    called when a place needs a worker; ``gone(handle)`` when one is gone; ``unborn(handle)`` when the
    prototype has not even taken the order to fork it."""

    def __init__(self, watch: Watch, diary: Diary, board: Scoreboard) -> None:
        self.watch = watch
        self.diary = diary
        self.board = board
        self.places: dict[int, Place] = {}
        self.members: dict[int, Handle] = {}
        self.strangers: dict[int, int] = {}
        self.standing: list[dict[str, Any]] = []  # what whoever is born is told before anything else
        self.memory = OutOfMemory()
        self.cut = False
        self.deaths = 0
        self.on_message: Callable[[Handle, dict[str, Any]], None] = lambda handle, message: None
        self.want: Callable[[Place], None] = lambda place: None
        self.gone: Callable[[Handle], None] = lambda handle: None
        self.parted: Callable[[Handle], None] = lambda handle: None
        self.freed: Callable[[int], None] = lambda slot: None
        self.unborn: Callable[[Handle], None] = lambda handle: None

    def handles(self) -> list[Handle]:
        """Every worker that is not gone, by its number; the one that serves before those that leave."""
        return sorted(self.members.values(), key=lambda h: (h.wid, h.state is State.LEAVING, h.slot))

    def place(self, wid: int) -> Place:
        """The place of a number."""
        return self.places.setdefault(wid, Place(wid))

    @property
    def serving(self) -> list[Handle]:
        """Those that take requests."""
        return [h for h in self.handles() if h.state is State.SERVING]

    # ---- Birth --------------------------------------------------------------------------------------

    def free_slot(self) -> int:
        """A slot of the scoreboard that nobody has; -1 when all are taken."""
        taken = {handle.slot for handle in self.members.values()}
        return next((slot for slot in range(self.board.slots) if slot not in taken), -1)

    def fork(self, wid: int, generation: Generation, timeout: float, hold: bool = False) -> Handle | None:
        """Have a generation's prototype fork a worker; None when it cannot now, or no slot is free. ``hold``:
        it takes no requests until ``resume`` is said."""
        prototype, slot = generation.prototype, self.free_slot()
        if prototype is None or not prototype.ready or slot < 0:
            return None
        try:
            ours, theirs = pair()
        except OSError as error:
            self.diary.error(f"worker {wid}: no channel could be made: {error.strerror}")
            return None
        handle = Handle(wid, slot, generation.number, ours, self.board.cell(slot))
        self.take(handle)
        for message in self.standing:
            handle.channel.send(message)
        self.board.claim(slot, 0)  # nobody has it yet, and whoever is born into it finds it clean
        order = {"do": "fork", "wid": wid, "slot": slot, "hold": hold}
        prototype.channel.send(order, [theirs.fileno()])
        theirs.close()
        handle.set_timer(self.watch.later(timeout, lambda: self.too_slow(handle, timeout)))
        return handle

    def take(self, handle: Handle) -> None:
        """One is ours from now on."""
        handle.channel.descriptors = False  # it has none to give
        self.members[handle.slot] = handle
        self.watch.add(handle.channel.fileno(), lambda: self.heard(handle))

    def too_slow(self, handle: Handle, timeout: float) -> None:
        """It was not ready in time."""
        handle.reason = f"it was not ready within start-timeout ({timeout:g} s)"
        self.diary.error(f"{handle.name}: {handle.reason}")
        self.kill(handle)

    def tell_all(self, message: dict[str, Any]) -> None:
        """Say it to every worker, and to whoever comes to serve before it takes its first request."""
        self.standing.append(message)
        for handle in self.handles():
            handle.channel.send(message)

    # ---- What workers say ---------------------------------------------------------------------------

    def heard(self, handle: Handle) -> None:
        """A worker's channel has something."""
        for message, _ in handle.channel.receive():
            self.say(handle, message)
        if handle.channel.ended and handle.state is not State.GONE:
            self.watch.remove(handle.channel.fileno())
            if handle.pid == 0:
                self.buried(handle, None)  # it died before its first word
            elif handle.state is not State.LEAVING:
                self.watch.later(SILENT, lambda: self.deaf(handle))

    def say(self, handle: Handle, message: dict[str, Any]) -> None:
        """One message of a worker, of whose truth nothing here depends but that worker's own fate."""
        kind = message.get("is")
        if kind == "hello":
            pid = message.get("pid")
            if isinstance(pid, int) and pid > 1 and handle.pid == 0:
                self.born(handle, pid)
        elif kind == "ready":
            self.ready(handle)
        elif kind == "clock" and handle.state is State.STARTING:
            self.wind(handle, message.get("seconds"))
        elif kind == "failed":
            handle.reason = str(message.get("reason", ""))
            handle.why = FAILED
            text = str(message.get("text", "")).rstrip()
            self.diary.error(f"{handle.name}: {text or handle.reason}")
        self.on_message(handle, message)

    def wind(self, handle: Handle, seconds: object) -> None:
        """It has so many seconds to become ready; with 0 as many as it takes, while hooks are carried out."""
        if isinstance(seconds, int | float) and seconds > 0:
            handle.set_timer(self.watch.later(seconds, lambda: self.too_slow(handle, seconds)))
        else:
            handle.set_timer(None)

    def born(self, handle: Handle, pid: int) -> None:
        """It has said its number, which must be a child's: it is what we would send signals to."""
        if is_child(pid):
            self.strangers.pop(pid, None)  # somebody who had that number before
        elif pid not in self.strangers:
            return
        handle.pid = pid
        handle.cell.pid = pid
        if pid in self.strangers:
            self.buried(handle, self.strangers.pop(pid))

    def ready(self, handle: Handle) -> None:
        """It takes requests from now on."""
        if handle.state is State.STARTING and handle.move("ready"):
            handle.ready_at = monotonic()
            handle.set_timer(None)
            call, handle.ready = handle.ready, None
            if call is not None:
                call(handle)
        elif handle.state is State.LEAVING and handle.mercy:
            self.expect(handle, handle.mercy)

    def deaf(self, handle: Handle) -> None:
        """Its end of the channel is closed, and it lives: nothing could ever be told to it again."""
        if handle.state is not State.GONE:
            self.diary.error(f"{handle.name}: it closed its channel to the supervisor; it is killed")
            self.kill(handle)

    # ---- Leaving ------------------------------------------------------------------------------------

    def leave(self, handle: Handle, why: str, seconds: float, final: bool = False) -> None:
        """Have it finish what runs, at most so many seconds, and go."""
        if handle.move("leave"):
            handle.why = why
            handle.channel.send({"do": "leave", "final": final, "seconds": seconds})
            self.expect(handle, seconds)

    def expect(self, handle: Handle, seconds: float) -> None:
        """It is to be gone within so many seconds and a moment."""
        handle.set_timer(self.watch.later(seconds + GRACE, lambda: self.no_mercy(handle)))

    def hurry(self, handle: Handle, seconds: float) -> bool:
        """One that leaves has no more than so many seconds from now on; False where it had no more anyway."""
        shorter = handle.timer is None or handle.timer.when > monotonic() + seconds + GRACE
        if shorter:
            handle.channel.send({"do": "leave", "final": False, "seconds": seconds})
            self.expect(handle, seconds)
        return shorter

    def retract(self, handle: Handle, why: str, seconds: float, final: bool = False) -> None:
        """Have one go that was to serve soon. It may have begun to, with its word of it on the way: then its
        requests have so many seconds."""
        handle.move("leave")
        handle.why = handle.why or why
        handle.mercy = seconds
        handle.channel.send({"do": "leave", "final": final, "seconds": seconds})
        handle.set_timer(self.watch.later(GRACE, lambda: self.no_mercy(handle)))

    def halt(self, handle: Handle, why: str) -> None:
        """Have it go now; what runs is cut."""
        handle.move("leave")
        handle.why = handle.why or why
        handle.channel.send({"do": "halt"})
        handle.set_timer(self.watch.later(GRACE, lambda: self.no_mercy(handle)))

    def no_mercy(self, handle: Handle) -> None:
        """It did not go by itself."""
        if handle.state is not State.GONE:
            self.diary.warning(f"{handle.name}: it takes too long to leave and is killed")
            self.cut = self.cut or handle.counts
            self.kill(handle)

    def kill(self, handle: Handle) -> None:
        """SIGKILL. Its number is its own until it is reaped here."""
        if handle.pid and handle.state is not State.GONE:
            try:
                os.kill(handle.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        elif handle.state is not State.GONE:
            handle.channel.send({"do": "halt"})  # not born yet: it goes when it hears
            handle.set_timer(self.watch.later(SILENT, lambda: self.forgotten(handle)))

    def forgotten(self, handle: Handle) -> None:
        """It never came to life."""
        if handle.state is not State.GONE and handle.pid == 0:
            self.unborn(handle)
            self.buried(handle, None)

    # ---- Death --------------------------------------------------------------------------------------

    def reaped(self, pid: int, status: int) -> None:
        """A child of ours has ended; it may be a worker of which we have not read the first word."""
        handle = self.by_pid(pid)
        if handle is None:
            for other in [h for h in self.members.values() if h.pid == 0]:
                self.heard(other)
            handle = self.by_pid(pid)
        if handle is None:
            if len(self.strangers) >= STRANGERS:
                self.strangers.pop(next(iter(self.strangers)))
            self.strangers[pid] = status
            return
        self.heard(handle)  # its last words, which say why
        if handle.state is not State.GONE:
            self.buried(handle, status)

    def by_pid(self, pid: int) -> Handle | None:
        """The worker with a number."""
        return next((h for h in self.members.values() if h.pid == pid), None)

    def buried(self, handle: Handle, status: int | None) -> None:
        """It is gone: its slot, its channel and its place are free."""
        before = handle.state
        handle.status = status
        used = handle.cell.first > 0
        handle.move("gone")
        handle.set_timer(None)
        self.members.pop(handle.slot, None)
        self.watch.remove(handle.channel.fileno())
        handle.channel.close()
        self.parted(handle)
        self.board.free(handle.slot)
        self.freed(handle.slot)
        self.tell_end(handle, before, status)
        call, handle.gone = handle.gone, None
        place = self.places.get(handle.wid)
        if place is not None:
            self.vacate(place, handle, before, used)
        if call is not None:
            call(handle, 1 if status is None else status)
        self.gone(handle)

    def tell_end(self, handle: Handle, before: State, status: int | None) -> None:
        """What the log says of it."""
        if before is State.LEAVING and has_left(handle, status):
            self.cut = self.cut or (status == CUT_SHORT and handle.counts)
            cut = "; requests were cut" if status == CUT_SHORT else ""
            self.diary.info(f"{handle.name} has left: {handle.why}{cut}")
            return
        if before is State.STARTING and handle.why:
            return  # it has said why it failed
        self.deaths += 1
        text = self.death(status)
        handle.reason = handle.reason or text
        self.diary.error(f"{handle.name} {text}, {MEANWHILE[before]}")

    def death(self, status: int | None) -> str:
        """How one died that nobody had told to go."""
        if status is None:
            return "ended before its first word"
        killer = OUT_OF_MEMORY if status == -signal.SIGKILL and self.memory.struck() else ""
        return f"died: {how(status)}{killer}"

    def vacate(self, place: Place, handle: Handle, before: State, used: bool) -> None:
        """Its place; whoever was serving, or was to, is followed by another."""
        if place.coming is handle:
            place.coming = None
        elif place.worker is handle:
            place.worker = None
        else:
            return
        if before is State.LEAVING:
            return
        place.failures = 0 if used else place.failures + 1
        place.failure = handle.reason
        self.want(place)

    def delay(self, place: Place, pause: float) -> float:
        """Seconds until the next try: none after a worker that had answered, more and more after others."""
        if place.failures <= 1:
            return 0.0
        return float(min(SLOWEST, pause * 2 ** (place.failures - 2)))


def has_left(handle: Handle, status: int | None) -> bool:
    """Whether one that was told to go went as it was told."""
    # One that is told so while it is forked, by a TERM to the whole group, has no word to say.
    return status in LEFT or (status is None and handle.pid == 0)


def is_child(pid: int) -> bool:
    """Whether a number is that of a child which nobody has reaped yet."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
