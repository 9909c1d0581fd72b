"""Options: the process itself, who it runs as and how it comes and goes. Read at boot only."""

from penstock.config.option import FLAG, LIST, MODE, SECONDS, TEXT, group, opt
from penstock.config.settings.declare import within

GROUP = "Processes"

_o = within(GROUP)


@group
class ProcessOptions:
    """How the process starts, what it is called, and how it ends."""

    daemonize: str = opt(
        "",
        _o(
            "daemonize",
            TEXT,
            "Go to the background before the application is loaded, and log to this file.",
            short="d",
            metavar="FILE",
        ),
    )
    daemonize2: str = opt(
        "", _o("daemonize2", TEXT, "The same once the application is loaded.", metavar="FILE")
    )
    pidfile: str = opt(
        "",
        _o("pidfile", TEXT, "Write the process's number to this file, with the rights of the start.",
           metavar="FILE"),
    )  # fmt: skip
    pidfile2: str = opt(
        "", _o("pidfile2", TEXT, "The same once privileges are dropped.", metavar="FILE")
    )  # fmt: skip
    safe_pidfile: str = opt(
        "", _o("safe-pidfile", TEXT, "Like --pidfile, once the application is loaded.", metavar="FILE")
    )
    safe_pidfile2: str = opt(
        "", _o("safe-pidfile2", TEXT, "Like --pidfile2, once the application is loaded.", metavar="FILE")
    )
    stop: str = opt(
        "",
        _o(
            "stop", TEXT, "Stop the server whose number is in this file, and do nothing else.", metavar="FILE"
        ),
    )
    reload: str = opt(
        "",
        _o("reload", TEXT, "Reload the server whose number is in this file, and do nothing else.",
           metavar="FILE", group="Reloading"),
    )  # fmt: skip
    pause: str = opt(
        "",
        _o("pause", TEXT, "Pause or resume the server whose number is in this file, and do nothing else.",
           metavar="FILE", aliases=("suspend", "resume")),
    )  # fmt: skip
    connect_and_read: str = opt(
        "",
        _o("connect-and-read", TEXT, "Connect to an address, print what comes, and do nothing else.",
           metavar="ADDRESS", group="Tools"),
    )  # fmt: skip
    procname: str = opt("", _o("procname", TEXT, "Title of the process (extra: proctitle).", metavar="TEXT"))
    shutdown_timeout: float = opt(
        25.0,
        _o(
            "shutdown-timeout",
            SECONDS,
            "Time that running requests have to finish after TERM, INT or QUIT.",
            own=True,
            metavar="TIME",
        ),
    )
    linger: float = opt(
        2.0,
        _o(
            "linger",
            SECONDS,
            "Time that an idle connection stays for a request on its way when the server leaves.",
            own=True,
            metavar="TIME",
        ),
    )
    die_on_term: bool = opt(
        False,
        _o(
            "die-on-term",
            FLAG,
            "TERM stops the server, as it always does here; QUIT means what uWSGI then makes of it.",
            bare="true",
            group="Reloading",
            note="TERM always stops here; written down, it gives QUIT uWSGI's meaning, which is to reload",
        ),
    )
    strict: bool = opt(
        False,
        _o(
            "strict",
            FLAG,
            "Options that are unknown or not supported are errors, and so is text behind a number.",
            bare="true",
            group="Configuration",
            language=True,
        ),
    )


@group
class PrivilegeOptions:
    """Who the process runs as, once its sockets are open."""

    uid: str = opt(
        "", _o("uid", TEXT, "Run as this user, a name or a number.", metavar="USER", group="Privileges")
    )
    gid: str = opt(
        "", _o("gid", TEXT, "Run as this group, a name or a number.", metavar="GROUP", group="Privileges")
    )
    add_gid: tuple[str, ...] = opt(
        (),
        _o(
            "add-gid",
            LIST,
            "Add this group to those of the process.",
            metavar="GROUP",
            group="Privileges",
        ),
    )
    umask: int | None = opt(
        None,
        _o(
            "umask",
            MODE,
            "Mask of modes for new files, octal digits.",
            metavar="MODE",
            group="Privileges",
        ),
    )
