"""What the process is to the rest of the system: its user, its pidfiles, its log, its parent's terminal.

Used by ``serve`` on the main thread, in uWSGI's order of a start. It does not know what is served.
"""

import os
from collections.abc import Callable
from typing import Any

from penstock.config.settings import Settings
from penstock.config.sources.env import take_notify_socket, take_watchdog
from penstock.logs.setup import Diary
from penstock.logs.sinks import open_log
from penstock.process import certificates, diaries, root
from penstock.process import identity as identities
from penstock.process.certificates import Contents
from penstock.process.daemon import Parent, Stdio, detach
from penstock.process.emperor import alone as emperors
from penstock.process.identity import Identity
from penstock.process.isolation.pages import advise
from penstock.process.isolation.refork import refork
from penstock.process.leftovers import thread_count
from penstock.process.locks import Locks
from penstock.process.notify import Notice
from penstock.process.pidfile import PidFile


class Standing:
    """One start's standing; the methods are called in the order in which they stand here.

    ``number`` is that of the process that waits for us and passes signals on (``refork``), 0 without one;
    ``lent`` are the namespaces that are open for others (``setns-preopen``). ``certificates`` are the
    contents of the files of TLS, which only the rights of the start may allow to read.
    """

    def __init__(self, settings: Settings, diary: Diary) -> None:
        self.settings = settings
        self.diary = diary
        self.stdio = Stdio()
        self.on_reopen: list[Callable[[], None]] = []
        self.parent: Parent | None = None
        self.pidfiles: list[PidFile] = []
        self.identity: Identity | None = None
        self.later_log = self.kept = -1
        self.locks = Locks()
        self.lent: list[int] = []
        self.number = 0
        self.notice = Notice(take_notify_socket(), diary.warning)
        self.watchdog = take_watchdog()
        self.certificates: Contents = {}

    def begin(self) -> None:
        """The locks; ``daemonize`` and ``logto``: whatever is written goes to the log. Raises StartError."""
        settings = self.settings
        self.locks.take("flock", settings.flock, self.diary.say)
        self.locks.take("flock-wait", settings.flock_wait, self.diary.say)
        if settings.daemonize and not self.first():
            self.detach(settings.daemonize)
        if settings.daemonize or settings.logto or diaries.plain_files(settings)[0]:
            self.point()
        self.locks.take("flock2", settings.flock2, self.diary.say)
        self.locks.take("flock-wait2", settings.flock_wait2, self.diary.say)

    def claim(self) -> None:
        """Who we shall be, ``pidfile``, and what TLS needs. Raises StartError."""
        settings = self.settings
        self.identity = identities.identity_of(
            settings.uid, settings.gid, settings.add_gid, self.warn, not settings.no_initgroups
        )
        if settings.logfile_chown and self.identity is not None:
            diaries.hand_over(self.diary, settings, self.identity.uid, self.identity.gid)
        self.write_pidfile(settings.pidfile)
        self.certificates = certificates.read(settings)  # where we were started, as uWSGI does

    def warn(self, text: str) -> None:
        """An emperor alone loads no application; its vassals say for themselves whose rights they have."""
        if text != identities.AS_ROOT or not emperors.alone(self.settings):
            self.diary.warning(text)

    @property
    def owner(self) -> str:
        """Whose the UNIX sockets are to be; uWSGI binds them when it has dropped its rights."""
        return self.identity.owner if self.identity is not None else ""

    def first(self) -> bool:
        """Whether a container would end with the parent of a daemon; then there is none."""
        if diaries.first_process():
            self.diary.warning("daemonize: a container ends with its first process, so this one stays")
            return True
        return False

    def write_pidfile(self, path: str) -> None:
        """One of the pidfiles, where it is asked for. Raises StartError."""
        if path:
            file = PidFile(path, self.number)
            file.write(self.diary.warning)
            self.pidfiles.append(file)

    def refork(self, option: str) -> None:
        """Go on in a fork; its parent keeps pidfiles and locks and is whom others know. Raises StartError."""
        number = os.getpid()
        # All that its ``end`` gives back.
        keep = [self.diary.error_sink.fd, *(file.fd for file in self.pidfiles)]
        keep += [*self.locks.fds, *(self.stdio.before or ())]
        if self.kept >= 0 and self.diary.access_sink is not None:
            keep.append(self.diary.access_sink.fd)
        refork(option, keep, self.end)
        self.number = self.number or number
        self.inside()

    def inside(self) -> None:
        """In the fork: what the one outside looks after is not ours."""
        for file in self.pidfiles:
            file.close()
        self.pidfiles = []
        self.diary.pid = os.getpid()

    def state(self) -> dict[str, Any]:
        """For a penstock that takes over by exec: the locks, and who waits for us."""
        return {"fds": list(self.locks.fds), "number": self.number}

    def resume(self, data: dict[str, Any]) -> None:
        """What ``state`` gave, after the exec."""
        self.locks.fds += data.get("fds", ())
        self.number = data.get("number", 0)
        for file in self.pidfiles:
            file.number = self.number

    def dropped(self) -> None:
        """The rights are dropped, or will be: ``logto2`` and ``pidfile2``. Raises StartError."""
        if self.settings.logto2:
            self.move_log(*diaries.open_log_at(self.settings, self.settings.logto2))
        self.write_pidfile(self.settings.pidfile2)

    def loaded(self) -> None:
        """The application is there: ``daemonize2``, ``chdir2``. Raises StartError."""
        settings = self.settings
        if settings.daemonize2 and self.parent is None:
            fd = open_log(settings.daemonize2)  # before the fork: it may not be possible
            if not self.first():
                self.leave_threads()
                self.detach(settings.daemonize2)
            self.move_log(fd, settings.daemonize2)
        root.change_folder("chdir2", settings.chdir2)

    def detach_early(self) -> None:
        """``daemonize2`` of a supervisor, whose children must be its own: it forks before them, and what is
        said until the application is loaded is said to the terminal. Raises StartError."""
        path = self.settings.daemonize2
        if path and self.parent is None:
            self.later_log = open_log(path)  # before the fork: it may not be possible
            if not self.first():
                self.detach(path)

    def detached(self) -> bool:
        """The application is loaded: the log of ``detach_early`` is taken into use; whether there is one."""
        fd, self.later_log = self.later_log, -1
        if fd >= 0:
            self.move_log(fd, self.settings.daemonize2)
        return fd >= 0

    def detach(self, log: str) -> None:
        """Become the daemon; what knew our number learns the new one. Raises StartError."""
        self.parent = detach(log)
        self.number = 0
        self.diary.pid = os.getpid()
        for file in self.pidfiles:
            file.rewrite()

    def leave_threads(self) -> None:
        """Threads that the application started are not taken along by a fork (fork(2)), as in uWSGI."""
        count = thread_count()
        if count > 1:
            self.diary.warning(
                f"daemonize2: {count - 1} threads that run since the application was loaded end here; "
                "start them at the first request, or use daemonize"
            )

    def move_log(self, fd: int, path: str) -> None:
        """The log goes to ``fd``, which is the file ``path``, from now on; "" for a log server."""
        sink = self.diary.error_sink
        if sink.path:
            os.dup2(fd, sink.fd, inheritable=False)
            os.close(fd)
        else:
            sink.fd = fd
        sink.path = path and os.path.abspath(path)
        self.point()

    def point(self) -> None:
        """Have what is printed go to the log; a daemon keeps nothing else."""
        if self.parent is not None:
            self.stdio.leave(self.diary.error_sink.fd)
        else:
            self.keep_access()
            self.stdio.take(self.diary.error_sink.fd)

    def keep_access(self) -> None:
        """``access-log`` beside ``logto``: standard output, or error, has a descriptor of its own."""
        access = self.diary.access_sink
        if access is not None and access is not self.diary.error_sink and access.fd in (1, 2):
            self.kept = access.fd
            access.fd = os.dup(access.fd)

    def give_access_back(self) -> None:
        """The descriptor of ``keep_access`` is closed."""
        access, number, self.kept = self.diary.access_sink, self.kept, -1
        if access is not None and number >= 0:
            os.close(access.fd)
            access.fd = number

    def started(self) -> None:
        """All else is done: ``safe-pidfile`` and ``safe-pidfile2``, both after the privileges were dropped,
        as in uWSGI. Raises StartError."""
        self.write_pidfile(self.settings.safe_pidfile)
        self.write_pidfile(self.settings.safe_pidfile2)
        advise(self.settings, self.diary.warning)

    def serving(self) -> None:
        """The loop runs: tell systemd, and the parent, who leaves. Raises nothing."""
        main = self.number or os.getpid()
        self.notice.tell("READY=1", f"MAINPID={main}", "STATUS=penstock is serving")
        if self.parent is not None:
            self.parent.serving()

    def reopen(self) -> None:
        """The logs were rotated; what is printed follows."""
        self.diary.reopen()
        if self.stdio.taken:
            self.stdio.take(self.diary.error_sink.fd)
        for call in self.on_reopen:
            call()

    def reloading(self, begun: bool) -> None:
        """A reload has begun, or has ended whichever way. Raises nothing."""
        if begun:
            self.notice.reloading()
        else:
            self.notice.tell("READY=1", "STATUS=penstock is serving")

    def alive(self) -> None:
        """A sign of life for systemd's watchdog. Raises nothing."""
        self.notice.tell("WATCHDOG=1")

    def leaving(self) -> None:
        """What runs is finished, nothing new is taken. Raises nothing."""
        self.notice.tell("STOPPING=1", "STATUS=penstock finishes what runs")

    def failed(self, code: int, text: str) -> None:
        """The start failed: say it where it was asked for."""
        self.end()  # before the parent leaves, so that whoever waits for it finds nothing of us
        if self.parent is not None:
            self.parent.failed(code, f"{text}\n")

    def end(self) -> None:
        """The pidfiles go (``vacuum``), and stdio is given back to whoever called us."""
        for file in self.pidfiles:
            if self.settings.vacuum:
                file.remove()
            else:
                file.close()
        self.pidfiles = []
        self.locks.release()
        self.stdio.give_back()
        self.give_access_back()
