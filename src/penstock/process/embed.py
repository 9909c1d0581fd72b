"""penstock from Python: ``run``, and servers in the shape of ``wsgiref.simple_server``.

A server lives on the thread that calls ``serve_forever`` or ``handle_request``; it takes no signals, so
KeyboardInterrupt leaves as it does from wsgiref, and it works off the main thread.
"""

import signal
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any, Self
from wsgiref.simple_server import demo_app

from penstock.config.assemble import from_keywords
from penstock.config.option import settings_of
from penstock.config.registry import lookup
from penstock.config.settings import Settings
from penstock.config.settings.deadlines import DeadlineOptions
from penstock.config.settings.emperor import EmperorOptions, VassalOptions
from penstock.config.settings.hooks import CommandOptions, HookOptions, WaitOptions
from penstock.config.settings.household import (
    AlarmOptions,
    CronOptions,
    DaemonOptions,
    MuleOptions,
    TouchOptions,
)
from penstock.config.settings.isolation import IsolationOptions, RightsOptions, StartOptions
from penstock.config.settings.logs import LoggerOptions
from penstock.config.settings.observing import CarbonOptions, StatsOptions
from penstock.config.settings.recycling import RecyclingOptions, ReloadOptions
from penstock.config.settings.sizing import BusynessOptions, SizingOptions
from penstock.config.settings.supervision import BoundOptions, SupervisionOptions, TitleOptions
from penstock.core.errors import StartError
from penstock.handoff.exchange import Exchange
from penstock.handoff.latch import Latch
from penstock.logs.setup import Diary
from penstock.process import binding, build, diaries, importing
from penstock.process.serve import serve
from penstock.process.single import make_worker
from penstock.process.worker import Worker
from penstock.serve.record import Made
from penstock.serve.wsgi.call import Application


def run(application: Application | str, *binds: str, **options: Any) -> None:
    """Serve ``application`` (a WSGI callable, or ``module:callable``) until a signal ends it.

    ``binds`` are addresses (``127.0.0.1:8000``, ``:8000``, ``unix:/run/x.sock``; 127.0.0.1:8000 without
    any); ``options`` are the command line's, with underscores (``threads=8``). Main thread only.

    Given by name, the application can be served by several processes (``processes=4``); an object is served
    by this one, and options that need a supervisor are named in a warning.

    Raises ConfigError for options that are wrong, SystemExit with the server's exit status when that is
    not 0, RuntimeError when the import of the application comes here.
    """
    if importing.under_way:
        raise RuntimeError(
            "the import of the application calls penstock.run(), which would import it again: "
            "write that call under if __name__ == '__main__'"
        )
    options = {"bind": list(binds), **options}
    given = None if isinstance(application, str) else application
    settings = from_keywords(options, application)
    lent = Lent()
    try:
        code = serve(settings, given)
    finally:
        lent.give_back()
    if code:
        raise SystemExit(code)


class Lent:
    """What a server changes of the process that it is lent, to be given back: who gets its signals, and how
    long a thread keeps the interpreter."""

    def __init__(self) -> None:
        self.handlers = {number: signal.getsignal(number) for number in SIGNALS}
        self.interval = sys.getswitchinterval()

    def give_back(self) -> None:
        """Everything as it was."""
        sys.setswitchinterval(self.interval)
        with suppress(ValueError):  # off the main thread, where no server has come up either
            signal.set_wakeup_fd(-1)
            for number, handler in self.handlers.items():
                if handler is not None:  # None: of no Python code, so that nobody can set it again
                    signal.signal(number, handler)


def names_of(*groups: type) -> tuple[str, ...]:
    """The options that are declared in groups of the settings, by their first names."""
    settings = [setting for group in groups for setting in settings_of(group).values()]
    return tuple(setting.option.name for setting in settings if setting.option is not None)


