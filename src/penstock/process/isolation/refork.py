"""uWSGI's ``refork``: the server goes on in a fork, and the process that was started waits for it.

Runs on the main thread at a start. A new PID namespace needs it: only who is forked into one lives in it.
uWSGI's waiting process hears no signal; this one passes them on, and its number is the one that pidfiles and
systemd are told.
"""

import os
import signal
from collections.abc import Callable, Collection
from contextlib import suppress

from penstock.core.errors import StartError
from penstock.process.daemon import flush
from penstock.process.lasting import die_with_parent
from penstock.process.pid1 import FORWARDED, outlive, own_group


def refork(option: str, keep: Collection[int], end: Callable[[], None]) -> None:
    """Fork; returns in the child. The parent keeps the descriptors ``keep`` and closes all others, forwards
    signals, calls ``end`` after the child's death and exits with its status (128 + N when signal N killed
    it). Raises StartError when the system gives no process."""
    flush()
    watched = {*FORWARDED, signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    chld = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # Looked up now: who is inside may put another /proc in the place of ours.
    others = [int(name) for name in os.listdir("/proc/self/fd") if int(name) > 2 and int(name) not in keep]
    try:
        child = os.fork()
    except OSError as error:
        raise StartError(f"{option}: {error.strerror}") from error
    if child == 0:
        die_with_parent(signal.SIGTERM)
        own_group()  # else what a terminal sends would come twice
        signal.signal(signal.SIGCHLD, chld)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return
    # Nothing that is the child's: a socket that it gives up would stay open with us.
    for fd in others:
        with suppress(OSError):  # that of the listing
            os.close(fd)
    status = outlive(child, watched)
    end()
    os._exit(status)
