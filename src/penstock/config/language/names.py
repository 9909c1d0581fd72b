"""What a key is to the configuration language: known or a placeholder, with or without an argument,
immediate or not. Used while a configuration is read; it knows names, and nothing of what they mean.

The catalogue is asked last: reading it costs more than most starts need.
"""

import re
from functools import cache

from penstock.config import registry

NONE, REQUIRED, OPTIONAL = "none", "required", "optional"
"""Arguments as getopt has them."""

LOADS = {
    "ini": "ini", "xml": "xml", "xmlconfig": "xml", "yaml": "yaml", "yml": "yaml", "json": "json",
    "js": "json", "toml": "toml", "include": "",
}  # fmt: skip
"""Words that read a file where they stand, with its format; "" is by its name. ``toml`` is penstock's."""
CONDITIONS = (
    "if-opt", "if-not-opt", "if-env", "if-not-env", "ifenv", "if-exists", "if-not-exists", "ifexists",
    "if-file", "if-not-file", "if-dir", "if-not-dir", "ifdir", "if-directory", "if-plugin", "if-not-plugin",
    "ifplugin", "if-hostname", "if-not-hostname", "if-hostname-match", "if-not-hostname-match",
)  # fmt: skip
LOOPS = ("for", "for-glob", "for-times", "for-readline")
ENDS = ("end", "endif", "end-if", "endfor", "end-for")
"""``end`` is no option of uWSGI's, and ends a block all the same."""
WORDS: dict[str, str] = {
    **dict.fromkeys((*LOADS, *CONDITIONS, *LOOPS), REQUIRED),
    **dict.fromkeys(("if-reload", "if-not-reload", "end-blacklist", "end-whitelist", "strict"), NONE),
    **dict.fromkeys(("show-config",), NONE),
    **dict.fromkeys(("endif", "end-if", "endfor", "end-for", "exit"), OPTIONAL),
    **dict.fromkeys(("set", "set-placeholder", "set-ph", "declare-option", "declare-option2"), REQUIRED),
    **dict.fromkeys(("else", "inherit", "blacklist", "whitelist", "print", "iprint", "resolve"), REQUIRED),
    **dict.fromkeys(("mode", "inject-before", "inject-after", "need-plugin", "need-plugins"), REQUIRED),
}
"""The language's own words with their arguments."""
LATE = frozenset(("inherit", "print", "declare-option2", "mode", "show-config"))
"""The words that wait for the setters' phase, so that their values are expanded."""
IMMEDIATE = frozenset((
    "autoload", "binary-append-data", "build-plugin", "cflags", "command-mode", "config", "config-py",
    "connect-and-read", "dlopen", "dot-h", "early-envdir", "early-perl", "early-perl-exec", "early-php",
    "early-php-sapi-name", "early-psgi", "early-pyimport", "early-python", "early-python-import",
    "early-python-path", "early-pythonpath", "extract", "fallback-config", "flock", "flock-wait",
    "flock-wait2", "flock2", "help", "ienv", "immediate-gid", "immediate-uid", "ini-paste",
    "ini-paste-logged", "ldap", "ldap-schema", "ldap-schema-ldif", "listen", "pause", "pcre-jit",
    "perl-version", "plugin", "plugin-dir", "plugins", "plugins-dir", "print-sym", "print-symbol",
    "pypy-ini-paste", "python-version", "reload", "resume", "signal", "spooler-processes", "sqlite",
    "sqlite3", "stop", "suspend", "umask", "usage",
))  # fmt: skip
"""Settings that uWSGI's table marks as immediate: their values are never expanded (a test compares)."""
SHORT = {"x": "xmlconfig", "H": "home"}
"""Letters whose option uWSGI shows by another name than the catalogue's first."""
SLIPS, LONGEST = 40, 60
"""Unknown keys that are looked into for what was meant, and how long they may be."""
RULE = re.compile("(?:response-|error-|final-)?route-")
FEW = 2  # letters that are too few for an abbreviation of penstock's own
LISTED = 6  # names that are told of a beginning that many have


def known(key: str) -> bool:
    """Whether ``key`` is an option or a word of the language, and so no placeholder."""
    return key in WORDS or registry.lookup(key) is not None


def immediate(key: str) -> bool:
    """Whether ``key`` acts while the configuration is read, so that its value is never expanded."""
    return key in IMMEDIATE or (key in WORDS and key not in LATE)


def argument(key: str) -> str:
    """NONE, REQUIRED or OPTIONAL for a key; an unknown one takes what it is given."""
    if key in WORDS:
        return WORDS[key]
    option = registry.lookup(key)
    if option is None or option.bare is None:
        return REQUIRED if option else OPTIONAL
    return NONE if option.bare == "true" else OPTIONAL


def metavar(key: str) -> str:
    """``: ADDRESS``, what stands for the option's value in the help; "" where nothing does."""
    option = registry.lookup(key)
    return f": {option.metavar}" if option and option.metavar else ""


def of_letter(letter: str) -> str:
    """The option of a letter, by the name that uWSGI shows; "" where there is none."""
    if letter in SHORT:
        return SHORT[letter]
    option = registry.by_short().get(letter)
    return option.name if option else _letters().get(letter, "")


@cache
def _letters() -> dict[str, str]:
    return {option.short: option.name for option in registry.options() if option.short}


def beginning(start: str) -> list[str]:
    """The options that have a name which begins with ``start``, one name for each; uWSGI's where it has any.

    Beginnings of penstock's own have three letters or more, so that a new option rarely takes one away.
    """
    found: dict[str, str] = {}
    own: dict[str, str] = {}
    for full, option in registry.every_name().items():
        if full.startswith(start):
            (own if option.own else found).setdefault(option.name, full)
    return sorted(found.values()) or (sorted(own.values()) if len(start) > FEW else [])


class Slips:
    """What unknown keys were probably meant to be; only so many are looked into, since it takes its time."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def near(self, key: str) -> str:
        """``; did you mean x?`` for a key that is close to a known name, else ""."""
        if key not in self.found:
            few = len(self.found) < SLIPS and len(key) <= LONGEST
            self.found[key] = (of_rules(key) or registry.suggest(key, "")) if few else ""
        return self.found[key]


def of_rules(key: str) -> str:
    """What a key that begins as a rule may have been meant to be: the kind that is near, or all that there
    are. "" for another key."""
    found = RULE.match(key)
    if found is None:
        return ""
    from difflib import get_close_matches

    start = found[0]
    kinds = [name.removeprefix(start) for name in registry.every_name() if name.startswith(start)]
    near = get_close_matches(key.removeprefix(start), kinds, n=1, cutoff=0.75)
    if near:
        return f"; did you mean {start}{near[0]}?"
    return f"; the rules there are: {', '.join(start + kind for kind in kinds)}"
