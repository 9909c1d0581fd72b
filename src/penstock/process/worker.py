"""The process that serves: a loop, a pool, listeners, and a life from the first signal to the last reply.

Runs on the thread that calls ``Worker.run`` (the main one under the command line). Everything it is made
of comes from ``build``.
"""

import signal
from asyncio import AbstractEventLoop
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any, NamedTuple

from penstock.core.record import LANE
from penstock.core.request import Request
from penstock.handoff.doorway import Doorway, Marks
from penstock.handoff.exchange import Exchange
from penstock.handoff.pool import Pool
from penstock.handoff.porter import Porter, Take
from penstock.logs.setup import Diary
from penstock.net.acceptor import Acceptor
from penstock.net.ballast import Ballast
from penstock.net.door import Door, Intake, Patience
from penstock.net.listener import Listener
from penstock.net.overdue import DeadlinePlan, Overdue, Overrun
from penstock.process.courtesy import Turn
from penstock.process.sights import tells
from penstock.process.sights.scribe import Scribe
from penstock.serve.answer import Kitchen, make_answer
from penstock.serve.record import Made, record_of_refusal
from penstock.serve.refusal import page, refusal

SETTLE = 0.2  # seconds in which the service thread attends to a log that is read slowly
TAIL = 0.1  # seconds in which handshakes that were under way complete after the door was shut
CLEAN, CUT_SHORT = 0, 30
"""Exit statuses: everything was answered, or requests were cut (uWSGI's code of a worker told to end)."""


class Plan(NamedTuple):
    """A worker's numbers: ``threads``, the ``queue`` before them (exchanges), and how long and how much
    everything may be; ``shutdown_timeout`` and ``lame_duck`` in seconds; ``deadlines`` of requests;
    ``slow`` seconds from which on one has a record while it runs, 0 for never."""

    threads: int = 1
    queue: int = 1024
    marks: Marks = Marks()
    patience: Patience = Patience()
    intake: Intake = Intake()
    shutdown_timeout: float = 25.0
    lame_duck: float = 0.0
    deadlines: DeadlinePlan = DeadlinePlan()
    slow: float = 0.0


def acceptor_of(door: Door, listener: Listener) -> Acceptor:
    """Who takes the connections of a listener."""
    if listener.context is None:
        return Acceptor(door, listener)
    from penstock.net.tls import TlsAcceptor

    return TlsAcceptor(door, listener)


def plain(acceptor: Acceptor) -> bool:
    """Whether what comes there is not encrypted: a thread at the door can answer it after one look."""
    return acceptor.listener.context is None


def _nobody() -> bool:
    """What the thread at the door takes while the worker is paused: nothing, and it goes."""
    return False


def record_refusal(
    kitchen: Kitchen, record: Callable[[Made], None], request: Request, status: int, size: int
) -> None:
    """A request that the loop answered by itself has its record, too."""
    record(record_of_refusal(request, status, size, kitchen.noting))


def record_visit(kitchen: Kitchen, request: Request, status: int, size: int, seconds: float) -> None:
    """One of the lane's has, too, but no line: health is asked for all day."""
    if kitchen.record is not None:
        made = record_of_refusal(request, status, size, kitchen.noting, LANE)
        kitchen.record((made[0] - seconds, seconds, *made[2:-1], False))


