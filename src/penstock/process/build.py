"""Where everything is introduced to everything else: settings become sockets, limits and closures.

Runs once, before the loop. On the request path nobody reads ``Settings``.
"""

import importlib
import os
import re
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from penstock.codecs.decoder import Limits
from penstock.codecs.http1 import Http1Decoder
from penstock.codecs.http1_reply import BadReply, fields
from penstock.codecs.uwsgi import UwsgiDecoder
from penstock.config.address import Address
from penstock.config.settings import ListenerSpec, Settings
from penstock.config.values import OFF
from penstock.core.errors import StartError
from penstock.handoff.doorway import Marks
from penstock.logs.setup import Diary
from penstock.logs.sinks import Sink, file_sink
from penstock.net import listener as listeners
from penstock.net.door import Intake, Patience
from penstock.net.listener import Listener
from penstock.net.trust import Forwarding, Peers
from penstock.process import pid1
from penstock.process.worker import Plan
from penstock.serve.answer import Kitchen
from penstock.serve.send import Manner
from penstock.serve.wsgi.call import Application
from penstock.serve.wsgi.environ import base_environ

REMOTE = re.compile(r"[\w.-]*:\d+")
WITH_ERRORS = "\0"
"""Where an access log goes that is written to the same place as the errors: the name of no file."""

Bound = tuple[ListenerSpec, socket.socket, str]
"""A listener's specification, its socket, and its path if it has one that is ours."""


def bind(settings: Settings, owner: str = "") -> list[Bound]:
    """Open every listening socket that is asked for; UNIX sockets are ``owner``'s (``33:33``) where
    ``chown-socket`` does not say whose. Raises StartError; then none stays open."""
    bound: list[Bound] = []
    try:
        for spec in settings.listeners:
            bound.extend((spec, sock, path) for sock, path in bind_one(spec.parsed, settings, owner))
    except BaseException:
        unbind(bound)
        raise
    return bound


def bind_one(address: Address, settings: Settings, owner: str = "") -> list[tuple[socket.socket, str]]:
    """The socket or sockets of one address, each with its path."""
    if address.kind == "fd":
        return [(listeners.adopt(address.fd), "")]
    if address.kind in ("unix", "abstract"):
        path = "@" + address.path if address.kind == "abstract" else address.path
        sock = listeners.bind_unix(
            path, settings.backlog, mode=mode_of(settings), owner=settings.chown_socket or owner
        )
        # Absolute, so that it is found at the end even after a change of folder.
        return [(sock, "" if address.kind == "abstract" else os.path.abspath(path))]
    found = listeners.bind_tcp(address.host, address.port, settings.backlog, settings.so_keepalive)
    return [(sock, "") for sock in found]


def mode_of(settings: Settings) -> int | None:
    """Mode of UNIX sockets; None for what the umask gives.

    uWSGI's ``daemonize`` clears the umask, and front servers that run as another user rely on the socket's
    777. Here it is the socket alone: a pidfile and an application's files are not for everybody to write.
    """
    if settings.chmod_socket is None and settings.umask is None and settings.daemonize:
        return 0o777
    return settings.chmod_socket


def make_listeners(bound: Sequence[Bound], settings: Settings, diary: Diary) -> list[Listener]:
    """Listeners over bound sockets: their decoders, bases and trust."""
    limits = limits_of(settings)
    trusted = peers(settings.trusted_proxies, "trusted-proxies")
    forwarding = Forwarding(trusted, settings.forwarded_addr)
    allow = peers(settings.uwsgi_allow, "uwsgi-allow") if settings.uwsgi_allow else None
    made = []
    for spec, sock, path in bound:
        decoder: Any = UwsgiDecoder if spec.protocol == "uwsgi" else Http1Decoder
        listener = Listener(
            sock=sock,
            protocol=spec.protocol,
            make_decoder=partial(_decoder, decoder, limits),
            base=base_environ(*server_of(sock), diary.errors, threads=settings.thread_count),
            forwarding=forwarding,
            allow=allow if spec.protocol == "uwsgi" else None,
            path=path,
            inode=listeners.inode_of(path) if path else (0, 0),
            inherited=spec.parsed.kind == "fd",
        )
        if spec.protocol == "uwsgi" and listener.public and allow is None:
            diary.warning(
                f"{listener.name} can be reached from other hosts, and whoever reaches it is believed: "
                "name the front servers with --uwsgi-allow, or use a UNIX socket"
            )
        made.append(listener)
    return made


def _decoder(kind: Callable[[dict[str, Any], Limits], Any], limits: Limits, base: dict[str, Any]) -> Any:
    return kind(base, limits)


def server_of(sock: socket.socket) -> tuple[str, str]:
    """SERVER_NAME and SERVER_PORT of a listening socket: the host's name, and the port or 80, as uWSGI
    gives them."""
    name = sock.getsockname()
    return socket.gethostname(), str(name[1]) if isinstance(name, tuple) else "80"


def peers(entries: Sequence[str], option: str) -> Peers:
    """A list of peers. Raises StartError that names the option."""
    try:
        return Peers(entries)
    except ValueError as error:
        raise StartError(f"{option}: {error}") from error


def limits_of(settings: Settings) -> Limits:
    """What the decoders refuse."""
    return Limits(
        request_line=settings.request_line,
        header_bytes=settings.header_bytes,
        header_count=settings.header_count,
        body=settings.limit_post,
        chunked_body=0 if settings.chunked_stream else settings.chunked_limit,
        packet=min(65535, max(settings.buffer_size, 65535)),
    )


