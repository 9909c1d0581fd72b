"""A supervised worker, from the fork to its last words.

Runs in the worker process, on its main thread. It serves as a single process does, says how it fares, and
does as it is told; it never decides to go while somebody is there to decide that.
"""

import faulthandler
import gc
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any, NoReturn

from penstock.core.errors import NO_APPLICATION, StartError
from penstock.interprocess import scoreboard
from penstock.interprocess.channel import Channel
from penstock.interprocess.scoreboard import Scoreboard
from penstock.interprocess.siblings import Siblings
from penstock.logs.setup import Diary
from penstock.process import application as applications
from penstock.process import build, certificates, diaries, stock
from penstock.process.boot import Boot
from penstock.process.hooks import lives
from penstock.process.hooks import start as hooks
from penstock.process.isolation.pages import advise
from penstock.process.lasting import STACKS, adopted, die_with_parent
from penstock.process.reopening import follow
from penstock.process.rlimits import pin
from penstock.process.sights import accesslog, health, tells, wiring
from penstock.process.single import SWITCH, Own, make_worker
from penstock.process.sourcefiles import NewFiles
from penstock.process.tally import Tally
from penstock.process.titles import WORKER, set_title
from penstock.process.warmup import WarmUp
from penstock.process.wear import Wear
from penstock.process.worker import Worker
from penstock.process.zombies import Zombies
from penstock.serve.wsgi.call import Application

LAST = 10  # seconds that the application's own clean-up at the interpreter's end may take
WORDS = 2.0  # seconds that a last message is tried for
MARGIN = 0.5  # seconds by which a warm-up gives up before the supervisor would
ORPHANED = 1


@dataclass(frozen=True, slots=True)
class Birth:
    """What the prototype hands to a worker: its number ``wid``, its ``slot`` of the ``board``, its
    ``channel`` to the supervisor, and the application, None where the worker loads it. ``hold``: it accepts
    when it is told to ``resume``, and not before. ``first``: nobody had its number before it."""

    boot: Boot
    wid: int
    slot: int
    channel: Channel
    board: Scoreboard
    application: Application | None
    hold: bool = False
    first: bool = True


def live(birth: Birth) -> int:
    """A worker's life; the exit status. Does not return where threads are stuck."""
    boot, channel = birth.boot, birth.channel
    patience = lives.Patience(boot.settings, channel.send)
    if not begin(boot):
        return ORPHANED
    gc.enable()
    channel.send({"is": "hello", "pid": os.getpid()})
    diary = diaries.open_diary_at(boot.errors, boot.access, boot.settings)
    settle(birth, diary)
    try:
        own = {"alarm": partial(lives.alarm, channel.send)}
        hooks.unhurried(boot.settings, "post-fork", diary.say, patience, own)
        application = birth.application or applications.load(boot, birth.board, diary, patience)
        # Once more: a change of user, by us or the application, clears it (prctl(2)). Where it is too late
        # the lifeline says so.
        bound_to(boot)
        supervised = Supervised(birth, diary, application)
    except BaseException as error:
        message = applications.failure(error, boot)
        last_words(channel, message)
        return int(message["code"])
    code = supervised.run(patience.since)
    diary.flush()
    if supervised.worker.stuck:
        os._exit(code)  # finalising the interpreter under live threads hangs or crashes it
    bound_the_end(code)
    return code


def begin(boot: Boot) -> bool:
    """Be the supervisor's child and nobody else's; False when it is gone."""
    # After the adoption: the prototype's death means nothing to us.
    return adopted(boot.supervisor) and bound_to(boot)


def bound_to(boot: Boot) -> bool:
    """Have the kernel tell us of the supervisor's end; False when it has come already."""
    die_with_parent(signal.SIGKILL if boot.settings.no_orphans else signal.SIGTERM)
    return os.getppid() == boot.supervisor


def settle(birth: Birth, diary: Diary) -> None:
    """What this process is to the rest of the system: its title, its processors, and who may ask it for its
    stacks."""
    settings = birth.boot.settings
    faulthandler.register(STACKS, file=birth.boot.errors[0], all_threads=True)
    set_title(settings, WORKER, birth.wid, lambda text: None)  # the supervisor has passed it on
    advise(settings, diary.warning)  # a fork does not inherit it
    pinned = pin(settings, birth.wid, diary.warning)
    if pinned:
        diary.info(pinned)


def last_words(channel: Channel, message: dict[str, Any]) -> None:
    """Send a message before the process ends, however slow the reader is, within bounds."""
    channel.send(message)
    until = monotonic() + WORDS
    poll = select.poll()
    poll.register(channel.sock, select.POLLOUT)
    while channel.pending and not channel.ended and monotonic() < until:
        poll.poll(100)
        channel.flush()


def bound_the_end(code: int) -> None:
    """The application's clean-up (``atexit``, threads that are no daemons) must not keep us for ever."""

    def enough(number: int, frame: object) -> NoReturn:
        os._exit(code)

    signal.signal(signal.SIGALRM, enough)
    signal.alarm(LAST)


