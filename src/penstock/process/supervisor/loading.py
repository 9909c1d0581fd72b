"""Loading a prototype: from the start of its process to the word that it can fork, or why it cannot.

Runs in the supervisor. It knows one generation and nothing of workers.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from penstock import __version__
from penstock.core.errors import NO_APPLICATION
from penstock.logs.setup import Diary
from penstock.process.boot import Boot
from penstock.process.supervisor.generation import Generation, Prototype, Stage, spawn
from penstock.process.supervisor.reaper import how
from penstock.process.supervisor.watch import Timer, Watch

FAILED = 1
SILENT = 5.0  # seconds that a prototype may live on without its channel
Failed = Callable[[str, int], None]


@dataclass(frozen=True)
class Workshop:
    """What starting prototypes takes: ``boot(generation, lazy)`` describes one, ``environ(generation)`` is
    its environment; ``newer(version)`` is told when another penstock is installed, ``lost(generation)``
    when one that was loaded has died, ``say(generation, message)`` what else one says."""

    watch: Watch
    diary: Diary
    boot: Callable[[Generation, bool], Boot]
    environ: Callable[[Generation], dict[str, str]]
    newer: Callable[[str], None]
    lost: Callable[[Generation], None]
    say: Callable[[Generation, dict[str, Any]], None]


class Loading:
    """One generation's prototype being loaded, again lazily where its import leaves threads behind.

    Exactly one of ``loaded()`` and ``failed(text, code)`` is called, unless it is cancelled.
    """

    def __init__(
        self, shop: Workshop, generation: Generation, loaded: Callable[[], None], failed: Failed
    ) -> None:
        self.shop = shop
        self.generation = generation
        self.loaded = loaded
        self.failed = failed
        self.done = False
        self.told = ("", FAILED)
        self.timer: Timer | None = None
        self.processes: dict[int, Prototype] = {}

    @property
    def name(self) -> str:
        """For the log."""
        return f"generation {self.generation.number}"

    def start(self) -> None:
        """Start the process; ``start-timeout`` runs from here."""
        self.clock(True)
        self.spawn()

    def clock(self, going: bool) -> None:
        """The time begins, or begins anew; or it stands still, while hooks are carried out."""
        if self.timer is not None:
            self.timer.cancel()
        if going and not self.done:
            seconds = self.generation.settings.start_timeout
            self.timer = self.shop.watch.later(seconds, lambda: self.too_slow(seconds))

    def spawn(self) -> None:
        generation = self.generation
        try:
            boot = self.shop.boot(generation, generation.loads_lazily)
            prototype = spawn(boot, self.shop.environ(generation))
        except OSError as error:
            self.fail(f"no process could be started: {error.strerror}", FAILED)
            return
        self.take_in(prototype)

    def take_in(self, prototype: Prototype) -> None:
        """One is this generation's from now on."""
        self.generation.prototype = prototype
        prototype.channel.descriptors = False  # it has none to give
        self.processes[prototype.pid] = prototype
        self.shop.watch.add(prototype.channel.fileno(), lambda: self.heard(prototype))

    def adopt(self, prototype: Prototype) -> None:
        """One that was loaded long ago."""
        self.done = True
        self.take_in(prototype)

    def too_slow(self, seconds: float) -> None:
        """``start-timeout`` is over."""
        self.fail(f"the application was not imported within start-timeout ({seconds:g} s)", FAILED)

    # ---- What it says -------------------------------------------------------------------------------

    def heard(self, prototype: Prototype) -> None:
        """A prototype's channel has something."""
        for message, _ in prototype.channel.receive():
            self.say(prototype, message)
        if prototype.channel.ended:
            self.shop.watch.remove(prototype.channel.fileno())
            if prototype.stage is not Stage.GONE:
                self.shop.watch.later(SILENT, lambda: self.deaf(prototype))

    def deaf(self, prototype: Prototype) -> None:
        """Its end of the channel is closed, and it lives; what its death means is told when it is reaped."""
        if prototype.pid in self.processes and prototype.stage is not Stage.GONE:
            self.told = ("the import of the application closed descriptors that are not its own", FAILED)
            os.kill(prototype.pid, signal.SIGKILL)

    def say(self, prototype: Prototype, message: dict[str, Any]) -> None:
        """One message of it."""
        kind = message.get("is")
        if kind == "hello":
            version = str(message.get("version"))
            if version != __version__:
                self.shop.newer(version)
        elif kind == "loaded" and prototype is self.generation.prototype:
            prototype.facts = message
            self.weigh(prototype, message)
        elif kind == "clock":
            self.clock(message.get("going") is True)
        elif kind == "failed":
            text = str(message.get("text", "")).rstrip()
            reason = str(message.get("reason", ""))
            code = message.get("code")
            self.told = (f"{text}\n{reason}".strip(), code if isinstance(code, int) else NO_APPLICATION)
        elif kind == "fork-failed":
            text = str(message.get("text", ""))
            self.shop.diary.error(f"{self.name}: worker {message.get('wid')} could not be forked: {text}")
        self.shop.say(self.generation, message)

    def weigh(self, prototype: Prototype, message: dict[str, Any]) -> None:
        """The application is imported: can workers be forked from there?"""
        diary, generation = self.shop.diary, self.generation
        threads = names(message.get("threads"))
        if threads and not prototype.lazy:
            diary.warning(
                f"{self.name}: the import of the application started threads ({', '.join(threads)}), which a "
                "fork does not take along: each worker loads it for itself, as with lazy-apps = true"
            )
            generation.lazy = True
            end(prototype)
            self.spawn()
            return
        sockets = names(message.get("sockets"))
        if sockets:
            diary.warning(
                f"{self.name}: the import of the application opened connections that all workers "
                f"share: {', '.join(sockets)}; open them at the first request, or use lazy-apps"
            )
        prototype.move("loaded")
        self.generation.empty = message.get("empty") is True
        if not self.done:
            self.finish()
            self.loaded()

    # ---- Its end ------------------------------------------------------------------------------------

    def reaped(self, pid: int, status: int) -> bool:
        """A child has ended; whether it was one of ours."""
        prototype = self.processes.pop(pid, None)
        if prototype is None:
            return False
        self.heard(prototype)
        before = prototype.stage
        prototype.move("gone")
        self.shop.watch.remove(prototype.channel.fileno())
        prototype.channel.close()
        if before is Stage.LOADED:
            self.shop.diary.error(f"{self.name}: its prototype (pid {pid}) died: {how(status)}")
        if prototype is not self.generation.prototype or before is Stage.GONE:
            return True  # what its channel's end told has had another loaded, or nobody is to follow it
        if before is Stage.LOADING:
            text, code = self.told
            self.fail(text or f"the import of the application ended its process: {how(status)}", code)
        else:
            self.shop.lost(self.generation)
        return True

    def fail(self, text: str, code: int) -> None:
        """It will not be loaded."""
        if not self.done:
            self.finish()
            self.end()
            self.failed(text, code)

    def finish(self) -> None:
        self.done = True
        if self.timer is not None:
            self.timer.cancel()

    def end(self) -> None:
        """End the prototype; its workers live on."""
        self.finish()
        for prototype in self.processes.values():
            end(prototype)


def names(value: object) -> list[str]:
    """A list of texts that a message has, whatever it really is."""
    return [str(item) for item in value] if isinstance(value, list) else []


def end(prototype: Prototype) -> None:
    """End one at once: it has nothing to finish, and may be anywhere in somebody's import."""
    if prototype.move("gone"):
        try:
            os.kill(prototype.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
