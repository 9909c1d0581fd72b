"""Loggers as they are written: who writes the lines of the log, and which ones.

Pure, for whoever reads the configuration and for the process that opens the loggers. It knows neither what
a line says nor how one is written.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock.config.address import parse_address
from penstock.core.errors import ConfigError

if TYPE_CHECKING:
    from penstock.config.settings import Settings

FILE, FD, STDIO, SOCKET, SYSLOG, RSYSLOG, PIPE = (
    *("file", "fd", "stdio", "socket", "syslog", "rsyslog", "pipe"),
)  # fmt: skip
KINDS = (FILE, FD, STDIO, SOCKET, SYSLOG, RSYSLOG, PIPE)
IDENT = "penstock"
ABSENT = {
    "redislog": "pipe: can run a program that writes to Redis",
    "mongodblog": "pipe: can run a program that writes to MongoDB",
    "python": "what the application logs itself is the application's; pipe: can run a program in Python",
    "crypto": "nothing is encrypted on its way; pipe: can run a program that does",
    "systemd": "systemd's journal takes what is written to stderr, which is where the log goes",
    "zeromq": "socket:, rsyslog: and pipe: reach other programs",
    "zmq": "socket:, rsyslog: and pipe: reach other programs",
    "graylog2": "rsyslog: and pipe: reach Graylog",
}
"""uWSGI's kinds that are not part of this version, and what to use in their place."""
FACILITIES = {
    name: number << 3
    for number, name in enumerate(
        ["kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"]
    )
} | {f"local{number}": (16 + number) << 3 for number in range(8)}
FACILITIES["security"] = FACILITIES["auth"]
INFO = 6  # the severity of all lines (RFC 5424 §6.2.1)
NOTICE_OF_A_DAEMON = 29  # what rsyslog's lines have in uWSGI unless they are given another
SYSLOG_PORT = 514


@dataclass(frozen=True, slots=True, kw_only=True)
class Logger:
    """``kind`` as above; ``id`` by which routes name it, or "".

    ``target`` is the file, the address or the command; ``backup`` what a file is called when it is larger
    than ``size`` bytes, "" for its name with the time; ``said`` what comes before each line; ``number`` the
    descriptor, or the priority of syslog.
    """

    kind: str
    id: str = ""
    target: str = ""
    backup: str = ""
    size: int = 0
    said: str = ""
    number: int = 0

    @property
    def name(self) -> str:
        """What the operator calls it."""
        return f"{self.id} {self.kind}:{self.target}".strip().removesuffix(":")


def parse_logger(text: str) -> Logger:
    """``logger`` and ``req-logger``: ``[ID ]KIND[:ARGUMENT]``. Raises ValueError."""
    ident, space, rest = text.lstrip().partition(" ")  # blanks at the end may be a prefix's
    if not space or not ident.isascii() or not ident.isalnum():
        ident, rest = "", text.lstrip()
    kind, _, argument = rest.partition(":")
    if kind in ABSENT:
        raise ValueError(f"there are no {kind} loggers: {ABSENT[kind]}")
    if kind not in KINDS:
        meant = f"; did you mean file:{kind}?" if kind.startswith("/") else ""
        raise ValueError(f"there is no kind of logger {kind!r}: {', '.join(KINDS)} are known{meant}")
    return PARSERS[kind](ident, argument)


def parse_syslog(text: str) -> Logger:
    """``log-syslog``. Raises ValueError."""
    return parse_logger(f"{SYSLOG}:{text}")


def parse_socket(text: str) -> Logger:
    """``log-socket``. Raises ValueError."""
    return parse_logger(f"{SOCKET}:{text}")


