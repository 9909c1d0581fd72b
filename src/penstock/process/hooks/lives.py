"""The hooks of processes that serve: ``accepting*``, and what signals and alarms are to them.

Called on the main thread of a worker, or of a server that is one process, before it takes requests: whoever
connects meanwhile waits in the kernel's queue, as in uWSGI. It does not know how a worker serves. What reads
the hooks is imported where a configuration has any.
"""

import signal
from asyncio import AbstractEventLoop
from collections.abc import Callable, Mapping
from functools import partial
from time import monotonic
from typing import Any, Protocol

from penstock.config.settings import Settings
from penstock.process.hooks.start import Own, asked, run

FIRST = 1  # the worker of ``accepting1``
ONCE = ("accepting-once", "accepting1-once")

Call = Callable[[], object]


class Alone(Protocol):
    """A worker that is the whole server."""

    @property
    def diary(self) -> Any: ...
    def on_signal(self, number: int) -> None: ...
    def on_hup(self) -> None: ...
    def halt(self) -> None: ...


def accepting_phases(settings: Settings, wid: int, first: bool) -> list[str]:
    """The phases at which a worker has something to do when it is ready. ``first``: no worker of its number
    was there before it, in this generation."""
    found = ["accepting"] + ["accepting-once"] * first
    if wid == FIRST:
        found += ["accepting1"] + ["accepting1-once"] * first
    return [phase for phase in found if asked(settings, phase)]


def accepting_alone(worker: Alone, settings: Settings, own: Own | None = None) -> dict[int, Call]:
    """Those of a server without a supervisor, which has actions of its ``own``; what signals mean after
    them. They are not its loop's before it runs: one that came meanwhile would be lost. Raises StartError."""
    unasked = [f"hook-{phase}" for phase in ONCE if asked(settings, phase)]
    if unasked:
        worker.diary.warning(f"{', '.join(unasked)}: not done without a master, as in uWSGI")
    leave, halt = partial(worker.on_signal, signal.SIGTERM), worker.halt
    calls: dict[str, Call] = {
        **dict.fromkeys(("stop", "leave"), leave),
        **dict.fromkeys(("stop-now", "halt"), halt),
        **dict.fromkeys(("reload", "reload-brutal", "reload-chain"), worker.on_hup),
        "reopen-logs": worker.diary.reopen,
    }
    meanings: dict[int, Call] = {}
    mine = {**(own or {}), "unix_signal": signals_of(meanings.__setitem__, calls, "a single process")}
    for phase in accepting_phases(settings, FIRST, False):
        run(settings, phase, worker.diary.say, mine)
    return meanings


def own(loop: AbstractEventLoop, calls: Mapping[str, Call], send: Callable[[dict[str, Any]], object]) -> Own:
    """What signals and alarms are in a supervised worker: ``calls`` are its own commands, ``send`` takes
    messages for the supervisor."""
    return {
        "unix_signal": signals_of(loop.add_signal_handler, calls, "a worker"),
        "alarm": partial(alarm, send),
    }


class Patience:
    """The time that a worker has to become ready, ``start-timeout``: called with whether it is to run, which
    ``send`` tells the supervisor. ``since`` (time.monotonic) it does."""

    def __init__(self, settings: Settings, send: Callable[[dict[str, Any]], object]) -> None:
        self.settings = settings
        self.send = send
        self.since = monotonic()

    def __call__(self, going: bool) -> None:
        self.since = monotonic()
        self.send({"is": "clock", "seconds": self.settings.start_timeout if going else 0})


def signals_of(
    take: Callable[[int, Call], object], calls: Mapping[str, Call], who: str
) -> Callable[[str], None]:
    """``unix_signal:NUMBER FUNCTION`` of a process, which ``take`` does for it."""

    def set_meaning(argument: str) -> None:
        from penstock.config.household.hooks import signal_of

        number, command = signal_of(argument)
        call = calls.get(command)
        if call is None:
            from penstock.process.hooks.actions import HookError

            raise HookError(f"{who} does not know {command!r}; a supervisor does (hook-master-start)")
        take(number, call)

    return set_meaning


def alarm_alone(tell: Callable[[str, str], object], argument: str) -> None:
    """``alarm:NAME TEXT`` of a server without a supervisor."""
    from penstock.config.household.hooks import alarm_of

    tell(*alarm_of(argument))


def alarm(send: Callable[[dict[str, Any]], object], argument: str) -> None:
    """``alarm:NAME TEXT``, which the supervisor raises."""
    from penstock.config.household.hooks import alarm_of

    name, text = alarm_of(argument)
    send({"is": "alarm", "name": name, "text": text})
