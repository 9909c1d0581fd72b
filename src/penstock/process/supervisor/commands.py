"""The commands that a running server takes: one table, whoever asks, by signal, pipe or control socket.

Runs in the supervisor, on its only thread. It knows what each command asks of the supervisor and nothing
of how that is done; the page ``docs/control.md`` is drawn from the table.
"""

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any

from penstock.logs.sinks import old_name
from penstock.process.supervisor import looking
from penstock.process.supervisor.inquiry import Inquiry
from penstock.process.supervisor.order import FAILED, MISUSED, Done, Order, Outcome, Supervisor, Told

SAME = 0.2  # seconds in which a signal that comes twice is one: timeout(1) sends to a process and its group
MOST = 1000  # workers more or less in one command
DIGITS = "0123456789"
NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Command:
    """``name`` as JSON says it; ``verb`` the words behind ``penstock ctl``; ``signals`` without their SIG,
    ``letter`` in the pipe; ``later`` why it is not done; ``silent``: it changes
    nothing, or whoever does it tells the log of it."""

    name: str
    text: str
    act: Callable[[Order], None]
    signals: tuple[str, ...] = ()
    letter: str = ""
    verb: str = ""
    later: str = ""
    silent: bool = False


# ---- What they do ---------------------------------------------------------------------------------------


def _stop(order: Order, now: bool = False) -> None:
    # A supervisor that is asked a second time cuts what runs; only signals may mean that by it.
    if now or order.supervisor.ending is None:
        order.supervisor.stop(order.why, now=now)
    order.done(Told(True, "the server stops at once" if now else "the server finishes what runs and ends"))


def _reload(order: Order, how: str = "graceful") -> None:
    order.supervisor.reload(order.why, how, partial(_ended, order))


def _ended(order: Order, outcome: Outcome) -> None:
    order.done(Told(outcome.ok, outcome.text, outcome.code))


def _upgrade(order: Order) -> None:
    order.supervisor.upgrade(order.why, partial(_ended, order))


def _pause(order: Order) -> None:
    order.supervisor.pause()
    paused = order.supervisor.paused
    order.done(Told(True, "the workers take no requests" if paused else "the workers take requests again"))


def _resize(order: Order, sign: int) -> None:
    order.supervisor.resize(sign * order.count)
    wanted = order.supervisor.wanted
    order.done(Told(True, f"{wanted} {'worker is' if wanted == 1 else 'workers are'} to run", 0))


def _replace(order: Order) -> None:
    found = [handle for handle in order.supervisor.handles() if handle.wid == order.count]
    serving = [handle for handle in found if handle.state.name == "SERVING"]
    if not serving:
        order.done(Told(False, f"no worker {order.count} serves", FAILED))
        return
    order.supervisor.replace(serving[0], order.why)
    order.done(Told(True, f"worker {order.count} (pid {serving[0].pid}) is to be replaced"))


def _cheap(order: Order) -> None:
    order.supervisor.cheap(order.why)
    order.done(Told(True, "the workers leave; the first request starts them again"))


def _reopen(order: Order) -> None:
    order.supervisor.reopen_logs()
    order.done(Told(True, "the logs are opened anew"))


def _rotate(order: Order) -> None:
    """uWSGI's names: the time in seconds behind the old one's."""
    diary, moved = order.supervisor.diary, []
    for path in {sink.path for sink in (diary.error_sink, diary.access_sink) if sink is not None} - {""}:
        target = old_name(path)
        try:
            os.rename(path, target)
        except OSError as error:
            order.done(Told(False, f"{path}: {error.strerror}; it is not rotated", FAILED))
            return
        moved.append(target)
    if not moved:
        order.done(Told(False, "no log goes to a file (logto), so there is none to rotate", FAILED))
        return
    order.supervisor.reopen_logs()
    order.done(Told(True, f"the logs begin anew; the old: {', '.join(sorted(moved))}"))


def _reinforce(order: Order) -> None:
    if order.supervisor.reinforce(order.why):
        order.done(Told(True, "the emperor is asked for help"))
    else:
        order.done(Told(False, "this server is no vassal of an emperor", FAILED))


def _scan(order: Order) -> None:
    if order.supervisor.scan():
        order.done(Told(True, "the emperor looks for vassals"))
    else:
        order.done(Told(False, "this server has no emperor", FAILED))


