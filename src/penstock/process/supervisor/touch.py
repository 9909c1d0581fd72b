"""Reloads that a touched file, a changed folder or a descriptor asks for.

Runs in the supervisor, every ``check-interval``, by looking at the files: what is on a file system that
hangs makes the supervisor hang. It asks for reloads and does not know what they are.
"""

import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from penstock.config.settings import Settings
from penstock.process.supervisor.seen import Seen
from penstock.process.supervisor.watch import Watch

FILES = {
    "touch-reload": "graceful",
    "touch-workers-reload": "workers",
    "touch-chain-reload": "chain",
}
"""uWSGI's ``touch-*``, and what they ask for."""

PLACES = {"fs-reload": "graceful", "fs-brutal-reload": "brutal"}
DESCRIPTORS = {"reload-on-fd": "graceful", "brutal-reload-on-fd": "brutal"}
SECONDS = 1.0  # uWSGI's check-interval
ENTRIES = 10_000  # of a folder that are looked at
PATIENCE = 10  # looks in a row at which a folder may still be changing

Shape = tuple[object, ...]


class Spot(Protocol):
    """A path that is watched; ``look`` says what happened to it since, "" for nothing."""

    @property
    def missing(self) -> bool: ...
    def look(self) -> str: ...


class File:
    """``touch-*``: what counts is that its time of change grows, that it goes, and that it comes."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.time = self.changed_at()

    @property
    def missing(self) -> bool:
        """Whether it is not there."""
        return self.time is None

    def changed_at(self) -> int | None:
        """Nanoseconds; None without a file. uWSGI counts seconds, and misses the second touch in one."""
        try:
            return os.stat(self.path).st_mtime_ns
        except (OSError, ValueError):
            return None

    def look(self) -> str:
        """Since the last look."""
        before, self.time = self.time, self.changed_at()
        if self.time is None:
            return "was removed" if before is not None else ""
        if before is None:
            return "is there now"
        return "was touched" if self.time > before else ""


class Place:
    """``fs-*``: any change of a file, or of a folder and what is directly in it.

    uWSGI reloads at the first event of a deployment, and loses a file that is replaced. This one waits for
    a look at which nothing more has changed, and goes by the path.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.shape = shape_of(path)
        self.changing = 0

    @property
    def missing(self) -> bool:
        """Whether it is not there."""
        return not self.shape

    def look(self) -> str:
        """Since the last look."""
        before, self.shape = self.shape, shape_of(self.path)
        if self.shape != before:
            self.changing += 1
            if self.changing < PATIENCE:
                return ""
        if not self.changing:
            return ""
        self.changing = 0
        return "has changed" if self.shape else "was removed"


def shape_of(path: str) -> Shape:
    """Everything of a file, or of a folder's entries, that changes with it; () where there is none."""
    try:
        found = os.stat(path)
        entries = sorted(entries_of(path)) if stat.S_ISDIR(found.st_mode) else []
    except (OSError, ValueError):
        return ()
    return (*figures(found), *entries)


def entries_of(path: str) -> Iterator[Shape]:
    """A folder's entries, by their names. Raises OSError."""
    with os.scandir(path) as folder:
        for count, entry in enumerate(folder):
            if count >= ENTRIES:
                return
            try:
                yield entry.name, *figures(entry.stat(follow_symlinks=False))
            except OSError:  # it went meanwhile
                yield (entry.name,)


def figures(found: os.stat_result) -> Shape:
    """Content, attributes and identity."""
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


@dataclass
class Ready:
    """``reload-on-fd``: ``FD``, ``FD:BYTES`` or ``FD:BYTES TEXT``; so many bytes are taken each time, and
    the text is what the log says. Raises ValueError for anything else."""

    fd: int
    size: int = 1
    text: str = ""

    @classmethod
    def parse(cls, written: str) -> "Ready":
        """From the option's value."""
        words, _, text = written.strip().partition(" ")
        fd, _, size = words.partition(":")
        return cls(int(fd), max(1, int(size or 1)), text.strip() or f"descriptor {fd} is ready")


class Watching(Protocol):
    """A supervisor, as far as looking from time to time needs it."""

    @property
    def watch(self) -> Watch: ...
    @property
    def settings(self) -> Settings: ...


Its = TypeVar("Its", bound=Watching)


