"""Right as PID 1: a container's first process, which must reap whatever dies and pass signals on.

Called by ``cli`` before any import of weight. The first process stays behind as a small init and forks
the server, because a server that reaped strangers itself would take away the exit codes of its
application's own children.
"""

import os
import signal
from collections.abc import Collection

FORWARDED = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGWINCH,
    signal.SIGTSTP,
    signal.SIGTTIN,
    signal.SIGTTOU,
)


is_init_child = False  # set in the server that ``become_init`` has forked


def become_init() -> None:
    """Fork; returns in the child, which is the server. The parent forwards, reaps, and exits with the
    server's status (128 + N when signal N killed it)."""
    watched = {*FORWARDED, signal.SIGCHLD}
    # Blocked before the fork, so that none is lost between it and the parent's first wait; the kernel
    # ignores signals to PID 1 that have no handler, and a blocked one waits for sigwait instead.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    # Inherited as ignored, the kernel would reap by itself and never tell.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        global is_init_child
        is_init_child = True
        own_group()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return
    os._exit(outlive(child, watched))


def outlive(child: int, watched: Collection[signal.Signals]) -> int:
    """Pass signals on, which are blocked, until ``child`` is dead; its exit status (128 + N when signal N
    killed it)."""
    while True:
        number = signal.sigwait(watched)
        if number != signal.SIGCHLD:
            try:
                os.kill(child, number)
            except ProcessLookupError:
                pass
        status = reap(child)
        if status is not None:
            return status


def hear_of_children() -> None:
    """Have ends of children told to us, whatever our parent thought of its own: where SIGCHLD is inherited as
    ignored the kernel reaps by itself, and every command that the application runs seems to succeed."""
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def own_group() -> None:
    """Leave the init's process group, the terminal with us: Ctrl-C in ``docker run -it`` would reach both,
    and the forwarded one would be a second signal, which stops at once."""
    os.setpgid(0, 0)
    try:
        if os.isatty(0):
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
            os.tcsetpgrp(0, os.getpgrp())
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    except OSError:
        pass  # it is not our terminal


def reap(child: int) -> int | None:
    """Reap all that has died; the exit status when ``child`` was among it, else None."""
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            found = code if code >= 0 else 128 - code