SIGNALS = (
    *(signal.SIGTERM, signal.SIGINT, signal.SIGQUIT),
    *(signal.SIGHUP, signal.SIGUSR1, signal.SIGPIPE),
)
"""Signals that a server takes over."""
PROCESS = (
    *("uid", "gid", "add-gid", "umask", "env", "chdir", "chdir2", "daemonize", "daemonize2", "logto2"),
    *("pidfile", "pidfile2", "safe-pidfile", "safe-pidfile2", "procname"),
    *("stop", "reload", "pause", "connect-and-read", "virtualenv", "pythonpath"),
    *names_of(TitleOptions, BoundOptions, HookOptions, CommandOptions, WaitOptions),
    *names_of(IsolationOptions, RightsOptions, StartOptions),
)
"""Options about the process, which a server inside a program leaves as it is."""
SUPERVISION = (
    *names_of(SupervisionOptions, SizingOptions, BusynessOptions, ReloadOptions, RecyclingOptions),
    *names_of(DeadlineOptions, DaemonOptions, CronOptions, MuleOptions, AlarmOptions, TouchOptions),
    *names_of(EmperorOptions, VassalOptions),
    *("spooler", "hook-touch", "touch-logreopen", "touch-logrotate", "setns-socket"),
    *names_of(LoggerOptions, StatsOptions, CarbonOptions),
    *("log-master", "log-maxsize", "log-backupname", "log-reopen", "logfile-chown", "lame-duck"),
    *("metrics", "metrics-path", "status-page", "status-auth", "health-live", "health-ready"),
)
"""Options for a supervisor and its workers, which a server inside a program does not have."""
ADDRESSES = (
    *("bind", "http", "http_socket", "http11_socket", "https", "https_socket", "socket", "uwsgi_socket"),
)


class WSGIRequestHandler:
    """What ``wsgiref`` calls a request handler; here only its log methods are ever called.

    A subclass that overrides ``log_request`` or ``log_message`` gets one call a request, from the thread
    that served it, with ``client_address``, ``command``, ``path``, ``request_version`` and
    ``requestline`` set.
    """

    client_address: tuple[str, int]
    command: str
    path: str
    request_version: str
    requestline: str

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """One request was answered."""
        self.log_message('"%s" %s %s', self.requestline, str(code), str(size))

    def log_message(self, format: str, *args: Any) -> None:
        """Write a line to stderr."""
        sys.stderr.write(f"{self.client_address[0]} - - {format % args}\n")

    def address_string(self) -> str:
        """The client's address."""
        return self.client_address[0]


def canonical(keyword: str) -> str:
    """The first name of the option that a keyword means."""
    option = lookup(keyword.replace("_", "-"))
    return keyword if option is None else option.name