def patience_of(settings: Settings) -> Patience:
    """How long the front door waits."""
    return Patience(
        head=settings.head_timeout,
        body=settings.body_timeout,
        keepalive=settings.keepalive_timeout,
        write=settings.write_timeout,
        queue=settings.queue_timeout,
        linger=settings.linger,
        rate=settings.min_rate,
    )


def intake_of(settings: Settings) -> Intake:
    """How requests are taken in."""
    return Intake(
        gather=settings.gather,
        post_buffering=settings.post_buffering,
        chunked_stream=settings.chunked_stream,
        read_ahead=max(settings.buffer_size, 64 << 10),
        max_connections=settings.max_connections or connections_that_fit(settings.thread_count),
        spool_dir=settings.spool_dir,
        buffered_memory=settings.buffered_memory,
        buffered_disk=settings.buffered_disk,
    )


def connections_that_fit(threads: int) -> int:
    """max-connections from the descriptor limit: what is left when the application has had its share."""
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft > 1 << 20:
        soft = 1 << 20
    return max(16, soft - 64 - 8 * threads)


def marks_of(settings: Settings) -> Marks:
    """How much waits between loop and threads."""
    return Marks(
        reply_buffer=settings.reply_buffer,
        reply_spool=settings.reply_spool,
        spool_dir=settings.spool_dir,
    )


def kitchen_of(
    settings: Settings, application: Application, diary: Diary, record: Callable[[Any], None] | None = None
) -> Kitchen:
    """What answering needs. Raises StartError for an ``add-header`` that cannot be sent."""
    pairs = []
    for header in settings.add_header:
        name, _, value = header.partition(":")
        pairs.append((name.strip(), value.strip()))
    try:
        extra = fields(pairs)
    except BadReply as error:
        raise StartError(f"add-header: {error}") from error
    return Kitchen(
        application=application,
        manner=Manner(extra=extra, warn=diary.warn_once),
        error=diary.error,
        warning=diary.warning,
        record=record or (diary.access.append if diary.access is not None else None),
        early_hints=settings.early_hints,
        log_forwarded=settings.log_x_forwarded_for,
    )


def plan_of(settings: Settings) -> Plan:
    """A worker's numbers."""
    return Plan(
        threads=settings.thread_count,
        queue=settings.queue,
        marks=marks_of(settings),
        patience=patience_of(settings),
        intake=intake_of(settings),
        shutdown_timeout=settings.shutdown_timeout,
    )


def unbind(bound: Sequence[Bound]) -> None:
    """Close sockets that no listener has taken over, and remove their paths."""
    for _, sock, path in bound:
        sock.close()
        if path:
            with suppress(OSError):  # it is gone, or in a folder that is closed to who we are by now
                Path(path).unlink()


def open_diary(settings: Settings) -> Diary:
    """The logs; errors go to stderr where no file is named. Raises StartError."""
    for option in ("daemonize", "daemonize2", "logto", "logto2"):
        check_log(option, getattr(settings, option))
    file = settings.daemonize or settings.logto
    error_sink = file_sink(file) if file else Sink(2)
    return Diary(error_sink, access_sink(settings, error_sink))


def access_sink(settings: Settings, error_sink: Sink) -> Sink | None:
    """Where the access log goes, None without one. Raises StartError."""
    where = settings.access_log
    if settings.disable_logging or where in OFF:
        return None
    if where == "auto":
        where = usual_place(settings)
    if where in ("stdout", "-"):
        return Sink(1)
    if where == WITH_ERRORS or (where == "stderr" and error_sink.fd == 2):
        return error_sink
    return Sink(2) if where == "stderr" else file_sink(where)


def usual_place(settings: Settings) -> str:
    """To the file, with the errors, where there is one; as uWSGI does to stderr when its options are used;
    and to stdout in the short form and as a container's first process."""
    # ``logto2`` and ``daemonize2`` move the error log later, and the access log with it.
    if settings.daemonize or settings.daemonize2 or settings.logto or settings.logto2:
        return WITH_ERRORS
    return "stdout" if settings.short_form or first_process() else "stderr"


def check_log(option: str, path: str) -> None:
    """uWSGI takes a name with a colon for the address of a log server (UDP). Raises StartError for one."""
    if REMOTE.fullmatch(path):
        raise StartError(f"{option} {path}: sending logs over the network is not part of this version")


def first_process() -> bool:
    """Whether this is a container's first process, or its init's child (see ``pid1``)."""
    return os.getpid() == 1 or (os.getppid() == 1 and pid1.is_init_child)


def name_process(settings: Settings, diary: Diary) -> None:
    """uWSGI's ``procname``, where the extra is installed."""
    if not settings.procname:
        return
    try:
        setproctitle = importlib.import_module("setproctitle")
    except ImportError:
        diary.warning("--procname needs the package setproctitle: pip install 'penstock[proctitle]'")
        return
    setproctitle.setproctitle(settings.procname)


def change_folder(option: str, path: str) -> None:
    """uWSGI's ``chdir`` and ``chdir2``; nothing for an empty ``path``. Raises StartError."""
    if path:
        try:
            os.chdir(path)
        except OSError as error:
            raise StartError(f"{option} {path}: {error.strerror}") from error
