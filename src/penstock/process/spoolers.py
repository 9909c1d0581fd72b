"""The folders of spoolers, which are made at a start for whoever runs the tasks in them.

Called on the main thread, with the rights of the start and in its folder, before anything is served. No task
is run by penstock.
"""

import errno
import os

from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.process.identity import Identity

MODE = 0o750  # uWSGI's


def open_folders(settings: Settings, identity: Identity | None) -> list[str]:
    """Make the folders that ``spooler`` names and that are not there, for ``identity``, who writes into them;
    uWSGI leaves them root's. Returns all of them, absolute, each once. Raises StartError for one that cannot
    be made or used."""
    found: list[str] = []
    for name in settings.spooler:
        path = os.path.realpath(name)
        if path not in found:
            open_folder(path, identity)
            found.append(path)
    return found


def open_folder(path: str, identity: Identity | None) -> None:
    """One of them; the folder that it is to be in must be there. Raises StartError."""
    try:
        os.mkdir(path, MODE)
        if identity is not None:
            give(path, identity)
    except FileExistsError:
        if not os.path.isdir(path) or not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            raise StartError(f"spooler {path}: it is there, and no folder that can be written to") from None
    except OSError as error:
        raise StartError(f"spooler {path}: {error.strerror}") from error


def give(path: str, identity: Identity) -> None:
    """Make a new folder ``identity``'s. Root does this, and what it lies in may be somebody's who puts
    something else in its place: it is held, seen to be new, and changed by what is held. Raises OSError."""
    uid, gid = identity.uid, identity.gid
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if os.fstat(fd).st_uid != os.geteuid() or os.listdir(fd):
            raise OSError(errno.EEXIST, "it was taken away and replaced")
        os.fchown(fd, -1 if uid is None else uid, -1 if gid is None else gid)
    finally:
        os.close(fd)
