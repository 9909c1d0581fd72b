"""From settings to a served application: the order of a start, and its exit status.

Called by ``cli`` and by ``embed``; runs on the main thread of the process that serves, or that supervises
those which do. Neither kind loads the modules of the other.
"""

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from penstock.config.consistency import option_of
from penstock.config.settings import SEEN, Settings, asking
from penstock.config.sources.env import export, reloads
from penstock.core.build import title
from penstock.core.errors import NO_APPLICATION, StartError
from penstock.core.sweeping import unswept
from penstock.core.tracebacks import traceback_of
from penstock.process import binding, diaries, screen
from penstock.process.daemon import hold_stdio
from penstock.process.emperor import alone as emperors
from penstock.process.emperor import bond
from penstock.process.hooks import start as hooks
from penstock.process.identity import immediate
from penstock.process.isolation.entry import after_sockets, before_sockets
from penstock.process.launch import Launch
from penstock.process.rlimits import limit_server
from penstock.process.root import change_folder
from penstock.process.spoolers import open_folders
from penstock.process.standing import Standing

if TYPE_CHECKING:
    from penstock.serve.wsgi.call import Application


def serve(settings: Settings, application: "Application | None" = None, launch: Launch | None = None) -> int:
    """Serve until a signal; returns the exit status. ``launch``: how it was asked for, for reloads.

    0 all was answered; 1 the start failed; 22 no application (uWSGI's code); 30 requests were cut.
    """
    hold_stdio()
    export([reloads(0)])
    settings, launch = sworn(settings, launch or Launch())
    said: list[str] = []
    immediate(settings.immediate_uid, settings.immediate_gid, said.append)
    if settings.umask is not None:
        os.umask(settings.umask)
    diary = diaries.open_diary(settings)
    standing = Standing(settings, diary)
    supervised = emperors.supervised(settings) and application is None
    opened = False
    try:
        _begin(settings, standing, said, unsupervised(settings) if application is not None else [])
        bound = _open(settings, standing, supervised)
        opened = True
        if application is None and emperors.alone(settings):
            return _reign(settings, standing, launch)
        if supervised:
            return _supervise(settings, standing, bound, launched(settings, launch))
        return _serve(settings, standing, bound, application)
    except StartError as error:
        _tell(settings, standing, error, opened)
        return error.exit_code
    finally:
        standing.end()
        diary.flush()
        diary.close()


def _tell(settings: Settings, standing: Standing, error: StartError, opened: bool) -> None:
    """Why nothing is served, for the log and for whoever waits for the start; before that the last hooks,
    unless whoever served behind ``opened`` sockets has run them."""
    text, cause = "", error.__cause__
    if cause is not None and error.exit_code == NO_APPLICATION:
        text = traceback_of(cause) + "\n"
        standing.diary.error(text.rstrip())
    standing.diary.error(str(error))
    if not opened:
        hooks.at_exit(settings, standing.diary.say)
    standing.failed(error.exit_code, f"{text}penstock: {error}")


def _begin(settings: Settings, standing: Standing, said: list[str], unheeded: list[str]) -> None:
    """The first hooks; then the log is where it is to be, and is told what there is to tell, ``said`` first.
    Raises StartError."""
    diary = standing.diary
    hooks.run(settings, "asap", diary.say)
    standing.begin()
    for line in said:
        diary.info(line)
    for notice in screen.notices(settings):
        diary.warning(notice)
    if unheeded:
        diary.warning(
            f"{', '.join(unheeded)}: not acted on: what needs a supervisor needs the application by its "
            "name, 'module:callable'; an object is served by this process alone"
        )
    diary.info(f"{title()}, Python {sys.version.split()[0]}, pid {os.getpid()}")
    if settings.rules or settings.router_list:
        from penstock.process.site import checked

        checked(settings, diary.warn_once, diary.info)


def _open(settings: Settings, standing: Standing, supervised: bool) -> list[binding.Bound]:
    """All that needs the rights of the start, in uWSGI's order; then we are who we are to be. Raises
    StartError."""
    diary = standing.diary
    hooks.pass_over(settings, diary.say)
    standing.claim()
    open_folders(settings, standing.identity)
    before_sockets(settings, standing)
    if not supervised:  # else it is the application's environment alone
        export(settings.env_pairs)
    folder = hooks.folder_of_user(settings)
    change_folder("chdir", settings.chdir)
    bound = binding.bind(settings, standing.owner)
    clean_at_term(standing, bound)
    try:
        limit_server(settings, diary.warning)
        after_sockets(settings, standing, folder)
        hooks.wait_for_sockets(settings, diary.say)
        standing.dropped()
    except BaseException:
        binding.unbind(bound)
        raise
    return bound


def sworn(settings: Settings, launch: Launch) -> tuple[Settings, Launch]:
    """The same as a vassal has them, where we are one, and as an emperor alone has them."""
    bond.swear()
    return emperors.unprivileged(bond.governed(settings)), bond.governing(launch)


def _reign(settings: Settings, standing: Standing, launch: Launch) -> int:
    with unswept():
        from penstock.process.emperor.reign import reign

    try:
        return reign(settings, standing, launch)
    finally:
        hooks.at_exit(settings, standing.diary.say)


def _supervise(settings: Settings, standing: Standing, bound: list[binding.Bound], launch: Launch) -> int:
    with unswept():
        from penstock.process.supervisor.start import supervise

    try:
        return supervise(settings, standing, bound, launch)
    except BaseException:
        binding.unbind(bound)
        raise


def _serve(
    settings: Settings, standing: Standing, bound: list[binding.Bound], application: "Application | None"
) -> int:
    with unswept():
        from penstock.process.single import serve_alone

    try:
        return serve_alone(settings, standing, bound, application)
    except BaseException:
        binding.unbind(bound)
        raise
    finally:
        hooks.at_exit(settings, standing.diary.say)


def launched(settings: Settings, launch: Launch) -> Launch:
    """How it was started; ``force-cwd`` names the folder that reloads begin in, as in uWSGI."""
    return replace(launch, folder=os.path.abspath(settings.force_cwd)) if settings.force_cwd else launch


def unsupervised(settings: Settings) -> list[str]:
    """The options, as on a command line, that ask for what one process cannot do by itself."""
    alone = ("harakiri", *SEEN)  # one process does these by itself
    fields = [name for name in asking(vars(settings)) if name not in alone]
    if settings.master:
        fields.insert(0, "master")
    if settings.harakiri and settings.harakiri_mode == "process":
        fields.append("harakiri_mode")
    if settings.emperor:
        fields.append("emperor")
    return [f"--{option_of(field)}" for field in fields]


def clean_at_term(standing: Standing, bound: Sequence[binding.Bound]) -> None:
    """Have TERM end us during the start, as it does, without leaving pidfiles and sockets behind; the worker
    takes the signal over. What a program around us wants of it stays."""
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return

    def on_term(number: int, frame: object) -> None:
        if os.getpid() == standing.diary.pid:  # and no child that the application has forked
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
