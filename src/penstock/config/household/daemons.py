"""Programs that run beside the server, as the options write them: ``attach-daemon`` and its kin.

Pure: texts in, ``Daemon`` out. It knows nothing of processes, and does not look whether a user, a folder or a
command exists.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

FREQ = 10  # looks at a pidfile until a program counts as not gone to the background
ALIASES = {
    "cmd": "command",
    "exec": "command",
    "daemon": "daemonize",
    "stop_signal": "stopsignal",
    "reload_signal": "reloadsignal",
}
FLAGS = ("control", "daemonize", "stdin", "ns_pid", "notifypid")
KEYS = (
    *("command", "freq", "pidfile", "touch", "stopsignal", "reloadsignal"),
    *("uid", "gid", "chdir", "max_throttle", *FLAGS),
)
SIGNALS = (
    *("HUP", "INT", "QUIT", "ABRT", "KILL", "USR1", "USR2", "PIPE", "ALRM", "TERM", "CONT", "STOP"),
    *("TSTP", "TTIN", "TTOU", "WINCH", "IO", "PWR", "URG", "VTALRM", "PROF", "XCPU"),
)
"""Names of signals that may be asked for; others by their number."""
MOST = 64  # the largest number of a signal
OFF = ("0", "false", "no", "off", "")


@dataclass(frozen=True, kw_only=True)
class Daemon:
    """One program.

    ``pidfile``       where its number stands; "" for one that stays our child
    ``freq``          looks at the pidfile, one a second, until it must be there
    ``control``       the server ends with it
    ``daemonize``     we write the pidfile, the program stays in the foreground
    ``stop_signal``   asks it to end: a number, or a name without SIG; ``reload_signal`` instead when the
                      server reloads, "" for the same
    ``stdin``         it has our standard input
    ``uid``, ``gid``  whom it becomes, "" for what we are
    ``own_pid_space`` it has a PID namespace of its own
    ``max_throttle``  seconds of the longest pause before it is started again, 0 for 300
    ``touch``         files that have it started anew when they change
    ``notify``        one with a pidfile hears of stops and reloads, which it outlives
    ``doubtful``      what is written, and probably not meant
    """

    command: str
    pidfile: str = ""
    freq: int = FREQ
    control: bool = False
    daemonize: bool = False
    stop_signal: str = "TERM"
    reload_signal: str = ""
    stdin: bool = False
    uid: str = ""
    gid: str = ""
    own_pid_space: bool = False
    folder: str = ""
    max_throttle: int = 0
    touch: tuple[str, ...] = ()
    notify: bool = False
    doubtful: tuple[str, ...] = ()


def attached(text: str) -> Daemon:
    """``attach-daemon``: a command. Raises ValueError."""
    return Daemon(command=command(text))


def controlling(text: str) -> Daemon:
    """``attach-control-daemon``: a command. Raises ValueError."""
    return Daemon(command=command(text), control=True)


def smart(text: str) -> Daemon:
    """``smart-attach-daemon``: ``PIDFILE[,FREQ] COMMAND``. Raises ValueError."""
    first, space, rest = text.partition(" ")
    pidfile, _, freq = first.partition(",")
    if not space or not pidfile:
        raise ValueError("PIDFILE COMMAND is expected, the pidfile without blanks")
    return Daemon(command=command(rest), pidfile=pidfile, freq=number("freq", freq) if freq else FREQ)


def smart2(text: str) -> Daemon:
    """``smart-attach-daemon2``: the same, for a command that stays in the foreground. Raises ValueError."""
    found = smart(text)
    return Daemon(command=found.command, pidfile=found.pidfile, freq=found.freq, daemonize=True)


def parse(text: str) -> Daemon:
    """``attach-daemon2``: ``key=value`` with commas between them; a backslash takes the meaning from a comma.
    As in uWSGI a flag is on whatever its value is, and what is no known key is left alone. Raises
    ValueError."""
    doubtful: list[str] = []
    found = dict(known(text, doubtful))
    if not found.get("command", "").strip():
        raise ValueError("a command=… is expected among the keys")
    if found.get("daemonize") is not None and not found.get("pidfile"):
        raise ValueError("daemonize needs a pidfile=… beside it")
    return Daemon(
        command=found["command"],
        pidfile=found.get("pidfile", ""),
        freq=number("freq", found.get("freq", str(FREQ))),
        stop_signal=signal_of("stopsignal", found.get("stopsignal", "TERM")),
        reload_signal=signal_of("reloadsignal", found.get("reloadsignal", "0")),
        uid=found.get("uid", "").strip(),
        gid=found.get("gid", "").strip(),
        folder=found.get("chdir", ""),
        max_throttle=number("max_throttle", found.get("max_throttle", "0")),
        touch=tuple(path for path in unquoted(found.get("touch", ""), ";") if path),
        doubtful=tuple(doubtful),
        **flags(found),
    )


PARSERS: dict[str, Callable[[str], Daemon]] = {
    "attach-daemon": attached,
    "attach-control-daemon": controlling,
    "smart-attach-daemon": smart,
    "smart-attach-daemon2": smart2,
    "attach-daemon2": parse,
}
"""What takes each option's value apart."""


