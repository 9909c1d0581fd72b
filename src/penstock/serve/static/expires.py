"""How long a file may be kept: Expires (``static-expires`` and its family) and ``static-immutable``.

Decided at boot; the questions are asked by pool threads. Of the four families uWSGI lets each add an
Expires of its own; a reply can have but one (RFC 9110 §5.3), so here the first that has something to say
is the one that counts: the file's name, the path, the request's target, the type.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from penstock.config.settings import Settings
from penstock.config.site import files as written
from penstock.config.values import OFF, ON
from penstock.core.date import http_date

IMMUTABLE = "public, max-age=31536000, immutable"
HASHED_HEX = re.compile(r"\.(?=[0-9]*[a-f])[0-9a-f]{8,64}(?:\.[A-Za-z0-9]+){1,2}\Z", re.ASCII)
HASHED_64 = re.compile(r"-([A-Za-z0-9_-]{8})(?:\.[A-Za-z0-9]+){1,2}\Z", re.ASCII)
CLASSES = re.compile(r"[A-Z]+|[a-z]+|[0-9]+|[_-]+", re.ASCII)
RUNS = 4  # runs of small letters, capitals, figures that eight characters of a hash have at least
LATEST = 253402300799  # 9999-12-31, the last day that an HTTP date can name


class Pattern(Protocol):
    """A compiled regex, of whichever engine."""

    def search(self, string: str, /) -> object | None:
        """Something where it is found anywhere in the text."""


Compile = Callable[[str], Pattern]


class Delay(NamedTuple):
    """``seconds`` from now, or ``from_mtime`` from the file's last change; ``by_type``: said of a type."""

    seconds: int
    from_mtime: bool
    by_type: bool = False

    def line(self, mtime: int, now: int) -> str:
        """The date of Expires."""
        return http_date(max(0, min((mtime if self.from_mtime else now) + self.seconds, LATEST)))


class Family:
    """One family: regexes with their delays, those from now before those from the file's change."""

    __slots__ = ("rules",)

    def __init__(self, rules: Sequence[tuple[Pattern, Delay]]) -> None:
        self.rules = tuple(rules)

    def __call__(self, subject: str) -> Delay | None:
        """The delay of the first regex that is found in ``subject``."""
        for pattern, delay in self.rules:
            if pattern.search(subject):
                return delay
        return None


class Expiry:
    """All four families, and whether names with a hash are ``immutable``.

    ``by_request``  there are rules about the path or the target, so that a file's Expires may differ from
                    request to request
    """

    __slots__ = ("by_file", "by_path", "by_request", "by_type", "by_uri", "immutable")

    def __init__(self, settings: Settings, immutable: Sequence[str], regex: Compile) -> None:
        """Raises ValueError for what is not written as a rule, and what ``regex`` raises for a regex."""
        self.by_file = _family(settings.static_expires, settings.static_expires_mtime, regex)
        self.by_path = _family(
            settings.static_expires_path_info, settings.static_expires_path_info_mtime, regex
        )
        self.by_uri = _family(settings.static_expires_uri, settings.static_expires_uri_mtime, regex)
        self.by_type = _types(settings.static_expires_type, settings.static_expires_type_mtime)
        self.immutable = make_immutable(immutable, regex)
        self.by_request = bool(self.by_path.rules or self.by_uri.rules)

    def of_file(self, path: str, name: str, kind: str) -> Delay | str | None:
        """What holds for a file whichever way it is asked for, where nothing holds for the request:
        IMMUTABLE (a value of Cache-Control), a delay, or nothing."""
        if self.immutable(name):
            return IMMUTABLE
        return self.by_file(path) or self.by_type.get(kind)

    def of_request(self, path: str, kind: str, path_info: str, uri: str) -> Delay | None:
        """The delay of one request for a file that is not immutable."""
        return self.by_file(path) or self.by_path(path_info) or self.by_uri(uri) or self.by_type.get(kind)


def _family(from_now: Sequence[str], from_mtime: Sequence[str], regex: Compile) -> Family:
    rules = []
    for texts, since in ((from_now, False), (from_mtime, True)):
        for text in texts:
            pattern, seconds = written.expires(text)
            rules.append((regex(pattern), Delay(seconds, since)))
    return Family(rules)


def _types(from_now: Sequence[str], from_mtime: Sequence[str]) -> dict[str, Delay]:
    """The first that names a type counts, and those from now come first."""
    found: dict[str, Delay] = {}
    for texts, since in ((from_now, False), (from_mtime, True)):
        for text in texts:
            kind, seconds = written.type_expires(text)
            found.setdefault(kind, Delay(seconds, since, by_type=True))
    return found


def make_immutable(said: Sequence[str], regex: Compile) -> Callable[[str], bool]:
    """Whether a file's name promises that its content never changes. ``true`` among the texts stands for
    names with a hash (``hashed``); every other one is a regex. Without any, no name does."""
    words = [text.strip().lower() for text in said]
    patterns = [regex(text) for text, word in zip(said, words, strict=True) if word not in (*ON, *OFF)]
    automatic = any(word in ON for word in words)
    if not patterns and not automatic:
        return lambda name: False
    return lambda name: (automatic and hashed(name)) or any(pattern.search(name) for pattern in patterns)


def hashed(name: str) -> bool:
    """Whether a name has a hash of its content before its ending.

    ``base.55e7cbb9ba48.css`` has (Django, webpack: a dot, 8 to 64 small hexadecimal digits with a letter
    among them, so that no date is taken for one), and so has ``index-BfG2kQ9x.js`` (Vite: a hyphen and
    eight characters of base64url). Words have eight letters, too: of capitals, small letters and figures
    there must be at least RUNS runs, which one hash in twenty has not, and hardly any word has.
    """
    if HASHED_HEX.search(name):
        return True
    found = HASHED_64.search(name)
    return found is not None and len(CLASSES.findall(found[1])) >= RUNS
