"""``check-mountpoint``: the server ends when a file system that it needs does not answer any more.

Runs in the supervisor, which asks by a process of its own (``mounted``): uWSGI's master asks itself, and
hangs where it is to end.
"""

import os
import shlex
import signal
import sys
from pathlib import Path
from time import monotonic

from penstock.process.household.keeper import Keeper
from penstock.process.programs.programs import Program, Running, run
from penstock.process.supervisor.watch import Timer

ASKER = Path(__file__).with_name("mounted.py")
SECONDS = 1.0  # uWSGI's check-interval
SILENCE = 10.0  # seconds without an answer after which the log says so
AGAIN = 5.0  # seconds until another one asks, when the one that did has ended
FAILED = 1


class Mountpoints:
    """Those of one supervisor."""

    def __init__(self, supervisor: Keeper) -> None:
        self.supervisor = supervisor
        self.asking: Running | None = None
        self.paths: tuple[str, ...] = ()
        self.heard = 0.0
        self.silent = False
        self.timer: Timer | None = None
        supervisor.on_serving.append(self.begin)
        supervisor.on_change.append(self.begin)
        supervisor.on_drained.append(self.leave)
        supervisor.on_exec.append(self.leave)
        supervisor.on_stay.append(self.begin)

    def begin(self) -> None:
        """Ask from now on, about those that the settings name."""
        if self.paths != self.supervisor.settings.check_mountpoint:
            self.leave()
        self.paths = self.supervisor.settings.check_mountpoint
        if self.paths and self.asking is None and self.supervisor.ending is None:
            self.ask()

    def ask(self) -> None:
        """Start the one that asks."""
        self.cancel()
        pause = self.supervisor.settings.check_interval or SECONDS
        words = [sys.executable, "-I", "-S", str(ASKER), f"{pause:g}", *map(os.path.abspath, self.paths)]
        program = Program(
            command=f"exec {shlex.join(words)}", label="check-mountpoint", environ=self.supervisor.environ()
        )
        try:
            self.asking = asking = run(
                self.supervisor,
                program,
                lambda status: self.ended(asking),
                lambda line: self.hear(asking, line),
            )
        except OSError as error:
            self.supervisor.diary.error(f"check-mountpoint: no process could be started: {error.strerror}")
            self.timer = self.supervisor.watch.later(AGAIN, self.ask)
            return
        self.heard, self.silent = monotonic(), False
        self.timer = self.supervisor.watch.every(SECONDS, self.listen)

    def hear(self, asking: Running, line: str) -> None:
        """An answer."""
        if asking is not self.asking:
            return
        kind, _, rest = line.partition(" ")
        if kind == "ok":
            self.heard = monotonic()
            if self.silent:
                self.silent = False
                self.supervisor.diary.info(f"check-mountpoint: {', '.join(self.paths)}: answers again")
        elif kind == "failed":
            number, _, path = rest.partition(" ")
            self.leave()
            reason = os.strerror(int(number))
            self.supervisor.diary.error(f"check-mountpoint: {path} does not answer: {reason}")
            self.supervisor.stop("check-mountpoint", now=True, code=FAILED)
        else:
            self.supervisor.diary.say(f"[check-mountpoint] {line}")

    def listen(self) -> None:
        """Whether one has answered lately. A server that hangs may come back, and so this ends nothing."""
        if not self.silent and monotonic() - self.heard > SILENCE:
            self.silent = True
            self.supervisor.diary.error(
                f"check-mountpoint: {', '.join(self.paths)}: no answer for {SILENCE:g} s; still waiting"
            )

    def ended(self, asking: Running) -> None:
        """The one that asks has ended, and not because one did not answer."""
        if asking is self.asking:
            self.asking = None
            self.cancel()
            self.supervisor.diary.warning(
                "check-mountpoint: the process that asks has ended; another one will"
            )
            self.timer = self.supervisor.watch.later(AGAIN, self.begin)

    def leave(self) -> None:
        """Ask no more. One that hangs in the kernel ends when it can."""
        self.cancel()
        asking, self.asking = self.asking, None
        if asking is not None:
            asking.signal(signal.SIGKILL)

    def cancel(self) -> None:
        """No timer."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