class Worker:
    """One worker process's whole machinery, on ``loop``.

    ``leave()`` drains and ends ``run``; ``halt()`` ends it at once. ``run`` returns the exit status.
    """

    def __init__(
        self,
        loop: AbstractEventLoop,
        kitchen: Kitchen,
        diary: Diary,
        plan: Plan,
        scribe: Scribe | None = None,
    ) -> None:
        self.loop = loop
        self.diary = diary
        self.kitchen = kitchen
        self.shutdown_timeout = plan.shutdown_timeout
        self.doorway = Doorway(loop, plan.marks, diary.error)
        self.pool = Pool(loop, self.doorway, plan.threads, plan.queue)
        self.door = Door(loop, self.doorway, self.pool, plan.patience, plan.intake)
        self.introduce(kitchen)
        self.scribe = scribe or Scribe(diary.error)
        self.scribe.begin(self.doorway)
        self.door.on_tick += [self.scribe.tick, self.retry_logs, self.look_whether_done]
        self.overdue = Overdue(self.door, plan.deadlines, self.overran) if plan.deadlines.wanted else None
        self.ballast = Ballast(self.door, plan.intake.buffered_memory, plan.intake.buffered_disk)
        if plan.slow:
            from penstock.process.sights.slow import Slow

            self.slow = Slow(self.door, plan.slow, diary.warning)
        self.listeners: list[Listener] = []
        self.acceptors: list[Acceptor] = []
        self.porter: Porter | None = None
        self.takes: dict[int, Take] = {}
        self.paused = self.lame = self.ending = False
        self.lame_duck = plan.lame_duck
        self.leaving_since = 0.0
        self.on_leave: list[Callable[[], None]] = []
        self.on_end: list[Callable[[], None]] = []  # when the loop has stopped
        self.code, self.turn = CLEAN, Turn()
        self.stuck: list[int] = []
        self.monitored: Any = None  # the application's exceptions that count (see ``wear``)
        self.answered: Callable[[Exchange], None] | None = None
        self.tells = tells.own(self)  # what it answers to an inquiry, by name
        self.profiling = self.settling = False

    def introduce(self, kitchen: Kitchen) -> None:
        """What the loop says by itself, and who is told of it."""
        self.door.refusal = refusal
        self.door.lane.compose = page
        self.door.report = self.diary.warn_of_client
        if kitchen.record is not None:
            self.door.refused = partial(record_refusal, kitchen, kitchen.record)
            self.door.lane.note = partial(record_visit, kitchen)

    def start(self, listeners: list[Listener], accept: bool = True) -> None:
        """Start the threads, accept on ``listeners`` (or wait for ``resume``), begin to tick."""
        answer = make_answer(self.kitchen, self.overdue.aims if self.overdue is not None else ())
        answered = self.answered
        with self.turn.out():  # a worker that was forked starts its threads when its loop runs
            if answered is None:
                self.pool.start(answer)
            else:
                self.pool.start(lambda x, index: (answer(x, index), answered(x))[0])
        self.listeners += listeners
        self.acceptors = [acceptor_of(self.door, listener) for listener in listeners]
        self.takes = {a.listener.sock.fileno(): a.take_request for a in self.acceptors if plain(a)}
        # None for servers that must not serve beyond what their caller asked for.
        if answered is None and self.takes:
            self.porter = Porter(self.pool, self.takes, self.listen_there)
        if accept:
            self.listen(True)
        else:
            self.pause()
        self.door.tick()

    def listen(self, on: bool) -> None:
        """Have the loop accept, or leave it to the thread at the door."""
        for acceptor in self.acceptors:
            acceptor.attend(on and not self.paused)

    def listen_there(self, on: bool) -> None:
        """The same of those listeners alone at which a thread can stand."""
        for acceptor in self.acceptors:
            if plain(acceptor):
                acceptor.attend(on and not self.paused)

    def pause(self) -> None:
        """Leave new connections in the kernel's queue, to whoever else listens there."""
        self.paused = True
        if self.porter is not None:
            self.porter.takes = dict.fromkeys(self.takes, _nobody)
        self.listen(False)

    def resume(self) -> None:
        """Accept again."""
        self.paused = False
        if self.porter is not None:
            self.porter.takes = self.takes
        self.listen(True)

    def watch_signals(self) -> None:
        """TERM, INT and QUIT drain, a second one stops at once; USR1 reopens the logs. Main thread only."""
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            self.loop.add_signal_handler(number, self.on_signal, number)
        self.loop.add_signal_handler(signal.SIGUSR1, self.diary.reopen)
        self.loop.add_signal_handler(signal.SIGHUP, self.on_hup)

    def on_signal(self, number: int) -> None:
        """The first one drains, the second stops."""
        name = signal.Signals(number).name
        if self.leaving_since or self.lame:
            self.diary.info(f"{name} again: stopping at once")
            self.halt()
        else:
            self.retire(name)

    def on_hup(self) -> None:
        """A reload needs somebody to hold the sockets meanwhile."""
        self.diary.warning("SIGHUP: a single process cannot reload itself; start it with --master")

    def run(self) -> int:
        """Serve until told to leave; returns the exit status."""
        try:
            with self.turn:
                self.loop.run_forever()
        finally:
            self.end()
        return self.code

    # ---- Leaving ------------------------------------------------------------------------------------

    def retire(self, why: str) -> None:
        """The end of a server that is this process: with ``lame-duck`` it serves on for so long, and says
        that it is not ready; then it finishes what runs. Said again it changes nothing."""
        if self.leaving_since or self.lame:
            return
        if self.lame_duck:
            self.lame = True
            self.diary.info(f"{why}: not ready any more; serving on for {self.lame_duck:g} s (lame-duck)")
            self.loop.call_later(self.lame_duck, self.finish, why)
        else:
            self.finish(why)

    def finish(self, why: str) -> None:
        """The time before the end is over."""
        if not self.leaving_since:
            self.diary.info(f"{why}: finishing what runs, at most {self.shutdown_timeout:g} s")
            self.leave()

    def leave(self, final: bool = True, seconds: float | None = None) -> None:
        """Take what has arrived, answer it, then end.

        Not ``final``: others go on listening there, so what has arrived is theirs. ``seconds``: the time for
        it, in place of ``shutdown-timeout``; said again while it leaves, it can only become shorter.
        """
        if seconds is not None:
            self.hurry(seconds)
        if self.leaving_since:
            return
        self.leaving_since = monotonic()
        self.ending = final
        for call in self.on_leave:
            call()
        self.close_porter()
        if not final:
            self.stop_listening(final=False)
            return
        for listener in self.listeners:
            listener.refuse_new()
        self.paused = False
        self.listen(True)
        self.loop.call_later(TAIL, self.stop_listening)

    def hurry(self, seconds: float) -> None:
        """``seconds`` from now are the time for leaving."""
        if not self.leaving_since:
            self.shutdown_timeout = seconds
        else:
            gone = monotonic() - self.leaving_since
            self.shutdown_timeout = min(self.shutdown_timeout, gone + seconds)

    def stop_listening(self, final: bool = True) -> None:
        """Every handshake that was complete is ours; from here on nobody else's. Not ``final``: theirs."""
        for acceptor in self.acceptors:
            acceptor.end(final)
        self.door.leave()
        self.close_listeners()

    def close_porter(self) -> None:
        if self.porter is not None:
            self.porter.close()

    def close_listeners(self) -> None:
        for listener in self.listeners:
            try:
                listener.close()
            except OSError as error:
                self.diary.warning(f"closing a listener: {error}")
        self.listeners = []

    def look_whether_done(self, now: float) -> None:
        """The tick: end when nothing is left, or when the time for it is over."""
        if not self.leaving_since or self.listeners:
            return
        # In this order: what a thread took at the door is in flight until it has rung, and in the table when
        # the bell was heard.
        # A thread that is lost in a request whose deadline has passed is nobody's any more.
        held = self.overdue.held if self.overdue is not None else 0
        busy = self.pool.in_flight - held > 0 or self.doorway.bell.calls
        left = len(self.door.connections)
        if not left and not busy:
            self.loop.stop()
        elif now - self.leaving_since >= self.shutdown_timeout:
            self.diary.warning(
                f"shutdown-timeout: {self.pool.in_flight} requests on {left} connections were cut"
            )
            self.halt()

    def halt(self) -> None:
        """End now; what runs is cut."""
        if self.pool.in_flight or any(connection.busy for connection in self.door.connections):
            self.code = CUT_SHORT
        self.door.cut_all()
        self.loop.stop()

    def end(self) -> None:
        """After the loop: stop the threads, write the last lines."""
        self.door.ticking = False
        for call in self.on_end:
            call()
        self.close_porter()
        self.close_listeners()
        self.door.cut_all()
        self.pool.stop()
        lost = self.overdue is not None and self.overdue.held
        self.stuck = self.pool.join(0.5 if self.code or lost else 5.0)
        if self.porter is not None and not self.stuck:
            self.porter.end()
        self.doorway.sender.stop(1.0)
        self.doorway.bell.drain()  # what the threads rang for since the loop stopped
        self.door.orphan_all()
        self.scribe.end()
        self.door.files.stop(1.0)
        self.diary.flush()

    # ---- The diary ----------------------------------------------------------------------------------

    def retry_logs(self, now: float) -> None:
        """The tick: have the service thread write what the logs had no room for."""
        if not self.settling and any(sink.waiting for sink in self.diary.sinks):
            self.settling = True
            self.scribe.settle(self.settle_logs, self.settled)

    def settle_logs(self) -> None:
        """The service thread: as fast as they are read, for a while."""
        self.diary.retry()
        for sink in self.diary.sinks:
            sink.settle(SETTLE)

    def settled(self, result: object, error: BaseException | None) -> None:
        """It is done with it."""
        self.settling = False

    def overran(self, overrun: Overrun) -> None:
        """A request took too long. A service thread, or the loop where there will be no later."""
        self.diary.error(overrun.text)
