"""Where everything is introduced to everything else: settings become sockets, limits and closures.

Runs once, before the loop. On the request path nobody reads ``Settings``.
"""

import socket
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from penstock.codecs.decoder import Limits
from penstock.codecs.http1 import Http1Decoder
from penstock.codecs.http1_reply import BadReply, Fields, fields
from penstock.codecs.uwsgi import UwsgiDecoder
from penstock.config.settings import ListenerSpec, Settings
from penstock.config.site.listeners import redirect, variable
from penstock.config.values import OFF
from penstock.core.errors import StartError
from penstock.handoff.doorway import Marks
from penstock.logs.setup import Diary
from penstock.net import listening as listeners
from penstock.net.door import Intake, Patience
from penstock.net.listener import Listener
from penstock.net.overdue import DeadlinePlan
from penstock.net.trust import Forwarding, Peers
from penstock.process.binding import Bound
from penstock.process.worker import Plan
from penstock.serve.answer import Kitchen
from penstock.serve.record import Noting
from penstock.serve.send import Manner
from penstock.serve.wsgi.call import Application
from penstock.serve.wsgi.environ import base_environ
from penstock.serve.wsgi.mounts import Mounts

ID_HEADER = "X-Request-ID"
TLS = {"HTTPS": "on", "wsgi.url_scheme": "https"}
"""What the environ has of a request that came by TLS."""


def inherit(settings: Settings, listeners: Sequence[tuple[int, int, str]]) -> list[Bound]:
    """A supervisor's sockets in one of its workers, from what ``Boot.listeners`` says of them."""
    bound: list[Bound] = []
    for index, fd, path in listeners:
        sock = socket.socket(fileno=fd)
        sock.setblocking(False)  # it is, but the object does not know
        bound.append((settings.listeners[index], sock, path))
    return bound


def make_listeners(
    bound: Sequence[Bound],
    settings: Settings,
    diary: Diary,
    shared: bool = False,
    contexts: Mapping[str, Any] = MappingProxyType({}),
) -> list[Listener]:
    """Listeners over bound sockets: their decoders, bases and trust. ``shared``: they are a supervisor's, who
    lets nobody in any more, and removes their paths, when it is time to. ``contexts``: what those speak TLS
    with that do."""
    limits = limits_of(settings)
    trusted = peers(settings.trusted_proxies, "trusted-proxies")
    header = id_header(settings, diary)
    name = f"HTTP_{header.upper().replace('-', '_')}" if header else ""
    forwarding = Forwarding(trusted, settings.forwarded_addr, name)
    allow = peers(settings.uwsgi_allow, "uwsgi-allow") if settings.uwsgi_allow else None
    made = []
    for spec, sock, path in bound:
        kind = UwsgiDecoder if spec.protocol == "uwsgi" else Http1Decoder
        listener = Listener(
            sock=sock,
            protocol=spec.protocol,
            decoder=kind({}, limits),
            base=base_of(sock, settings, diary, shared) | own_of(spec, settings),
            forwarding=forwarding,
            allow=allow if spec.protocol == "uwsgi" else None,
            path=path,
            inode=listeners.inode_of(path) if path else (0, 0),
            inherited=shared or spec.parsed.kind == "fd",
            context=contexts[spec.address] if spec.protocol == "https" else None,
            export_cert=settings.https_export_cert,
        )
        made.append(listener)
    if allow is None and not shared:
        warn_of_open(made, diary)
    return made


def warn_of_open(made: Sequence[Listener], diary: Diary) -> None:
    """Listeners that believe everybody."""
    for listener in made:
        if listener.protocol == "uwsgi" and listener.public:
            diary.warning(
                f"{listener.name} can be reached from other hosts, and whoever reaches it is believed: "
                "name the front servers with --uwsgi-allow, or use a UNIX socket"
            )


