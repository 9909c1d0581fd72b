"""Looking for vassals' files: folders and patterns, and what has changed there since the last look.

Runs in the emperor. It only looks; who is started for what is found is ``court``'s affair.
"""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from glob import glob, has_magic

from penstock.config.household.vassals import ENDINGS, parse
from penstock.config.settings import Settings

LONGEST = 254  # octets of a name, as in uWSGI


@dataclass(frozen=True, slots=True)
class Found:
    """A file: ``changed`` in nanoseconds since the epoch, ``inode`` which file it is, ``uid`` and ``gid``
    whose."""

    name: str
    changed: int
    inode: tuple[int, int]
    uid: int
    gid: int

    def renewed(self, before: "Found") -> bool:
        """Whether its vassal is to be loaded anew: the file is newer, or another one has its name (a link
        that was turned, an older file put back; uWSGI sees those only when they are newer by a second)."""
        return self.changed > before.changed or self.inode != before.inode


@dataclass(frozen=True, slots=True)
class Realm:
    """One value of ``emperor``: a folder that vassals run in; ``pattern``: what their files match, or ""."""

    number: int
    folder: str
    pattern: str = ""

    @property
    def place(self) -> str:
        """As the statistics name it."""
        return self.pattern or self.folder

    def path(self, name: str) -> str:
        """Where a vassal's file is."""
        return os.path.join(self.folder, name)


def realms_of(settings: Settings, folder: str, start: str) -> list[Realm]:
    """The realms of an emperor. Folders are relative to ``folder``, patterns to where it was started, as in
    uWSGI. Raises ValueError."""
    return [realm_of(number, text, folder, start) for number, text in enumerate(settings.emperor)]


def realm_of(number: int, text: str, folder: str, start: str) -> Realm:
    """One of them. The path of one file is a pattern of one, as in uWSGI. Any other path without magic
    letters is a folder, whether it is there yet or not: uWSGI takes one that is missing at its start for a
    pattern, and never sees what is put there later."""
    source = parse(text)
    whole = os.path.join(folder, source.place)
    one = os.path.isfile(whole) or (not os.path.isdir(whole) and source.place.endswith(ENDINGS))
    if source.kind == "pattern" or (not source.kind and (one or patterned(source.place, whole))):
        return Realm(number, start, source.place)
    return Realm(number, os.path.realpath(whole))


def patterned(place: str, whole: str) -> bool:
    """Whether a place has magic letters that are not a folder's own."""
    return has_magic(place) and not os.path.isdir(whole)


class Scanner:
    """Looks at realms. ``failed`` is told of a folder that cannot be read, once until it can be again."""

    def __init__(self, settings: Settings, failed: Callable[[str], None]) -> None:
        self.endings = (*ENDINGS, *settings.emperor_extra_extension)
        self.nofollow = settings.emperor_nofollow
        self.owner_nofollow = settings.emperor_tyrant and settings.emperor_tyrant_nofollow
        self.failed = failed
        self.unread: set[int] = set()

    def look(self, realm: Realm) -> list[Found] | None:
        """What is there now, in the order of names; None where that cannot be known."""
        try:
            found = [one for name in self.names(realm) if (one := self.file(realm, name)) is not None]
        except OSError as error:
            if realm.number not in self.unread:
                self.unread.add(realm.number)
                self.failed(f"{realm.place}: {error.strerror}; its vassals go on as they are")
            return None
        self.unread.discard(realm.number)
        return found

    def names(self, realm: Realm) -> Iterator[str]:
        """Names that may be vassals'. One with a line break is none: in the log, which names it, it could say
        what it likes. Raises OSError."""
        names = glob(realm.pattern, root_dir=realm.folder) if realm.pattern else os.listdir(realm.folder)
        for name in sorted(names):
            if name.endswith(self.endings) and len(os.fsencode(name)) <= LONGEST and min(name) >= " ":
                yield name

    def file(self, realm: Realm, name: str) -> Found | None:
        """The file of that name, None for what is no file, or gone again."""
        path = realm.path(name)
        try:
            found = os.lstat(path) if self.nofollow else os.stat(path)
            owner = os.lstat(path) if self.owner_nofollow else found
        except OSError:
            return None
        kind = stat.S_IFMT(found.st_mode)
        if kind != stat.S_IFREG and not (self.nofollow and kind == stat.S_IFLNK):
            return None
        which = (found.st_dev, found.st_ino)
        return Found(name, found.st_mtime_ns, which, owner.st_uid, owner.st_gid)

    def gone(self, realm: Realm, name: str) -> bool:
        """Whether a vassal's file is not there any more, which is not the same as not being readable."""
        try:
            os.lstat(realm.path(name)) if self.nofollow else os.stat(realm.path(name))
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:
            return False
        return False