class Looking(ABC, Generic[Its]):
    """Who looks at what settings name, every ``check-interval``. ``start`` once; changed settings are
    noticed: then it is ``read`` anew."""

    def __init__(self, supervisor: Its) -> None:
        self.supervisor = supervisor
        self.settings: Settings | None = None

    def start(self) -> None:
        """Remember how everything is now, before the application is loaded, and look from time to time."""
        self.read()
        self.wait()

    def wait(self) -> None:
        """Until the next look."""
        self.supervisor.watch.later(self.supervisor.settings.check_interval or SECONDS, self.turn)

    def turn(self) -> None:
        """One look, and the next."""
        self.wait()
        if self.supervisor.settings is not self.settings:
            self.read()
        self.look()

    @abstractmethod
    def read(self) -> None:
        """What the settings name now."""

    @abstractmethod
    def look(self) -> None:
        """One look at all of it."""


class Touch(Looking[Seen]):
    """All of them."""

    def __init__(self, supervisor: Seen) -> None:
        super().__init__(supervisor)
        self.spots: dict[tuple[str, str], Spot] = {}
        self.fds: dict[str, Ready] = {}

    def look(self) -> None:
        """Ask for what is asked for. One touch of a file that stands with two options asks twice."""
        for (option, path), spot in list(self.spots.items()):
            what = spot.look()
            if what:
                how = FILES.get(option) or PLACES[option]
                self.supervisor.reload(f"{option}: {path} {what}", how)

    # ---- Settings -----------------------------------------------------------------------------------

    def read(self) -> None:
        """What the settings name, with the memory of what they named before."""
        self.settings = settings = self.supervisor.settings
        before, self.spots = self.spots, {}
        for option, path in named(settings, FILES):
            self.keep(option, path, before, File)
        for option, path in named(settings, PLACES):
            self.keep(option, path, before, Place)
        wanted = dict.fromkeys(f"{option} {value}" for option, value in named(settings, DESCRIPTORS))
        for key in [key for key in self.fds if key not in wanted]:
            self.drop(key)
        for key in wanted:
            if key not in self.fds:
                self.attend(key)

    def keep(
        self, option: str, path: str, before: dict[tuple[str, str], Spot], make: Callable[[str], Spot]
    ) -> None:
        """Watch a path, from now on or still. Absolute, so that it stays what it was after a ``chdir``."""
        key = option, os.path.abspath(path)
        spot = before.get(key)
        if spot is None:
            spot = make(key[1])
            if spot.missing:
                self.supervisor.diary.warning(f"{option}: {key[1]} is not there; it counts when it appears")
        self.spots[key] = spot

    # ---- Descriptors --------------------------------------------------------------------------------

    def attend(self, key: str) -> None:
        """Watch a descriptor that whoever started us has left open."""
        option, _, value = key.partition(" ")
        try:
            ready = Ready.parse(value)
            mode = os.fstat(ready.fd).st_mode
        except (ValueError, OSError) as error:
            self.supervisor.diary.error(f"{option} {value}: this is no open descriptor ({error})")
            return
        if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            self.supervisor.diary.error(f"{option} {value}: this is a file, which is always ready")
            return
        self.fds[key] = ready
        self.supervisor.watch.add(ready.fd, lambda: self.ready(key, ready))

    def ready(self, key: str, ready: Ready) -> None:
        """There is something to read, or an end."""
        option = key.partition(" ")[0]
        try:
            data = os.read(ready.fd, ready.size)
        except BlockingIOError:
            return
        except OSError as error:
            self.give_up(key, ready, str(error.strerror))
            return
        if not data:
            self.give_up(key, ready, "it has ended")
            return
        self.supervisor.reload(f"{option}: {ready.text}", DESCRIPTORS[option])

    def give_up(self, key: str, ready: Ready, why: str) -> None:
        """It would be ready for ever, and reload without an end."""
        self.supervisor.diary.warning(
            f"{key.partition(' ')[0]} {ready.fd}: {why}; it is not watched any more"
        )
        self.drop(key)

    def drop(self, key: str) -> None:
        """Watch a descriptor no more; it stays open, it is not ours."""
        ready = self.fds.pop(key)
        self.supervisor.watch.remove(ready.fd)


def named(settings: Settings, options: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Each option with each of its values."""
    for option in options:
        for value in getattr(settings, option.replace("-", "_")):
            yield option, value
