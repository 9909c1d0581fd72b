"""uWSGI's table of hook actions: what each one does, where the process may wait for it.

Called by ``phases`` on the main thread of a process that starts, and by ``turns`` in a child of one that
must not wait. It does not know the phase; what an action means to one process only, that process brings.
"""

import errno
import grp
import os
import pwd
import socket
import stat
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from penstock.config.household import hooks
from penstock.config.household.hooks import Hook
from penstock.config.settings import Settings
from penstock.config.sources.env import environment, export
from penstock.core.errors import PenstockError, StartError
from penstock.process.hooks import mounts, shell, waiting
from penstock.process.programs.programs import shell_of

LOOK = 0.1  # seconds between two looks whether a pipe has a reader
NEW = 0o666  # less the umask

Own = Mapping[str, Callable[[str], None]]
"""Actions that a process carries out in its own way, by name; what they raise is a failure."""


class HookError(PenstockError):
    """A hook did not do what it was to do; the text says why."""


class Exit(StartError):
    """``exit:N``: the process is to end with this status."""


@dataclass(frozen=True)
class Place:
    """Where a hook is carried out: ``say`` takes a line for the log."""

    settings: Settings
    say: Callable[[str], None]
    own: Own = field(default_factory=dict)


def perform(hook: Hook, place: Place) -> None:
    """Carry it out, and wait until it is. Raises OSError, HookError and StartError."""
    own = place.own.get(hook.action)
    if own is not None:
        own(hook.argument)
    else:
        ACTIONS[hook.action](hook.argument, place)


# ---- Programs and the process itself --------------------------------------------------------------------


def _exec(argument: str, place: Place) -> None:
    settings = place.settings
    status = shell.wait_for(argument, shell_of(settings.binsh), environment(settings.env_pairs))
    if status:
        raise HookError(ended(status))


def ended(status: int) -> str:
    """How a command ended, for people. uWSGI takes one that a signal has killed for one that went well."""
    return f"exit status {status}" if status > 0 else f"killed by signal {-status}"


def _safeexec(argument: str, place: Place) -> None:
    try:
        _exec(argument, place)
    except (HookError, OSError) as error:
        place.say(f"penstock: {argument}: {error}; safeexec goes on")


def _putenv(argument: str, place: Place) -> None:
    name, equals, value = argument.partition("=")
    export([(name, value if equals else None)])


def _exit(argument: str, place: Place) -> None:
    raise Exit(f"exit:{argument}", hooks.status_of(argument))


def _print(argument: str, place: Place) -> None:
    place.say(argument)


def _alarm(argument: str, place: Place) -> None:
    name, text = hooks.alarm_of(argument)
    place.say(f"penstock: alarm {name}: {text} (only a supervisor and its workers raise alarms)")


def _no_signal(argument: str, place: Place) -> None:
    # So it is in uWSGI, whose master and workers take their signals after these phases.
    place.say(
        f"penstock: unix_signal:{argument}: not here; hook-master-start and hook-accepting set what signals "
        "mean"
    )


def _no_call(argument: str, place: Place) -> None:
    raise HookError("only a supervisor does that (hook-master-start, hook-touch)")


# ---- Files ----------------------------------------------------------------------------------------------


def _write(flags: int, end: str, argument: str) -> None:
    path, text = hooks.two(argument)
    put(path, flags, text + end)


def put(path: str, flags: int, text: str) -> None:
    """Write a text to a file that is opened so. Raises OSError."""
    fd = os.open(path, os.O_WRONLY | flags, NEW)
    try:
        rest = os.fsencode(text)
        while rest:
            rest = rest[os.write(fd, rest) :]
    finally:
        os.close(fd)


def _appendn(argument: str, place: Place) -> None:
    path, _, text = argument.partition(" ")
    put(path, os.O_CREAT | os.O_APPEND, f"{text}\n")


def _create(argument: str, place: Place) -> None:
    put(argument, os.O_CREAT | os.O_TRUNC, "")


def _writefifo(argument: str, place: Place) -> None:
    path, text = hooks.two(argument)
    try:
        put(path, os.O_NONBLOCK, text)
    except OSError as error:
        if error.errno not in (errno.ENXIO, errno.ENODEV):  # nobody reads it: that is well
            raise


def _spinningfifo(argument: str, place: Place) -> None:
    path, text = hooks.two(argument)
    place.say(f"penstock: waiting for a reader of {path}")
    while True:
        try:
            put(path, os.O_NONBLOCK, text)
            return
        except OSError as error:
            if error.errno not in (errno.ENXIO, errno.ENODEV, errno.ENOENT):
                raise
        time.sleep(LOOK)


def _chmod(argument: str, place: Place) -> None:
    os.chmod(*hooks.mode_of(argument))


def _sticky(argument: str, place: Place) -> None:
    os.chmod(argument, stat.S_IMODE(os.stat(argument).st_mode) | stat.S_ISVTX)


def _chown(argument: str, place: Place) -> None:
    path, user, group = hooks.owner_of(argument)
    try:
        os.chown(path, pwd.getpwnam(user).pw_uid, grp.getgrnam(group).gr_gid)
    except KeyError as error:
        raise HookError(f"{error.args[0]!s} (chown2 takes numbers)") from None


# ---- The table ------------------------------------------------------------------------------------------

CREATE, FRESH = os.O_CREAT | os.O_APPEND, os.O_CREAT | os.O_TRUNC

ACTIONS: Mapping[str, Callable[[str, Place], None]] = {
    **dict.fromkeys(("cd", "chdir"), lambda argument, place: os.chdir(argument)),
    "mkdir": lambda argument, place: os.mkdir(argument, 0o777),
    "putenv": _putenv,
    "chmod": _chmod,
    "chown": _chown,
    "chown2": lambda argument, place: os.chown(*hooks.numbers_of(argument)),
    "sticky": _sticky,
    "exec": _exec,
    "safeexec": _safeexec,
    **dict.fromkeys(("create", "creat"), _create),
    "write": lambda argument, place: _write(FRESH, "", argument),
    "writen": lambda argument, place: _write(FRESH, "\n", argument),
    "append": lambda argument, place: _write(CREATE, "", argument),
    "appendn": _appendn,
    "writefifo": _writefifo,
    "spinningfifo": _spinningfifo,
    "unlink": lambda argument, place: os.unlink(argument),
    "mount": lambda argument, place: mounts.mount(hooks.mount_of(argument)),
    "umount": lambda argument, place: mounts.umount(hooks.umount_of(argument)),
    "hostname": lambda argument, place: socket.sethostname(argument),
    "alarm": _alarm,
    "wait_for_fs": lambda path, place: waiting.for_kind(place.settings, path, "fs", place.say),
    "wait_for_file": lambda path, place: waiting.for_kind(place.settings, path, "file", place.say),
    "wait_for_dir": lambda path, place: waiting.for_kind(place.settings, path, "dir", place.say),
    "wait_for_socket": lambda text, place: waiting.for_socket(place.settings, text, place.say),
    "unix_signal": _no_signal,
    **dict.fromkeys(("call", "callret", "callint", "callintret"), _no_call),
    "exit": _exit,
    **dict.fromkeys(("print", "log"), _print),
}
"""By name; ``rpc`` and ``retryrpc`` are refused when the configuration is read."""
