"""Loading the application where it is to live: in the prototype, or in each worker (``lazy-apps``).

Runs on the main thread of that process. What failed is put into words for the supervisor, which logs it.
"""

import sys
from typing import Any

from penstock.config.sources.env import export
from penstock.core.errors import NO_APPLICATION, StartError
from penstock.core.tracebacks import traceback_of
from penstock.interprocess.scoreboard import ACCEPTING, Scoreboard
from penstock.logs.setup import Diary
from penstock.process import root
from penstock.process.boot import Boot
from penstock.process.courtesy import niced
from penstock.process.hooks import start as hooks
from penstock.process.importing import load_application
from penstock.process.isolation.entry import loaded_by
from penstock.process.sourcefiles import error_files, source_files
from penstock.serve.wsgi.call import Application

REASON = 2000  # characters of the one line that says why


def load(boot: Boot, board: Scoreboard, diary: Diary, clock: hooks.Clock = lambda going: None) -> Application:
    """Import what the settings name, at a low priority while others serve, between the hooks before and after
    it; then ``chdir2``. ``clock`` is told when it begins to do what takes as long as it takes, and when it
    has done so.

    Raises StartError, and whatever else the surroundings of the import raise.
    """
    settings = boot.settings
    export(settings.env_pairs)
    sys.path[:] = boot.path
    if boot.watch_files:
        # Python tells a stale .pyc by the second and the size: the second save of a second would not be seen.
        sys.dont_write_bytecode = True
    with niced(somebody_serves(board)):
        application = hooks.around(settings, diary.say, lambda: load_application(settings, diary), clock)
    root.change_folder("chdir2", settings.chdir2)
    loaded_by(settings, diary)
    return application


def somebody_serves(board: Scoreboard) -> bool:
    """Whether there are workers that take requests while we import."""
    return any(board.cell(slot).state == ACCEPTING for slot in range(board.slots))


def failure(error: BaseException, boot: Boot) -> dict[str, Any]:
    """The message that tells why it could not be loaded; where files are watched with those that the error
    names and those that were imported before: a change of any is worth another try."""
    cause = error.__cause__ if isinstance(error, StartError) else error
    text = traceback_of(cause) if cause is not None else ""
    reason = str(error) if isinstance(error, StartError) else f"{type(error).__name__}: {error}"
    return {
        "is": "failed",
        "code": error.exit_code if isinstance(error, StartError) else NO_APPLICATION,
        "text": text,
        "reason": " ".join(reason.split())[:REASON],
        "files": list(dict.fromkeys([*error_files(error), *files(boot)])) if boot.watch_files else [],
    }


def files(boot: Boot) -> list[str]:
    """The files that the application came from, where somebody watches them."""
    return source_files(boot.settings.py_auto_reload_ignore) if boot.watch_files else []
