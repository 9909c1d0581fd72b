"""Compressed twins: which files may have one, and which of them a client takes (``static-gzip*``).

``a.css.br`` stands in for ``a.css`` where the client accepts br. Decided at boot and by pure functions; who
finds and opens the twin is another's business. Unlike uWSGI, which looks for the letters ``br`` and
``gzip``, this heeds q-values (RFC 9110 §12.5.3), so ``br;q=0`` gets none.
"""

import re
from collections.abc import Sequence

from penstock.serve.static.expires import Compile, Pattern

SUFFIXES = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}
"""The endings of twins by their coding, the best first where a client likes several alike."""

TOKEN = re.compile(r"[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*(?:;[ \t]*[qQ]=([0-9.]{1,5})[ \t]*)?")
REMEMBER = 256  # headers that are remembered; then all are forgotten at once
LONGEST = 512  # characters of a header that is looked at

Codings = tuple[str, ...]

_remembered: dict[str, Codings] = {}


class Choice:
    """Which files have twins looked for, by their real paths: ``all`` of them, those that begin with one of
    ``folders`` (by the letters, as in uWSGI), end with one of ``endings``, or match one of ``patterns``."""

    __slots__ = ("all", "endings", "folders", "patterns")

    def __init__(
        self,
        everything: bool,
        folders: Sequence[str],
        endings: Sequence[str],
        patterns: Sequence[Pattern],
    ) -> None:
        self.all = everything
        self.folders = tuple(folders)
        self.endings = tuple(endings)
        self.patterns = tuple(patterns)

    def __bool__(self) -> bool:
        return bool(self.all or self.folders or self.endings or self.patterns)

    def __call__(self, path: str) -> bool:
        """Whether the file at ``path`` may have twins."""
        if self.all or path.startswith(self.folders) or path.endswith(self.endings):
            return True
        return any(pattern.search(path) for pattern in self.patterns)


def make_choice(
    everything: bool,
    folders: Sequence[str],
    endings: Sequence[str],
    regexes: Sequence[str],
    regex: Compile,
) -> Choice:
    """A choice of what the options say; raises what ``regex`` raises for a regex."""
    return Choice(everything, folders, endings, [regex(text) for text in regexes])


def codings_of(said: str | None) -> Codings:
    """The codings of ``SUFFIXES`` that an Accept-Encoding wants rather than the file as it is, best first."""
    if not said:
        return ()
    known = _remembered.get(said)
    if known is None:
        known = _codings_of(said)
        if len(_remembered) >= REMEMBER:
            _remembered.clear()
        _remembered[said] = known
    return known


def _codings_of(said: str) -> Codings:
    weights: dict[str, float] = {}
    for item in said[:LONGEST].split(","):
        found = TOKEN.fullmatch(item)
        if found is not None:
            weights.setdefault(found[1].lower().removeprefix("x-"), _weight(found[2]))
    others = weights.get("*", 0.0)
    least = weights.get("identity", 0.0)
    liked = [(weights.get(coding, others), coding) for coding in SUFFIXES]
    wanted = [pair for pair in liked if pair[0] > 0 and pair[0] >= least]
    return tuple(coding for _, coding in sorted(wanted, key=lambda pair: -pair[0]))


def _weight(said: str | None) -> float:
    """A q-value; what is none counts as 0, so that nobody gets what they may not have meant."""
    if said is None:
        return 1.0
    try:
        weight = float(said)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
