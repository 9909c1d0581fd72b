"""uWSGI's ``chroot`` and ``pivot-root``: another root of the file system, for this process and all after it.

Called on the main thread at a start, by root, once logs and pidfile are open and before anything else is:
sockets, ``chdir`` and the application are then found inside. It does not know what is served.
"""

import encodings
import os
import sys
from collections.abc import Callable

import penstock
from penstock.config.household import isolation
from penstock.core.errors import StartError
from penstock.process.isolation import kernel

USEFUL = ("/proc/self", "/dev/null", "/tmp")


def needed() -> list[str]:
    """What must be inside: the interpreter, which is started again for each generation, the standard
    library and penstock."""
    found = [sys.executable, os.path.dirname(encodings.__file__), os.path.dirname(penstock.__file__)]
    return [os.path.abspath(path) for path in found if path]


def change_root(folder: str, warn: Callable[[str], None]) -> None:
    """Make ``folder`` the root, and the current folder; nothing for "". ``warn`` is told what is missing
    but can be done without.

    Raises StartError for everybody but root, for a folder that is none, and when it has no Python and no
    penstock to go on with.
    """
    if not folder:
        return
    if os.geteuid() != 0:
        raise StartError(f"chroot {folder}: only root can do that")
    equipped("chroot", folder)
    try:
        os.chroot(folder)
        os.chdir("/")  # what lies outside could still be reached from there
    except OSError as error:
        raise StartError(f"chroot {folder}: {error.strerror}") from error
    lacking = [path for path in USEFUL if not os.path.exists(path)]
    if lacking:
        warn(f"chroot {folder}: it has no {', '.join(lacking)}, which penstock and most applications use")


def pivot(text: str) -> None:
    """``pivot-root = NEW OLD``: ``NEW``, which is mounted, becomes the root of this mount namespace, and the
    one before lies below it at ``OLD``; nothing for "". Raises StartError."""
    if not text:
        return
    new, old = isolation.pivot(text)
    equipped("pivot-root", new)
    try:
        kernel.mount("", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
        os.chdir(new)
        kernel.pivot_root(".", old)
        os.chdir("/")
    except OSError as error:
        raise StartError(f"pivot-root {text}: {error.strerror}") from error


def equipped(option: str, folder: str) -> None:
    """That a new root has what it takes to go on with. Raises StartError."""
    # A link in there means something else from inside, and so is not followed.
    missing = [path for path in needed() if not os.path.lexists(inside(folder, path))]
    if os.path.isdir(folder) and missing:
        raise StartError(
            f"{option} {folder}: {', '.join(missing)} is not in there, and nothing can be imported or "
            "started without it; install Python, penstock and the application into the folder, or use a "
            "container"
        )


def inside(folder: str, path: str) -> str:
    """Where an absolute path of the new root lies now."""
    return os.path.join(folder, path.lstrip("/"))


def change_folder(option: str, path: str) -> None:
    """uWSGI's ``chdir`` and ``chdir2``; nothing for an empty ``path``. Raises StartError."""
    if path:
        try:
            os.chdir(path)
        except OSError as error:
            raise StartError(f"{option} {path}: {error.strerror}") from error
