"""The environment: the variables that configure, and the ones that the application is to find.

Read once, at start, by the process that reads the configuration.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping

from penstock.config.raw import RawOption

TAKEOVER = "PENSTOCK_TAKEOVER"
"""Names what a supervisor hands over to the penstock that it becomes."""
OWNED = "PENSTOCK_OWNED"
"""Names the file that must belong to whom we are: that of a vassal whose emperor is a tyrant."""
FIRST_ACTIVATED = 3  # SD_LISTEN_FDS_START of systemd
STANDARD_INPUT = "standard input"
"""Origin of a socket that is there in its place."""
PREFIXES = ("UWSGI_", "PENSTOCK_")
NOT_OPTIONS = {OWNED} | frozenset(
    f"UWSGI_{name}"
    for name in (
        "RELOADS", "VASSALS_DIR", "EMPEROR_FD", "BROODLORD_NUM", "EMPEROR_FD_CONFIG", "EMPEROR_PROXY",
        "JAIL_PID", "ORIGINAL_PROC_NAME",
    )
)  # fmt: skip
"""What uWSGI's processes tell each other by."""


def read_env(environ: Mapping[str, str] | None = None) -> list[RawOption]:
    """PORT, FORWARDED_ALLOW_IPS and WEB_CONCURRENCY as raw options; they come before all others.

    ``environ``: the process's own without it.
    """
    environ = os.environ if environ is None else environ
    raws = []
    if port := environ.get("PORT"):
        raws.append(RawOption("<port>", port, "environment PORT"))
    if peers := environ.get("FORWARDED_ALLOW_IPS"):
        raws.append(RawOption("trusted-proxies", peers, "environment FORWARDED_ALLOW_IPS"))
    if workers := environ.get("WEB_CONCURRENCY"):
        raws.append(RawOption("processes", workers, "environment WEB_CONCURRENCY"))
    return raws


def variables(environ: Mapping[str, str]) -> Iterator[RawOption]:
    """``UWSGI_X_Y=v`` as the option ``x-y = v``, in their order; then ``PENSTOCK_X_Y`` likewise."""
    for prefix in PREFIXES:
        for name, value in environ.items():
            if name.startswith(prefix) and name != prefix and name not in NOT_OPTIONS:
                key = name.removeprefix(prefix).lower().replace("_", "-")
                yield RawOption(key, value, f"environment {name}")


def take_activated(init: bool = False) -> list[RawOption]:
    """Sockets that systemd hands over (LISTEN_FDS), else the one that stands in the place of standard input,
    and no trace of them for what we start.

    ``init``: we are the child of our own PID 1, to which they were addressed.

    A name with ``http`` or ``uwsgi`` in it (FileDescriptorName=) says what the socket speaks.
    """
    pid, count = os.environ.pop("LISTEN_PID", ""), os.environ.pop("LISTEN_FDS", "")
    names = os.environ.pop("LISTEN_FDNAMES", "").split(":")
    addressed = {str(os.getpid()), "1"} if init else {str(os.getpid())}
    if pid not in addressed or not count.isdecimal():
        return take_standard_input()
    raws = []
    for index in range(int(count)):
        name = names[index] if index < len(names) else ""
        key = "http-socket" if "http" in name else "uwsgi-socket" if "uwsgi" in name else "<activated>"
        raws.append(RawOption(key, f"fd://{FIRST_ACTIVATED + index}", "environment LISTEN_FDS"))
    return raws


def take_standard_input() -> list[RawOption]:
    """The socket that listens in the place of standard input, as inetd and emperors start a server.

    It gets a number of its own, and standard input becomes empty: nobody reads from a listener.
    """
    try:
        if not stat.S_ISSOCK(os.fstat(0).st_mode):
            return []
    except OSError:
        return []
    import fcntl
    import socket

    with socket.socket(fileno=os.dup(0)) as sock:
        if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return []
    number = fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, FIRST_ACTIVATED)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return [RawOption("<activated>", f"fd://{number}", STANDARD_INPUT)]


def take_notify_socket() -> str:
    """systemd's NOTIFY_SOCKET, "" without one, and no trace of it for what we start."""
    return os.environ.pop("NOTIFY_SOCKET", "")


def take_watchdog() -> float:
    """Seconds within which systemd wants a sign of life (WatchdogSec=), 0.0 for none, and no trace of it."""
    pid, microseconds = os.environ.pop("WATCHDOG_PID", ""), os.environ.pop("WATCHDOG_USEC", "")
    if not microseconds.isdecimal() or pid not in ("", str(os.getpid())):
        return 0.0
    return int(microseconds) / 1e6


def owned() -> str:
    """The address whose file must belong to whom we are, "" without one."""
    return os.environ.get(OWNED, "")


def take_takeover() -> str:
    """What a supervisor hands over to the penstock that it becomes, "" in any other start."""
    return os.environ.pop(TAKEOVER, "")


def reloads(count: int) -> tuple[str, str]:
    """The variable that tells the programs of a server how often it has been reloaded (uWSGI's)."""
    return ("UWSGI_RELOADS", str(count))


def environment(pairs: Iterable[tuple[str, str | None]] = ()) -> dict[str, str]:
    """The environment for a program that we start: our own with ``pairs`` set, None unset."""
    found = dict(os.environ)
    for name, value in pairs:
        if value is None:
            found.pop(name, None)
        else:
            found[name] = value
    return found


def export(pairs: Iterable[tuple[str, str | None]]) -> None:
    """Set variables for the application; None unsets."""
    for name, value in pairs:
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
