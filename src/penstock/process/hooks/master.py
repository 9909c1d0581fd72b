"""The supervisor's hooks: ``master-start``, ``touch``, and ``as-user-atexit`` at a reload.

Runs in the supervisor, on its one thread, without waiting. uWSGI runs them in the master's loop, where a
command that hangs hangs the server.
"""

import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

from penstock.config.household import hooks
from penstock.config.settings import Settings
from penstock.config.sources.env import environment
from penstock.process.hooks.actions import HookError
from penstock.process.hooks.phases import Job, jobs
from penstock.process.hooks.turns import Batch, Done, Turns
from penstock.process.programs.programs import House
from penstock.process.supervisor.building import ANEW
from penstock.process.supervisor.commands import BY_NAME, Command, Commands, by_signal


class Master(House, Protocol):
    """A supervisor, as far as its hooks know it."""

    on_serving: list[Callable[[], None]]
    on_generation: list[Callable[[str], None]]
    on_stop: list[Callable[[], None]]
    on_drained: list[Callable[[], None]]
    alarm: Callable[[str, str], None]
    current: Any

    @property
    def settings(self) -> Settings: ...
    def stop(self, why: str, now: bool = False, code: int = 0) -> None: ...


class Hooks:
    """Those of one supervisor; ``start`` once, before the first generation serves."""

    def __init__(self, supervisor: Master, commands: Commands) -> None:
        self.supervisor = supervisor
        self.commands = commands
        self.settings = supervisor.settings
        self.meanings: dict[int, Command] = {}
        own: dict[str, Callable[[str], None]] = {
            "unix_signal": self.unix_signal,
            "alarm": self.alarm,
            "exit": self.exit,
            **dict.fromkeys(("call", "callret", "callint", "callintret"), self.call),
        }
        self.turns = Turns(supervisor, own)

    def start(self) -> None:
        """From now on."""
        supervisor = self.supervisor
        if supervisor.current is None:  # else it is no start: we came by a reload, or after a takeover
            supervisor.on_serving.append(self.begin)
        supervisor.on_generation.append(self.again)
        supervisor.on_stop.append(self.turns.clear)
        supervisor.on_drained.append(self.turns.end)
        self.mean()

    def mean(self) -> None:
        """Signals have their meanings at once: one that comes before its hook's turn would end us, or find
        nothing to do. What is wrong with them is said then."""
        self.meanings.clear()
        for job in jobs(self.supervisor.settings, "master-start"):
            if job.hook.action == "unix_signal":
                with suppress(HookError):
                    self.unix_signal(job.hook.argument)

    def begin(self) -> None:
        """The first generation serves: ``master-start``, whose failure ends the server, as in uWSGI."""
        self.settings = self.supervisor.settings
        self.run(self.settings, jobs(self.settings, "master-start"), self.failed)

    def failed(self, text: str) -> None:
        """One of them did."""
        if text:
            self.supervisor.stop(text, now=True, code=1)

    def again(self, how: str) -> None:
        """Another generation serves: what uWSGI does at the end of its master, which begins anew, with the
        settings of then; and at its beginning. After another kind of reload only signals are set again."""
        before, self.settings = self.settings, self.supervisor.settings
        wanted = jobs(self.settings, "master-start")
        self.mean()
        if how in ANEW:
            self.run(before, jobs(before, "as-user-atexit"), forgiving=True)
        else:
            wanted = [job for job in wanted if job.hook.action == "unix_signal"]
        self.run(self.settings, wanted)

    def touched(self, text: str) -> None:
        """Do what a value of ``hook-touch`` says; its file was touched."""
        job = Job("hook-touch", hooks.parse_touch(text).hook)
        self.run(self.supervisor.settings, [job], forgiving=True)

    def run(
        self, settings: Settings, wanted: list[Job], done: Done = lambda text: None, forgiving: bool = False
    ) -> None:
        if wanted:
            environ = partial(environment, settings.env_pairs)
            self.turns.add(Batch(wanted, settings, environ, forgiving, done))

    # ---- What actions are here ----------------------------------------------------------------------

    def unix_signal(self, argument: str) -> None:
        """``unix_signal:NUMBER FUNCTION``: the signal means that command, until the next generation."""
        number, name = hooks.signal_of(argument)
        command = command_of(name)
        if command is by_signal(self.supervisor.settings.die_on_term).get(number):
            self.meanings.pop(number, None)
            return
        self.supervisor.watch.on_signal(number, partial(self.signalled, number))
        self.meanings[number] = command

    def signalled(self, number: int) -> None:
        """A signal of these has come; the second of two that stop is urgent, as always."""
        command = self.meanings.get(number)
        if command is BY_NAME["stop"]:
            self.commands.signalled(signal.SIGTERM)
        elif command is not None:
            self.commands.run(command, name_of(number))

    def call(self, argument: str) -> None:
        """``call:FUNCTION`` of one that is a command here."""
        command = command_of(hooks.call_of(argument))
        self.commands.run(command, f"call:{argument}")

    def alarm(self, argument: str) -> None:
        """``alarm:NAME TEXT``."""
        self.supervisor.alarm(*hooks.alarm_of(argument))

    def exit(self, argument: str) -> None:
        """``exit:N``, at once and with this status."""
        self.supervisor.stop(f"exit:{argument}", now=True, code=hooks.status_of(argument))


def name_of(number: int) -> str:
    """A signal, for people; Python names of the real-time ones only the first and the last."""
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"SIGRTMIN+{number - signal.SIGRTMIN}"


def command_of(name: str) -> Command:
    """A command of the supervisor. Raises HookError for those of a worker."""
    command = BY_NAME.get(name)
    if command is None:
        raise HookError(f"{name!r} is a worker's own (hook-accepting)")
    return command
