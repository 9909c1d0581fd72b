"""A process's bond to an emperor above it: the pipe between the two, and what settings are under one.

In every server's process, and in an emperor that has an emperor itself. The words are uWSGI's, one octet
each, so that the other side may be a uWSGI. It does not know what is said when.
"""

import os
import socket
from contextlib import suppress
from dataclasses import replace
from typing import Any

from penstock.config.address import Address
from penstock.config.household.bonds import take_bond
from penstock.config.listening import WORDED
from penstock.config.settings import ListenerSpec, Settings
from penstock.process.launch import Launch

STOP, RELOAD, STOP_GRACEFULLY = 0, 1, 2
"""What an emperor says to a vassal, one octet each (uWSGI's numbers)."""
READY, ACCEPTING, LOYAL, RETIRE, HEARTBEAT, HELP = 1, 5, 17, 22, 26, 30
"""What a vassal says to its emperor."""
GONE = "the emperor is gone"


class Bond:
    """The pipe. ``number`` is its descriptor, -1 without an emperor."""

    def __init__(self, number: int) -> None:
        self.number = number

    def tell(self, *words: int) -> None:
        """Say something. An emperor that does not listen, or is gone, is not waited for."""
        if self.number >= 0:
            with suppress(OSError):
                os.write(self.number, bytes(words))

    def heard(self) -> bytes | None:
        """What the emperor has said; None when nobody is there any more."""
        try:
            return os.read(self.number, 64) or None
        except BlockingIOError:
            return b""
        except OSError:
            return None


bond = Bond(-1)  # of this process, filled in by ``swear``


def swear(number: int | None = None) -> bool:
    """Find out whether there is an emperor (``number``: its descriptor is known), and so whether we are a
    vassal. What we start is none."""
    bond.number = take_bond() if number is None else number
    if bond.number >= 0:
        try:
            os.set_inheritable(bond.number, False)
            os.set_blocking(bond.number, False)
        except OSError:
            bond.number = -1  # left over by whoever started us
    return bond.number >= 0


# ---- What a vassal's settings are ---------------------------------------------------------------------


def governed(settings: Settings) -> Settings:
    """Settings as a vassal has them: it does not leave its emperor for the background, but logs where it
    would have; and it listens on the socket that has woken it, in place of opening that address."""
    changes: dict[str, Any] = {}
    if bond.number >= 0:
        for daemonize, log in (("daemonize", "logto"), ("daemonize2", "logto2")):
            if getattr(settings, daemonize):
                changes |= {log: getattr(settings, daemonize), daemonize: ""}
    found = woken(settings.listeners)
    if found is not settings.listeners:
        changes["listeners"] = found
    return settings.but(**changes) if changes else settings


def governing(launch: Launch) -> Launch:
    """How a vassal was started: what is read again for a reload is a vassal's too."""
    read = launch.read
    return launch if read is None else replace(launch, read=lambda: governed(read()))


def woken(specs: tuple[ListenerSpec, ...]) -> tuple[ListenerSpec, ...]:
    """``specs``, where a socket that was handed over (by an emperor as standard input, by systemd) takes the
    place of the one whose address it has, as in uWSGI; the same where no two belong together."""
    for given in [spec for spec in specs if spec.parsed.kind == "fd"]:
        name = name_of(given.parsed.fd)
        asked = next((spec for spec in specs if name is not None and same(spec.parsed, name)), None)
        if asked is not None:
            _, comma, words = asked.address.partition(",") if asked.option in WORDED else ("", "", "")
            here = asked._replace(address=f"{given.address}{comma}{words}", parsed=given.parsed)
            specs = tuple(here if spec is asked else spec for spec in specs if spec is not given)
    return specs


def name_of(fd: int) -> Any:
    """The address of a socket, None for what is none."""
    try:
        with socket.socket(fileno=os.dup(fd)) as sock:
            return sock.getsockname()
    except OSError:
        return None


def same(address: Address, name: Any) -> bool:
    """Whether an address is that of a socket."""
    if isinstance(name, tuple):
        hosts = ("", name[0]) if name[0] in ("0.0.0.0", "::") else (name[0],)
        return address.kind == "tcp" and address.port == name[1] and address.host in hosts
    path = os.fsdecode(name)
    if address.kind == "abstract" or path[:1] in ("", "\0"):
        return address.kind == "abstract" and path == f"\0{address.path}"
    return address.kind == "unix" and os.path.realpath(path) == os.path.realpath(address.path)
