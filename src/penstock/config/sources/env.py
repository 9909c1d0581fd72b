"""The environment: the variables that configure, and the ones that the application is to find."""

import os
from collections.abc import Iterable

from penstock.config.raw import RawOption

FIRST_ACTIVATED = 3  # SD_LISTEN_FDS_START of systemd


def read_env() -> list[RawOption]:
    """PORT, FORWARDED_ALLOW_IPS and WEB_CONCURRENCY as raw options; they come before all others."""
    raws = []
    if port := os.environ.get("PORT"):
        raws.append(RawOption("<port>", port, "environment PORT"))
    if peers := os.environ.get("FORWARDED_ALLOW_IPS"):
        raws.append(RawOption("trusted-proxies", peers, "environment FORWARDED_ALLOW_IPS"))
    if workers := os.environ.get("WEB_CONCURRENCY"):
        raws.append(RawOption("processes", workers, "environment WEB_CONCURRENCY"))
    return raws


def take_activated(init: bool = False) -> list[RawOption]:
    """Sockets that systemd hands over (LISTEN_FDS), and no trace of them for what we start.

    ``init``: we are the child of our own PID 1, to which they were addressed.

    A name with ``http`` or ``uwsgi`` in it (FileDescriptorName=) says what the socket speaks.
    """
    pid, count = os.environ.pop("LISTEN_PID", ""), os.environ.pop("LISTEN_FDS", "")
    names = os.environ.pop("LISTEN_FDNAMES", "").split(":")
    addressed = {str(os.getpid()), "1"} if init else {str(os.getpid())}
    if pid not in addressed or not count.isdecimal():
        return []
    raws = []
    for index in range(int(count)):
        name = names[index] if index < len(names) else ""
        key = "http-socket" if "http" in name else "uwsgi-socket" if "uwsgi" in name else "<activated>"
        raws.append(RawOption(key, f"fd://{FIRST_ACTIVATED + index}", "environment LISTEN_FDS"))
    return raws


def export(pairs: Iterable[tuple[str, str | None]]) -> None:
    """Set variables for the application; None unsets."""
    for name, value in pairs:
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
