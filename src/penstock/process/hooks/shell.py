"""A command that is run and waited for, with our terminal and our log as its own.

Called on the main thread of a process that has nothing else to do meanwhile: one that starts, one that
loads the application, a worker that does not serve yet. The supervisor runs programs another way.
"""

import os
import select
import signal
from collections.abc import Mapping
from contextlib import suppress

from penstock.process import daemon
from penstock.process.leftovers import thread_count
from penstock.process.programs.becoming import begin_life, forked

LOOK = 250  # milliseconds
IGNORED = (signal.SIGPIPE, signal.SIGXFSZ)
"""Signals that Python ignores, and that a program must not find so (exec(3) keeps what is ignored)."""


def wait_for(command: str, shell: str, environ: Mapping[str, str]) -> int:
    """Run ``command`` by ``shell -c``; its exit status, or minus the signal that killed it. Raises OSError
    when there is no such shell, or no process to be had."""
    with suppress(OSError, ValueError):  # a pipe that nobody reads, an output that was closed
        daemon.flush()
    words = [shell, "-c", command]
    if not os.access(shell, os.X_OK):
        raise FileNotFoundError(f"{shell}: it cannot be executed")
    # A fork of several threads is nothing for our code (a lock may be held for ever), so such a command is
    # not killed with us, as uWSGI's are.
    if thread_count() == 1:
        parent = os.getpid()
        pid = forked(lambda: become(words, environ, parent))
    else:
        pid = os.posix_spawn(shell, words, environ, setsigmask=(), setsigdef=IGNORED)
    return ended(pid)


def become(words: list[str], environ: Mapping[str, str], parent: int) -> None:
    """The new process's part, which the kernel kills with us. Raises OSError."""
    if begin_life(parent):
        os.execve(words[0], words, dict(environ))


def ended(pid: int) -> int:
    """Wait for a child. A signal that comes just before we wait does not end the wait, so it is looked for
    again and again."""
    with suppress(OSError, AttributeError):  # no such child any more, or no Linux
        fd = os.pidfd_open(pid)
        try:
            poll = select.poll()
            poll.register(fd, select.POLLIN)
            while not poll.poll(LOOK):
                pass
        finally:
            os.close(fd)
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        return 0  # the application has it that the kernel reaps, and nobody will ever know
