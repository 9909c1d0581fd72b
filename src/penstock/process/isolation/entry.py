"""The stations of a start at which a server is shut in: before its sockets are bound, after it, and as user.

Called on the main thread by ``serve``, and by the process that has loaded the application where the rights
are dropped then. The order is uWSGI's, but for this: sockets are bound before the rights are dropped, so that
a port below 1024 needs no ``chown-socket``.
"""

import os
import sys

import penstock
from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.logs.setup import Diary
from penstock.process import identity as identities
from penstock.process import root
from penstock.process.hooks import start as hooks
from penstock.process.identity import ROOT, Identity
from penstock.process.isolation import jail, kernel, rights
from penstock.process.isolation.jail import Say, Way
from penstock.process.pid1 import become_init
from penstock.process.standing import Standing

LIBRARIES = (os.path.dirname(os.__file__), os.path.dirname(penstock.__file__))
"""Folders that Python and penstock are imported from."""


def way_of(settings: Settings, standing: Standing) -> Way:
    """How a starting process goes."""
    return Way(*told(settings, standing.diary), standing.refork)


def told(settings: Settings, diary: Diary) -> tuple[Say, Say, Say]:
    """The first three of a ``Way``."""

    def at(phase: str) -> None:
        if phase == "in-jail":
            hooks.in_jail(settings, diary.say)
        elif phase == "as-root":
            hooks.as_root(settings, diary.say)
        else:
            hooks.run(settings, phase, diary.say)

    return diary.info, diary.warning, at


def before_sockets(settings: Settings, standing: Standing) -> None:
    """Namespaces that others made, ``namespace``, ``cgroup``, and the jail unless that comes later. Raises
    StartError."""
    way = way_of(settings, standing)
    join_others(settings, standing, way)
    way.hooks("pre-jail")
    if settings.namespace:
        from penstock.process.isolation.enclosure import enclose

        standing.number = os.getpid()
        enclose(settings, way, standing.end)
        standing.inside()
    if settings.cgroup:
        from penstock.process.isolation import cgroups

        cgroups.join(settings, way.say, way.warn)
    way.hooks("in-jail")
    if not rights.late(settings):
        jail.enter(settings, way)
        arrived(standing)


def join_others(settings: Settings, standing: Standing, way: Way) -> None:
    """``setns-preopen`` and ``setns``. Raises StartError."""
    if not settings.setns and not settings.setns_preopen:
        return
    from penstock.process.isolation.joining import join, opened

    if settings.setns_preopen:
        standing.lent = opened(settings.setns_socket_skip)
    if settings.setns:
        if os.getuid() != ROOT:
            raise StartError(f"setns {settings.setns}: only root can do that")
        if join(settings.setns, way.say):
            standing.refork("setns")
            become_init()
            arrived(standing)


def after_sockets(settings: Settings, standing: Standing, folder: str) -> None:
    """The jail, where the sockets are to lie outside of it; then the user. ``folder`` is where what is done
    as user is to find itself, "" for where we are: uWSGI changes to ``chdir`` after it. Raises StartError."""
    if rights.postponed(settings):
        return
    if rights.late(settings):
        enter_late(settings, way_of(settings, standing))
        arrived(standing)
    become_user(settings, standing, folder)


def after_loading(settings: Settings, standing: Standing) -> None:
    """The same for a single process that has loaded the application (``drop-after-apps``)."""
    if rights.postponed(settings):
        enter_late(settings, way_of(settings, standing))
        arrived(standing)
        become_user(settings, standing)


def arrived(standing: Standing) -> None:
    """Where a new PID namespace was entered, we are not its first process, but the next."""
    if standing.diary.pid != os.getpid():
        standing.inside()


def become_user(settings: Settings, standing: Standing, folder: str = "") -> None:
    """Drop the rights; ``refork``; what is done as user, all of it for root alone, as in uWSGI. Raises
    StartError."""
    if os.getuid() != ROOT:
        return
    kept = rights.kept_by(settings)
    rights.OURS.kept = kept
    if drop(standing.identity, kept):
        look_around(settings, standing.diary.info)
    if settings.refork and not standing.number:
        standing.refork("refork")
    if folder:
        os.chdir(folder)
    hooks.run(settings, "as-user", standing.diary.say)
    if folder:
        root.change_folder("chdir", settings.chdir)


def enter_late(settings: Settings, way: Way) -> None:
    """The jail, after the change of folder, which another root makes meaningless: it is done once more
    inside. uWSGI stays in the folder outside, from where all that lies there can be reached."""
    jail.enter(settings, way)
    if os.getuid() == ROOT and (settings.chroot or settings.pivot_root):
        root.change_folder("chdir", settings.chdir)


def drop(identity: Identity | None, kept: tuple[int, ...]) -> bool:
    """Become who we are to be, or stay who we are with less; whether anything has changed. Raises
    StartError."""
    if identity is None and kept:
        identity = Identity(None, None, tuple(os.getgroups()))
    if identity is None:
        return False
    number = kernel.death_signal()
    identities.drop(identity, kept)
    kernel.set_death_signal(number)  # which a change of user clears (prctl(2))
    return True


def look_around(settings: Settings, say: Say) -> None:
    """We are who we are to be: that we can still work. uWSGI fails later, and says less. Raises
    StartError."""
    uid = os.getuid()
    say(f"uid {uid}, gid {os.getgid()}, groups {sorted(os.getgroups())}")
    closed = identities.unreadable(LIBRARIES)
    if closed:
        raise StartError(f"uid {uid}: it cannot read {closed}, which {sys.executable} imports from")
    folder = settings.chdir
    if folder and identities.unreadable((folder if os.path.isabs(folder) else ".",)):
        raise StartError(f"uid {uid}: it cannot read the folder of --chdir {folder}")


def loaded_by(settings: Settings, diary: Diary) -> None:
    """In a prototype, or a worker that loads the application: it is loaded, and what root was needed for is
    done. Raises StartError."""
    if not rights.postponed(settings) or os.getuid() != ROOT:
        return
    enter_late(settings, Way(*told(settings, diary), None))
    identity = identities.identity_of(
        settings.uid, settings.gid, settings.add_gid, lambda text: None, not settings.no_initgroups
    )  # what there is to warn of has been said by the supervisor
    if drop(identity, rights.kept_by(settings)):
        look_around(settings, diary.info)
    hooks.run(settings, "as-user", diary.say)
