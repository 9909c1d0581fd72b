"""What probably went wrong where a value is not what is expected: placeholders, comments, missing values.

Looks at one option as it stands after everything was filled in; called while a configuration is put together.
"""

import re
from collections.abc import Iterable

from penstock.config.finding import ERROR, MISSING_PATH, SYNTAX, UNSUPPORTED, Finding
from penstock.config.option import Option
from penstock.config.raw import RawOption
from penstock.config.registry import lookup

LEFT = re.compile(r"([$%])\(([A-Za-z_][\w-]*)\)")
FILLED_LATER = ("eval", "log-format", "logformat", "log-encoder", "req-log-encoder")
"""Options that use the same brackets for what is known later."""
COMMANDS = (
    *("exec-", "hook-", "cron", "unique-cron", "attach-", "smart-attach-", "touch-exec", "alarm"),
    *("vassals-start-hook", "vassals-stop-hook", "emperor-on-demand-exec"),
)
"""How options begin whose value a shell reads, which has ``$(command)`` too."""
OTHERS = ("fastrouter", "ini-paste", "ini-paste-logged", "paste", "pecan", "pyrun")
"""Options that name, beside those of other languages, what runs in the place of an application."""


def unfilled(name: str, value: str) -> str:
    """What to warn of where a placeholder of an option's value was not filled in, "" where none is left: it
    stays as it is, as in uWSGI."""
    if name in FILLED_LATER:
        return ""
    found = dict.fromkeys(match.groups() for match in LEFT.finditer(value))
    if name.startswith(COMMANDS):  # variables are mostly in capitals, and commands are not
        found = {pair: None for pair in found if pair[0] == "%" or pair[1].isupper()}
    words = {sign: " and ".join(word for one, word in found if one == sign) for sign in "%$"}
    named = words["%"] and f"nothing is called {words['%'].replace(' and ', ' or ')}"
    unset = words["$"] and f"{words['$']} {'are' if ' ' in words['$'] else 'is'} not in the environment"
    return ", and ".join(filter(None, (named, unset)))


def odd(name: str, value: str) -> str:
    """What to warn of in a value that is taken as it is, "" for nothing."""
    if left := unfilled(name, value):
        return f"{left}: it stays as it is written"
    variable, equals, _ = value.partition("=") if name == "env" else ("", "", "")
    if equals and variable != variable.rstrip():
        return "the blank before = is part of the variable's name, as in uWSGI"
    return ""


def hint(raw: RawOption) -> str:
    """Why a value may be no good, "" where nobody knows."""
    value = raw.value or ""
    if raw.file and (" ;" in value or " #" in value):
        return "a comment is a line of its own, and what follows a value is part of it"
    if not raw.file and value.startswith("--"):
        return f"the option takes a value, and {value} was taken for it"
    return unfilled(raw.key, value)


def unread(findings: Iterable[Finding]) -> bool:
    """Whether anything of the configuration could not be read, so that nobody knows what it lacks."""
    return any(one.level == ERROR and one.kind in (SYNTAX, MISSING_PATH) for one in findings)


def instead(what: str, findings: Iterable[Finding]) -> str:
    """Where no application (or socket) is named, the option that was meant to name it and is not acted on,
    with the reason; "" without one."""
    serves = applies if what == "application" else listens
    for one in findings:
        option = lookup(one.option) if one.kind == UNSUPPORTED else None
        if option is not None and serves(option):
            return f"{one.option} is {one.message}"
    return ""


def applies(option: Option) -> bool:
    """Whether an option names what runs in the place of an application."""
    return option.group == "Other languages" or option.name in OTHERS


def listens(option: Option) -> bool:
    """Whether an option names an address in a way that is not acted on."""
    return option.name.endswith("-socket") or option.name in ("https", "https2", "fastrouter")
