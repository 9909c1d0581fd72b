"""Watches source files, in a process of its own: ``python -m penstock.process.watcher SECONDS``.

It is given files on its standard input and says on its standard output which of them have changed; each
line is a JSON object. It ends with its input, imports nothing of penstock, and does not know what a change
is good for.

    {"add": ["/a.py", …]}      watch these too, as they are now; with "since": seconds since 1970, what was
                               written later than that has changed already
    {"new": true}              from now on a new module beside them counts (an import failed), or no more
    {"changed": ["/a.py", …]}  said by the watcher, once what was written has come to rest
    {"notice": "…"}            said by the watcher: something for the log
"""

import importlib
import json
import os
import select
import signal
import sys
from collections.abc import Iterable, Iterator
from time import monotonic, time
from typing import Any, Protocol

IN, OUT = 0, 1
QUIET = 0.06  # seconds without another change, after which a save is complete
LONGEST = 0.5  # seconds that are waited for that
GONE = 0.5  # seconds after which a file that went away is not about to be replaced
FRESH = 2.0  # seconds within which an import that failed may have missed a module
BESIDE = 2.0  # seconds between two looks where the kernel tells of changes
STEP, TURN = 50, 200  # milliseconds: watchfiles looks whether it is to stop, and comes back to us
MOST = 20_000  # files
NAMED = 100  # files that one message names
INSTALLED = (f"{os.sep}site-packages", f"{os.sep}dist-packages")

Stamp = tuple[int, int, int] | None


class Sources:
    """The files, as they were when last looked at.

    A file has changed when its time, its size or its inode has (editors rename a new file over the old
    one); a file that is away counts only when it stays away.
    """

    def __init__(self) -> None:
        self.files: dict[str, Stamp] = {}
        self.away: dict[str, float] = {}
        self.names: set[str] = set()
        self.folders: dict[str, None] = {}
        self.modules: set[str] | None = None

    def add(self, paths: Iterable[str], since: float = 0.0) -> None:
        """Watch these too. ``since``, in seconds since 1970: what was written later has changed; 0 for
        nothing."""
        for path in paths:
            if path in self.files or len(self.files) >= MOST:
                continue
            now = stamp(path)
            self.files[path] = None if now is not None and since and now[0] > since * 1e9 else now
            for name in (path, os.path.realpath(path)):
                self.names.add(name)
                self.enter(os.path.dirname(name))

    def enter(self, folder: str) -> None:
        """A folder in which files are watched."""
        if folder not in self.folders:
            self.folders[folder] = None
            if self.modules is not None:
                self.modules.update(modules(folder))

    def look_for_new(self, on: bool) -> None:
        """Whether new modules count."""
        # One that was written while it was being told that they count is what is waited for.
        self.modules = (
            {path for path in self.present() if path in self.files or not fresh(path)} if on else None
        )

    def changed(self) -> set[str]:
        """What has changed since the last call."""
        found = {path for path, before in self.files.items() if self.differs(path, before)}
        if self.modules is not None:
            present = set(self.present())
            found |= present - self.modules
            self.modules |= present
        return found

    def differs(self, path: str, before: Stamp) -> bool:
        """Whether one file has changed; what it is now is remembered."""
        now = stamp(path)
        if now is None and before is not None:
            since = self.away.setdefault(path, monotonic())
            if monotonic() - since < GONE:
                return False
        self.away.pop(path, None)
        self.files[path] = now
        return now != before

    def present(self) -> Iterator[str]:
        """Modules and packages in the folders that are watched."""
        for folder in self.folders:
            yield from modules(folder)

    def concerns(self, paths: Iterable[str]) -> bool:
        """Whether events at ``paths`` are a reason to look."""
        return self.modules is not None or any(path in self.names for path in paths)


def stamp(path: str) -> Stamp:
    """What changes when a file does; None where there is none."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def fresh(path: str) -> bool:
    """Whether a file was written within the last moments."""
    found = stamp(path)
    return found is not None and found[0] > (time() - FRESH) * 1e9


def modules(folder: str) -> Iterator[str]:
    """The files of modules and packages that could be imported from a folder of the application's own; no
    editor's leftovers."""
    if any(part in folder for part in INSTALLED):
        return
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        path = os.path.join(folder, name)
        if name.endswith(".py") and name[:-3].isidentifier():
            yield path
        elif name.isidentifier() and os.path.exists(inside := os.path.join(path, "__init__.py")):
            yield inside


