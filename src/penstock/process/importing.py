"""The application by its options: imported, or several of them by their mount points.

Runs on the main thread of the process in which the application is to live.
"""

import sys
import traceback
from collections.abc import Callable

from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.logs.setup import Diary
from penstock.serve.wsgi.call import Application
from penstock.serve.wsgi.loader import Source, load, mount_source, no_application, prepare_path, taken
from penstock.serve.wsgi.mounts import assemble

under_way = False
"""Whether an application is being imported: a server that this starts would only import it once more."""


def load_all(
    settings: Settings, broken: Callable[[str, StartError], Application], warn: Callable[[str], None]
) -> Application:
    """The application, or several by their mount points, each loaded in its turn.

    ``broken``: called with the mount point, "" for the main one, and the reason for each that does not load;
    gives what stands in for it, or raises. ``warn``: called with what is worth a line in the log. Raises
    StartError for a mount point that is none.
    """
    main = Source(settings.module, settings.wsgi_file, settings.callable, settings.eval)
    sources = [("", main)] if main.module or main.file or main.code or not settings.mount else []
    sources += [mount_source(text, settings.callable) for text in settings.mount]
    loaded: dict[str, Application] = {}
    for point, source in sources:
        if point in loaded:
            continue  # "already configured. skip.", says uWSGI
        for name, file in taken(source.folder) if source.folder else ():
            warn(f"mount {point}: {name} is another one there: {file} is loaded already under that name")
        try:
            loaded[point] = load(source)
        except StartError as error:
            loaded[point] = broken(point, error)
    return assemble(
        loaded,
        settings.manage_script_name,
        not settings.no_default_app,
        settings.vhost or settings.vhost_host,
    )


def load_application(settings: Settings, diary: Diary) -> Application:
    """Import what the settings name. Raises StartError, unless an application is not needed: what does not
    load is answered with 500 then, and the others serve."""
    if not (settings.need_app or settings.module or settings.wsgi_file or settings.eval or settings.mount):
        return no_application  # a server of programs, or of vassals, alone
    sys.argv = ["penstock", *settings.pyargv.split()]
    prepare_path(settings.pythonpath, settings.virtualenv)

    def broken(point: str, error: StartError) -> Application:
        if settings.need_app:
            raise error
        cause = error.__cause__
        if cause is not None:
            diary.error("".join(traceback.format_exception(cause)).rstrip())
        where = f"below {point}" if point else "to every request"
        diary.error(f"{error}; serving 500 {where} (need-app would stop here)")
        return no_application

    global under_way
    under_way = True
    try:
        return load_all(settings, broken, diary.warning)
    finally:
        under_way = False
