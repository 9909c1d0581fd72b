"""Hooks as uWSGI writes them, ``action:argument``: what is to be done, checked as far as a text can be.

Pure: nothing is done here and nothing is looked at, so that a mistake is found when the configuration is
read. Read at boot, and again by whoever carries hooks out.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from penstock.config.household.waits import parse_socket

SYMBOLS: Mapping[str, str] = MappingProxyType(
    {
        "gracefully_kill_them_all": "stop",
        "kill_them_all": "stop-now",
        "grace_them_all": "reload",
        "reap_them_all": "reload-brutal",
        "uwsgi_reload_workers": "reload-workers",
        "uwsgi_brutally_reload_workers": "reload-brutal-workers",
        "uwsgi_chain_reload": "reload-chain",
        "suspend_resume_them_all": "pause",
        "uwsgi_cheaper_increase": "add-workers",
        "uwsgi_cheaper_decrease": "remove-workers",
        "uwsgi_go_cheap": "cheap",
        "uwsgi_log_reopen": "reopen-logs",
        "uwsgi_log_rotate": "rotate-logs",
        "uwsgi_update_pidfiles": "write-pidfiles",
        "uwsgi_refork_master": "upgrade",
        "stats": "log-status",
        "gracefully_kill": "leave",
        "end_me": "halt",
    }
)
"""Functions of uWSGI's that files name, and the command of a running server that each one is here; the last
two are a worker's own."""
OWN = ("leave", "halt")
FLAGS: Mapping[str, int] = MappingProxyType(
    {
        **{"ro": 1, "rdonly": 1, "readonly": 1, "nosuid": 2, "nodev": 4, "noexec": 8, "sync": 16},
        **{"remount": 32, "mandlock": 64, "dirsync": 128, "noatime": 1024, "bind": 4096, "move": 8192},
        **{"rec": 16384, "recursive": 16384, "private": 1 << 18, "shared": 1 << 20},
        **{"force": 1, "detach": 2},
    }
)
"""uWSGI's names of the flags of mount(2) and, the last two, of umount2(2)."""
SIGNALS = 64  # the highest number of a signal (signal(7))
NOT_TAKEN = (9, 19, 17, 32, 33)
"""KILL and STOP have no handler, by CHLD children are reaped, and two are the C library's own."""
NOBODY = (1 << 32) - 1  # the number that chown(2) takes for none


class Hook(NamedTuple):
    """One action with its ``argument``; ``private``: the log does not show it."""

    action: str
    argument: str
    private: bool = False

    @property
    def shown(self) -> str:
        """For the log."""
        return "--- PRIVATE HOOK ---" if self.private else f'"{self.action}:{self.argument}"'


class Touched(NamedTuple):
    """``hook-touch``: what is done when ``file`` is touched."""

    file: str
    hook: Hook


class Mount(NamedTuple):
    """A file system; ``what`` is mounted at ``where``, ``data`` is the type's own affair."""

    type: str
    what: str
    where: str
    flags: int = 0
    data: str = ""


# ---- Arguments ------------------------------------------------------------------------------------------


def anything(argument: str) -> None:
    """Whatever it is."""


def something(argument: str) -> None:
    """Anything but nothing."""
    if not argument:
        raise ValueError("an argument is expected behind the colon")


def two(argument: str) -> tuple[str, str]:
    """A file, and the rest behind one space."""
    file, space, text = argument.partition(" ")
    if not (file and space):
        raise ValueError("FILE TEXT is expected")
    return file, text


def mode_of(argument: str) -> tuple[str, int]:
    """``FILE MODE``, three or four octal digits. uWSGI drops the first of four, and counts letters in."""
    file, _, mode = argument.partition(" ")
    if not file or len(mode) not in (3, 4) or set(mode) - set("01234567"):
        raise ValueError("FILE MODE is expected, the mode in three or four octal digits")
    return file, int(mode, 8)


def owner_of(argument: str) -> tuple[str, str, str]:
    """``FILE USER GROUP``."""
    parts = argument.split(" ", 2)
    if len(parts) < 3 or not all(parts):
        raise ValueError("FILE USER GROUP is expected")
    return parts[0], parts[1], parts[2]


def numbers_of(argument: str) -> tuple[str, int, int]:
    """The same in numbers."""
    file, user, group = owner_of(argument)
    if not (user.isdecimal() and group.isdecimal()):
        raise ValueError("FILE UID GID is expected, numbers; chown takes names")
    if max(int(user), int(group)) >= NOBODY:
        raise ValueError(f"numbers below {NOBODY} are expected")
    return file, int(user), int(group)


def status_of(argument: str) -> int:
    """An exit status, 0 without one. Of one digit uWSGI makes 0; here it is what is written."""
    if not argument:
        return 0
    if not argument.isdecimal() or int(argument) > 255:
        raise ValueError("an exit status from 0 to 255 is expected")
    return int(argument)


def flags_of(text: str) -> int:
    """``ro,bind``."""
    found = 0
    for name in filter(None, text.split(",")):
        if name != "defaults":
            if name not in FLAGS:
                raise ValueError(f"there is no flag {name!r} of mounts: {', '.join(sorted(FLAGS))}")
            found |= FLAGS[name]
    return found


