"""The files of a site: which one a request means, and its reply (uWSGI's ``static-*`` options).

Made once at boot, asked by all pool threads. What was found is kept for a moment (``LOOK``), so that a hot
file costs no system call, and a file that changed is seen as soon; what the reply says is not known here.
"""

import os
from collections.abc import Callable
from stat import S_ISREG
from time import monotonic, time_ns
from typing import Any, Protocol

from penstock.config.settings import Settings
from penstock.core.errors import Disconnected
from penstock.serve.static.entry import SMALL, Entry
from penstock.serve.static.lookup import Lookup, Target, latin_of
from penstock.serve.static.memory import Memory
from penstock.serve.static.opening import PEEK, READ, probe
from penstock.serve.static.roots import LOOK, Means, Root, names_of
from penstock.serve.wsgi.call import Call, Environ

SETTLED = 2_000_000_000  # nanoseconds; two changes within one tick of a file system have one time stamp
ABSENT = 1.0  # seconds
TRIES = 3  # readings of a file that changes
METHODS = ("GET", "HEAD")

Warn = Callable[[str, str], None]


class Send(Protocol):
    """How a found file is answered: ``static.reply.make_send`` makes it."""

    def __call__(self, call: Call, environ: Environ, entry: Entry, /, **how: Any) -> None:
        """The whole reply. Raises Disconnected, and other OSErrors where the file is no more what the entry
        says, before anything was sent."""


class Files:
    """Static files: lookup with a memory, and replies.

    ``keep``  seconds for which where a file lies is not asked again (``static-cache-paths``); whether it is
              still the same is asked every LOOK seconds. That there is none is remembered for ABSENT at most:
              uWSGI does not remember it, and a file that comes late must not be missing for a day
    """

    def __init__(self, lookup: Lookup, keep: float = 0.0) -> None:
        self.lookup = lookup
        self.keep = max(keep, LOOK)
        self.absent = min(self.keep, ABSENT)
        self.known: Memory[Entry] = Memory(weight)
        self.beside: Memory[Entry] = Memory(weight)
        self.rules: Memory[Entry] = Memory(weight)
        self.missing: Memory[float] = Memory()
        self.lone: Memory[float] = Memory()
        self.roots: dict[str, Root] = {}
        self.sender: Send | None = None

    # ---- What a request means ---------------------------------------------------------------------------

    def find(self, environ: Environ) -> Entry | None:
        """The file that a GET or HEAD means, None where the request is the application's. PATH_INFO gets the
        name of the ``static-index`` that was taken."""
        if environ.get("REQUEST_METHOD") not in METHODS:
            return None
        path: str = environ.get("PATH_INFO", "")
        lookup = self.lookup
        if lookup.prefixes is not None and not path.startswith(lookup.prefixes):
            return None
        docroot, name = "", path
        if lookup.docroot:
            docroot = environ.get("DOCUMENT_ROOT", "")
            name = f"{docroot}\0{path}"
        entry = self.known.get(name)
        if entry is None or monotonic() >= entry.until:
            entry = self.search(name, path, docroot, entry)
            if entry is None:
                return None
        if entry.index:
            environ["PATH_INFO"] = f"{path}{entry.index}" if path.endswith("/") else f"{path}/{entry.index}"
        return entry

    def search(self, name: str, path: str, docroot: str, entry: Entry | None) -> Entry | None:
        """``find`` where nothing is known that holds."""
        now = monotonic()
        until = self.missing.get(name)
        if until is not None and now < until:
            return None
        if entry is None or not self.still_there(entry, now):
            # Many names for one file would fill the memory with it.
            plain = "//" not in path and "/./" not in path
            entry = self.renew(entry, self.lookup.look(path, docroot), now, plain)
            if not plain:
                return entry
            if entry is None:
                self.missing.put(name, now + self.absent)
                self.known.forget(name)
            else:
                self.known.put(name, entry)
        return entry

    def still_there(self, entry: Entry, now: float) -> bool:
        """Whether a file is as it was, where its place need not be looked up; good for a moment then."""
        if now >= entry.kept or not entry.settled:
            return False
        try:
            fd = entry.place.open(PEEK)
        except OSError:
            return False
        try:
            still = entry.is_still(os.fstat(fd))
        finally:
            os.close(fd)
        if still:
            entry.until = now + LOOK
        return still

    def renew(self, entry: Entry | None, target: Target | None, now: float, whole: bool) -> Entry | None:
        """The entry of what was found: the old one where that is the same file, else a new one. ``whole``:
        with its content, where it is small."""
        if target is None:
            return None
        if (
            entry is None
            or not entry.settled
            or not entry.is_still(target.status)
            or entry.place != target.place
        ):
            entry = fill(target, whole)
        if entry is not None:
            entry.until = now + LOOK
            entry.kept = now + self.keep
        return entry

    # ---- Files beside files, and files of rules ------------------------------------------------------------

    def twin(self, entry: Entry, suffix: str) -> Entry | None:
        """The file beside ``entry`` with ``suffix`` (".gz") behind its real name; as safe as all others.
        Remembered like all others, so ask each time."""
        name = entry.path + suffix
        return self.remembered(
            self.beside,
            name,
            lambda: self.lookup.beside(entry.place, names_of(name.encode("latin-1"))),
        )

    def at(self, path: str, below: str = "") -> Entry | None:
        """A file by its absolute path (octets as latin-1), for rules. ``below``: the folder that it must not
        leave; "" where the operator wrote the whole path."""
        return self.remembered(self.rules, f"{below}\0{path}", lambda: self.look_at(path, below))

    def look_at(self, path: str, below: str) -> Target | None:
        """``at`` without memory."""
        if "\0" in path:
            return None
        top = below or path
        root = self.roots.get(top)
        if root is None:
            if len(self.roots) >= ROOTS:
                self.roots = {}
            octets = top.encode("latin-1", "replace")
            root = self.roots[top] = Root(octets, self.lookup.means, self.lookup.safe, single=not below)
        if not below:
            return self.lookup.below(root, "")
        folder = below if below.endswith("/") else below + "/"
        return self.lookup.below(root, path[len(folder) :]) if path.startswith(folder) else None

    def remembered(self, memory: Memory[Entry], name: str, look: Callable[[], Target | None]) -> Entry | None:
        """What is looked for by a name of its own."""
        now = monotonic()
        entry = memory.get(name)
        if entry is not None and now < entry.until:
            return entry
        until = self.lone.get(name)
        if until is not None and now < until:
            return None
        entry = self.renew(entry, look(), now, True)
        if entry is None:
            self.lone.put(name, now + self.absent)
            memory.forget(name)
        else:
            memory.put(name, entry)
        return entry

    # ---- Replies ------------------------------------------------------------------------------------------

    def send(self, call: Call, environ: Environ, entry: Entry, **how: Any) -> bool:
        """The reply to what ``find`` or ``at`` gave. False, and nothing was sent, where the file went
        meanwhile. ``how`` is passed on to the sender. Raises Disconnected."""
        sender = self.sender
        assert sender is not None
        try:
            sender(call, environ, entry, **how)
        except Disconnected:
            raise
        except OSError:
            if call.sent_head:
                raise
            fresh = self.anew(entry)
            if fresh is None:
                return False
            sender(call, environ, fresh, **how)
        return True

    def serve(self, call: Call, environ: Environ, path: str, below: str = "", **how: Any) -> bool:
        """``at`` and its reply; False where there is no such file."""
        entry = self.at(path, below)
        return entry is not None and self.send(call, environ, entry, **how)

    def anew(self, entry: Entry) -> Entry | None:
        """What is now in an entry's place. The request is not asked again: rules may have rewritten it."""
        entry.until = entry.kept = 0.0
        try:
            target = self.lookup.target(entry.place, False)
        except OSError:
            return None
        return None if target is None else fill(target._replace(appended=entry.index), True)