def command(text: str) -> str:
    """A line for the shell. Raises ValueError."""
    if not text.strip():
        raise ValueError("a command is expected")
    return text


def flags(found: Mapping[str, str]) -> dict[str, bool]:
    """Which are on."""
    on = {name: name in found for name in FLAGS}
    return {
        "control": on["control"],
        "daemonize": on["daemonize"],
        "stdin": on["stdin"],
        "own_pid_space": on["ns_pid"],
        "notify": on["notifypid"],
    }


def known(text: str, doubtful: list[str]) -> Iterator[tuple[str, str]]:
    """The keys that mean something with their values; the last one of a name counts."""
    for item in split(text, ","):
        key, value = halves(item)
        name = ALIASES.get(key, key)
        if value is None:
            doubtful.append(f"{item!r} is no key=value and is left out (a comma in a value is written \\,)")
        elif name not in KEYS:
            doubtful.append(f"{key!r} is no key that there is, and is left out")
        else:
            if name in FLAGS and value.strip().lower() in OFF:
                doubtful.append(f"{item} switches it on: only a key that is left out is off")
            yield name, value


def split(text: str, mark: str) -> list[str]:
    """At every mark without a backslash; a backslash goes, and what follows it stays."""
    found, item, escaped = [], "", False
    for char in text:
        if escaped or char not in (mark, "\\"):
            item += char
            escaped = False
        elif char == "\\":
            escaped = True
        else:
            found.append(item)
            item = ""
    return [*found, item] if item else found


def halves(item: str) -> tuple[str, str | None]:
    """Before and after the first ``=`` without a backslash; None without one."""
    escaped, key = False, ""
    for index, char in enumerate(item):
        if char == "=" and not escaped:
            return key, item[index + 1 :]
        escaped = char == "\\" and not escaped
        key += "" if escaped else char
    return key, None


def unquoted(text: str, mark: str) -> list[str]:
    """At every mark that is not within quotes; quotes go, and a backslash takes the meaning from anything."""
    found, item, quote, escaped = [], "", "", False
    for char in text:
        if escaped:
            item += char
            escaped = False
        elif char == "\\":
            escaped = True
        elif quote or char in "'\"":
            item, quote = within(item, quote, char)
        elif char == mark:
            found.append(item)
            item = ""
        else:
            item += char
    return [*found, item] if item else found


def within(item: str, quote: str, char: str) -> tuple[str, str]:
    """One character of a quoted part, or the quote that begins or ends it."""
    if not quote:
        return item, char
    return (item, "") if char == quote else (item + char, quote)


def number(key: str, text: str) -> int:
    """Raises ValueError."""
    text = text.strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise ValueError(f"{key}: a number is expected")
    return int(text)


def signal_of(key: str, text: str) -> str:
    """A signal by its number or its name; uWSGI knows numbers alone. "" for 0, which is none, and which only
    the one for reloads may be. Raises ValueError."""
    word = text.strip().upper().removeprefix("SIG")
    if word in SIGNALS:
        return word
    number = int(word) if word.isascii() and word.isdecimal() and len(word) <= 2 else -1
    if number == 0 and key == "reloadsignal":
        return ""
    if not 0 < number <= MOST:
        raise ValueError(f"{key}: a signal is expected, by its number or its name")
    return str(number)
