"""Request targets folded to the few paths of a site: ``/users/123?x=1`` is ``/users/*``.

Run by the thread that reads the records. It knows by their form the parts of a path that name one thing
among many (numbers, UUIDs, digests, dates, tokens), and finds out the others by how many there are below one
folder.
"""

import re

LONGEST = 120  # characters of a path that are kept
CHILDREN = 64  # different names below one folder, before they are one
FOLDERS = 1024  # whose children are counted
ANY = "*"
OTHER = "(other)"
"""What has no path: ``OPTIONS *``, a request whose head was not understood."""

IDS = re.compile(
    r"(?:"
    r"\d[\d:.,_-]*"  # a number, a date, a version
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|(?=[a-fA-F]*\d)[0-9a-fA-F]{8,}"  # a digest
    r"|(?=.*\d)(?=.*[A-Za-z])[\w~%=-]{16,}"  # a token, a slug with a number
    r"|.*(?:@|%40).*"  # an address
    r")(\.[A-Za-z]\w{0,4})?"
)
"""A part of a path that names one thing among many, with the ending that says of what kind it is."""
HASHED = re.compile(r"(?<=[.-])[0-9a-fA-F]{8,}(?=\.\w+$)")
"""The digest in a static file's name: ``app.5f3a9c1e.js``."""


class Folding:
    """``fold`` remembers which folders have many children; one object for a table."""

    def __init__(self) -> None:
        self.children: dict[str, set[str]] = {}

    def fold(self, target: str) -> str:
        """The path of a request target: without its query, names of single things as ``*``."""
        path = target.partition("?")[0]
        if not path.startswith("/"):
            path = path_of_absolute(path)
        parts = path[: LONGEST * 2].split("/")
        for at, part in enumerate(parts):
            if not part.isalpha():
                parts[at] = ANY if part.isdecimal() else folded(part)
        path = "/".join(parts)
        return self.counted(path if len(path) <= LONGEST else path[: LONGEST - 1] + "…")

    def counted(self, path: str) -> str:
        """The same; of a folder with too many children they are one."""
        folder, slash, name = path.rpartition("/")
        if not slash or name in ("", ANY):
            return path
        known = self.children.get(folder)
        if known is None:
            if len(self.children) >= FOLDERS:
                self.children.clear()
            known = self.children[folder] = set()
        if name not in known:
            if len(known) >= CHILDREN:
                return f"{folder}/{ANY}"
            known.add(name)
        return path


def folded(part: str) -> str:
    """One part of a path."""
    found = IDS.fullmatch(part)
    return ANY + (found[1] or "") if found else HASHED.sub(ANY, part)


def path_of_absolute(target: str) -> str:
    """The path of a target with a scheme (RFC 9112 §3.2.2); ``OTHER`` for what has none."""
    scheme, found, rest = target.partition("://")
    if not found or not scheme.isalpha():
        return OTHER
    return "/" + rest.partition("/")[2]