ROOTS = 64  # folders of rules that are held open


def weight(entry: Entry) -> int:
    """Bytes that an entry holds; what is sent often is kept once more, behind its head."""
    return 2 * len(entry.small or b"")


def fill(target: Target, whole: bool) -> Entry | None:
    """The entry of a file that was found; None where it cannot be read."""
    place = target.place
    for _ in range(TRIES):
        try:
            fd = place.open(READ)
        except OSError:
            return None
        try:
            status = os.fstat(fd)
            if not S_ISREG(status.st_mode):
                return None
            entry = Entry(latin_of(place.real()), status, place, target.appended)
            entry.settled = time_ns() - status.st_ctime_ns > SETTLED
            if not whole or status.st_size > SMALL:
                return entry
            content = read(fd, SMALL + 1)
            if len(content) == status.st_size and entry.is_still(os.fstat(fd)):
                entry.small = content
                return entry
        except OSError:
            return None
        finally:
            os.close(fd)
    return entry


def read(fd: int, most: int) -> bytes:
    """Up to ``most`` bytes of a file."""
    pieces = []
    while most > 0:
        piece = os.read(fd, most)
        if not piece:
            break
        pieces.append(piece)
        most -= len(piece)
    return b"".join(pieces)


def make_files(settings: Settings, warn: Warn, always: bool = False, **made: Any) -> Files | None:
    """The files of a site; None where no option asks for any, unless ``always`` (rules that serve some).
    ``made`` (``mime``, ``regex``) is for ``make_sender``. Raises ValueError for a regex that is none."""
    asked = settings.static_map or settings.static_map2 or settings.check_static
    if not (asked or settings.check_static_docroot or always):
        return None
    from penstock.serve.static.reply import make_sender

    files = Files(Lookup(settings, Means(probe(), warn)), settings.static_cache_paths)
    files.sender = make_sender(settings, warn, files.twin, **made)
    return files
