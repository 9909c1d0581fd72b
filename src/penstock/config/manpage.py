"""The manual page, penstock(1), as troff made from the registry.

Read when somebody asks; a start never comes here.
"""

from collections.abc import Iterable

from penstock.config.completion import VERBS
from penstock.config.option import Option
from penstock.config.registry import declared
from penstock.config.show import USAGE, described, groups, spelled, title

DESCRIPTION = (
    "penstock serves a WSGI application over HTTP/1.1 and the uwsgi protocol: one event loop takes requests, "
    "a pool of threads answers them, in as many worker processes as --processes says.",
    "It reads uWSGI's options from the command line, from the environment (UWSGI_X_Y for --x-y) and from "
    "ini, xml, yaml and json files, and TOML besides. Every option of uWSGI's is known: one that is not "
    "acted on is taken in silence where it asks for what is always so, and named in one warning otherwise.",
    "Sizes take k, m and g; times take ms, s, m and h.",
)
SIGNALS = (
    (
        "TERM, INT, QUIT",
        "Finish what runs, at most for --shutdown-timeout, then end; a second one ends at once.",
    ),
    ("USR1", "Open the log files anew."),
    ("HUP", "Reload: new workers first, then the old ones leave. This and what follows needs a supervisor."),
    ("TSTP", "Take no more requests; the second time take them again."),
    ("TTIN, TTOU", "One worker more, one less."),
    ("USR2", "Run the installed penstock in place of this one, sockets kept."),
)
STATUSES = (
    ("0", "Everything was answered."),
    ("1", "The configuration is wrong, or the start failed."),
    ("22", "No application could be loaded."),
    ("30", "Requests were cut."),
)
VARIABLES = (
    ("UWSGI_*, PENSTOCK_*", "Options by their names, in capitals and with underscores."),
    ("PORT", "Listen on this port of every address, where no socket is named."),
    ("FORWARDED_ALLOW_IPS", "What --trusted-proxies is where it is not given."),
    ("WEB_CONCURRENCY", "What --processes is where it is not given."),
    ("LISTEN_FDS", "Sockets that systemd hands over."),
)


def manpage(version: str) -> str:
    """The page for a version."""
    lines = [
        f'.TH PENSTOCK 1 "" "penstock {escaped(version)}"',
        ".SH NAME",
        "penstock \\- a WSGI server for HTTP/1.1 and uwsgi",
        ".SH SYNOPSIS",
        ".nf",
        *(escaped(line) for line in USAGE.splitlines()),
        ".fi",
        ".SH DESCRIPTION",
    ]
    for paragraph in DESCRIPTION:
        lines += [".PP", escaped(paragraph)]
    lines += [".SH VERBS", *pairs((f"penstock {verb}", f"{text}.") for verb, text in VERBS.items())]
    lines.append(".SH OPTIONS")
    for group, members in groups(declared()).items():
        lines.append(f".SS {title(group)}")
        for option in members:
            lines += listed(option)
    lines += [".SH SIGNALS", *pairs(SIGNALS), ".SH EXIT STATUS", *pairs(STATUSES)]
    lines += [".SH ENVIRONMENT", *pairs(VARIABLES)]
    return "\n".join(lines) + "\n"


def listed(option: Option) -> list[str]:
    """One option's lines."""
    return [".TP", f"\\fB{escaped(spelled(option))}\\fR", escaped(described(option))]


def pairs(items: Iterable[tuple[str, str]]) -> list[str]:
    """Words with what they mean."""
    return [line for name, text in items for line in (".TP", f"\\fB{escaped(name)}\\fR", escaped(text))]


def escaped(text: str) -> str:
    """Text that troff prints as it is: hyphens are hyphens, and no line is a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text
