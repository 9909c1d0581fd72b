"""Options: where to listen, and what its sockets are like. Read at boot only."""

from penstock.config.option import FLAG, INT, LIST, MODE, TEXT, group, opt
from penstock.config.settings.declare import within

GROUP = "Sockets"

_o = within(GROUP)


@group
class Sockets:
    """Listening sockets and what is set on them."""

    bind: tuple[str, ...] = opt(
        (),
        _o(
            "bind",
            LIST,
            "Serve HTTP on this address: host:port, :port, [v6]:port, a path or unix:path, @abstract, fd://N.",
            metavar="ADDRESS",
            own=True,
        ),
    )
    http_socket: tuple[str, ...] = opt(
        (),
        _o(
            "http-socket",
            LIST,
            "Serve HTTP on this address.",
            metavar="ADDRESS",
            aliases=("http11-socket",),
        ),
    )
    http: tuple[str, ...] = opt(
        (),
        _o(
            "http",
            LIST,
            "The same: HTTP straight from the worker, no router process.",
            metavar="ADDRESS",
            aliases=("httprouter",),
            group="HTTP",
        ),
    )
    uwsgi_socket: tuple[str, ...] = opt(
        (), _o("uwsgi-socket", LIST, "Serve the uwsgi protocol on this address.", metavar="ADDRESS")
    )
    socket: tuple[str, ...] = opt(
        (),
        _o(
            "socket",
            LIST,
            "Serve the protocol named by --protocol (uwsgi) on this address.",
            short="s",
            metavar="ADDRESS",
        ),
    )
    protocol: str = opt(
        "uwsgi",
        _o(
            "protocol",
            TEXT,
            "What --socket speaks: uwsgi or http.",
            metavar="NAME",
            aliases=("socket-protocol",),
        ),
    )
    listen: int = opt(
        0, _o("listen", INT, "Length of the kernel's queue; 0 for the most it gives.", short="l", metavar="N")
    )
    chmod_socket: int | None = opt(
        None,
        _o(
            "chmod-socket",
            MODE,
            "Mode of UNIX sockets, three octal digits; bare: 666.",
            short="C",
            bare="666",
            metavar="MODE",
            aliases=("chmod",),
        ),
    )
    chown_socket: str = opt(
        "", _o("chown-socket", TEXT, "Owner of UNIX sockets, user[:group].", metavar="OWNER")
    )
    so_keepalive: bool = opt(
        False,
        _o(
            "so-keepalive",
            FLAG,
            "Set SO_KEEPALIVE on TCP connections, save those of inherited sockets.",
            bare="true",
        ),
    )
    vacuum: bool = opt(
        True,
        _o(
            "vacuum",
            FLAG,
            "Remove UNIX sockets and pidfiles at the end, if they are still ours; =false leaves them.",
            bare="true",
            group="Processes",
        ),
    )
