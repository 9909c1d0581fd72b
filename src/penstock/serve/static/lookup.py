"""Which file a path means: uWSGI's rules in uWSGI's order, and what no rule may name.

Made at boot, walked by pool threads without a lock: nothing here changes but the roots. Knows paths, roots
and the file system, and neither requests nor replies; nothing is remembered here.
"""

import os
import re
from collections.abc import Iterable, Iterator
from stat import S_ISDIR, S_ISREG
from typing import NamedTuple

from penstock.config.settings import Settings
from penstock.config.site.files import mapping
from penstock.serve.static.places import Place, RealPlace, Spot, look_at
from penstock.serve.static.roots import Means, Root, names_of
from penstock.serve.static.walking import Names

LONGEST = 4096  # PATH_MAX: no system opens more
DOCROOTS = 64  # DOCUMENT_ROOTs that are held open


class Rule(NamedTuple):
    """``mount`` is what a path begins with: plain text without borders, as uWSGI has it (``/s`` serves
    ``/sa.txt``). ``keep``: the whole path is looked for, not what follows ``mount``."""

    mount: str
    root: Root
    keep: bool


class Target(NamedTuple):
    """A regular file that may be served. ``appended``: the ``static-index`` that was taken, else ""."""

    place: Spot
    status: os.stat_result
    appended: str = ""


class Lookup:
    """The rules of a site.

    uWSGI's order: ``static-skip-ext``, ``check-static``, ``static-map``, ``static-map2``,
    ``check-static-docroot``; of each, in the order given; the first that finds a file wins.
    """

    def __init__(self, settings: Settings, means: Means) -> None:
        self.means = means
        self.safe = tuple(absolute(folder) for folder in settings.static_safe)
        self.skipped = tuple(latin(ending) for ending in settings.static_skip_ext)
        self.indexes = tuple((latin(name), names_of(os.fsencode(name))) for name in settings.static_index)
        self.dotfiles = settings.static_dotfiles
        self.docroot = settings.check_static_docroot
        self.rules = tuple(self.rules_of(settings))
        self.docroots: dict[str, Root] = {}
        everywhere = self.docroot or any(not rule.mount for rule in self.rules)
        self.prefixes = None if everywhere else tuple(rule.mount for rule in self.rules)
        """What paths begin with that can be files; None: any may be one."""

    def rules_of(self, settings: Settings) -> Iterator[Rule]:
        """The rules in their order."""
        for folder in settings.check_static:
            yield Rule("", Root(absolute(folder), self.means, self.safe), True)
        for keep, texts in ((False, settings.static_map), (True, settings.static_map2)):
            for text in texts:
                given = mapping(text)
                root = Root(absolute(given.folder), self.means, self.safe, single=True)
                yield Rule(latin(given.point), root, keep)

    def look(self, path: str, docroot: str = "") -> Target | None:
        """The file that PATH_INFO means; ``docroot`` is the request's DOCUMENT_ROOT."""
        if self.skipped and path.endswith(self.skipped):
            return None
        for rule in self.rules:
            if path.startswith(rule.mount):
                found = self.below(rule.root, path if rule.keep else path[len(rule.mount) :])
                if found is not None:
                    return found
        if self.docroot and docroot and "\0" not in docroot:
            return self.below(self.requested(docroot), path)
        return None

    def requested(self, docroot: str) -> Root:
        """The root of a DOCUMENT_ROOT; the front server says it, so there are few."""
        root = self.docroots.get(docroot)
        if root is None:
            if len(self.docroots) >= DOCROOTS:
                self.docroots = {}
            path = os.path.abspath(docroot.encode("latin-1", "replace"))
            root = self.docroots[docroot] = Root(path, self.means, self.safe)
        return root

    def below(self, root: Root, rest: str) -> Target | None:
        """The file that the rest of a path means below a root. A root that is a file is that file for every
        rest, as in uWSGI."""
        try:
            if root.single and root.base() is None:
                return self.target(Place(root, ()), False)
            parts = self.parts(rest)
            if parts is None:
                return None
            return self.target(Place(root, parts), rest.endswith(("/", "/.")) or rest == ".")
        except OSError:  # none there, not to be reached, or outside
            return None

    def parts(self, rest: str) -> Names | None:
        """The names in a path; None where it is no path of a file that may be asked for.

        A backslash is no border here, but for a file system of another house it may be (CIFS).
        """
        if len(rest) > LONGEST or UNSPEAKABLE.search(rest):
            return None
        parts = names_of(rest.encode("latin-1"))
        return None if any(map(self.refuses, parts)) else parts

    def refuses(self, part: bytes) -> bool:
        """Whether a name may not be asked for. ``..`` leads nowhere that has no shorter path."""
        return part[0] == DOT and part != WELL_KNOWN and (part == b".." or not self.dotfiles)

    def target(self, place: Spot, is_folder: bool) -> Target | None:
        """What is at a place, where it is a file or a folder with an index. Raises OSError."""
        status = look_at(place)
        if S_ISREG(status.st_mode):
            return None if is_folder or self.skips(place) else Target(place, status)
        if S_ISDIR(status.st_mode) and isinstance(place, Place):
            for index, names in self.indexes:
                inner = Place(place.root, place.parts + names)
                try:
                    status = look_at(inner)
                except OSError:
                    continue
                if S_ISREG(status.st_mode) and not self.skips(inner):
                    return Target(inner, status, index)
        return None

    def skips(self, place: Spot) -> bool:
        """Whether the real file's ending is one that is not served. Raises OSError."""
        return bool(self.skipped) and latin_of(place.real()).endswith(self.skipped)

    def beside(self, place: Spot, real: Names) -> Target | None:
        """The file with exactly these real names, by the rights of another one's root."""
        try:
            return self.target(RealPlace(place.root, real), False)
        except OSError:
            return None


UNSPEAKABLE = re.compile(r"[\x00\\]|[^\x00-\xff]")  # and what is no octet: a rule may have set PATH_INFO
DOT = b"."[0]
WELL_KNOWN = b".well-known"  # RFC 8615; certificates are renewed by it


def absolute(path: str) -> bytes:
    """An operator's path as the system has it, a relative one from where the process stands now."""
    return os.path.abspath(os.fsencode(path))


def latin(text: str) -> str:
    """An operator's text as requests have it: octets as latin-1 (PEP 3333)."""
    return os.fsencode(text).decode("latin-1")


def latin_of(names: Iterable[bytes]) -> str:
    """Real names as a path, octets as latin-1."""
    return "/" + b"/".join(names).decode("latin-1")
