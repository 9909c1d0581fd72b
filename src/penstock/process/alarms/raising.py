"""Alarms as they are raised: who was told what last, what runs for it, and what waits.

On one thread, in a supervisor or on the loop of a single process; whoever has it says how a program is run.
It knows no causes of alarms.
"""

import sys
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from time import monotonic
from typing import Protocol

from penstock.config.household.alarms import (
    CMD,
    LOG,
    MULE,
    NOTHING,
    POST,
    Alarm,
    Post,
    Readable,
    parse,
    parse_readable,
)
from penstock.config.settings import Settings

AT_ONCE = 8  # programs of one alarm that run at the same time
WAITING = 64  # messages of one alarm that wait for one of them to end
LONGEST = 300.0  # seconds that a command may take
SPARE = 1.0  # seconds beyond its own limit after which a message that is sent is given up
TELLER = "penstock.process.alarms.webhook"

Ended = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Job:
    """A program that an alarm runs: ``command`` for a shell, ``stdin`` what it reads, ``label`` what the log
    calls it, ``seconds`` after which it is killed."""

    command: str
    stdin: bytes
    label: str
    seconds: float


class Means(Protocol):
    """How alarms reach the world."""

    def say(self, text: str) -> None:
        """A line of the log that raises no alarm itself."""

    def run(self, job: Job, ended: Ended) -> None:
        """Start a program without waiting; ``ended(status)`` later. Raises OSError."""

    def tell_mule(self, number: int, message: bytes) -> bool:
        """A message to a mule, to any of them for 0; False where there is none, or no room."""


@dataclass(eq=False)
class Raised:
    """One alarm: the message that was raised last and when (time.monotonic), how many programs run for it,
    what waits for them, and how many messages were lost because too many did."""

    alarm: Alarm
    last: bytes = b""
    at: float = float("-inf")
    running: int = 0
    waiting: deque[bytes] = field(default_factory=deque)
    lost: int = 0

    @property
    def most(self) -> int:
        """Programs at once; what is sent goes one after the other, in order, as uWSGI's curl does."""
        return 1 if self.alarm.kind == POST else AT_ONCE


class Raising:
    """All alarms of one process."""

    def __init__(self, means: Means) -> None:
        self.means = means
        self.alarms: dict[str, Raised] = {}
        self.freq = 3.0
        self.size = 8192
        self.unknown: set[str] = set()

    def take(self, settings: Settings) -> None:
        """The alarms of these settings; those that stay remember what they were."""
        before, self.alarms = self.alarms, {}
        self.freq, self.size = settings.alarm_freq, settings.alarm_msg_size
        for alarm in map(parse, settings.alarm):
            if alarm.name in self.alarms:
                continue  # of two the first one counts, as in uWSGI
            one = before.get(alarm.name)
            self.alarms[alarm.name] = one if one is not None and one.alarm == alarm else Raised(alarm)

    def tell(self, name: str, text: str) -> None:
        """Raise an alarm by name with a text of our own or the application's, at most ``alarm-msg-size``
        bytes of it. uWSGI raises nothing where the text is longer."""
        self.raise_(name, text.encode("utf-8", "backslashreplace")[: self.size])

    def raise_(self, name: str, message: bytes) -> None:
        """Raise an alarm, unless its last message was the same one less than ``alarm-freq`` seconds ago."""
        one = self.alarms.get(name)
        if one is None:
            if name not in self.unknown and len(self.unknown) < WAITING:
                self.unknown.add(name)
                self.means.say(f"alarm {name}: there is no such alarm, so it is not raised")
            return
        now = monotonic()
        if one.alarm.kind == NOTHING or (message == one.last and now - one.at < self.freq):
            return
        one.last, one.at = message, now
        self.carry_out(one, message)

    def carry_out(self, one: Raised, message: bytes) -> None:
        """Do what the alarm does, now or as soon as there is room."""
        alarm = one.alarm
        if alarm.kind == LOG:
            before = f"{alarm.argument} " if alarm.argument else ""
            self.means.say(f"ALARM: {before}{message.decode('utf-8', 'backslashreplace')}".rstrip("\n"))
        elif alarm.kind == MULE:
            if not self.means.tell_mule(int(alarm.argument), message):
                self.means.say(f"alarm {alarm.name}: no mule takes it")
        elif one.running < one.most:
            self.start(one, message)
        elif len(one.waiting) < WAITING:
            one.waiting.append(message)
        else:
            one.lost += 1

    def start(self, one: Raised, message: bytes) -> None:
        """Run its program."""
        one.running += 1
        try:
            self.means.run(job_of(one.alarm, message), lambda status: self.ended(one, status))
        except OSError as error:
            one.running -= 1
            self.means.say(f"alarm {one.alarm.name}: no process could be started: {error.strerror}")

    def ended(self, one: Raised, status: int) -> None:
        """One of its programs has: there is room for the next."""
        one.running -= 1
        if status:
            what = f"exit status {status}" if status > 0 else f"killed by signal {-status}"
            self.means.say(f"alarm {one.alarm.name}: its {one.alarm.kind} ended with {what}")
        while one.waiting and one.running < one.most:
            self.start(one, one.waiting.popleft())
        if one.lost and not one.waiting:
            lost, one.lost = one.lost, 0
            self.means.say(f"alarm {one.alarm.name}: {lost} messages were not told, too many came at once")


def readables(settings: Settings) -> dict[int, list[Readable]]:
    """``alarm-fd`` by the descriptors; of each the first one says how many bytes are taken."""
    found: dict[int, list[Readable]] = {}
    for readable in map(parse_readable, settings.alarm_fd):
        found.setdefault(readable.fd, []).append(readable)
    return found


def job_of(alarm: Alarm, message: bytes) -> Job:
    """What is run for an alarm of the kinds that run something."""
    label = f'alarm "{alarm.name}"'
    post = alarm.post
    if alarm.kind == CMD or post is None:
        return Job(alarm.argument, message, label, LONGEST)
    seconds = min(post.timeout or LONGEST, LONGEST) + SPARE
    return Job(teller(), letter(post, message), label, seconds)


def teller() -> str:
    """The command line of the program that sends messages. What it sends, and where, nobody sees in a list
    of processes."""
    import shlex

    # Who raises no alarm of this kind needs none of it, and a single process has not loaded it.
    from penstock.process.supervisor.generation import interpreter_flags, program

    return f"exec {shlex.join([sys.executable, *interpreter_flags(), *program(TELLER)])}"


def letter(post: Post, message: bytes) -> bytes:
    """What it reads: a line of how, and the message."""
    import json

    return json.dumps(asdict(post)).encode() + b"\n" + message
