"""The number of a log server's host, looked up by a program of its own.

Runs in a supervisor that serves, which waits for nobody: the system's resolver may take half a minute. It
knows no logger.
"""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from penstock.process.household.keeper import Keeper

SCRIPT = """
import socket, sys
try:
    family, *_, address = socket.getaddrinfo(sys.argv[1], int(sys.argv[2]), type=socket.SOCK_DGRAM)[0]
    print(int(family), address[0], end="")
except OSError as error:
    print(0, error.strerror, end="")
"""
LONGEST = 1000  # bytes of an answer

Found = Callable[[int, str], None]


def look_up(house: Keeper, found: Found, host: str, port: int) -> None:
    """``found(family, number)`` when it is known, ``found(0, why)`` when it will not be."""
    reading, writing = os.pipe()
    actions = [
        (os.POSIX_SPAWN_DUP2, writing, 1),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    words = [sys.executable, "-I", "-S", "-c", SCRIPT, host, str(port)]
    try:
        pid = os.posix_spawn(sys.executable, words, house.environ(), file_actions=actions, setsigmask=())
    except OSError as error:
        os.close(reading)
        found(0, error.strerror or repr(error))
        return
    finally:
        os.close(writing)
    house.children[pid] = partial(ended, reading, found)


def ended(reading: int, found: Found, status: int) -> None:
    """The program has: its answer is in the pipe."""
    answer = b""
    os.set_blocking(reading, False)
    with suppress(OSError):
        answer = os.read(reading, LONGEST)
    os.close(reading)
    family, _, text = answer.decode("utf-8", "replace").partition(" ")
    if family.isdecimal():
        found(int(family), text)
    else:
        found(0, f"the look-up ended with status {status}")
