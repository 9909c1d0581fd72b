"""The application by its options: imported, or several of them by their mount points.

Runs on the main thread of the process in which the application is to live.
"""

import sys
import traceback

from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.logs.setup import Diary
from penstock.serve.wsgi.call import Application
from penstock.serve.wsgi.loader import Source, load, mount_source, no_application, prepare_path
from penstock.serve.wsgi.mounts import assemble

under_way = False
"""Whether an application is being imported: a server that this starts would only import it once more."""


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
    if not (settings.need_app or settings.module or settings.wsgi_file or settings.eval or settings.mount):
        return no_application  # a server of programs, or of vassals, alone
    sys.argv = ["penstock", *settings.pyargv.split()]
    prepare_path(settings.pythonpath, settings.virtualenv)
    global under_way
    under_way = True
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
    finally:
        under_way = False
