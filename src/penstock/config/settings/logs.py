"""Options: the logs, and how the process shows itself. Read at boot only."""

from dataclasses import dataclass

from penstock.config.option import FLAG, TEXT, Option, opt
from penstock.config.settings.declare import many

GROUP = "Logging"


@dataclass(init=False, repr=False, eq=False, frozen=True)
class LogOptions:
    """What is written, and where."""

    disable_logging: bool = opt(
        False, Option("disable-logging", FLAG, GROUP, "No access log.", short="L", bare="true")
    )
    access_log: str = opt(
        "auto",
        Option(
            "access-log",
            TEXT,
            GROUP,
            "Where the access log goes: stdout (also -), stderr, off, a file; auto: stderr with uWSGI's "
            "options, else stdout.",
            own=True,
            aliases=("access-logfile",),
            metavar="WHERE",
        ),
    )
    logto: str = opt("", Option("logto", TEXT, GROUP, "Write all logs to this file.", metavar="FILE"))
    logto2: str = opt(
        "",
        Option(
            "logto2",
            TEXT,
            GROUP,
            "The same, opened once privileges are dropped.",
            metavar="FILE",
        ),
    )
    log_x_forwarded_for: bool = opt(
        False,
        Option(
            "log-x-forwarded-for",
            FLAG,
            GROUP,
            "Log the whole X-Forwarded-For of a trusted peer as the client's address.",
            bare="true",
        ),
    )
    touch_logreopen: tuple[str, ...] = many(
        GROUP, "touch-logreopen", "Open the log files anew when this file changes.", "FILE"
    )
    touch_logrotate: tuple[str, ...] = many(
        GROUP, "touch-logrotate", "Rename the log files when this file changes, and begin new ones.", "FILE"
    )