def _pidfiles(order: Order) -> None:
    order.supervisor.write_pidfiles()
    order.done(Told(True, "the pidfiles are written anew"))


def _nothing(order: Order) -> None:
    """It is the pipe's own, or is not done at all."""


COMMANDS = (
    Command("stop", "Finish what runs, then end. A second signal stops at once.", _stop,
            ("TERM", "INT", "QUIT"), "q", "stop", silent=True),
    Command("stop-now", "End at once; what runs is cut.", partial(_stop, now=True),
            (), "Q", "stop --now", silent=True),
    Command("reload", "Read the configuration and load the application anew; the old workers serve until "
            "all new ones are ready.", _reload, ("HUP",), "r", "reload", silent=True),
    Command("reload-brutal", "As `reload`, but then the old workers are ended at once.",
            partial(_reload, how="brutal"), (), "R", "reload brutal", silent=True),
    Command("reload-chain", "As `reload`, but one worker after the other.",
            partial(_reload, how="chain"), (), "c", "reload chain", silent=True),
    Command("reload-workers", "Other workers of the code that is loaded (of new code with `lazy-apps`); the "
            "configuration is not read again.", partial(_reload, how="workers"), (), "w", "reload workers",
            silent=True),
    Command("reload-brutal-workers", "As `reload workers`, but then the old workers are ended at once.",
            partial(_reload, how="brutal-workers"), (), "W", "reload brutal-workers", silent=True),
    Command("pause", "Take no more requests; the second time take them again.",
            _pause, ("TSTP",), "p", "pause"),
    Command("add-workers", "One worker more, or N.", partial(_resize, sign=1),
            ("TTIN",), "+", "workers add N"),
    Command("remove-workers", "One worker less, or N.", partial(_resize, sign=-1),
            ("TTOU",), "-", "workers remove N"),
    Command("cheap", "End all workers until a request comes.", _cheap, (), "C"),
    Command("reopen-logs", "Open the log files anew, after somebody has renamed them.",
            _reopen, ("USR1",), "l", "log reopen"),
    Command("rotate-logs", "Rename the log files, the time behind the name, and begin new ones.",
            _rotate, (), "L", "log rotate"),
    Command("write-pidfiles", "Write the pidfiles anew.", _pidfiles, (), "P"),
    Command("upgrade", "Run the installed penstock in place of this one; sockets and process number stay.",
            _upgrade, ("USR2",), "f", "upgrade", silent=True),
    Command("status", "What the server and its workers do now.", looking.status, verb="status", silent=True),
    Command("health", "Whether requests are answered.", looking.health, verb="health", silent=True),
    Command("requests", "Every request that runs, with its age, its phases and its stack.",
            looking.requests, verb="requests", silent=True),
    Command("view", "What `penstock top` shows.", looking.view, verb="view", silent=True),
    Command("stacks", "The stacks of all threads.", looking.stacks, verb="stacks", silent=True),
    Command("profile", "Sample the pool's threads for some seconds; write the stacks, and a flame graph.",
            looking.profile, verb="profile"),
    Command("replace-worker", "Another process for worker N, which serves until that one is ready.",
            _replace, verb="workers replace N"),
    Command("log-status", "Write the status to the log.", looking.log_status, (), "s"),
    Command("slot", "Read commands from this pipe of several, from now on.", _nothing, (), DIGITS),
    Command("emperor-sos", "Ask the emperor for reinforcement.", _reinforce, (), "B"),
    Command("emperor-scan", "Have the emperor look for vassals.", _scan, (), "E"),
    Command("subscriptions", "Block subscriptions, or allow them again.", _nothing, letter="S",
            later="penstock does not announce itself to routers; name its address in the front server"),
)  # fmt: skip
"""All there are, in the order of the page."""

BY_NAME = {command.name: command for command in COMMANDS}
BY_LETTER = {letter: command for command in COMMANDS for letter in command.letter}
ALIASES = {"reload graceful": "reload"}
"""Words behind ``penstock ctl`` that mean the same as others."""


