"""From settings to a served application: the order of a start, and its exit status.

Called by ``cli`` and by ``embed``; runs on the main thread of the process that serves.
"""

import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence

from penstock import __version__
from penstock.config.settings import Settings
from penstock.config.sources.env import export
from penstock.core.errors import StartError
from penstock.logs.setup import Diary
from penstock.net.loop import make_loop
from penstock.process import build
from penstock.process.daemon import hold_stdio
from penstock.process.standing import Standing
from penstock.process.worker import Worker
from penstock.serve.answer import Record
from penstock.serve.wsgi.call import Application
from penstock.serve.wsgi.loader import (
    NO_APPLICATION,
    Source,
    load,
    mount_source,
    no_application,
    prepare_path,
)
from penstock.serve.wsgi.mounts import assemble

SWITCH = 0.0005  # seconds


def serve(settings: Settings, application: Application | None = None) -> int:
    """Serve until a signal; returns the exit status.

    0 all was answered; 1 the start failed; 22 no application (uWSGI's code); 30 requests were cut.
    """
    hold_stdio()
    if settings.umask is not None:
        os.umask(settings.umask)
    diary = build.open_diary(settings)
    standing = Standing(settings, diary)
    try:
        standing.begin()
        for notice in settings.notices:
            diary.warning(notice)
        diary.info(f"penstock {__version__}, Python {sys.version.split()[0]}, pid {os.getpid()}")
        return _serve(settings, standing, application)
    except StartError as error:
        text = ""
        cause = error.__cause__
        if cause is not None and error.exit_code == NO_APPLICATION:
            text = "".join(traceback.format_exception(cause))
            diary.error(text.rstrip())
        diary.error(str(error))
        standing.failed(error.exit_code, f"{text}penstock: {error}")
        return error.exit_code
    finally:
        standing.end()
        diary.flush()
        diary.close()


def _serve(settings: Settings, standing: Standing, application: Application | None) -> int:
    diary = standing.diary
    standing.claim()
    export(settings.env_pairs)
    build.change_folder("chdir", settings.chdir)
    bound = build.bind(settings, standing.owner)
    clean_at_term(standing, bound)
    try:
        standing.drop()
        application = application or load_application(settings, diary)
        standing.loaded()
        build.name_process(settings, diary)
        worker = make_worker(settings, application, diary)
        listeners = build.make_listeners(bound, settings, diary)
        standing.started()
    except BaseException:
        build.unbind(bound)
        raise
    # A thread that computes keeps the interpreter's lock this long against the loop (CPython's 5 ms would
    # make a reply of the loop wait for seconds behind eight such threads).
    sys.setswitchinterval(SWITCH)
    worker.start(listeners)
    watch_signals(worker, settings, standing)
    for listener in listeners:
        diary.say(f"penstock: listening on {listener.name}")
    diary.say(f"penstock: {settings.threads_reason}")
    worker.loop.call_soon(standing.serving)
    worker.on_leave.append(standing.leaving)
    code = worker.run()
    if settings.vacuum:
        for listener in listeners:
            listener.unlink()
    if worker.stuck:
        # Finalising the interpreter under live threads hangs or crashes it.
        standing.end()
        diary.flush()
        os._exit(code)
    return code


def clean_at_term(standing: Standing, bound: Sequence[build.Bound]) -> None:
    """Have TERM end us during the start, as it does, without leaving pidfiles and sockets behind; the worker
    takes the signal over. What a program around us wants of it stays."""
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return

    def on_term(number: int, frame: object) -> None:
        if os.getpid() == standing.diary.format.pid:  # and no child that the application has forked
            standing.end()
            build.unbind(bound)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, on_term)


def interrupted() -> int:
    """End this process by INT, as whoever waits for it expects after Ctrl-C; the status if it is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
    return 128 + signal.SIGINT


def watch_signals(worker: Worker, settings: Settings, standing: Standing) -> None:
    """The worker's signals, and those of them that the options change."""
    worker.watch_signals()
    worker.loop.add_signal_handler(signal.SIGUSR1, standing.reopen)
    if settings.die_on_term:
        # uWSGI swaps the meanings of TERM and QUIT with this option; TERM has that meaning here anyway.
        worker.loop.add_signal_handler(signal.SIGQUIT, worker.on_hup)
        worker.diary.info(
            "die-on-term: QUIT asks for a reload, as HUP does, and does not stop; TERM and INT stop"
        )


def make_worker(
    settings: Settings,
    application: Application,
    diary: Diary,
    record: Callable[[Record], None] | None = None,
) -> Worker:
    """A worker on a new loop; ``record`` takes the access records instead of the diary."""
    kitchen = build.kitchen_of(settings, application, diary, record)
    try:
        loop = make_loop(settings.loop)
    except ImportError as error:
        raise StartError(f"--loop {settings.loop}: {error}") from error
    return Worker(loop, kitchen, diary, build.plan_of(settings))


def load_all(settings: Settings) -> Application:
    """The application, or several by their mount points. Raises StartError."""
    source = Source(settings.module, settings.wsgi_file, settings.callable, settings.eval)
    named = source.module or source.file or source.code
    main = load(source) if named or not settings.mount else None
    mounts = (mount_source(text, settings.callable) for text in settings.mount)
    mounted = [(point, load(source)) for point, source in mounts]
    found = assemble(main, mounted, settings.manage_script_name, not settings.no_default_app)
    return no_application if found is None else found


def load_application(settings: Settings, diary: Diary) -> Application:
    """Import what the settings name. Raises StartError, unless an application is not needed."""
    sys.argv = ["penstock", *settings.pyargv.split()]
    prepare_path(settings.pythonpath, settings.virtualenv)
    try:
        return load_all(settings)
    except StartError as error:
        if settings.need_app:
            raise
        cause = error.__cause__
        if cause is not None:
            diary.error("".join(traceback.format_exception(cause)).rstrip())
        diary.error(f"{error}; serving 500 to every request (need-app would stop here)")
        return no_application
