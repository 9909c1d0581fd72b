"""Magic letters: ``%d``, ``%n``, ``%k`` and the others, which uWSGI puts in a file's text before it is
parsed. Runs at start, once for each file; it knows text, and nothing of formats or options.
"""

import os
import re
import socket
import sys
import time
from typing import NamedTuple

LONGEST = 32 << 20
"""Octets of text after the letters are put in: a file of nothing but ``%p`` would grow a thousandfold."""
TOLD = 20  # unknown letters that are told of, for each text
OF_FILE = "odspcenxij0123456789"
UPPER = "ODSPCENXIJ"
_LETTER = re.compile(r"%(.?)", re.DOTALL)
_COMMENT = re.compile(r"\s*[#;]")


class Overgrown(Exception):
    """The text grew beyond LONGEST."""


class Expanded(NamedTuple):
    """``text``; ``joined``: the lines of it, from 1, behind which a line break was taken out (``%`` at the
    end of a line takes the break with it); ``unknown``: (line, letter) of what stands for nothing."""

    text: str
    joined: tuple[int, ...]
    unknown: tuple[tuple[int, str], ...]


class Magic:
    """The table of letters, which each file that is read fills anew."""

    def __init__(self) -> None:
        self.first = False
        self.table = dict.fromkeys(OF_FILE + UPPER, "")
        self.table |= {"%": "%", "(": "%(", "[": "\x1b"}
        self.table |= _of_start()

    def of_file(self, name: str, section: str) -> None:
        """Fill in what depends on the file ``name``, as it was given, without its section.

        What is no path (standard input, a scheme) leaves the letters of the file before.
        """
        self.table["o"] = name
        if name != "-" and "://" not in name:
            self.table |= _of_path(name)
        self.table["x"] = section
        if not self.first:
            # uWSGI does this for a file of --ini only, and leaves them empty for `uwsgi app.ini`.
            self.table |= {letter: self.table[letter.lower()] for letter in UPPER}
            self.first = True

    def of_section(self, section: str) -> None:
        """Fill in what changes when another section of the same file is read (``ini = :section``)."""
        self.table |= {"o": "", "x": section}

    def expand(self, text: str) -> Expanded:
        """Put the letters' values in. Raises Overgrown."""
        if "%" not in text:
            return Expanded(text, (), ())
        return _Expansion(self.table, text).run()


class _Expansion:
    """One text. Line breaks are counted on the way, so that it takes one pass whatever is in it."""

    def __init__(self, table: dict[str, str], text: str) -> None:
        self.table, self.text = table, text
        self.grown = len(text)
        self.at, self.line = 0, 1
        self.joined: list[int] = []
        self.unknown: list[tuple[int, str]] = []

    def run(self) -> Expanded:
        text = _LETTER.sub(self.value, self.text)
        return Expanded(text, tuple(self.joined), tuple(self.unknown))

    def value(self, found: re.Match[str]) -> str:
        letter = found[1]
        value = self.table.get(letter, "")
        self.grown += len(value)
        if self.grown > LONGEST:
            raise Overgrown
        if letter not in self.table:
            self.nothing(found.start(), letter)
        return value

    def nothing(self, at: int, letter: str) -> None:
        """A letter that stands for nothing: uWSGI takes it out without a word."""
        self.line += self.text.count("\n", self.at, at)
        self.at = at
        line = self.line + len(self.joined)
        if len(self.unknown) < TOLD and (letter == "\n" or not self.in_comment(at)):
            self.unknown.append((line, letter))
        if letter == "\n":
            self.joined.append(self.line)
            self.at = at + 2  # the break is no line of the result

    def in_comment(self, at: int) -> bool:
        return _COMMENT.match(self.text, self.text.rfind("\n", 0, at) + 1, at) is not None


def _of_start() -> dict[str, str]:
    from grp import getgrgid
    from pwd import getpwuid

    from penstock import __version__

    now, uid, gid = time.time(), os.getuid(), os.getgid()
    try:
        user = getpwuid(uid).pw_name
    except KeyError:
        user = str(uid)
    try:
        group = getgrgid(gid).gr_name
    except KeyError:
        group = str(gid)
    return {
        "v": os.getcwd(), "h": socket.gethostname(), "k": str(os.cpu_count() or 1), "V": __version__,
        "t": str(int(now)), "T": str(int(now * 1_000_000)), "u": str(uid), "U": user, "g": str(gid),
        "G": group, "b": os.path.abspath(sys.argv[0]),
    }  # fmt: skip


def _of_path(name: str) -> dict[str, str]:
    # A link is named by its own place, not by its target's.
    path = os.path.join(os.getcwd(), name) if os.path.islink(name) else os.path.realpath(name)
    folder, _, base = path.rpartition("/")
    stem, dot, ending = base.rpartition(".")
    try:
        inode = str(os.lstat(path).st_ino)
    except OSError:
        inode = ""
    parts = [part for part in folder.split("/") if part][:10]
    return {
        **dict.fromkeys("0123456789", ""), **{str(at): part for at, part in enumerate(parts)},
        "p": path, "d": f"{folder}/", "s": base, "n": stem if dot else base, "e": ending if dot else "",
        "c": folder.rpartition("/")[2], "i": inode, "j": djb33x(path.encode("utf-8", "surrogateescape")),
    }  # fmt: skip


def djb33x(data: bytes) -> str:
    """uWSGI's hash of a path, in hexadecimal as its octets lie in memory."""
    value = 5381
    for octet in data:
        value = ((value << 5) + value ^ octet) & 0xFFFFFFFF
    return value.to_bytes(4, sys.byteorder).hex().upper()
