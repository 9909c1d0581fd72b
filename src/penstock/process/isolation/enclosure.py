"""uWSGI's ``namespace``: the server lives in namespaces and on a root of its own, and is kept alive from
outside.

Runs on the main thread at a start, by root, before anything is bound. The process that was started stays
outside and starts the one inside anew when it dies of itself; uWSGI does so even when it was told to stop.
"""

import os
import signal
import socket
import time
from collections.abc import Callable

from penstock.config.household.isolation import kept_mount, namespaces, own_root
from penstock.config.settings import Settings
from penstock.config.sources.env import export
from penstock.core.errors import NO_APPLICATION, StartError
from penstock.process.daemon import flush
from penstock.process.isolation import kernel
from penstock.process.isolation.jail import Way
from penstock.process.lasting import die_with_parent
from penstock.process.pid1 import FORWARDED, become_init, outlive, own_group
from penstock.process.root import equipped

NEW, NEW_NET = namespaces("mnt,uts,ipc,pid"), namespaces("net")
OURS = ("mnt", "uts", "ipc", "net", "pid")
FINAL = (0, 1, NO_APPLICATION, 30)
"""Exit statuses of a server that was told to end, or that would not start another time either."""
PAUSE = 1.0  # seconds before the next start


def enclose(settings: Settings, way: Way, end: Callable[[], None]) -> None:
    """Returns inside. The process outside runs the post-jail hooks with the number of the one inside in
    UWSGI_JAIL_PID, waits, and exits with its status after ``end``. Raises StartError inside."""
    folder, hostname = own_root(settings.namespace)
    if os.getuid() != 0:
        raise StartError(f"namespace {settings.namespace}: only root can do that")
    watched = {*FORWARDED, signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    while True:
        child = forked_inside(settings)
        if child == 0:
            die_with_parent(signal.SIGTERM)
            own_group()  # else what a terminal sends would come twice
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            move_in(settings, folder, hostname, way)
            become_init()
            return
        export([("UWSGI_JAIL_PID", str(child))])
        way.hooks("post-jail")
        status = outlive(child, watched)
        if status in FINAL:
            end()
            os._exit(status)
        way.warn(f"namespace {folder}: process {child} ended with status {status}; it is started again")
        time.sleep(PAUSE)


def forked_inside(settings: Settings) -> int:
    """Fork the first process of new namespaces, and stay outside; its number, 0 in it. Raises StartError."""
    flush()
    here = os.open(".", os.O_RDONLY | os.O_CLOEXEC)
    ours = [os.open(f"/proc/self/ns/{name}", os.O_RDONLY | os.O_CLOEXEC) for name in OURS]
    try:
        kernel.unshare(NEW | (NEW_NET if settings.namespace_net else 0))
        child = os.fork()
        if child:
            for fd in ours:
                kernel.setns(fd)
            os.fchdir(here)  # a change of mounts forgets it
        return child
    except OSError as error:
        text = f"namespace {settings.namespace}: the kernel does not allow it: {error.strerror}"
        raise StartError(text) from error
    finally:
        for fd in (here, *ours):
            os.close(fd)


def move_in(settings: Settings, folder: str, hostname: str, way: Way) -> None:
    """Inside: the host name, the root, what is kept, and nothing else. Raises StartError."""
    what = f"namespace {settings.namespace}"
    try:
        if hostname:
            socket.sethostname(hostname)
        kernel.mount("", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
        kept = [kept_mount(text, folder) for text in settings.namespace_keep_mount]
        if folder == "/":
            clear({target for _, target in kept})
            what = f"{what}: /proc"
            kernel.mount("proc", "/proc", "proc")
            live_with_it(folder, way)
            return
        kernel.mount(folder, folder, "", kernel.MS_BIND)
        for source, target in kept:
            what = f"namespace-keep-mount {source}:{target}"
            kernel.mount(source, folder + target, "", kernel.MS_BIND | kernel.MS_REC)
        equipped("namespace", folder)
        what = f"namespace {folder}: {folder}/proc"
        kernel.mount("proc", f"{folder}/proc", "proc")
        what = f"namespace {settings.namespace}"
        os.chdir(folder)
        kernel.pivot_root(".", ".")  # the old one lies over the new one then (pivot_root(2))
        kernel.umount(".", kernel.MNT_DETACH)
        os.chdir("/")
    except OSError as error:
        raise StartError(f"{what}: {error.strerror}") from error
    live_with_it(folder, way)


def live_with_it(folder: str, way: Way) -> None:
    """That there is what every process of ours needs. Raises StartError."""
    if not os.path.exists(os.devnull):
        raise StartError(f"namespace {folder}: it has no {os.devnull}; namespace-keep-mount = /dev keeps it")
    way.say(f"in namespaces of our own, on the root {folder}")


def clear(kept: set[str]) -> None:
    """Unmount all that can be but the root, /proc and what is kept, as uWSGI does: the last first."""
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as file:
        targets = [line.split(" ")[1].encode().decode("unicode_escape") for line in file]
    for target in reversed(targets):
        if target not in ("/", "/proc") and target not in kept:
            try:
                kernel.umount(target)
            except OSError:
                pass  # somebody is in it
