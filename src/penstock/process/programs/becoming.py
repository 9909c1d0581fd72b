"""From a fork of ours to a program of somebody's: descriptors, rights, session, and the exec.

Runs in the new process, between fork and exec, with every signal blocked; it never returns. It shares
nothing with its parent but the descriptors that it is about to close.
"""

import fcntl
import os
import pwd
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NoReturn, Protocol

from penstock.config.household.isolation import NEW_PID
from penstock.core.errors import StartError
from penstock.process.identity import Identity, drop
from penstock.process.isolation import kernel
from penstock.process.lasting import die_with_parent

NOT_RUN = 127  # the shell's own status for a command that cannot be found
HARMLESS = {
    *(signal.SIGCHLD, signal.SIGURG, signal.SIGWINCH, signal.SIGCONT),
    *(signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU),
}
"""Signals that end nobody by themselves (signal(7))."""


class Wanted(Protocol):
    """A ``programs.Program``."""

    @property
    def command(self) -> str: ...
    @property
    def environ(self) -> Mapping[str, str]: ...
    @property
    def shell(self) -> str: ...
    @property
    def folder(self) -> str: ...
    @property
    def uid(self) -> int | None: ...
    @property
    def gid(self) -> int | None: ...
    @property
    def session(self) -> bool: ...
    @property
    def keep_stdin(self) -> bool: ...
    @property
    def dies_with_us(self) -> bool: ...
    @property
    def own_pid_space(self) -> bool: ...
    @property
    def fds(self) -> Mapping[int, int]: ...
    @property
    def pidfile(self) -> str: ...


def become(program: Wanted, stdin: int, output: int, parent: int) -> NoReturn:
    """Be ``program``: ``stdin`` a descriptor or -1 for none, ``output`` for what it writes, ``parent`` whom
    it may have lost already."""
    try:
        default_signals()
        descriptors(program, stdin, output)
        if program.folder:
            os.chdir(program.folder)
        if program.own_pid_space:
            parent = enter_pid_space(program, parent)
        change_user(program)
        if program.pidfile:
            Path(program.pidfile).write_text(f"{os.getpid()}\n")
        if program.session:
            os.setsid()
        bind_life(program, parent)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.execve(program.shell, [program.shell, "-c", program.command], dict(program.environ))
    except BaseException as error:
        with suppress(OSError):
            os.write(2, f"it could not be started: {error}\n".encode("utf-8", "backslashreplace"))
    os._exit(NOT_RUN)


def forked(part: Callable[[], object]) -> int:
    """A new process that carries out ``part``, which is not to return; its number. Raises OSError."""
    # Until it has its own meaning of signals, one that comes would be told to us by our own pipe.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
        if pid == 0:
            try:
                part()
            finally:
                os._exit(NOT_RUN)
        return pid
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def begin_life(parent: int) -> bool:
    """Hear signals as a new program does, and be killed with ``parent``, which may have ended already: then
    False."""
    default_signals()
    die_with_parent(signal.SIGKILL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    return os.getppid() == parent


def default_signals() -> None:
    """Every signal as a new program expects it; exec(3) does this for handlers but not for what is ignored,
    and Python ignores SIGPIPE and SIGXFSZ."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if signal.getsignal(number) not in (signal.SIG_DFL, None):
            signal.signal(number, signal.SIG_DFL)


def descriptors(program: Wanted, stdin: int, output: int) -> None:
    """What is lent, at its numbers; everything else is closed, as uWSGI does."""
    if stdin < 0:
        stdin = 0 if program.keep_stdin and is_open(0) else os.open(os.devnull, os.O_RDONLY)
    wanted = {0: stdin, 1: output, 2: output, **program.fds}
    beyond = max(wanted) + 1
    # First out of the way, since the number that one wants may be where another one lies.
    high = {there: fcntl.fcntl(here, fcntl.F_DUPFD_CLOEXEC, beyond) for there, here in wanted.items()}
    for there, here in high.items():
        os.dup2(here, there, inheritable=True)
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in wanted:
            with suppress(OSError):  # the folder's own is closed by now
                os.close(int(name))


def is_open(fd: int) -> bool:
    """Whether there is such a descriptor."""
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def change_user(program: Wanted) -> None:
    """Become the program's user for good, with the groups of that user alone; uWSGI keeps root's groups
    here. Raises StartError."""
    uid, gid = program.uid, program.gid
    if (uid is None or uid == os.getuid()) and (gid is None or gid == os.getgid()):
        return
    groups: list[int] = [] if gid is None else [gid]
    with suppress(KeyError):
        entry = pwd.getpwuid(os.getuid() if uid is None else uid)
        gid = entry.pw_gid if gid is None else gid
        groups = os.getgrouplist(entry.pw_name, gid)
    if uid is not None and gid is None:
        raise StartError(f"uid {uid} has no entry in the user database: its gid must be given")
    drop(Identity(uid, gid, tuple(groups)))


def bind_life(program: Wanted, parent: int) -> None:
    """Have the kernel kill us when our parent is. After the change of user, which clears it (prctl(2))."""
    if program.dies_with_us or program.own_pid_space:
        die_with_parent(signal.SIGKILL)
        if parent and os.getppid() != parent:
            os._exit(NOT_RUN)  # it was killed before we had asked


# ---- A PID namespace of its own -----------------------------------------------------------------------


def enter_pid_space(program: Wanted, parent: int) -> int:
    """Go on as the first process of a new PID namespace; the present one stays behind and passes signals on.
    The number of the new parent, 0 as seen from inside. Raises OSError."""
    try:
        kernel.unshare(NEW_PID)
    except OSError as error:
        raise OSError(error.errno, f"ns_pid: {error.strerror}") from None
    if program.session:
        os.setsid()
    bind_life(program, parent)
    first = os.fork()
    if first:
        attend(first)
    return 0


def attend(first: int) -> NoReturn:
    """Wait for the first process of a namespace, and be killed in its place."""
    watched = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
    while True:
        number = signal.sigwait(watched)
        if number != signal.SIGCHLD:
            pass_on(first, number)
            continue
        pid, status = os.waitpid(first, os.WNOHANG)
        if pid:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def pass_on(first: int, number: int) -> None:
    """A signal for the namespace. Its first process is exempt from those that it has no handler for
    (pid_namespaces(7)): one that would end any other program ends this one by SIGKILL."""
    with suppress(ProcessLookupError):
        if number == signal.SIGCONT or catches(first, number):
            os.killpg(first, number)
        elif number not in HARMLESS:
            os.kill(first, signal.SIGKILL)


def catches(pid: int, number: int) -> bool:
    """Whether a process has a handler for a signal (SigCgt of proc_pid_status(5))."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return False
    masks = [int(line.split()[1], 16) for line in lines if line.startswith("SigCgt")]
    return bool(masks and masks[0] >> (number - 1) & 1)
