"""uWSGI's ``cgroup``: this process, and all that it starts, become members of control groups.

Called on the main thread at a start, by root, before the jail is entered. Version 1 and 2 of the kernel's
interface; what our own limits come to is ``supervisor/cgroup``'s affair.
"""

import os

from penstock.config.household.isolation import cgroup_option
from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.process.isolation.jail import Say

MEMBERS = ("cgroup.procs", "tasks")
"""Files that take a member; the first moves all threads of a process and is in both versions, uWSGI writes
to the second, which is in version 1 alone."""


def join(settings: Settings, say: Say, warn: Say) -> None:
    """Be in every ``cgroup``, made where there is none, and set each ``cgroup-opt`` in each.

    Raises StartError, which names the option and the file.
    """
    if os.getuid() != 0:  # said when the jail is passed by
        return
    for folder in settings.cgroup:
        try:
            _make(folder, settings.cgroup_dir_mode)
            path = next(p for name in MEMBERS if os.path.exists(p := os.path.join(folder, name)))
            _write(path, "0" if path.endswith(MEMBERS[0]) else str(os.getpid()))
        except StopIteration:
            raise StartError(f"cgroup {folder}: the kernel keeps no control group there") from None
        except OSError as error:
            raise StartError(f"cgroup {folder}: {error.strerror}") from error
        say(f"process {os.getpid()} is in the cgroup {folder}")
        for text in settings.cgroup_opt:
            _set(folder, text, say, warn)


def _make(folder: str, mode: int) -> None:
    try:
        os.mkdir(folder)
    except FileExistsError:
        pass
    os.chmod(folder, mode)  # past the umask


def _set(folder: str, text: str, say: Say, warn: Say) -> None:
    """One ``cgroup-opt``; a file that a group does not have may be another group's."""
    name, value = cgroup_option(text)
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        warn(f"cgroup-opt {text}: {folder} has no such file")
        return
    try:
        _write(path, value)
    except OSError as error:
        raise StartError(f"cgroup-opt {text}: {path}: {error.strerror}") from error
    say(f"cgroup-opt: {path} is {value}")


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, f"{text}\n".encode())
    finally:
        os.close(fd)
