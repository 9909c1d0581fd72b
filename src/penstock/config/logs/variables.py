"""The variables of ``log-format`` by name, and what is odd about a format: a name that is mistyped writes
``-`` into every line, and nobody notices until the lines are needed.

Pure, for whoever reads the configuration. What a variable's value is, the log alone knows.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

FORMS = ("json", "common", "combined")
"""Formats by name."""
UWSGI = (
    *("uri", "method", "proto", "host", "uagent", "referer", "user", "addr", "status", "headers", "rsize"),
    *("hsize", "size", "cl", "micros", "msecs", "secs", "time", "tmsecs", "tmicros", "epoch", "ctime"),
    *("ltime", "ftime", "pid", "wid", "core", "switches", "vars", "pktsize", "modifier1", "modifier2"),
    *("vsz", "rss", "vszM", "rssM", "rerr", "werr", "ioerr"),
)
OWN = (*("id", "receive", "queue", "run", "write", "mount", "kind", "bytes"), "trace_id", "span_id")
KNOWN = frozenset((*UWSGI, *OWN))
OPEN = ("var.", "metric.")
"""Beginnings of names that are anybody's."""
VARIABLE = re.compile(r"%\(((?:(?!%\()[^)])+)\)")
"""A variable; of two that begin, the one that ends."""


def remarks(values: Mapping[str, Any]) -> Iterator[tuple[str, str, str, bool]]:
    """What is odd about ``log-format``: option, value, what is to be said, and that it is only doubtful."""
    text = values["log_format"]
    names = dict.fromkeys(VARIABLE.findall(text))
    if text.count("%(") > len(VARIABLE.findall(text)):
        yield "log-format", text, "a %( that no ) follows stays as it is written", True
    if not names and text not in FORMS:
        said = f"no %(variable) is in it, so all lines are the same; {', '.join(FORMS)} are forms by name"
        yield "log-format", text, said, True
    for name in names:
        if name not in KNOWN and not name.startswith(OPEN) and not set_by_rule(name, values):
            said = f"there is no variable %({name}), so it is -, unless a rule logvar:{name}=… sets it"
            yield "log-format", text, said + meant(name), True


def set_by_rule(name: str, values: Mapping[str, Any]) -> bool:
    """Whether a rule of routing sets a word of this name."""
    rules = (texts for field, texts in values.items() if "route" in field and isinstance(texts, tuple | list))
    return any(f"logvar:{name}=" in str(text) for texts in rules for text in texts)


def meant(name: str) -> str:
    """``; did you mean %(x)?`` for a name that is close to one, else ""."""
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), sorted(KNOWN), n=1)
    return f"; did you mean %({near[0]})?" if near else ""
