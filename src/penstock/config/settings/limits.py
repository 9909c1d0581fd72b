"""Options: what is taken from clients, and for how long."""

from penstock.config.option import FLAG, INT, LIST, SECONDS, SIZE, Option, group, opt
from penstock.config.settings.declare import within

GROUP = "Limits"

_o = within(GROUP, own=True)


@group
class LimitOptions:
    """Limits of requests, replies and connections."""

    max_connections: int = opt(
        0, _o("max-connections", INT, "Open connections; 0 for what the descriptor limit gives.", metavar="N")
    )
    request_line: int = opt(
        16 << 10, _o("request-line", SIZE, "Longest request line; then 414.", metavar="BYTES")
    )
    header_bytes: int = opt(
        64 << 10, _o("header-bytes", SIZE, "All header lines together; then 431.", metavar="BYTES")
    )
    header_count: int = opt(100, _o("header-count", INT, "Header fields; then 431.", metavar="N"))
    buffer_size: int = opt(
        64 << 10,
        _o(
            "buffer-size",
            SIZE,
            "Block of a uwsgi packet. 64 KB always fit: less is not less here.",
            short="b",
            own=False,
            metavar="BYTES",
        ),
    )
    head_timeout: float = opt(
        15.0, _o("head-timeout", SECONDS, "For a whole request head to come; then 408.", metavar="TIME")
    )
    body_timeout: float = opt(
        30.0, _o("body-timeout", SECONDS, "For a request body to move at --min-rate.", metavar="TIME")
    )
    write_timeout: float = opt(
        60.0,
        _o(
            "write-timeout",
            SECONDS,
            "For a client to take its reply at --min-rate; then it is cut.",
            metavar="TIME",
        ),
    )
    min_rate: int = opt(
        256,
        _o("min-rate", SIZE, "Slowest body or reply, in bytes a second over the time-out.", metavar="BYTES"),
    )
    keepalive_timeout: float = opt(
        75.0,
        _o(
            "keepalive-timeout",
            SECONDS,
            "An idle connection is kept for so long.",
            metavar="TIME",
            group="HTTP",
        ),
    )
    http_keepalive: float | None = opt(
        None,
        _o(
            "http-keepalive",
            SECONDS,
            "Sets --keepalive-timeout; bare: connections are kept, as they always are.",
            bare="",
            own=False,
            metavar="TIME",
            group="HTTP",
        ),
    )
    socket_timeout: float | None = opt(
        None,
        _o(
            "socket-timeout",
            SECONDS,
            "Sets --body-timeout and --write-timeout where they are not given.",
            short="z",
            own=False,
            metavar="TIME",
            group="Sockets",
        ),
    )
    http_timeout: float | None = opt(
        None, _o("http-timeout", SECONDS, "The same.", own=False, metavar="TIME", group="HTTP")
    )
    so_send_timeout: float | None = opt(
        None,
        _o(
            "so-send-timeout",
            SECONDS,
            "Sets --write-timeout where it is not given.",
            aliases=("socket-send-timeout", "so-write-timeout", "socket-write-timeout"),
            bare="0",
            own=False,
            metavar="TIME",
            group="Sockets",
        ),
    )
    http_headers_timeout: float | None = opt(
        None,
        _o(
            "http-headers-timeout",
            SECONDS,
            "Sets --head-timeout where it is not given.",
            own=False,
            metavar="TIME",
            group="HTTP",
        ),
    )
    limit_post: int = opt(
        0, _o("limit-post", SIZE, "Largest request body, 0 for any; then 413.", own=False, metavar="BYTES")
    )
    gather: int = opt(
        64 << 10,
        _o("gather", SIZE, "A body up to this size is gathered before a thread is taken.", metavar="BYTES"),
    )
    post_buffering: int = opt(
        0,
        _o(
            "post-buffering",
            SIZE,
            "Gather every body before a thread is taken, beyond this size on disk; 0: larger ones stream.",
            own=False,
            metavar="BYTES",
        ),
    )
    chunked_limit: int = opt(
        1 << 30, _o("chunked-limit", SIZE, "Largest chunked body, 0 for any; then 413.", metavar="BYTES")
    )
    chunked_stream: bool = opt(
        False,
        _o(
            "chunked-stream",
            FLAG,
            "Stream chunked bodies to the application, not gathered; --limit-post alone bounds them then.",
            bare="true",
        ),
    )
    reply_buffer: int = opt(
        1 << 20,
        _o("reply-buffer", SIZE, "A reply's bytes kept in memory for a slow reader.", metavar="BYTES"),
    )
    reply_spool: int = opt(
        64 << 20,
        _o(
            "reply-spool",
            SIZE,
            "Bytes kept in a file beyond that, before the thread waits; 0 for none.",
            metavar="BYTES",
        ),
    )
    buffered_memory: int = opt(
        512 << 20,
        _o(
            "buffered-memory",
            SIZE,
            "Bytes of replies and uploads in memory over all connections; beyond it the slowest are cut.",
            metavar="BYTES",
        ),
    )
    buffered_disk: int = opt(
        8 << 30,
        _o(
            "buffered-disk",
            SIZE,
            "The same for their temporary files; 0 for no limit, as above.",
            metavar="BYTES",
        ),
    )
    spool_dir: str = opt(
        "", Option("spool-dir", "text", GROUP, "Folder of temporary files.", own=True, metavar="FOLDER")
    )
    early_hints: bool = opt(
        False,
        _o(
            "early-hints",
            FLAG,
            "Offer wsgi.early_hints (103) to the application.",
            bare="true",
            group="HTTP",
        ),
    )
    add_header: tuple[str, ...] = opt(
        (),
        Option(
            "add-header",
            LIST,
            "HTTP",
            "Add a header to every reply of the application, 'Name: value'.",
            metavar="HEADER",
        ),
    )


@group
class TrustOptions:
    """Whose word counts."""

    trusted_proxies: tuple[str, ...] = opt(
        ("127.0.0.0/8", "::1", "unix:"),
        Option(
            "trusted-proxies",
            LIST,
            "Trust",
            "Peers whose X-Forwarded-* and Forwarded are believed: addresses, networks, unix:, *.",
            own=True,
            aliases=("forwarded-allow-ips",),
            metavar="PEERS",
        ),
    )
    forwarded_addr: bool = opt(
        False,
        Option(
            "forwarded-addr",
            FLAG,
            "Trust",
            "Set REMOTE_ADDR to the client's address that a trusted proxy names.",
            own=True,
            bare="true",
        ),
    )
    uwsgi_allow: tuple[str, ...] = opt(
        (),
        Option(
            "uwsgi-allow",
            LIST,
            "Trust",
            "Peers that are served on uwsgi listeners; all of them without it.",
            own=True,
            metavar="PEERS",
        ),
    )
