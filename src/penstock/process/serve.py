"""From settings to a served application: the order of a start, and its exit status.

Called by ``cli`` and by ``embed``; runs on the main thread of the process that serves, or that supervises
those which do. Neither kind loads the modules of the other.
"""

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

from penstock import __version__
from penstock.config.consistency import option_of
from penstock.config.settings import Settings, asking
from penstock.config.sources.env import export
from penstock.core.errors import NO_APPLICATION, StartError
from penstock.process import binding, diaries
from penstock.process.daemon import hold_stdio
from penstock.process.launch import Launch
from penstock.process.rlimits import limit_server
from penstock.process.root import change_folder, change_root
from penstock.process.standing import Standing

if TYPE_CHECKING:
    from penstock.serve.wsgi.call import Application


def serve(settings: Settings, application: "Application | None" = None, launch: Launch | None = None) -> int:
    """Serve until a signal; returns the exit status. ``launch``: how it was asked for, for reloads.

    0 all was answered; 1 the start failed; 22 no application (uWSGI's code); 30 requests were cut.
    """
    hold_stdio()
    if settings.umask is not None:
        os.umask(settings.umask)
    diary = diaries.open_diary(settings)
    standing = Standing(settings, diary)
    try:
        standing.begin()
        for notice in settings.notices:
            diary.warning(notice)
        if application is not None and (names := unsupervised(settings)):
            diary.warning(
                f"{', '.join(names)}: not acted on: what needs a supervisor needs the application by its "
                "name, 'module:callable'; an object is served by this process alone"
            )
        diary.info(f"penstock {__version__}, Python {sys.version.split()[0]}, pid {os.getpid()}")
        return _serve(settings, standing, application, launch or Launch())
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


def _serve(settings: Settings, standing: Standing, application: "Application | None", launch: Launch) -> int:
    supervised = settings.supervised and application is None
    standing.claim()
    if settings.chroot:
        change_root(settings.chroot, standing.diary.warning)
    if not supervised:  # else it is the application's environment alone
        export(settings.env_pairs)
    change_folder("chdir", settings.chdir)
    bound = binding.bind(settings, standing.owner)
    clean_at_term(standing, bound)
    try:
        limit_server(settings, standing.diary.warning)
        standing.drop()
        if supervised:
            from penstock.process.supervisor.start import supervise

            return supervise(settings, standing, bound, launch)
        from penstock.process.single import serve_alone

        return serve_alone(settings, standing, bound, application)
    except BaseException:
        binding.unbind(bound)
        raise


def unsupervised(settings: Settings) -> list[str]:
    """The options, as on a command line, that ask for what one process cannot do by itself."""
    fields = [name for name in asking(vars(settings)) if name != "harakiri"]  # it ends the request here too
    if settings.master:
        fields.insert(0, "master")
    if settings.harakiri and settings.harakiri_mode == "process":
        fields.append("harakiri_mode")
    return [f"--{option_of(field)}" for field in fields]


def clean_at_term(standing: Standing, bound: Sequence[binding.Bound]) -> None:
    """Have TERM end us during the start, as it does, without leaving pidfiles and sockets behind; the worker
    takes the signal over. What a program around us wants of it stays."""
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return

    def on_term(number: int, frame: object) -> None:
        if os.getpid() == standing.diary.format.pid:  # and no child that the application has forked
            standing.end()
            binding.unbind(bound)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, on_term)


def interrupted() -> int:
    """End this process by INT, as whoever waits for it expects after Ctrl-C; the status if it is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
    return 128 + signal.SIGINT
