"""Alarms as they are written: what each one does, the lines that raise one, the descriptors that do.

Pure, for whoever reads the configuration and for the process that raises alarms. It knows neither where a
line of the log is from nor how an alarm is carried out.
"""

import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

CMD, LOG, MULE, POST, NOTHING = "cmd", "log", "mule", "post", ""
"""What an alarm does: runs a command, writes a line, tells a mule, sends something, or nothing."""
SECONDS = 4.0  # uWSGI's socket-timeout, which its curl goes by
WEB, MAIL = ("http", "https"), ("smtp", "smtps")
ABSENT = {
    "signal": "uWSGI's signals are not part of this version; cmd: and http: tell a program of it",
    "xmpp": "no Jabber messages are sent; cmd: can run a program that does",
    "speech": "nothing is spoken; cmd: can run a program that does",
    "sentry": "nothing is sent in Sentry's form; https: and cmd: can reach somebody who does",
}
"""uWSGI's kinds that do nothing here: known by name, so that a file that has one starts."""
BACKWARD = re.compile(r"(?:[^\\]|^)(?:\\\\)*\\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A message that is sent by HTTP, or by mail to ``to``. ``timeout`` of the whole in seconds, 0 for none
    of its own, ``connect`` until there is a connection; ``insecure``: whoever answers is believed."""

    url: str
    method: str = "POST"
    user: str = ""
    password: str = ""
    timeout: float = SECONDS
    connect: float = SECONDS
    insecure: bool = False
    secure: bool = False
    subject: str = ""
    to: str = ""
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Alarm:
    """``name`` by which it is raised, ``kind`` as above, ``argument`` the command, the text before the line,
    or the number of the mule; ``post`` what is sent where; ``absent`` why it does nothing, or ""."""

    name: str
    kind: str
    argument: str = ""
    post: Post | None = None
    absent: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """Lines that match ``pattern`` raise the alarms ``names``."""

    names: tuple[str, ...]
    pattern: re.Pattern[bytes]


@dataclass(frozen=True, slots=True)
class Readable:
    """``alarm-fd``: the alarm ``name`` is raised with ``text`` when ``fd`` has something to read, of which
    ``size`` bytes are taken each time."""

    name: str
    fd: int
    size: int
    text: str


def parse(text: str) -> Alarm:
    """``alarm``: ``NAME KIND:ARGUMENT``. Raises ValueError."""
    name, _, rest = text.strip().partition(" ")
    kind, colon, argument = rest.strip().partition(":")
    if not colon or not kind:
        raise ValueError("NAME KIND:ARGUMENT is expected, such as: ops cmd:/usr/local/bin/page-somebody")
    if kind == CMD and not argument.strip():
        raise ValueError("a command is expected behind cmd:")
    if kind in (CMD, LOG):
        return Alarm(name, kind, argument)
    if kind == MULE:
        return Alarm(name, MULE, leading_digits(argument))
    if kind in WEB:
        return Alarm(name, POST, post=checked(Post(url=f"{kind}:{argument}")))
    if kind == "curl":
        return Alarm(name, POST, post=checked(post_of(argument)))
    if kind in ABSENT:
        return Alarm(name, NOTHING, absent=ABSENT[kind])
    raise ValueError(f"there is no kind of alarm {kind!r}: cmd, log, mule, http, https and curl are known")


def leading_digits(text: str) -> str:
    """A number as C reads it: what follows the digits does not count, and nothing is 0."""
    found = re.match(r"\s*(\d+)", text)
    return found[1] if found else "0"


# ---- curl ---------------------------------------------------------------------------------------------

WORDS = {"method": "method", "auth_user": "user", "auth_pass": "password", "subject": "subject",
         "mail_to": "to", "mail_from": "sender"}  # fmt: skip
TIMES = {"timeout": "timeout", "conn_timeout": "connect"}
SWITCHES = {"ssl": "secure", "ssl_insecure": "insecure"}


def post_of(argument: str) -> Post:
    """``curl:``: the URL and ``key=value`` between semicolons, as its plugin has them. Raises ValueError."""
    url, values = "", dict[str, Any]()
    for word in filter(None, argument.split(";")):
        key, equals, value = word.partition("=")
        if key == "url" and equals:
            url = value
        elif not equals or not url:
            url = word
        else:
            values.update(word_of(key, value))
    if not url:
        raise ValueError("a URL is expected behind curl:")
    return Post(url=url if "://" in url else f"http://{url}", **values)


def word_of(key: str, value: str) -> dict[str, Any]:
    """One ``key=value``, as a field of a ``Post``. Raises ValueError."""
    if key in WORDS:
        return {WORDS[key]: value}
    if key in TIMES:
        return {TIMES[key]: float(leading_digits(value))}
    if key in SWITCHES:
        return {SWITCHES[key]: True}
    raise ValueError(f"{key} is none of {', '.join(('url', *WORDS, *TIMES, *SWITCHES))}")


def checked(post: Post) -> Post:
    """The same, where it can be sent. Raises ValueError."""
    parts = urlsplit(post.url)
    known = (*WEB, *MAIL)
    if parts.scheme not in known:
        raise ValueError(f"a URL of {', '.join(known)} is expected, not {parts.scheme}:")
    if not parts.hostname or (parts.port is not None and parts.port == 0):
        raise ValueError(f"a host is expected, such as {parts.scheme}://example.org/")
    if not post.url.isprintable() or " " in post.url:
        raise ValueError("a URL without blanks is expected")
    if parts.scheme in MAIL and not post.to:
        raise ValueError("mail_to=ADDRESS is expected with a URL of a mail server")
    return post


# ---- Lines and descriptors ----------------------------------------------------------------------------


def parse_rule(text: str) -> Rule:
    """``log-alarm`` and ``not-log-alarm``: ``NAME[,NAME...] REGEX``. Raises ValueError."""
    names, _, pattern = text.strip().partition(" ")
    if not pattern.strip():
        raise ValueError("NAME REGEX is expected, such as: ops ^ERROR")
    return Rule(tuple(filter(None, names.split(","))), compiled(pattern.lstrip()))


def compiled(pattern: str) -> re.Pattern[bytes]:
    """A regular expression over bytes, as uWSGI's are. Raises ValueError for one that is wrong, or that
    Python does not read as PCRE does."""
    if BACKWARD.search(pattern):
        raise ValueError("\\Z is not the same in Python as in PCRE; write $")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # [[:alpha:]] is a set of letters to PCRE alone
        try:
            return re.compile(pattern.encode())
        except (re.error, FutureWarning, DeprecationWarning, OverflowError, RecursionError) as error:
            raise ValueError(f"a regular expression that Python knows is expected: {error}") from error


def parse_readable(text: str) -> Readable:
    """``alarm-fd``: ``NAME FD[:BYTES] TEXT``. Raises ValueError."""
    name, _, rest = text.strip().partition(" ")
    number, _, said = rest.strip().partition(" ")
    fd, _, size = number.partition(":")
    if not fd.isdecimal() or not said or (size and not size.isdecimal()):
        raise ValueError("NAME FD[:BYTES] TEXT is expected, such as: ops 3:8 the disk is full")
    return Readable(name, int(fd), max(1, int(size or 1)), said)


# ---- Together -----------------------------------------------------------------------------------------


class Remark(NamedTuple):
    """Something about the value of an option, by its field: ``fatal`` where uWSGI does not start either."""

    field: str
    value: str
    text: str
    fatal: bool = False


def remarks(values: Mapping[str, Any]) -> Iterator[Remark]:
    """What values say together that is wrong or without effect. Those that cannot be read are left out:
    the parsers say what they expect."""
    known = set[str]()
    for text in values.get("alarm", ()):
        alarm = tried(parse, text)
        if alarm is None:
            continue
        if alarm.name in known:
            yield Remark("alarm", text, f"there is an alarm {alarm.name} already, and the first one counts")
        elif alarm.absent:
            yield Remark("alarm", text, f"it is never raised: {alarm.absent}")
        known.add(alarm.name)
    for field, text, name, fatal in named(values):
        if not values.get("alarm"):
            yield Remark(field, text, "no alarm is given, so none is raised")
        elif name not in known:
            yield Remark(field, text, f"there is no alarm {name}", fatal)


def named_by_metrics(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each ``metric-threshold`` whose alarm there is not, and what is to be said of it."""
    from penstock.config.observing.figures import threshold

    known = {alarm.name for alarm in (tried(parse, text) for text in values.get("alarm", ())) if alarm}
    for text in values["metric_threshold"]:
        found = tried(threshold, text)
        if found is not None and found.alarm and found.alarm not in known:
            yield text, f"there is no alarm {found.alarm}"


def named(values: Mapping[str, Any]) -> Iterator[tuple[str, str, str, bool]]:
    """Every name of an alarm that is used: field, value, name, and whether uWSGI insists on it."""
    for field in ("log_alarm", "not_log_alarm"):
        for text in values.get(field, ()):
            rule = tried(parse_rule, text)
            for name in rule.names if rule else ():
                yield field, text, name, True
    for text in values.get("alarm_fd", ()):
        readable = tried(parse_readable, text)
        if readable:
            yield "alarm_fd", text, readable.name, True
    for field in ("alarm_backlog", "alarm_segfault"):
        for text in values.get(field, ()):
            yield field, text, text, False


def tried(parser: Any, text: str) -> Any:
    """What a parser makes of it; None for nothing."""
    try:
        return parser(text)
    except ValueError:
        return None
