"""The way into a jail, in uWSGI's order: namespaces, hooks, another root, namespaces again, the last as root.

Called on the main thread: at a start by ``serve`` before the sockets are bound, or after that where uWSGI
does so; with ``drop-after-apps`` and ``master-as-root`` by the process that has loaded the application. It
is entered once. uWSGI walks the whole way again at each of its moments while nobody has told it a uid, and
once in each worker with ``master-as-root``.
"""

import os
from collections.abc import Callable
from typing import NamedTuple

from penstock.config.household import isolation as texts
from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.process import root
from penstock.process.identity import ROOT
from penstock.process.isolation import kernel
from penstock.process.pid1 import become_init

Say = Callable[[str], None]
ONLY_ROOT = ("unshare", "unshare2", "pivot_root", "cgroup", "cap")


class Way(NamedTuple):
    """``say`` and ``warn`` take lines for the log; ``hooks(phase)`` runs what is to run then;
    ``fork(option)`` goes on in a fork, None where that is not possible."""

    say: Say
    warn: Say
    hooks: Callable[[str], None]
    fork: Callable[[str], None] | None


def enter(settings: Settings, way: Way) -> None:
    """All of it. Raises StartError, which names the option; the process must not go on then."""
    if os.getuid() != ROOT:
        _stay(settings, way)
        return
    first = _leave("unshare", settings.unshare, way)
    if first:
        way.hooks("post-jail")
        if settings.refork_post_jail or first & texts.NEW_PID:
            _fork("refork-post-jail", first, way)
    root.change_root(settings.chroot, way.warn)
    root.pivot(settings.pivot_root)
    second = _leave("unshare2", settings.unshare2, way)
    if settings.refork_as_root or second & texts.NEW_PID:
        _fork("refork-as-root", first | second, way)
    way.hooks("as-root")


def _stay(settings: Settings, way: Way) -> None:
    """Not root: the same refusal of ``chroot`` as in uWSGI, which passes over all else without a word."""
    if settings.chroot:
        raise StartError(f"chroot {settings.chroot}: only root can do that")
    for field in ONLY_ROOT:
        if getattr(settings, field):
            way.warn(f"{field.replace('_', '-')} is not acted on: only root can do that")


def _leave(option: str, text: str, way: Way) -> int:
    """Leave the namespaces that ``text`` names for new ones; the kernel's flags. Raises StartError."""
    flags = texts.namespaces(text)
    if not flags:
        return 0
    if flags & texts.NEW_PID and way.fork is None:
        raise StartError(
            f"{option} {text}: with drop-after-apps and master-as-root there can be no new PID namespace: "
            "the supervisor would be outside of it; leave pid out, or drop the privileges earlier"
        )
    try:
        kernel.unshare(flags)
        if flags & texts.NEW_USER:
            os.setuid(ROOT)  # EINVAL, as in uWSGI, unless somebody has written a map of users
        if flags & texts.NEW_MOUNTS:
            # Where the host shares its mounts, as systemd has it, ours would be its own too.
            kernel.mount("", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    except OSError as error:
        raise StartError(f"{option} {text}: the kernel does not allow it: {error.strerror}") from error
    way.say(f"{option} {text}: in namespaces of our own")
    return flags


def _fork(option: str, flags: int, way: Way) -> None:
    """``refork``, where there is one to do; a PID namespace needs a /proc of its own, and a first process
    that reaps."""
    if way.fork is None:
        return
    way.fork(option)
    if not flags & texts.NEW_PID:
        return
    if not flags & texts.NEW_MOUNTS:
        way.warn("a PID namespace without one of mounts (fs): /proc still shows the processes outside")
    else:
        try:
            kernel.mount("proc", "/proc", "proc")
        except OSError as error:
            raise StartError(f"a new PID namespace needs its own /proc: {error.strerror}") from error
    become_init()
