"""Options: the logs, what is in them, where they go, and on which way. Read at boot only."""

from penstock.config.option import FLAG, MILLISECONDS, MODE, SIZE, TEXT, group, opt
from penstock.config.settings.declare import flag, many, number, text, within

GROUP = "Logging"
LOGGERS = ("logger", "worker_logger", "log_syslog", "log_socket", "log_encoder", "log_route")
REQUEST_LOGGERS = ("req_logger", "worker_logger_req", "log_req_encoder", "log_req_route")
RULES = (*LOGGERS, *REQUEST_LOGGERS, "log_drain", "log_filter")
"""Fields that have lines looked at on their way."""

_o = within(GROUP)


@group
class LogOptions:
    """Where the logs go, and what becomes of their files."""

    disable_logging: bool = opt(False, _o("disable-logging", FLAG, "No access log.", short="L", bare="true"))
    access_log: str = opt(
        "auto",
        _o(
            "access-log",
            TEXT,
            "Where the access log goes: stdout (also -), stderr, off, a file; auto: stderr with uWSGI's "
            "options, else stdout.",
            own=True,
            aliases=("access-logfile",),
            metavar="WHERE",
        ),
    )
    logto: str = text(GROUP, "logto", "Write all logs to this file, or to this host:port by UDP.", "FILE")
    logto2: str = text(GROUP, "logto2", "The same, opened once privileges are dropped.", "FILE")
    touch_logreopen: tuple[str, ...] = many(
        GROUP, "touch-logreopen", "Open the log files anew when this file changes.", "FILE"
    )
    touch_logrotate: tuple[str, ...] = many(
        GROUP, "touch-logrotate", "Rename the log files when this file changes, and begin new ones.", "FILE"
    )
    log_reopen: bool = flag(GROUP, "log-reopen", "Open the log files anew at a reload.")
    log_truncate: bool = flag(GROUP, "log-truncate", "Empty the log files at the start.")
    log_maxsize: int = number(
        SIZE, 0, GROUP, "log-maxsize", "Rename a log file that is larger, and begin a new one.",
        metavar="BYTES",
    )  # fmt: skip
    log_backupname: str = text(
        GROUP, "log-backupname", "What such a file is called then; the time behind its name without it.",
        "FILE",
    )  # fmt: skip
    logfile_chown: bool = flag(GROUP, "logfile-chown", "Give the log files to uid and gid.")
    logfile_chmod: int | None = opt(
        None, _o("logfile-chmod", MODE, "Mode of the log files, three octal digits.", metavar="MODE")
    )
    log_master: bool = flag(GROUP, "log-master", "Have the supervisor write what the workers log.")


@group
class LineOptions:
    """Which requests have a line, and what lines look like."""

    log_format: str = text(
        GROUP,
        "log-format",
        "The line of a request, with %(variables); json, common and combined by name.",
        "FORMAT",
        aliases=("logformat",),
    )
    logformat_strftime: bool = flag(
        GROUP, "logformat-strftime", "%(ftime) is written as log-date says.", aliases=("log-format-strftime",)
    )
    log_micros: bool = flag(GROUP, "log-micros", "Times in microseconds instead of milliseconds.")
    log_date: str = text(
        GROUP, "log-date", "Begin lines with the time, in strftime's form where one is given.", "FORMAT",
        aliases=("logdate",), bare="true",
    )  # fmt: skip
    log_prefix: str = text(GROUP, "log-prefix", "The same as log-date.", "FORMAT", bare="true")
    log_4xx: bool = flag(GROUP, "log-4xx", "Without the access log, requests answered 4xx all the same.")
    log_5xx: bool = flag(GROUP, "log-5xx", "Without the access log, requests answered 5xx all the same.")
    log_slow: float = number(
        MILLISECONDS, 0.0, GROUP, "log-slow",
        "Requests slower than this have a record with the stack of their thread, and their line always.",
        metavar="MS",
    )  # fmt: skip
    log_big: int = number(
        SIZE, 0, GROUP, "log-big", "Without the access log, replies larger than this all the same.",
        metavar="BYTES",
    )  # fmt: skip
    log_zero: bool = flag(GROUP, "log-zero", "Without the access log, replies without a body all the same.")
    log_sendfile: bool = opt(
        False,
        _o("log-sendfile", FLAG, "Without the access log, replies by sendfile all the same.", metavar="ON"),
    )
    log_ioerror: bool = opt(
        False,
        _o("log-ioerror", FLAG, "Without the access log, requests with errors of reading and writing too.",
           metavar="ON"),
    )  # fmt: skip
    log_x_forwarded_for: bool = flag(
        GROUP,
        "log-x-forwarded-for",
        "Log the whole X-Forwarded-For of a trusted peer as the client's address.",
    )
    memory_report: int = opt(
        0,
        _o("memory-report", FLAG, "The worker's memory in the request's line and stats; 2: USS and PSS too.",
           short="m", bare="true"),
    )  # fmt: skip


@group
class LoggerOptions:
    """Loggers, which lines they get, and what is made of the lines on their way."""

    logger: tuple[str, ...] = many(
        GROUP,
        "logger",
        "Send the log to this logger; lines of requests too, unless they go elsewhere.",
        "[ID ]KIND[:ARGUMENT]",
    )
    req_logger: tuple[str, ...] = many(
        GROUP, "req-logger", "Send the lines of requests to this logger.", "[ID ]KIND[:ARGUMENT]",
        aliases=("logger-req",),
    )  # fmt: skip
    worker_logger: tuple[str, ...] = many(
        GROUP, "worker-logger", "As logger, written by the workers themselves.", "[ID ]KIND[:ARGUMENT]"
    )
    worker_logger_req: tuple[str, ...] = many(
        GROUP, "worker-logger-req", "As req-logger, written by the workers themselves.",
        "[ID ]KIND[:ARGUMENT]",
    )  # fmt: skip
    log_syslog: tuple[str, ...] = many(
        GROUP, "log-syslog", "Send the log to syslog.", "[IDENT][,FACILITY]", bare=""
    )
    log_socket: tuple[str, ...] = many(
        GROUP, "log-socket", "Send the log to a UNIX socket, or to host:port by UDP.", "ADDRESS"
    )
    rsyslog_packet_size: int = number(
        SIZE, 1024, GROUP, "rsyslog-packet-size", "Size of the packets to rsyslog.", metavar="BYTES"
    )
    rsyslog_split_messages: bool = flag(
        GROUP, "rsyslog-split-messages", "Split lines that are longer than a packet to rsyslog."
    )
    log_encoder: tuple[str, ...] = many(
        GROUP, "log-encoder", "Make this of each line of the log.", "ENCODER[:ID][ ARGUMENT]",
        aliases=("worker-log-encoder",),
    )  # fmt: skip
    log_req_encoder: tuple[str, ...] = many(
        GROUP, "log-req-encoder", "Make this of each line of a request.", "ENCODER[:ID][ ARGUMENT]",
        aliases=("worker-log-req-encoder",),
    )  # fmt: skip
    log_route: tuple[str, ...] = many(GROUP, "log-route", "Send lines that match to one logger.", "ID REGEX")
    log_req_route: tuple[str, ...] = many(
        GROUP, "log-req-route", "Send lines of requests that match to one logger.", "ID REGEX"
    )
    log_drain: tuple[str, ...] = many(GROUP, "log-drain", "Leave out lines that match.", "REGEX")
    log_filter: tuple[str, ...] = many(GROUP, "log-filter", "Keep only lines that match.", "REGEX")
