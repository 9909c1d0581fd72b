"""Vassals that are started by their first connection: which socket that is, and the socket itself.

Runs in the emperor, which holds the socket for good: it is there before the vassal, and when it has gone
again. It accepts nothing.
"""

import os
import shlex
import signal
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from penstock.config.address import parse_address
from penstock.config.settings import Settings
from penstock.config.sources.env import environment
from penstock.core.errors import ConfigError, StartError
from penstock.net.listening import bind_tcp, bind_unix
from penstock.process.emperor.scan import Found, Realm
from penstock.process.emperor.vassal import Vassal
from penstock.process.identity import ROOT
from penstock.process.isolation import kernel
from penstock.process.programs.programs import House, Program, run, shell_of

MODE = 0o666  # of UNIX sockets, as in uWSGI
LONGEST = 4096  # octets of a file that names a socket
PATIENCE = 30.0  # seconds for the program of emperor-on-demand-exec

Key = tuple[int, str]
Answer = Callable[[str], None]


class Demand:
    """Of one emperor. ``asked`` are the files about which a program is being asked, ``theirs`` those whose
    address was written by their user, under a tyrant."""

    def __init__(self, house: House, settings: Settings) -> None:
        self.house = house
        self.settings = settings
        self.asked: set[Key] = set()
        self.theirs: set[Key] = set()

    def ask(self, realm: Realm, found: Found, answer: Answer) -> None:
        """``answer`` with the address that is to start the vassal, "" where it always runs."""
        settings = self.settings
        if settings.emperor_on_demand_extension:
            path = realm.path(found.name) + settings.emperor_on_demand_extension
            address, owner = first_line(path, found.uid if settings.emperor_tyrant else None)
            (self.theirs.add if settings.emperor_tyrant and owner else self.theirs.discard)(
                (realm.number, found.name)
            )
            answer(address)
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
        timer = self.house.watch.later(PATIENCE, lambda: running.signal(signal.SIGKILL))


def first_line(path: str, uid: int | None = None) -> tuple[str, int]:
    """What stands in a file before the first control character, and whose file that is; "" without one, and
    for what is no plain file: a pipe would have the emperor wait. ``uid``: a file that is neither this
    user's nor there by root's own hand is none, else a link of the user's would have root read anything to
    them."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return "", 0
    with open(fd, "rb") as file:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or (uid is not None and not owned(path, found, uid)):
            return "", 0
        text = os.fsdecode(file.read(LONGEST))
    end = next((at for at, letter in enumerate(text) if letter < " "), len(text))
    return text[:end], found.st_uid


def owned(path: str, found: os.stat_result, uid: int) -> bool:
    """Whether an open file is a user's, or root's and was found without a link."""
    try:
        return found.st_uid == uid or (found.st_uid == 0 and os.path.samestat(os.lstat(path), found))
    except OSError:
        return False


def listen(settings: Settings, vassal: Vassal) -> None:
    """Open the socket of a vassal's address. Raises StartError.

    One that answers already is an error; uWSGI takes the path away from whoever listens there. One that a
    tyrant's vassal has named itself is opened with that vassal's rights; in uWSGI with root's, at any place.
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
    with acting(vassal):
        if address.kind == "tcp":
            (vassal.listening,) = bind_tcp(address.host, address.port, settings.backlog)
            return
        path = f"@{address.path}" if address.kind == "abstract" else vassal.realm.path(address.path)
        vassal.listening = bind_unix(path, settings.backlog, mode=MODE)
        vassal.path = "" if address.kind == "abstract" else path


@contextmanager
def acting(vassal: Vassal) -> Iterator[None]:
    """With the rights of a vassal that has named its address itself: root must neither make nor remove
    anything at a place that somebody else chose. The saved user stays root's. Raises StartError."""
    if not vassal.own:
        yield
        return
    groups, number = os.getgroups(), kernel.death_signal()
    try:
        os.setgroups(())
        os.setegid(vassal.found.gid)
        os.seteuid(vassal.found.uid)
        yield
    except OSError as error:
        raise StartError(f"{vassal.address}: {error.strerror}") from error
    finally:
        os.seteuid(ROOT)
        os.setegid(ROOT)
        os.setgroups(groups)
        kernel.set_death_signal(number)  # which a change of user clears (prctl(2))


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
            with suppress(OSError, StartError), acting(vassal):
                os.unlink(vassal.path)