def by_signal(die_on_term: bool) -> dict[int, Command]:
    """Which signal means what. With ``die-on-term`` QUIT has the meaning that uWSGI gives TERM without it,
    to reload; gracefully, as every reload that is not asked to be brutal."""
    found: dict[int, Command] = {
        signal.Signals[f"SIG{name}"]: command for command in COMMANDS for name in command.signals
    }
    if die_on_term:
        found[signal.SIGQUIT] = BY_NAME["reload"]
    return found


def by_verb(words: str) -> Command | None:
    """The command that words behind ``penstock ctl`` ask for: ``workers add N``, ``reload chain``."""
    words = ALIASES.get(words, words)
    return next((command for command in COMMANDS if command.verb and command.verb == words), None)


def markdown() -> str:
    """The table for the page."""
    lines = ["| command | signal | pipe | `penstock ctl` | in JSON |", "|---|---|---|---|---|"]
    for command in COMMANDS:
        letters = "`0` to `9`" if command.letter == DIGITS else f"`{command.letter}`" * bool(command.letter)
        cells = (
            f"{command.text} Not done: {command.later}." if command.later else command.text,
            ", ".join(command.signals),
            letters,
            f"`{command.verb}`" * bool(command.verb),
            f"`{command.name}`" * bool(command.act is not _nothing),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


# ---- Who asks -------------------------------------------------------------------------------------------


def unheard(told: Told) -> None:
    """Nobody waits for the end."""


class Commands:
    """The table at work for one supervisor."""

    def __init__(self, supervisor: Supervisor, inquiry: Inquiry | None = None) -> None:
        self.supervisor = supervisor
        self.inquiry = inquiry or Inquiry(supervisor)
        self.unable: Mapping[str, str] = {}  # why this server cannot do what, by name
        self.stopped: float | None = None  # when a signal asked for the end

    def install(self, watch: Any) -> None:
        """Take the signals (``watch.on_signal``)."""
        for number in by_signal(die_on_term=False):
            watch.on_signal(number, partial(self.signalled, number))

    def signalled(self, number: int) -> None:
        """A signal has come. A second one that ends stops at once: a container's runtime and people at a
        terminal have no other word for it. The pipe's ``q`` is no first one, since it often stands in a
        hook that runs just before TERM comes."""
        name = signal.Signals(number).name
        command = by_signal(self.supervisor.settings.die_on_term)[number]
        if command.name == "stop":
            now = monotonic()
            if self.stopped is not None:
                if now - self.stopped >= SAME:
                    self.run(BY_NAME["stop-now"], f"{name} again")
                return
            self.stopped = now
        self.run(command, name)

    def letter(self, letter: str, where: str) -> None:
        """A letter out of the pipe ``where``; one that is unknown is nothing, as in uWSGI."""
        command = BY_LETTER.get(letter)
        if command is not None and command.name != "slot":
            self.run(command, f"{letter} in {where}", partial(self.complain, f"{letter} in {where}"))

    def order(self, name: str, why: str) -> None:
        """The command of that name, for somebody who does not wait to hear how it went."""
        self.run(BY_NAME[name], why, partial(self.complain, why))

    def complain(self, why: str, told: Told) -> None:
        """Nobody else reads how it went."""
        if not told.ok:
            self.supervisor.diary.warning(f"{why}: {told.text}")

    def ask(self, message: dict[str, Any], why: str, done: Done) -> None:
        """A message as the control socket takes them: ``command``, one of the names, and ``count`` where
        the command has one. ``done`` is told the end, at once or much later."""
        command = BY_NAME.get(str(message.get("command")))
        if command is None or command.act is _nothing:
            done(Told(False, f"there is no command {message.get('command')!r}", MISUSED))
            return
        count = message.get("count", 1)
        if type(count) is not int or not 1 <= count <= MOST:
            done(Told(False, f"count: a number from 1 to {MOST} is expected", MISUSED))
            return
        self.run(command, why, done, count, message)

    def run(
        self,
        command: Command,
        why: str,
        done: Done = unheard,
        count: int = 1,
        message: Mapping[str, Any] = NOTHING,
    ) -> None:
        """Do one."""
        reason = command.later or self.unable.get(command.name)
        if reason:
            done(Told(False, reason, FAILED))
            return
        if not command.silent:
            self.supervisor.diary.info(f"{why}: {command.name}{f' {count}' if count > 1 else ''}")
        command.act(Order(self.supervisor, why, done, count, self.inquiry, message))