def make_private_listener(sock: socket.socket, beside: Sequence[Listener], settings: Settings) -> Listener:
    """An HTTP listener that nobody can reach, for the one connection of a worker with itself; its environ is
    that of an HTTP listener ``beside`` it, or of the first."""
    like = next((listener for listener in beside if listener.protocol == "http"), beside[0])
    made = Listener(
        sock=sock,
        protocol="http",
        decoder=Http1Decoder({}, limits_of(settings)),
        base=dict(like.base),
        forwarding=Forwarding(Peers(()), False),
    )
    made.local = False  # so that the application finds an address, as it does for every other client
    return made


def base_of(sock: socket.socket, settings: Settings, diary: Diary, shared: bool) -> dict[str, Any]:
    """What every environ on a socket starts from."""
    processes = settings.processes_given or 2 if shared else 1  # how many more than one, nobody is told
    return base_environ(*server_of(sock), diary.errors, threads=settings.thread_count, processes=processes)


def own_of(spec: ListenerSpec, settings: Settings) -> dict[str, str]:
    """What the environ has on a listener because of the option that named it."""
    if spec.option in ("http", "https"):
        given = dict(variable(text) for text in settings.http_var)
        return given | (TLS if spec.protocol == "https" else {})
    if spec.protocol == "https":
        return dict(TLS)
    if spec.option == "http-to-https":
        from penstock.serve.finish.https import TO_HTTPS

        return {TO_HTTPS: redirect(spec.address).port}
    return {}


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
    settings: Settings,
    application: Application,
    diary: Diary,
    record: Callable[[Any], None] | None = None,
    on_error: Callable[[BaseException], None] | None = None,
) -> Kitchen:
    """What answering needs; ``record`` takes the records of requests. Raises StartError for an ``add-header``
    that cannot be sent."""
    header = id_header(settings, diary)
    own = identify = None
    if header or settings.server_timing:
        from penstock.serve.identity import make_identify, make_own

        own = make_own(header, settings.server_timing)
        identify = make_identify(header) if header else None
    return Kitchen(
        application=application,
        manner=Manner(extra=added(settings), warn=diary.warn_once, own=own),
        error=diary.error,
        warning=diary.warning,
        record=record,
        noting=Noting(
            forwarded=settings.log_x_forwarded_for,
            mounts=application.point_of if isinstance(application, Mounts) else None,
            wanted=diary.format.wanted if diary.format is not None else (),
        ),
        identify=identify,
        early_hints=settings.early_hints,
        on_error=on_error,
    )


def added(settings: Settings) -> Fields:
    """The fields of ``add-header``. Raises StartError for one that cannot be sent."""
    pairs = []
    for header in settings.add_header:
        name, _, value = header.partition(":")
        if name.strip().lower() == "content-length":
            raise StartError(f"add-header: {header}: each reply has its own length")
        pairs.append((name.strip(), value.strip()))
    try:
        return fields(pairs)
    except BadReply as error:
        raise StartError(f"add-header: {error}") from error


def id_header(settings: Settings, diary: Diary) -> str:
    """The header of requests' ids, "" where they have none."""
    if settings.request_id == "auto":
        logged = diary.format is not None and diary.format.uses_id
        return ID_HEADER if logged or settings.otel not in ("", *OFF) else ""
    return "" if settings.request_id in OFF else settings.request_id


def plan_of(settings: Settings) -> Plan:
    """A worker's numbers."""
    return Plan(
        threads=settings.thread_count,
        queue=settings.queue,
        marks=marks_of(settings),
        patience=patience_of(settings),
        intake=intake_of(settings),
        shutdown_timeout=settings.shutdown_timeout,
        lame_duck=settings.lame_duck,
        deadlines=deadlines_of(settings),
        slow=settings.log_slow,
    )


def deadlines_of(settings: Settings) -> DeadlinePlan:
    """How long requests may take."""
    return DeadlinePlan(
        seconds=settings.harakiri,
        grace=settings.harakiri_grace,
        process=settings.harakiri_mode == "process",
        queue=settings.harakiri_queue_threshold,
        routes=any("harakiri:" in value for _, value, _ in settings.rules),  # a rule may set one
    )
