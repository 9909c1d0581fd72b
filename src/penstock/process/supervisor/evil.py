"""Workers that cannot look after themselves: too large, or deaf because C code holds the interpreter's lock.

Runs in the supervisor, from outside the workers: by /proc and by the scoreboard. A large one is replaced,
a deaf one is killed, each at most once; the rest is the supervisor's.
"""

from time import monotonic

from penstock.interprocess.scoreboard import Cell
from penstock.process.memory import address_and_resident, megabytes
from penstock.process.supervisor.handle import Handle, State
from penstock.process.supervisor.seen import Seen
from penstock.process.supervisor.starved import Starved

LOOK = 0.25  # seconds between two looks at the heartbeats, which come as often
GRACE = 0.3  # seconds beyond the deadline: one beat, and a little
LATE = 0.75  # seconds between two looks, from which on the machine, not a worker, stood still
BREATH = 1.0  # seconds that everybody has after that
CAUSES = "C code holds the interpreter's lock, or the process is stopped"


class Evil:
    """``start`` once; changed settings are noticed."""

    def __init__(self, supervisor: Seen) -> None:
        self.supervisor = supervisor
        self.asked: set[Handle] = set()
        self.killed: set[Handle] = set()
        self.starved = Starved()
        self.looked = monotonic()
        self.not_before = 0.0

    def start(self) -> None:
        """Look from time to time."""
        self.supervisor.watch.every(LOOK, lambda: self.look_at_beats(monotonic()))
        self.wait()

    def wait(self) -> None:
        """Until the next look at the memory."""
        settings = self.supervisor.settings
        seconds = settings.mem_collector_freq or settings.check_interval or 1.0
        self.supervisor.watch.later(seconds, self.turn)

    def turn(self) -> None:
        """One look at the memory, and the next."""
        self.wait()
        self.look_at_memory()

    # ---- Memory -------------------------------------------------------------------------------------

    def look_at_memory(self) -> None:
        """``evil-reload-on-as`` and ``-rss``, in bytes here. Where uWSGI kills, this replaces."""
        settings = self.supervisor.settings
        if not (settings.evil_reload_on_as or settings.evil_reload_on_rss):
            return
        handles = self.supervisor.handles()
        self.asked.intersection_update(handles)
        for handle in handles:
            if handle.state is State.SERVING and handle not in self.asked:
                why = self.too_large(handle)
                if why:
                    self.asked.add(handle)
                    self.supervisor.replace(handle, why)

    def too_large(self, handle: Handle) -> str:
        """Which limit a worker has reached, "" for none."""
        settings = self.supervisor.settings
        try:
            address, resident = address_and_resident(handle.pid)
        except (OSError, ValueError):
            return ""
        if settings.evil_reload_on_as and address >= settings.evil_reload_on_as:
            return f"evil-reload-on-as: {megabytes(address)}"
        if settings.evil_reload_on_rss and resident >= settings.evil_reload_on_rss:
            return f"evil-reload-on-rss: {megabytes(resident)}"
        return ""

    # ---- Heartbeats ---------------------------------------------------------------------------------

    def look_at_beats(self, now: float) -> None:
        """A loop that has not ticked for a whole deadline does not run: something holds the interpreter's
        lock, and no thread of that worker could do anything about it.

        Whether a request is known to run makes no difference: one that took the lock at once has never
        been counted. What it has waited for a processor does not count: that is the machine's fault.
        ``now``: time.monotonic seconds.
        """
        late = now - self.looked > LATE
        self.looked = now
        if late:
            self.not_before = now + BREATH
        deadline = self.supervisor.settings.harakiri
        if not deadline or now < self.not_before:
            return
        handles = self.supervisor.handles()
        self.killed.intersection_update(handles)
        self.starved.keep(handles)
        for handle in handles:
            silent = silence(handle, now)
            silent -= self.starved.seconds(handle, silent)
            if silent > deadline + GRACE and handle not in self.killed:
                self.killed.add(handle)
                self.supervisor.kill(
                    handle, f"harakiri: its loop has stood still for {silent:.1f} s: {CAUSES}"
                )


def silence(handle: Handle, now: float) -> float:
    """Seconds since a worker's loop last ticked, 0.0 where it need not.

    From when it was ready on: its first beat may have been wiped out with the cell, which is cleared when
    the worker is heard of. One that leaves ticks as long as it has requests, and then takes its time to end.
    """
    cell: Cell = handle.cell
    ticks = handle.state is State.SERVING or (handle.state is State.LEAVING and cell.busy > 0)
    if not ticks or not handle.ready_at or cell.pid != handle.pid:
        return 0.0
    return now - max(handle.ready_at, cell.beat / 1e9)
