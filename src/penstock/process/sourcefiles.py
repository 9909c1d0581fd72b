"""Which files the application's code came from, for ``py-autoreload``.

Runs in a prototype once it has loaded, and on the loop of a worker, which imports more with its first
requests. It only names files; who watches them is ``process/watcher``.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType

MOST = 5000  # files that are named
SECOND = 1.0
LIBRARY = os.path.dirname(os.__file__) + os.sep
OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
PACKAGES = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


def source_files(ignore: Sequence[str] = ()) -> list[str]:
    """Absolute paths of the files behind ``sys.modules``, at most 5,000: the application's own first, then
    those of installed packages; none of the standard library and of penstock.

    ``ignore``: names of modules that are left out (``py-auto-reload-ignore``), ``name.*`` for all below one.
    """
    own: dict[str, None] = {}
    packages: dict[str, None] = {}
    for name, module in sys.modules.copy().items():  # other threads import meanwhile
        path = watched(file_of(module))
        if path and not ignored(name, ignore):
            installed = any(part in path for part in PACKAGES)
            (packages if installed else own)[path] = None
    return [*own, *packages][:MOST]


def error_files(error: BaseException | None) -> list[str]:
    """Absolute paths of the files that a failed import went through, and of the one that is no Python: a
    module whose import failed is not in ``sys.modules``, and it is there that the mistake is put right."""
    found: dict[str, None] = {}
    for one in chain(error):
        named = [one.filename or ""] if isinstance(one, SyntaxError) else []
        for path in (*named, *passed(one.__traceback__)):
            kept = watched(path)
            if kept:
                found[kept] = None
    return list(found)[:MOST]


class NewFiles:
    """The tick of a worker: ``tell(files)`` is given what was imported since, looked at once a second.

    ``ignore`` as for ``source_files``; ``known`` the files that somebody has told already.
    """

    def __init__(
        self, tell: Callable[[list[str]], None], ignore: Sequence[str] = (), known: Iterable[str] = ()
    ) -> None:
        self.tell = tell
        self.ignore = ignore
        self.known = set(known)
        self.count = -1
        self.due = 0.0

    def tick(self, now: float) -> None:
        """``now``: time.monotonic seconds. Costs a length while nothing is imported."""
        if now < self.due:
            return
        self.due = now + SECOND
        count = len(sys.modules)
        if count == self.count:
            return
        self.count = count
        new = [path for path in source_files(self.ignore) if path not in self.known]
        self.known.update(new)
        if new:
            self.tell(new)


def file_of(module: object) -> str:
    """A module's file, "" without one. Modules that load themselves when they are looked at stay asleep."""
    try:
        path = object.__getattribute__(module, "__dict__").get("__file__")
    except AttributeError:
        return ""
    return path if isinstance(path, str) else ""


def watched(path: str) -> str:
    """The absolute path of a source file; "" for one that nobody edits."""
    if not path or path.startswith("<"):
        return ""
    path = os.path.abspath(path)
    if path.endswith((".pyc", ".pyo")):
        path = path[:-1]
    if path.startswith(OURS) or (path.startswith(LIBRARY) and not any(p in path for p in PACKAGES)):
        return ""
    return path


def ignored(name: str, ignore: Sequence[str]) -> bool:
    """Whether a module is one of those."""
    return any(name == entry or (entry.endswith(".*") and name.startswith(entry[:-1])) for entry in ignore)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, and those that it came from."""
    waiting = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__]


def passed(trace: TracebackType | None) -> Iterator[str]:
    """The files of a traceback's frames."""
    while trace is not None:
        yield trace.tb_frame.f_code.co_filename
        trace = trace.tb_next
