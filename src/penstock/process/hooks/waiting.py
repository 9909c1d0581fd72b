"""Waiting for what others bring: files, mounts, interfaces and servers, uWSGI's ``wait-for-*``.

Called on the main thread of a process that starts, or of one that was made for the waiting. Nothing is
asked of what is waited for beyond its being there.
"""

import os
import socket
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from penstock.config.address import Address
from penstock.config.household.waits import parse_socket
from penstock.config.settings import Settings
from penstock.core.errors import StartError

LOOK = 0.1  # seconds between two looks; uWSGI's second would be the better part of most waits
CONNECT = 1.0  # seconds that one try to connect may take
SECONDS = 60.0  # uWSGI's, where a timeout of 0 is given

Say = Callable[[str], None]


def wait(what: str, there: Callable[[], bool], seconds: float, say: Say) -> None:
    """Until ``there()``, at most so many seconds (0: 60). Raises StartError when they are over."""
    seconds = seconds or SECONDS
    say(f"penstock: waiting for {what}, at most {seconds:g} s")
    until = time.monotonic() + seconds
    while not there():
        if time.monotonic() >= until:
            raise StartError(f"{what} is not there after {seconds:g} s")
        time.sleep(LOOK)
    say(f"penstock: {what} is there")


def before_root(settings: Settings, say: Say) -> None:
    """All that a start waits for before its hooks as root. Raises StartError."""
    for name in settings.wait_for_interface:
        wait(f"interface {name}", partial(has_interface, name), settings.wait_for_interface_timeout, say)
    seconds = settings.wait_for_fs_timeout
    for path in settings.wait_for_fs:
        wait(path, partial(os.path.exists, path), seconds, say)
    for path in settings.wait_for_mountpoint:
        wait(f"mount {path}", partial(is_mounted, path), seconds, say)


def for_socket(settings: Settings, text: str, say: Say) -> None:
    """Until somebody listens at an address. Raises StartError."""
    address = parse_socket(text)
    wait(text, lambda: listens(address), settings.wait_for_socket_timeout, say)


def for_kind(settings: Settings, path: str, kind: str, say: Say) -> None:
    """Until there is ``kind`` of a path: fs, file or dir. Raises StartError."""
    tests = {"fs": os.path.exists, "file": os.path.isfile, "dir": os.path.isdir}
    wait(path, lambda: tests[kind](path), settings.wait_for_fs_timeout, say)


def has_interface(name: str) -> bool:
    """Whether there is such a network interface."""
    with suppress(OSError):
        return socket.if_nametoindex(name) > 0
    return False


def is_mounted(path: str) -> bool:
    """Whether a folder is on another device than the one above it."""
    with suppress(OSError, ValueError):
        here, above = os.stat(path), os.stat(os.path.join(path, ".."))
        return stat.S_ISDIR(here.st_mode) and here.st_dev != above.st_dev
    return False


def listens(address: Address) -> bool:
    """Whether somebody takes a connection there."""
    try:
        if address.kind == "tcp":
            socket.create_connection((address.host or "localhost", address.port), CONNECT).close()
            return True
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(CONNECT)
            sock.connect(("\0" if address.kind == "abstract" else "") + address.path)
        return True
    except OSError:
        return False
