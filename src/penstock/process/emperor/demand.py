"""Vassals that are started by their first connection: which socket that is, and the socket itself.

Runs in the emperor, which holds the socket for good: it is there before the vassal, and when it has gone
again. It accepts nothing.
"""

import os
import shlex
import socket
from collections.abc import Callable
from contextlib import suppress

from penstock.config.address import parse_address
from penstock.config.settings import Settings
from penstock.config.sources.env import environment
from penstock.core.errors import ConfigError, StartError
from penstock.net.listener import bind_tcp, bind_unix
from penstock.process.emperor.scan import Found, Realm
from penstock.process.emperor.vassal import Vassal
from penstock.process.household.programs import House, Program, run, shell_of

MODE = 0o666  # of UNIX sockets, as in uWSGI
LONGEST = 4096  # octets of a file that names a socket
PATIENCE = 30.0  # seconds for the program of emperor-on-demand-exec

Answer = Callable[[str], None]


class Demand:
    """Of one emperor. ``asked`` are the files about which a program is being asked."""

    def __init__(self, house: House, settings: Settings) -> None:
        self.house = house
        self.settings = settings
        self.asked: set[tuple[int, str]] = set()

    def ask(self, realm: Realm, found: Found, answer: Answer) -> None:
        """``answer`` with the address that is to start the vassal, "" where it always runs."""
        settings = self.settings
        if settings.emperor_on_demand_extension:
            answer(first_line(realm.path(found.name) + settings.emperor_on_demand_extension))
        elif settings.emperor_on_demand_directory:
            stem = os.path.splitext(os.path.basename(found.name))[0]
            answer(os.path.join(settings.emperor_on_demand_directory, f"{stem}.socket"))
        elif settings.emperor_on_demand_exec:
            self.inquire(realm, found, answer)
        else:
            answer("")

    def inquire(self, realm: Realm, found: Found, answer: Answer) -> None:
        """Ask ``emperor-on-demand-exec``: the first line that it writes, within a time."""
        key = (realm.number, found.name)
        if key in self.asked:
            return
        lines: list[str] = []
        program = Program(
            command=f"{self.settings.emperor_on_demand_exec} {shlex.quote(found.name)}",
            label=f"emperor-on-demand-exec {found.name}",
            environ=environment(),
            shell=shell_of(self.settings.binsh),
            folder=realm.folder,
        )

        def ended(status: int) -> None:
            timer.cancel()
            self.asked.discard(key)
            answer(lines[0].strip() if lines else "")

        try:
            running = run(self.house, program, ended, lines.append)
        except OSError as error:
            self.house.diary.error(f"vassal {found.name}: emperor-on-demand-exec: {error.strerror}")
            return
        self.asked.add(key)
        timer = self.house.watch.later(PATIENCE, lambda: running.signal(9))


def first_line(path: str) -> str:
    """What stands in a file before the first control character; "" without one."""
    try:
        with open(path, "rb") as file:
            text = os.fsdecode(file.read(LONGEST))
    except OSError:
        return ""
    end = next((at for at, letter in enumerate(text) if letter < " "), len(text))
    return text[:end]


def listen(settings: Settings, vassal: Vassal) -> None:
    """Open the socket of a vassal's address. Raises StartError.

    One that answers already is an error; uWSGI takes the path away from whoever listens there.
    """
    try:
        address = parse_address(vassal.address)
    except ConfigError as error:
        raise StartError(str(error)) from None
    if address.kind == "fd":
        raise StartError(f"{vassal.address}: an address is expected")
    if address.kind == "tcp" and not numeric(address.host):
        raise StartError(
            f"{vassal.address}: a number is expected for the host, since nobody looks it up here"
        )
    if address.kind == "tcp":
        (vassal.listening,) = bind_tcp(address.host, address.port, settings.backlog)
    else:
        path = f"@{address.path}" if address.kind == "abstract" else vassal.realm.path(address.path)
        vassal.listening = bind_unix(path, settings.backlog, mode=MODE)
        vassal.path = "" if address.kind == "abstract" else path


def numeric(host: str) -> bool:
    """Whether a host is an address already; the emperor waits for no name server. "" is every address."""
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            socket.inet_pton(family, host)
            return True
    return not host


def close(vassal: Vassal) -> None:
    """Hold it no more, and remove its path."""
    if vassal.listening is not None:
        vassal.listening.close()
        vassal.listening = None
        if vassal.path:
            with suppress(OSError):
                os.unlink(vassal.path)
