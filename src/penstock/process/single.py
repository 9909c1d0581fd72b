"""A server that is one process: loop, pool and application in it, from the first request to its end.

Called by ``serve`` on the main thread when no supervisor is asked for; its parts are workers' too.
"""

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from penstock.config.settings import Settings
from penstock.config.settings.logs import RULES
from penstock.logs.setup import Diary
from penstock.net.buckets import TICK
from penstock.net.listener import Listener
from penstock.process import build, certificates, screen, stock
from penstock.process.binding import Bound
from penstock.process.hooks import lives
from penstock.process.hooks import start as hooks
from penstock.process.importing import load_application
from penstock.process.isolation.entry import after_loading
from penstock.process.loops import loop_for
from penstock.process.rlimits import limit_application
from penstock.process.sights import accesslog, health
from penstock.process.sights.observers import FIGURES, scribe_of, watched
from penstock.process.sights.scribe import Scribe
from penstock.process.site import Around, site_of
from penstock.process.standing import Standing
from penstock.process.supervisor.backlog import backlog_of
from penstock.process.supervisor.vassal import serve_under
from penstock.process.titles import SINGLE, set_title
from penstock.process.wear import Monitored
from penstock.process.worker import Worker
from penstock.process.zombies import Zombies
from penstock.serve.answer import Kitchen
from penstock.serve.record import Made
from penstock.serve.wsgi.call import Application

if TYPE_CHECKING:
    from penstock.process.alarms.alone import Alone
    from penstock.process.alone.lone import Lone
    from penstock.process.logs.alone import LogsAlone

SWITCH = 0.0005  # seconds
LOGS = (*RULES, "log_maxsize")
"""Settings that ask for more than lines in a file."""


class Own(NamedTuple):
    """What one worker has that is not in the settings: its ``number``, 0 where it is alone, and the shared
    ``caches``, None without any."""

    number: int = 0
    caches: Any = None


ALONE = Own()


class Pulse:
    """Signs of life for systemd's watchdog, from the loop: where it hangs there are none."""

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        self.last = 0.0

    def tick(self, now: float) -> None:
        """Every quarter second; twice in the time that systemd gives."""
        if now - self.last >= self.standing.watchdog / 2 - TICK:
            self.last = now
            self.standing.alive()


def serve_alone(
    settings: Settings, standing: Standing, bound: Sequence[Bound], application: Application | None
) -> int:
    """Serve until a signal; returns the exit status. Raises StartError."""
    diary = standing.diary
    limit_application(settings, diary.warning)
    caches = stock.made(settings, diary)
    contexts = certificates.contexts(settings, standing.certificates)
    logs = logs_of(settings, standing)
    application, name = loaded(settings, diary, application)
    after_loading(settings, standing)
    standing.loaded()
    listeners: list[Listener] = []
    alarms = alarms_of(settings, diary, listeners) if settings.alarm else None
    own = {} if alarms is None else {"alarm": partial(lives.alarm_alone, alarms.raising.tell)}
    hooks.run(settings, "post-fork", diary.say, own)
    set_title(settings, SINGLE, 0, diary.warning)
    worker = make_worker(settings, application, diary, own=Own(caches=caches))
    listeners += build.make_listeners(bound, settings, diary, contexts=contexts)
    attend(worker, settings, standing, alarms, logs)
    lone = shown(worker, settings, standing)
    standing.started()
    # A thread that computes keeps the interpreter's lock this long against the loop (CPython's 5 ms would
    # make a reply of the loop wait for seconds behind eight such threads).
    sys.setswitchinterval(SWITCH)
    watch_signals(worker, settings, standing, lives.accepting_alone(worker, settings, own))
    worker.start(listeners)
    screen.welcome(settings, diary, [one.name for one in listeners], [settings.threads_reason, name])
    worker.loop.call_soon(standing.serving)
    worker.loop.call_soon(lone.serve)
    worker.on_leave.append(standing.leaving)
    code = worker.run()
    lone.end()
    if settings.vacuum:
        for listener in listeners:
            listener.unlink()
    if worker.stuck:
        end_stuck(settings, standing, code)
    return code


def shown(worker: Worker, settings: Settings, standing: Standing) -> "Lone":
    """The server as who looks at it sees it; its figures where the settings ask for them. Raises
    StartError."""
    from penstock.process.alone.lone import Lone  # workers take their parts from this file, and need none

    lone = Lone(worker, settings, standing)
    lone.open()
    if settings.any_of(FIGURES):
        from penstock.process.alone.ownbooks import keep

        keep(lone, worker, settings)
    if settings.status_page:
        from penstock.process.pages.showing import Showing

        Showing(lone, lone.inquiry, worker).open()
    return lone


