"""The application by its options: imported, or several of them by their mount points.

Runs on the main thread of the process in which the application is to live.
"""

import sys
from collections.abc import Callable

from penstock.config.settings import Settings
from penstock.config.sources.env import environment
from penstock.core.errors import NO_APPLICATION, StartError
from penstock.core.tracebacks import traceback_of
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
    loaded: dict[str, Application] = {}
    for point, source in sources_of(settings):
        if point in loaded:
            warn(f"mount {point}: the first one that is mounted there is the one that counts")
            continue
        for name, file in taken(source.folder) if source.folder else ():
            warn(f"mount {point}: {name} is another one there: {file} is loaded already under that name")
        try:
            application = load(source)
            if loaded:
                own_settings()
            loaded[point] = application
        except StartError as error:
            loaded[point] = broken(point, of_mount(point, error))
    return assemble(
        loaded,
        settings.manage_script_name,
        not settings.no_default_app,
        settings.vhost or settings.vhost_host,
    )


def sources_of(settings: Settings) -> list[tuple[str, Source]]:
    """What is to be loaded by mount points, "" for the main one, which is left out where there are others and
    nothing names it. Raises StartError for a mount point that is none."""
    main = Source(settings.module, settings.wsgi_file, settings.callable, settings.eval)
    named = main.module or main.file or main.code or not settings.mount
    mounted = [mount_source(text, settings.callable) for text in settings.mount]
    return [("", main), *mounted] if named else mounted


def of_mount(point: str, error: StartError) -> StartError:
    """The same with the name of the mount point, where there is one."""
    if not point:
        return error
    named = StartError(f"mount {point}: {error}", error.exit_code)
    named.__cause__ = error.__cause__
    return named


def own_settings() -> None:
    """Django has its settings once in a process. uWSGI gives each mount point an interpreter of its own; here
    a second project would be answered by the first. Raises StartError for one."""
    django = sys.modules.get("django.conf")
    if django is None or not django.settings.configured:
        return
    wanted = environment().get("DJANGO_SETTINGS_MODULE")
    found = getattr(django.settings, "SETTINGS_MODULE", None)
    if wanted and found and wanted != found:
        raise StartError(
            f"it wants {wanted}, and Django has {found} already, for the whole process: "
            "a second project needs a server of its own (emperor)",
            NO_APPLICATION,
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
            diary.error(traceback_of(cause))
        where = f"below {point}" if point else "to every request"
        diary.error(f"{error}; serving 500 {where} (need-app would stop here)")
        return no_application

    global under_way
    under_way = True
    try:
        return load_all(settings, broken, diary.warning)
    finally:
        under_way = False
