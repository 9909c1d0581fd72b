"""Which type a file's name stands for: a table read at boot from mime.types files (``mimefile``).

Read once, in the process that starts; afterwards a dictionary that threads share and nobody changes. It
gives no charset, as uWSGI does not: what a file is encoded in is not known from its name.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

SYSTEM = "/etc/mime.types"


def make_table(files: Iterable[str], warn: Callable[[str, str], None]) -> dict[str, str]:
    """Types by ending (without the dot) of all ``files``, the system's without any; the first one counts.

    A file that cannot be read is said; where none can, it is Python's own table.
    """
    table: dict[str, str] = {}
    for path in tuple(files) or (SYSTEM,):
        try:
            text = Path(path).read_text("latin-1")
        except OSError as error:
            if path != SYSTEM:
                warn(f"mimefile {path}", f"mimefile: {path} cannot be read: {error.strerror}")
            continue
        for ending, kind in entries(text):
            table.setdefault(ending, kind)
    return table or builtin()


def entries(text: str) -> Iterator[tuple[str, str]]:
    """(ending, type) of each line ``type ending ending…``; comments and what is no type are skipped."""
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if len(words) > 1 and "/" in words[0] and words[0].isascii() and words[0].isprintable():
            for ending in words[1:]:
                yield ending.rstrip(";"), words[0].rstrip(";")


def builtin() -> dict[str, str]:
    """What Python knows without any file."""
    import mimetypes

    known = mimetypes.MimeTypes().types_map[True]
    return {ending[1:]: kind for ending, kind in known.items()}


def type_of(table: dict[str, str], name: str) -> str:
    """The type of a file's name by what follows its last dot, "" where that is unknown. Endings are as they
    stand in the table; where one is not there, in small letters."""
    ending = name.rpartition("/")[2].rpartition(".")[2] if "." in name else ""
    return table.get(ending) or table.get(ending.lower(), "")