class WSGIServer:
    """A server in the shape of ``wsgiref.simple_server.WSGIServer``.

    ``server_address`` is (host, port): '' is all addresses, port 0 any free one, which ``server_port``
    then gives. ``options`` are the command line's, with underscores, without those about the process and its
    supervisor (``uid``, ``processes``: TypeError). Raises OSError when the address cannot be had, as
    socketserver does.
    """

    def __init__(
        self,
        server_address: tuple[str, int],
        handler_class: type[Any] = WSGIRequestHandler,
        bind_and_activate: bool = True,
        **options: Any,
    ) -> None:
        self.RequestHandlerClass = handler_class
        self.application: Application | None = None
        self.timeout: float | None = None
        self.server_address: tuple[Any, ...] = server_address
        self.options = options
        self.worker: Worker | None = None
        self.diary: Diary | None = None
        self.bound: list[binding.Bound] = []
        self.stopped = Latch()
        self.stopped.open()
        self.asked = False
        # What was answered since the last ``handle_request`` beyond the one that it was called for.
        self.one = False
        self.forever = False
        self.ahead: deque[Exchange] = deque()
        if any(name.replace("-", "_") in ADDRESSES for name in options):
            raise TypeError("the address of this server is its server_address")
        if beyond := [name for name in options if canonical(name) in SUPERVISION]:
            raise TypeError(f"a server inside a program has no supervisor: {', '.join(beyond)}")
        if alien := [name for name in options if canonical(name) in PROCESS]:
            raise TypeError(f"a server inside a program leaves the process as it is: {', '.join(alien)}")
        if bind_and_activate:
            self.server_bind()

    # ---- wsgiref's and socketserver's methods -------------------------------------------------------

    def server_bind(self) -> None:
        """Bind and listen. Raises OSError."""
        host, port = self.server_address[:2]
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.settings: Settings = from_keywords(
            {"threads": 4, "access_log": "stderr", **self.options, "http_socket": [address]}, application=self
        )
        try:
            self.bound = binding.bind(self.settings)
        except StartError as error:
            cause = error.__cause__
            raise cause if isinstance(cause, OSError) else OSError(str(error)) from error
        self.server_address = self.bound[0][1].getsockname()
        self.server_name = host or "localhost"
        self.server_port: int = self.server_address[1]

    def server_activate(self) -> None:
        """Nothing: binding listens already."""

    def set_app(self, application: Application | None) -> None:
        """The application to serve, for the requests that come from now on."""
        self.application = application

    def get_app(self) -> Application | None:
        """The application."""
        return self.application

    def fileno(self) -> int:
        """The listening socket's descriptor."""
        return self.bound[0][1].fileno()

    @property
    def socket(self) -> Any:
        """The listening socket."""
        return self.bound[0][1]

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """Serve until ``shutdown`` is called from another thread, or KeyboardInterrupt."""
        if self.asked:
            self.asked = False
            return
        worker = self._worker()
        self.forever = True
        self.ahead.clear()
        self.stopped.shut()
        try:
            if not self.asked:
                with worker.turn:
                    worker.loop.run_forever()
        finally:
            self.forever = self.asked = False
            self.stopped.open()

    def handle_request(self) -> None:
        """Serve one request; with ``timeout`` (seconds) set, wait no longer than that for it."""
        worker = self._worker()
        self.one = True
        timer = worker.loop.call_later(self.timeout, self._waited) if self.timeout is not None else None
        try:
            while self.one and not self.ahead:
                worker.loop.run_forever()
        finally:
            self.one = False
            if timer is not None:
                timer.cancel()
            if self.ahead:
                self.ahead.popleft()  # the one that was waited for

    def shutdown(self) -> None:
        """End ``serve_forever``, from another thread; returns when it has ended.

        One that is only about to begin ends at once when it does (as with ``socketserver``).
        """
        self.asked = True
        if self.worker is not None:
            self.worker.doorway.bell.ring(self._stop_asked)
        self.stopped.wait()

    def server_close(self) -> None:
        """Let running requests finish for a moment, then close the sockets."""
        worker, self.worker = self.worker, None
        if worker is None:
            binding.unbind(self.bound)
        else:
            worker.shutdown_timeout = min(worker.shutdown_timeout, 5.0)
            worker.leave()
            worker.run()
            worker.loop.close()
        if self.diary is not None:
            self.diary.flush()
            self.diary.close()
            self.diary = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server_close()

    # ---- Ours ---------------------------------------------------------------------------------------

    def _worker(self) -> Worker:
        """The machinery, made on the first use and on that thread."""
        if self.worker is None:
            self.diary = diaries.open_diary(self.settings)
            worker = make_worker(self.settings, self._call, self.diary, self._record())
            worker.answered = partial(self._answered, worker)
            worker.start(build.make_listeners(self.bound, self.settings, self.diary))
            self.worker = worker
        return self.worker

    def _call(self, environ: dict[str, Any], start_response: Any) -> Any:
        application = self.application or demo_app
        return application(environ, start_response)

    def _answered(self, worker: Worker, x: Exchange) -> None:
        # Also between two calls of ``handle_request``: what a thread finishes then is the next one's.
        if not self.forever:
            self.ahead.append(x)
            worker.doorway.bell.ring(self._one_is_done)

    def _stop_asked(self) -> None:
        """Loop: asked there, because a ring may come when ``serve_forever`` has ended already."""
        if self.asked and self.worker is not None:
            self.worker.loop.stop()

    def _one_is_done(self) -> None:
        """Loop: asked there, because a ring may come when the call that it was for has returned."""
        if self.one and self.worker is not None:
            self.worker.loop.stop()

    def _waited(self) -> None:
        """Loop: the time-out of ``handle_request``."""
        self.one = False
        if self.worker is not None:
            self.worker.loop.stop()

    def _own_log(self) -> bool:
        kind = self.RequestHandlerClass
        base = WSGIRequestHandler
        return any(
            getattr(kind, name, None) not in (None, getattr(base, name))
            for name in ("log_request", "log_message")
        )

    def _record(self) -> Callable[[Made], None] | None:
        return self._log_by_handler if self._own_log() else None

    def _log_by_handler(self, record: Made) -> None:
        # Made without its own __init__, which in wsgiref reads from a socket.
        handler: Any = object.__new__(self.RequestHandlerClass)
        handler.client_address = (record[2], 0)
        handler.command, handler.path, handler.request_version = record[4:7]
        handler.requestline = f"{record[4]} {record[5]} {record[6]}"
        handler.log_request(record[7], record[10])


def make_server(
    host: str,
    port: int,
    app: Application | None,
    server_class: type[WSGIServer] = WSGIServer,
    handler_class: type[Any] = WSGIRequestHandler,
    **options: Any,
) -> WSGIServer:
    """A server on ``host`` and ``port`` for ``app``, as ``wsgiref.simple_server.make_server`` makes one."""
    server = server_class((host, port), handler_class, **options)
    server.set_app(app)
    return server