class Wait(Protocol):
    """What lets time pass between two looks."""

    def watch(self, folders: list[str]) -> None: ...
    def wait(self, sources: Sources) -> None: ...


class Clock:
    """Looks every so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def watch(self, folders: list[str]) -> None:
        """They need not be known."""

    def wait(self, sources: Sources) -> None:
        """Until it is time, or something is said to us."""
        readable(self.seconds)


class Notices:
    """Is told by the kernel, through the package watchfiles; beside it looks every two seconds, because
    not every file system tells."""

    def __init__(self, package: Any) -> None:
        self.package = package
        self.stream: Iterator[set[tuple[int, str]]] = iter(())

    def is_set(self) -> bool:
        """For watchfiles: whether to stop, because something is said to us."""
        return readable(0.0)

    def watch(self, folders: list[str]) -> None:
        """Have the kernel tell of these. Raises OSError, among others, when it has no room."""
        self.stream = iter(())  # ends the one before
        present = [folder for folder in folders if os.path.isdir(folder)]
        if present:
            self.stream = self.package.watch(
                *present,
                watch_filter=None,
                debounce=int(LONGEST * 1000),
                step=STEP,
                stop_event=self,
                rust_timeout=TURN,
                yield_on_timeout=True,
                raise_interrupt=False,
                recursive=False,
                ignore_permission_denied=True,
            )
            # It begins with the first step: what changed before that is seen by the look after it.
            next(self.stream, None)

    def wait(self, sources: Sources) -> None:
        """Until something changed that concerns us, or is said to us, or it is time to look anyway."""
        until = monotonic() + (GONE if sources.away else BESIDE)
        for changes in self.stream:
            if sources.concerns(path for _, path in changes) or monotonic() >= until:
                return
        readable(max(0.0, until - monotonic()))


def readable(seconds: float) -> bool:
    """Whether something is said to us within so many seconds."""
    return bool(select.select([IN], [], [], seconds)[0])


class Watcher:
    """``seconds`` between two looks where the kernel does not tell."""

    def __init__(self, seconds: float) -> None:
        self.sources = Sources()
        self.clock = Clock(seconds)
        self.wait: Wait = self.clock
        self.rest = b""

    def run(self) -> None:
        """Until the input ends."""
        self.choose()
        while self.listen():
            found = self.settled()
            if found:
                say(changed=sorted(found)[:NAMED])
            self.pause()

    def choose(self) -> None:
        """watchfiles, where it is installed and works."""
        try:
            self.wait = Notices(importlib.import_module("watchfiles"))
        except ImportError:
            return
        except Exception as error:  # whatever a package does when it is broken
            say(notice=f"watchfiles cannot be used: {error!r}; files are looked at instead")

    def pause(self) -> None:
        """Let time pass, by the clock where the other way fails."""
        try:
            self.wait.wait(self.sources)
        except Exception as error:
            self.fall_back(error)

    def fall_back(self, error: Exception) -> None:
        """Look at the files from now on."""
        self.wait = self.clock
        say(notice=f"watchfiles gave up: {error!r}; files are looked at instead")

    def settled(self) -> set[str]:
        """What has changed, when nothing more does."""
        found = more = self.sources.changed()
        until = monotonic() + LONGEST
        while more and monotonic() < until:
            select.select([], [], [], QUIET)
            more = self.sources.changed()
            found |= more
        return found

    def listen(self) -> bool:
        """Hear what is said to us; False at its end."""
        heard = False
        while readable(0.0):
            data = os.read(IN, 1 << 16)
            if not data:
                return False
            *lines, self.rest = (self.rest + data).split(b"\n")
            for line in lines:
                self.obey(json.loads(line))
                heard = True
        if heard:
            try:
                self.wait.watch(list(self.sources.folders))
            except Exception as error:
                self.fall_back(error)
        return True

    def obey(self, message: dict[str, Any]) -> None:
        """One line."""
        self.sources.add(message.get("add", ()), message.get("since", 0.0))
        if "new" in message:
            self.sources.look_for_new(message["new"])


def say(**message: object) -> None:
    """One line to whoever started us; who does not listen any more is about to end us."""
    data = memoryview(json.dumps(message).encode() + b"\n")
    while data:
        try:
            data = data[os.write(OUT, data) :]
        except BrokenPipeError:
            return


def main() -> None:
    """Until the input ends. The terminal's signals are for whoever started us."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    Watcher(max(0.05, float(sys.argv[1]))).run()


if __name__ == "__main__":
    main()