def loaded(settings: Settings, diary: Diary, given: Application | None) -> tuple[Application, str]:
    """The application, and what is said of it. Raises StartError."""
    took = 0.0

    def load() -> Application:
        nonlocal took
        begun = monotonic()
        found = given or load_application(settings, diary)
        took = monotonic() - begun
        return found

    application = hooks.around(settings, diary.say, load)
    return application, screen.application(settings, took, given is not None)


def attend(
    worker: Worker, settings: Settings, standing: Standing, alarms: "Alone | None", logs: "LogsAlone | None"
) -> None:
    """Have all come to their turn that do something every quarter second, or answer for it."""
    health.attend(worker.door.lane, worker, settings)
    if alarms is not None:
        alarms.begin(worker.loop)
        worker.door.on_tick.append(alarms.tick)
    if logs is not None:
        worker.door.on_tick.append(logs.tick)
        worker.scribe.on_end.append(logs.end)
    if standing.watchdog:
        worker.door.on_tick.append(Pulse(standing).tick)
    if settings.reaper:
        worker.door.on_tick.append(Zombies(worker.pool).tick)


def alarms_of(settings: Settings, diary: Diary, listeners: Sequence[Listener]) -> "Alone":
    """Who raises the alarms that are given."""
    from penstock.process.alarms.alone import Alone

    return Alone(settings, diary, lambda: [(one.name, one.sock) for one in listeners])


def logs_of(settings: Settings, standing: Standing) -> "LogsAlone | None":
    """Who leads the lines of the log to loggers, and renames its files; None where nobody asks. Raises
    StartError."""
    if not settings.any_of(LOGS):
        return None
    from penstock.process.logs.alone import LogsAlone

    logs = LogsAlone(settings, standing.diary, standing.reopen)
    standing.on_reopen.append(logs.reopen)
    return logs


def end_stuck(settings: Settings, standing: Standing, code: int) -> NoReturn:
    """Finalising the interpreter under live threads hangs or crashes it; do what is left of an end."""
    hooks.at_exit(settings, standing.diary.say)
    standing.end()
    standing.diary.flush()
    os._exit(code)


def watch_signals(
    worker: Worker, settings: Settings, standing: Standing, meanings: Mapping[int, lives.Call]
) -> None:
    """The worker's signals, and those of them that the options change; ``meanings`` are what hooks say."""
    worker.watch_signals()
    worker.loop.add_signal_handler(signal.SIGUSR1, standing.reopen)
    if settings.die_on_term:
        # uWSGI swaps the meanings of TERM and QUIT with this option; TERM has that meaning here anyway.
        worker.loop.add_signal_handler(signal.SIGQUIT, worker.on_hup)
        worker.diary.info(
            "die-on-term: QUIT asks for a reload, as HUP does, and does not stop; TERM and INT stop"
        )
    serve_under(worker, settings)
    for number, call in meanings.items():
        worker.loop.add_signal_handler(number, call)


def traced_by(settings: Settings, kitchen: Kitchen, scribe: Scribe) -> Kitchen:
    """The kitchen whose requests are traced. Raises StartError."""
    from penstock.process.sights import tracing

    return tracing.traced(settings, kitchen, scribe)


def make_worker(
    settings: Settings,
    application: Application,
    diary: Diary,
    record: Callable[[Made], None] | None = None,
    own: Own = ALONE,
) -> Worker:
    """A worker on a new loop; ``record`` takes the records of requests instead of its scribe.

    Raises StartError, also for what the settings want done to requests and cannot be.
    """
    accesslog.format_lines(diary, settings, own.number)
    monitored = Monitored(settings)
    on_error = monitored.note if monitored.wanted else None
    scribe = scribe_of(diary) if record is None else Scribe(diary.error)
    traced = record is None and settings.otel
    if record is None and watched(settings, diary):
        record = scribe.records.append
    kitchen = build.kitchen_of(settings, application, diary, record, on_error)
    if traced:
        kitchen = traced_by(settings, kitchen, scribe)
    listeners: list[Listener] = []
    around = Around(
        warn=diary.warn_once,
        info=diary.info,
        number=own.number,
        caches=own.caches,
        backlog=lambda: sum(backlog_of(listener.sock) for listener in listeners),
    )
    kitchen = replace(kitchen, site=site_of(settings, application, around))
    worker = Worker(loop_for(settings.loop), kitchen, diary, build.plan_of(settings), scribe)
    worker.listeners = listeners
    worker.monitored = monitored
    if settings.status_page:
        from penstock.process.sights.pathing import Paths

        Paths(worker, always=True)
    return worker
