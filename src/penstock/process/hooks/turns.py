"""Hooks one after the other in a process that must not wait: the supervisor, the emperor.

Runs on the one thread of whoever keeps a ``Watch``. Commands are programs beside it, their output in the log;
what else could take its time is done in a child. It does not know when hooks are due.
"""

import os
import signal
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.process.hooks.actions import ACTIONS, HookError, Own, Place, ended, perform
from penstock.process.hooks.phases import Job
from penstock.process.programs.becoming import begin_life, forked
from penstock.process.programs.programs import House, Program, Running, run, shell_of

COMMANDS = ("exec", "safeexec")
AT_ONCE = ("cd", "chdir", "putenv", "print", "log", "unix_signal", "alarm", "exit")
"""Actions that change the process itself, or are over at once."""
FAILED = 1

Done = Callable[[str], None]


@dataclass(frozen=True)
class Batch:
    """The hooks of one phase. ``forgiving``: after a failure the next one is tried; ``environ`` is what
    commands find; ``done`` is told the first failure, "" for none."""

    jobs: Sequence[Job]
    settings: Settings
    environ: Callable[[], dict[str, str]]
    forgiving: bool
    done: Done


class Turns:
    """``own`` are actions that this process carries out in its own way."""

    def __init__(self, house: House, own: Own) -> None:
        self.house = house
        self.own = own
        self.waiting: deque[Batch] = deque()
        self.batch: Batch | None = None
        self.jobs: deque[Job] = deque()
        self.job: Job | None = None
        self.running: Running | None = None
        self.failure = ""
        self.going = False

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return self.batch is not None

    def add(self, batch: Batch) -> None:
        """Do these when all that was added before is done."""
        self.waiting.append(batch)
        self.go()

    def clear(self) -> None:
        """Begin nothing more; nobody is told. What runs, runs on until ``end``."""
        self.waiting.clear()
        self.jobs.clear()
        self.batch = None

    def end(self) -> None:
        """Kill what runs, with what it has started: the kernel would kill the first of them alone."""
        if self.running is not None:
            self.running.signal(signal.SIGKILL)

    def go(self) -> None:
        """As far as it goes without waiting."""
        if self.going:
            return
        self.going = True
        while self.job is None and self.next_batch():
            self.next_job()
        self.going = False

    def next_batch(self) -> bool:
        """Whether there is one under way; another one is begun."""
        if self.batch is None and self.waiting:
            self.batch = self.waiting.popleft()
            self.jobs = deque(self.batch.jobs)
            self.failure = ""
        return self.batch is not None

    def next_job(self) -> None:
        """The next hook, or the end of its batch."""
        batch = self.batch
        assert batch is not None
        if not self.jobs:
            self.batch = None
            batch.done(self.failure)
            return
        self.job = job = self.jobs.popleft()
        self.house.diary.say(f"penstock: {job.shown}")
        try:
            if self.begin(job, batch):
                self.over("")
        except (OSError, HookError, StartError) as error:
            self.over(str(error))

    def begin(self, job: Job, batch: Batch) -> bool:
        """Start one hook; whether it is done already. Raises what ``perform`` does."""
        action = job.hook.action
        if action in COMMANDS:
            self.command(job, batch)
            return False
        if action in self.own or action in AT_ONCE:
            perform(job.hook, Place(batch.settings, self.house.diary.say, self.own))
            return True
        self.apart(job, batch)
        return False

    def over(self, failure: str) -> None:
        """A hook is done, or has failed."""
        job, self.job = self.job, None
        batch = self.batch
        if failure and job is not None:
            text = f"{job.shown}: {failure}"
            self.house.diary.error(text)
            self.failure = self.failure or text
            if batch is not None and not batch.forgiving:
                self.jobs.clear()
        self.go()

    def ended(self, safe: bool, status: int) -> None:
        """A child is done."""
        self.running = None
        self.over("" if safe or not status else ended(status))

    # ---- Commands, and what takes its time ----------------------------------------------------------

    def command(self, job: Job, batch: Batch) -> None:
        """``exec``. Raises OSError."""
        hook = job.hook
        label = job.option if hook.private else f'{job.option} "{hook.argument}"'
        program = Program(
            command=hook.argument,
            label=label,
            environ=batch.environ(),
            shell=shell_of(batch.settings.binsh),
        )
        self.running = run(self.house, program, partial(self.ended, hook.action == "safeexec"))

    def apart(self, job: Job, batch: Batch) -> None:
        """A file may be on a system that hangs, and what is waited for may never come. Raises OSError."""
        parent = os.getpid()
        pid = forked(lambda: self.child(job, batch, parent))
        self.house.children[pid] = partial(self.ended, False)

    def child(self, job: Job, batch: Batch, parent: int) -> None:
        """The child's part; it never returns."""
        code = FAILED
        diary = self.house.diary
        try:
            # It has copies of all that is ours, and must not outlive us.
            if begin_life(parent):
                ACTIONS[job.hook.action](job.hook.argument, Place(batch.settings, diary.say))
                code = 0
        except BaseException as error:
            with suppress(BaseException):
                diary.error(f"{job.shown}: {error}")
        os._exit(code)
