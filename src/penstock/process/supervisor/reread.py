"""Reading the configuration again, in a child that is thrown away.

Runs in the supervisor. A configuration may run commands, fetch files from the web or never end; the child
may do all that, and the supervisor goes on.
"""

import marshal
import os
import signal
from collections.abc import Callable
from contextlib import suppress

from penstock.config.settings import Settings
from penstock.core.errors import ConfigError, StartError
from penstock.logs.pick import asked
from penstock.process.lasting import die_with_parent
from penstock.process.launch import Read
from penstock.process.supervisor.watch import Watch

LONGEST = 30.0  # seconds for all of it
FIXED = (
    *("uid", "gid", "add_gid", "umask", "chroot", "daemonize", "daemonize2", "logto", "logto2", "access_log"),
    *("disable_logging", "logfile_chmod", "logfile_chown"),
    *("pidfile", "pidfile2", "safe_pidfile", "safe_pidfile2", "master_fifo"),
    *("control_socket", "unshare", "unshare2", "setns", "setns_socket", "namespace", "namespace_net"),
    *("namespace_keep_mount", "pivot_root", "cgroup", "cgroup_opt", "refork", "refork_as_root"),
    *("refork_post_jail", "cap", "drop_after_init", "drop_after_apps", "master_as_root", "immediate_uid"),
    *("immediate_gid", "no_initgroups", "prio", "flock", "flock_wait", "flock2", "flock_wait2", "force_cwd"),
)
"""Settings of the supervisor itself, which it takes up at a restart only."""

PICKS = ("log_zero", "log_slow", "log_4xx", "log_5xx", "log_big", "log_sendfile", "log_ioerror")

Done = Callable[[Settings | None, str], None]


class Reread:
    """``read`` in a child; ``done(settings, "")`` or ``done(None, text)`` when it is known.

    Raises OSError when the system gives no process.
    """

    def __init__(self, watch: Watch, read: Read, folder: str, done: Done) -> None:
        self.watch = watch
        self.done = done
        self.pieces: list[bytes] = []
        self.over = False
        self.fd, writing = os.pipe()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self.pid = os.fork()
            if self.pid == 0:
                child(read, folder, writing, watch)
        except OSError:
            os.close(self.fd)
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            os.close(writing)
        watch.add(self.fd, self.heard)
        self.timer = watch.later(LONGEST, self.too_slow)

    def heard(self) -> None:
        """A piece of the answer, or its end."""
        data = os.read(self.fd, 1 << 20)
        if data:
            self.pieces.append(data)
            return
        self.finish(*heard_of(b"".join(self.pieces)))

    def too_slow(self) -> None:
        """The child takes too long."""
        self.finish(None, f"the configuration was not read within {LONGEST:g} s")

    def cancel(self) -> None:
        """Nobody waits for it any more."""
        if not self.over:
            self.over = True
            self.timer.cancel()
            self.watch.remove(self.fd)
            os.close(self.fd)
            # Only while it is a child that nobody has reaped is the number surely its own.
            with suppress(ChildProcessError, ProcessLookupError):
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                os.kill(self.pid, signal.SIGKILL)

    def finish(self, settings: Settings | None, text: str) -> None:
        """It is known."""
        if not self.over:
            self.cancel()
            self.done(settings, text)


def heard_of(answer: bytes) -> tuple[Settings | None, str]:
    """The settings that a child has told, or why there are none; it may have been killed in the middle."""
    if answer[:1] == b"!":
        return None, answer[1:].decode("utf-8", "replace")
    try:
        return Settings.from_data(marshal.loads(answer[1:])), ""
    except (EOFError, ValueError, TypeError, KeyError):
        return None, "the reading of the configuration ended without a word"


def child(read: Read, folder: str, writing: int, watch: Watch) -> None:
    """The child's part; it never returns."""
    try:
        # It has copies of all that is the supervisor's, the lifeline too, and must not outlive it.
        die_with_parent(signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        for number in watch.signals:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.chdir(folder)
        answer = told(read)
    except BaseException as error:
        answer = b"!" + repr(error).encode()
    with suppress(OSError):
        while answer:
            answer = answer[os.write(writing, answer) :]
    os._exit(0)


def told(read: Read) -> bytes:
    """What there is to say: settings, or an error. Rules are compiled, which may take its time; what is
    odd about them is said by those that run them."""
    try:
        settings = read()
        if settings.rules:
            from penstock.process.site import checked

            checked(settings, lambda key, text: None, lambda text: None)
        return b"=" + marshal.dumps(settings.as_data())
    except (ConfigError, StartError) as error:
        return b"!" + str(error).encode("utf-8", "backslashreplace")


def changed(old: Settings, new: Settings) -> list[str]:
    """Of ``FIXED`` those whose value differs; and where an access log had no place until now, those that ask
    for some of it."""
    picks = PICKS if asked(new) and not asked(old) else ()
    return [name for name in (*FIXED, *picks) if getattr(old, name, None) != getattr(new, name, None)]