def mount_of(argument: str) -> Mount:
    """``TYPE SOURCE FOLDER [FLAGS [DATA]]``; the type may be empty, for a bind."""
    parts = argument.split(" ", 4)
    if len(parts) < 3 or not parts[2]:
        raise ValueError("TYPE SOURCE FOLDER [FLAGS [DATA]] is expected")
    kind, what, where, flags, data = [*parts, "", ""][:5]
    return Mount(kind, what, where, flags_of(flags), data)


def umount_of(argument: str) -> Mount:
    """``FOLDER [FLAGS]``."""
    where, _, flags = argument.partition(" ")
    if not where:
        raise ValueError("FOLDER [FLAGS] is expected")
    return Mount("", "", where, flags_of(flags))


def signal_of(argument: str) -> tuple[int, str]:
    """``NUMBER FUNCTION``: a signal, and the command that it asks for from then on."""
    number, _, symbol = argument.partition(" ")
    if not number.isdecimal() or not 1 <= int(number) <= SIGNALS:
        raise ValueError("NUMBER FUNCTION is expected, the number of a signal")
    if int(number) in NOT_TAKEN:
        raise ValueError(f"signal {number} cannot be taken")
    return int(number), command_of(symbol)


def call_of(argument: str) -> str:
    """``FUNCTION [ARGUMENT]``, which none of those that are known looks at."""
    return command_of(argument.partition(" ")[0])


def command_of(symbol: str) -> str:
    """What a function of uWSGI's is here."""
    if symbol not in SYMBOLS:
        known = ", ".join(SYMBOLS)
        raise ValueError(f"{symbol!r}: C functions are not called; those that have a meaning here: {known}")
    return SYMBOLS[symbol]


def alarm_of(argument: str) -> tuple[str, str]:
    """``ALARM TEXT``."""
    name, space, text = argument.partition(" ")
    if not (name and space):
        raise ValueError("ALARM TEXT is expected")
    return name, text


def refused(argument: str) -> None:
    """What is known, and not done."""
    raise ValueError("there are no functions to call from afar (RPC); use exec")


CHECKS: Mapping[str, Callable[[str], object]] = MappingProxyType(
    {
        **dict.fromkeys(("cd", "chdir", "mkdir", "putenv", "sticky", "unlink", "hostname"), something),
        **dict.fromkeys(("create", "creat", "appendn"), something),
        **dict.fromkeys(("wait_for_fs", "wait_for_file", "wait_for_dir"), something),
        **dict.fromkeys(("write", "writen", "append", "writefifo", "spinningfifo"), two),
        **dict.fromkeys(("exec", "safeexec", "print", "log"), anything),
        **dict.fromkeys(("call", "callret", "callint", "callintret"), call_of),
        **dict.fromkeys(("rpc", "retryrpc"), refused),
        "wait_for_socket": parse_socket,
        "chmod": mode_of,
        "chown": owner_of,
        "chown2": numbers_of,
        "mount": mount_of,
        "umount": umount_of,
        "alarm": alarm_of,
        "unix_signal": signal_of,
        "exit": status_of,
    }
)
"""Every action of uWSGI's table, with what looks at its argument."""


# ---- Whole values ---------------------------------------------------------------------------------------


def checked(hook: Hook) -> Hook:
    """The same. Raises ValueError when its argument is none for its action."""
    try:
        CHECKS[hook.action](hook.argument)
    except ValueError as error:
        raise ValueError(f"{hook.action}: {error}") from None
    return hook


def parse(text: str) -> Hook:
    """``action:argument``, ``!action:argument``. Raises ValueError with what is expected."""
    action, colon, argument = text.partition(":")
    if not colon:
        raise ValueError("a hook is expected, ACTION:ARGUMENT")
    private = action.startswith("!")
    action = action.removeprefix("!")
    if action not in CHECKS:
        raise ValueError(f"there is no hook action {action!r}; there are {', '.join(sorted(CHECKS))}")
    return checked(Hook(action, argument, private))


def parse_touch(text: str) -> Touched:
    """``FILE ACTION:ARGUMENT``; without an action uWSGI crashes at the first touch. Raises ValueError."""
    file, _, hook = text.partition(" ")
    if not file or not hook:
        raise ValueError("FILE ACTION:ARGUMENT is expected")
    return Touched(file, parse(hook))


def parse_file_write(text: str) -> tuple[str, str]:
    """``FILE=TEXT``. Raises ValueError."""
    file, equals, content = text.partition("=")
    if not (file and equals):
        raise ValueError("FILE=TEXT is expected")
    return file, content


def parse_option(name: str, text: str) -> object:
    """A value of any option of these families: ``hook-*``, ``exec-*``, ``mount-*``, ``umount-*`` and
    ``file-write``, by the option's name. Raises ValueError with what is expected."""
    special: dict[str, Callable[[str], object]] = {
        "hook-touch": parse_touch,
        "file-write": parse_file_write,
    }
    if name in special:
        return special[name](text)
    family = name.partition("-")[0]
    return parse(text) if family == "hook" else checked(Hook(family, text))