class Supervised:
    """A worker, and its side of the conversation with the supervisor."""

    def __init__(self, birth: Birth, diary: Diary, application: Application) -> None:
        self.boot = boot = birth.boot
        self.wid = birth.wid
        self.hold = birth.hold
        self.settings = settings = boot.settings
        self.channel = birth.channel
        self.diary = diary
        own = Own(birth.wid, stock.inherited(boot, diary))
        self.worker: Worker = make_worker(settings, application, diary, own=own)
        self.loop = self.worker.loop
        bound = build.inherit(settings, boot.listeners)
        self.listeners = build.make_listeners(bound, settings, diary, True, certificates.known)
        if settings.processes_given != 1:
            self.worker.door.siblings = Siblings(birth.board, birth.slot)
        health.attend(self.worker.door.lane, self.worker, settings)
        self.tally = Tally(self.worker, birth.board.cell(birth.slot))
        accesslog.count_all(diary, partial(birth.board.others, birth.slot))
        wiring.keep_books(self.worker, boot.ledger, birth.slot)
        if self.worker.overdue is not None:
            self.worker.overdue.worn = self.ask
            self.worker.overdue.kill_me = self.kill_me
        pool, monitored = self.worker.pool, self.worker.monitored
        wear = Wear(settings, birth.wid, self.ask, lambda: pool.done, monitored)
        self.worker.door.on_tick += [self.tick, wear.tick]
        self.look_around()
        self.terms = 0
        self.waits = False
        self.orphan = False
        self.code = 0
        self.phases = lives.accepting_phases(settings, birth.wid, birth.first)
        self.orders: dict[str, Callable[[dict[str, Any], list[int]], None]] = {
            "leave": self.leave,
            "halt": self.halt,
            "pause": self.pause,
            "resume": self.resume,
            "limp": self.limp,
            "reopen": self.reopen,
            "tell": self.tell,
            **wiring.orders_of(self.worker, settings, self.say),
        }

    def look_around(self) -> None:
        """What else is looked at with every tick, where it is asked for."""
        settings, boot = self.settings, self.boot
        if settings.reaper:
            self.worker.door.on_tick.append(Zombies(self.worker.pool).tick)
        if boot.watch_files:
            known = () if boot.lazy else applications.files(boot)
            new = NewFiles(self.tell_files, settings.py_auto_reload_ignore, known)
            self.worker.door.on_tick.append(new.tick)

    def run(self, born: float) -> int:
        """Serve until told to leave; returns the exit status. ``born``: time.monotonic of the fork, or
        of what took as long as it took after it."""
        sys.setswitchinterval(SWITCH)
        # Not before the loop runs: a signal that comes earlier is lost with uvloop, and whoever reads that
        # we are ready may send one at once.
        self.loop.call_soon(self.attend, born)
        code = self.worker.run()
        return self.code or code

    # ---- The beginning ------------------------------------------------------------------------------

    def attend(self, born: float) -> None:
        """The loop runs."""
        warm = bool(self.settings.warmup and self.listeners)
        self.waits = warm or self.hold or bool(self.phases)
        self.watch_signals()
        self.loop.add_reader(self.channel.sock, self.heard)
        self.loop.add_reader(self.boot.lifeline, self.lost)
        self.worker.start(self.listeners, accept=not self.waits)
        self.heard()  # what was said while we were made is true of our first request as well
        if self.worker.leaving_since:
            return
        if warm:
            self.warm_up(self.settings.start_timeout - (monotonic() - born) - MARGIN)
        else:
            self.ready()

    def warm_up(self, seconds: float) -> None:
        """The first request is our own (``warmup``)."""
        inside, outside = socket.socketpair()
        listener = build.make_private_listener(inside, self.listeners, self.settings)
        warming = WarmUp(self.worker.door, listener, outside, self.warmed)
        warming.ask(self.settings.warmup, max(MARGIN, seconds))

    def warmed(self, reason: str) -> None:
        """It was answered, or not."""
        if self.worker.leaving_since:
            return
        if not reason:
            self.ready()
        else:
            self.fail(NO_APPLICATION, reason)

    def fail(self, code: int, reason: str) -> None:
        """This worker will not serve."""
        self.code = code
        self.say({"is": "failed", "code": code, "text": "", "reason": reason})
        self.worker.halt()

    def ready(self) -> None:
        """We take requests, or would if we were told to; what is to be done before that is done."""
        calls: dict[str, lives.Call] = {
            "leave": partial(self.ask, "a signal asked for it"),
            "halt": self.worker.halt,
        }
        own, patience = lives.own(self.loop, calls, self.say), lives.Patience(self.settings, self.say)
        try:
            for phase in self.phases:
                hooks.unhurried(self.settings, phase, self.diary.say, patience, own)
        except StartError as error:
            self.fail(error.exit_code or 1, str(error))
            return
        if self.waits and not self.hold:
            self.worker.resume()
        self.tally.state = scoreboard.PAUSED if self.hold else scoreboard.ACCEPTING
        self.tally.first()
        self.tally.write(monotonic())
        if self.settings.py_tracebacker:
            from penstock.process.sights.tracebacker import Tracebacker

            Tracebacker(self.worker, self.settings.py_tracebacker, self.wid).open()
        self.say({"is": "ready"})

    # ---- What we say --------------------------------------------------------------------------------

    def say(self, message: dict[str, Any]) -> None:
        """A message to the supervisor."""
        self.channel.send(message)

    def ask(self, why: str, urgent: bool = False) -> None:
        """Ask to be replaced; we serve on until we are told to leave."""
        self.say({"is": "replace", "why": why, "urgent": urgent})

    def kill_me(self, why: str) -> None:
        """Ask to be killed at once, with all that runs here (``harakiri-mode = process``)."""
        self.say({"is": "kill-me", "why": why})

    def tell_files(self, files: list[str]) -> None:
        """Source files that were imported here."""
        self.say({"is": "files", "files": files})

    def tick(self, now: float) -> None:
        """Every quarter second."""
        self.tally.tick(now)
        self.channel.flush()

    # ---- What we are told ---------------------------------------------------------------------------

    def heard(self) -> None:
        """The supervisor says something."""
        for message, fds in self.channel.receive():
            try:
                order = self.orders.get(str(message.get("do")))
                if order is not None:
                    order(message, fds)
            finally:
                for fd in fds:
                    os.close(fd)
        if self.channel.ended:
            self.loop.remove_reader(self.channel.sock)
            self.go("the supervisor closed its channel", final=False)

    def leave(self, message: dict[str, Any], fds: list[int]) -> None:
        """Finish what runs."""
        self.part(bool(message.get("final")), seconds_of(message.get("seconds")))

    def part(self, final: bool, seconds: float | None) -> None:
        self.tally.state = scoreboard.DRAINING
        self.tally.write(monotonic())  # siblings must not count on us from here on
        self.worker.leave(final, seconds)

    def halt(self, message: dict[str, Any], fds: list[int]) -> None:
        """Go now."""
        self.worker.halt()

    def pause(self, message: dict[str, Any], fds: list[int]) -> None:
        """Accept nothing for a while."""
        if not self.worker.leaving_since:
            self.tally.state = scoreboard.PAUSED
            self.worker.pause()
            self.tally.write(monotonic())

    def resume(self, message: dict[str, Any], fds: list[int]) -> None:
        """Accept again."""
        if not self.worker.leaving_since:
            self.tally.state = scoreboard.ACCEPTING
            self.worker.resume()
            self.tally.write(monotonic())

    def limp(self, message: dict[str, Any], fds: list[int]) -> None:
        """The server is about to leave, and not ready any more."""
        self.worker.lame = True

    def reopen(self, message: dict[str, Any], fds: list[int]) -> None:
        """The logs were rotated."""
        follow(self.diary, message, fds)

    def tell(self, message: dict[str, Any], fds: list[int]) -> None:
        """Somebody wants to know something."""
        tells.answer(self.worker.tells, message, self.say)

    # ---- The supervisor is gone, or others speak ----------------------------------------------------

    def lost(self) -> None:
        """The end of the lifeline: nobody looks after us any more, and nobody else serves."""
        self.loop.remove_reader(self.boot.lifeline)
        self.orphan = True
        for listener, (index, _, _) in zip(self.listeners, self.boot.listeners, strict=True):
            listener.inherited = self.settings.listeners[index].parsed.kind == "fd"
        self.go("the supervisor is gone", final=True)

    def go(self, why: str, final: bool) -> None:
        """Leave by ourselves."""
        if not self.worker.leaving_since:
            self.diary.warning(f"worker (pid {os.getpid()}): {why}; it finishes what runs and ends")
            self.say({"is": "leaving", "why": why})
        self.part(final, None)

    def watch_signals(self) -> None:
        """TERM and HUP ask for a replacement, a second TERM ends at once. What comes from a terminal, or from
        a service manager that signals a whole group, goes to all processes alike: INT, QUIT and USR1 are the
        supervisor's to understand."""
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        self.loop.add_signal_handler(signal.SIGTERM, self.on_term)
        self.loop.add_signal_handler(signal.SIGHUP, self.ask, "SIGHUP")
        self.loop.add_signal_handler(signal.SIGQUIT, int)
        self.loop.add_signal_handler(signal.SIGINT, int)
        self.loop.add_signal_handler(signal.SIGUSR1, int)

    def on_term(self) -> None:
        """Somebody wants this worker to end; or the supervisor is gone, and the kernel says so."""
        if self.orphan or os.getppid() != self.boot.supervisor:
            return
        self.terms += 1
        if self.terms > 1:
            self.worker.halt()
        else:
            self.ask("SIGTERM")


def seconds_of(value: object) -> float | None:
    """A number of a message, None for what is none."""
    return float(value) if isinstance(value, int | float) else None
