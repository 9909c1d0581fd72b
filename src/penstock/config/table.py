"""Options that are taken without acting on them, each with its reason. Rows, not fields.

``harmless``: what it asks for is always so here, or has no meaning in this design. ``not supported yet``:
one warning at start says what it would need.
"""

from penstock.config.option import FLAG, HARMLESS, INT, LIST, NOT_YET, TEXT, Option

ALONE = "there is one worker process in this version"


def _row(name: str, kind: str, state: str, reason: str, **more: object) -> Option:
    more.setdefault("bare", "true" if kind == FLAG else None)
    return Option(name, kind, "Taken, not acted on", reason, state=state, reason=reason, **more)  # type: ignore[arg-type]  # typed in Option


ROWS = (
    _row("master", FLAG, NOT_YET, f"a supervisor is not part of this version; {ALONE}", short="M"),
    _row("processes", INT, NOT_YET, ALONE, short="p", aliases=("workers",), metavar="N"),
    _row(
        "harakiri",
        INT,
        NOT_YET,
        "a deadline for requests is not part of this version",
        short="t",
        metavar="N",
    ),
    _row("die-on-term", FLAG, HARMLESS, "TERM always stops here, after the requests that run"),
    _row("enable-threads", FLAG, HARMLESS, "Python threads always work here", short="T"),
    _row("single-interpreter", FLAG, HARMLESS, "there is always one interpreter", short="i"),
    _row("thunder-lock", FLAG, HARMLESS, "accepting needs no lock here"),
    _row("lazy-apps", FLAG, HARMLESS, f"{ALONE}, and it loads the application itself"),
    _row("lazy", FLAG, HARMLESS, f"{ALONE}, and it loads the application itself"),
    _row("strict", FLAG, HARMLESS, "an unknown option is always an error on the command line"),
    _row("ignore-sigpipe", FLAG, HARMLESS, "a client that leaves is no error here"),
    _row("ignore-write-errors", FLAG, HARMLESS, "a client that leaves is no error here"),
    _row("disable-write-exception", FLAG, HARMLESS, "a client that leaves makes no traceback here"),
    _row(
        "plugins", LIST, HARMLESS, "Python, HTTP and uwsgi are built in", aliases=("plugin",), metavar="NAMES"
    ),
    _row(
        "wsgi-env-behaviour",
        TEXT,
        HARMLESS,
        "every request has an environ of its own",
        aliases=("wsgi-env-behavior",),
        metavar="NAME",
    ),
    _row("http-auto-chunked", FLAG, HARMLESS, "replies of unknown length are always chunked on HTTP/1.1"),
    _row(
        "http-manage-expect",
        TEXT,
        HARMLESS,
        "Expect: 100-continue is always answered",
        metavar="N",
        bare="true",
    ),
    _row("tcp-nodelay", FLAG, HARMLESS, "TCP_NODELAY is always set"),
    _row("close-on-exec", FLAG, HARMLESS, "sockets are never inherited by programs that are run"),
)