def _file(ident: str, argument: str) -> Logger:
    """``PATH``, or ``logfile=PATH,backupname=PATH,maxsize=BYTES``."""
    if "=" not in argument:
        return Logger(kind=FILE, id=ident, target=wanted(argument, "file:/var/log/site.log"))
    values = dict(word.partition("=")[::2] for word in argument.split(",") if word)
    unknown = values.keys() - {"logfile", "backupname", "maxsize"}
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))}: logfile, backupname and maxsize are known")
    size = values.get("maxsize", "0")
    if not size.isdecimal():
        raise ValueError(f"maxsize={size}: a number of bytes is expected")
    path = wanted(values.get("logfile", ""), "file:logfile=/var/log/site.log,maxsize=1000000")
    return Logger(kind=FILE, id=ident, target=path, backup=values.get("backupname", ""), size=int(size))


def _fd(ident: str, argument: str) -> Logger:
    if not argument.isdecimal():
        raise ValueError("the number of a descriptor is expected, such as fd:3")
    return Logger(kind=FD, id=ident, target=argument, number=int(argument))


def _stdio(ident: str, argument: str) -> Logger:
    """Where the log went before there were loggers; uWSGI looks at no argument either."""
    return Logger(kind=STDIO, id=ident)


def _socket(ident: str, argument: str) -> Logger:
    """``ADDRESS[,PREFIX]``."""
    address, _, said = argument.partition(",")
    return Logger(kind=SOCKET, id=ident, target=addressed(address), said=said)


def _syslog(ident: str, argument: str) -> Logger:
    """``[IDENT][,FACILITY]``."""
    said, comma, facility = argument.partition(",")
    if comma and facility not in FACILITIES:
        raise ValueError(f"there is no facility {facility!r}: {', '.join(FACILITIES)} are known")
    number = FACILITIES[facility or "daemon"] | INFO
    return Logger(kind=SYSLOG, id=ident, said=said or IDENT, number=number)


def _rsyslog(ident: str, argument: str) -> Logger:
    """``ADDRESS[:PORT][,IDENT[,PRIORITY]]``."""
    address, _, rest = argument.partition(",")
    said, comma, priority = rest.partition(",")
    if comma and not priority.isdecimal():
        raise ValueError(f"{priority!r} is no priority: a number is expected, such as 29")
    if address and not address.startswith(("/", "@")) and ":" not in address:
        address += f":{SYSLOG_PORT}"
    number = int(priority or NOTICE_OF_A_DAEMON)
    return Logger(kind=RSYSLOG, id=ident, target=addressed(address), said=said, number=number)


def _pipe(ident: str, argument: str) -> Logger:
    return Logger(kind=PIPE, id=ident, target=wanted(argument, "pipe:/usr/local/bin/keep-log"))


PARSERS = dict(zip(KINDS, (_file, _fd, _stdio, _socket, _syslog, _rsyslog, _pipe), strict=True))


def wanted(argument: str, example: str) -> str:
    """An argument that must be there. Raises ValueError."""
    if not argument.strip():
        raise ValueError(f"something is expected behind the colon, such as {example}")
    return argument


def addressed(text: str) -> str:
    """The address of somebody who listens for lines. Raises ValueError."""
    try:
        address = parse_address(text)
    except ConfigError as error:
        raise ValueError(str(error)) from error
    if address.kind == "fd" or (address.kind == "tcp" and not (address.host and address.port)):
        raise ValueError(f"{text!r}: a UNIX socket's path or host:port is expected")
    return text


# ---- All of one log -----------------------------------------------------------------------------------


def log_loggers(values: "Settings") -> tuple[Logger, ...]:
    """Those that get the log: of ``logger``, ``worker-logger``, ``log-syslog`` and ``log-socket``. Raises
    ValueError."""
    texts = [*values.logger, *values.worker_logger]
    texts += [f"{SYSLOG}:{text}" for text in values.log_syslog]
    texts += [f"{SOCKET}:{text}" for text in values.log_socket]
    return parsed(texts)


def request_loggers(values: "Settings") -> tuple[Logger, ...]:
    """Those that get the lines of requests: of ``req-logger`` and ``worker-logger-req``. Raises
    ValueError."""
    return parsed([*values.req_logger, *values.worker_logger_req])


def parsed(texts: Iterable[str]) -> tuple[Logger, ...]:
    """Each as it is written."""
    return tuple(parse_logger(text) for text in texts)
