"""Whose rights a supervisor acts with while its prototypes need others: root's, or some capabilities.

Used on the main thread of the supervisor and of prototypes. Credentials are the process's, and so is what is
kept here. With ``drop-after-apps`` the supervisor acts as the user, and takes root's rights for the moment in
which it starts a prototype: whatever it opens, writes and runs beside that is the user's. With
``master-as-root`` it stays root, as in uWSGI.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from penstock.config.household.isolation import CAPABILITIES, capabilities
from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.process.identity import ROOT, Identity
from penstock.process.isolation import kernel

KILL = CAPABILITIES.index("kill")
LOST = 1
"""Exit status of a supervisor that could not give root's rights back."""


def postponed(settings: Settings) -> bool:
    """Whether the rights are dropped when the application is loaded (``drop-after-apps``,
    ``master-as-root``), by the process that loads it."""
    return settings.drop_after_apps or settings.master_as_root


def late(settings: Settings) -> bool:
    """Whether uWSGI enters the jail after the sockets are bound, so that they lie outside of it."""
    return postponed(settings) or settings.drop_after_init or bool(settings.chown_socket)


class Rights:
    """``acting`` is whom a supervisor acts as that could be root again, ``kept`` the capabilities that a
    prototype is to find (``cap``)."""

    def __init__(self) -> None:
        self.acting: Identity | None = None
        self.groups: Sequence[int] = ()
        self.kept: tuple[int, ...] = ()
        self.death = 0

    def lower(self, identity: Identity, kept: tuple[int, ...] = ()) -> None:
        """Act as ``identity`` from now on. ``kept`` are its capabilities beside. Raises StartError."""
        self.groups = os.getgroups()
        self.death = kernel.death_signal()  # loads what it takes, too, while it can be read
        try:
            self._lower(identity, kept)
        except OSError as error:
            raise StartError(f"drop-after-apps: the system does not allow it: {error.strerror}") from error
        self.acting, self.kept = identity, kept

    def _lower(self, identity: Identity, kept: tuple[int, ...]) -> None:
        os.setgroups(identity.groups)
        if identity.gid is not None:
            os.setresgid(identity.gid, identity.gid, ROOT)
        if identity.uid:
            os.setresuid(identity.uid, identity.uid, ROOT)
            # A prototype that loads is root's, and may have to be killed.
            kernel.set_capabilities((KILL, *kept), permitted(), kept)
        kernel.set_death_signal(self.death)  # which a change of user clears (prctl(2))

    def take_back(self) -> None:
        """Be root, whole. Raises OSError."""
        if self.acting is not None:
            os.setresuid(ROOT, ROOT, ROOT)
            os.setresgid(ROOT, ROOT, ROOT)
            os.setgroups(self.groups)
        elif self.kept:
            kernel.raise_ambient(self.kept)

    def give_back(self) -> None:
        """Undo ``take_back``. A process that cannot must not go on."""
        try:
            if self.acting is not None:
                self._lower(self.acting, self.kept)
            elif self.kept:
                kernel.clear_ambient()
        except Exception:
            os._exit(LOST)

    @contextmanager
    def whole(self) -> Iterator[None]:
        """For the start of a program that is to have what we could have. Raises OSError."""
        self.take_back()
        try:
            yield
        finally:
            self.give_back()


OURS = Rights()
"""This process's."""


def permitted() -> tuple[int, ...]:
    """The numbers of the capabilities that this process can take (CapPrm, proc(5))."""
    with open("/proc/self/status", "rb") as status:
        mask = next((int(line.split()[1], 16) for line in status if line.startswith(b"CapPrm:")), 0)
    return tuple(number for number in range(mask.bit_length()) if mask >> number & 1)


def kept_by(settings: Settings) -> tuple[int, ...]:
    """The capabilities that ``cap`` names."""
    return capabilities(settings.cap)


def begin(settings: Settings) -> None:
    """In a prototype: have what it was started with, and do not pass it on to every program. Raises
    StartError."""
    kept = kept_by(settings)
    if not kept or postponed(settings):
        return
    try:
        kernel.clear_ambient()
        if os.geteuid() == ROOT:  # an exec has given root everything again
            kernel.set_capabilities(kept, kept, kept)
    except OSError as error:
        raise StartError(f"cap {settings.cap}: {error.strerror}") from error
