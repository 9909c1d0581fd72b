"""Brings the text of a configuration from where its address says: a file, a descriptor, a command, the web.

Run in the starting process and the verbs; the web is asked by a child (``isolated``). Everything has a bound
of size and of time. It does not know what the text says.
"""

import os
import re
import stat
from typing import NamedTuple

from penstock.config.sources.env import owned
from penstock.config.sources.formats import format_of
from penstock.config.sources.isolated import Overrun, drain, gather, isolated, start

LIMIT = 16 << 20  # octets
PATIENCE = 30.0  # seconds for a pipe or a command
WEB_PATIENCE = 10.0  # seconds for all of a download
OTHERS = {
    "section": "reads a section of the uwsgi binary",
    "sym": "reads a symbol of the uwsgi binary",
    "call": "calls a function of the uwsgi binary",
    "callint": "calls a function of the uwsgi binary",
    "emperor": "asks an emperor",
}
SCHEME = re.compile(r"(http|https|data|fd|exec|section|sym|call|callint|emperor)://", re.ASCII)
# Those that are a plain table or automaton: some of Python's other codecs take quadratic time.
CODECS = rb"(us-ascii|iso-8859-\d+|latin-?1|windows-\d+|cp\d+|koi8-[ru]|gb\w+|big5|euc-\w+|shift_jis)"
DECLARED = re.compile(rb"\s*<\?xml[^>]*?\sencoding\s*=\s*[\"']" + CODECS + rb"[\"']", re.IGNORECASE)


class FetchFault(Exception):
    """A configuration cannot be had; ``message`` names the address and why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Document(NamedTuple):
    """``name``: the address without its section; ``path``: of a file, absolute and without links, else "".

    In ``text`` bytes that are not UTF-8 are lone surrogates (``surrogateescape``), which the parsers refuse
    where they matter. ``kind`` is the format, "" where neither option nor name tells it.
    """

    name: str
    text: str
    section: str
    path: str
    kind: str


def split_address(address: str) -> tuple[str, str]:
    """Address and section, which is behind the last colon of the last part of the path.

    ``:base`` gives "" and ``base``: the same file again, which only the caller knows. An existing file whose
    name has a colon is that file.
    """
    scheme = SCHEME.match(address)
    if not scheme:
        whole = os.path.isfile(address)
        before, colon, after = address.rpartition(":")
        return (before, after) if colon and not whole else (address, "")
    if scheme[1] == "data" or (scheme[1].startswith("http") and address.count("/") < 3):
        return address, ""
    at = address.rfind(":", address.rindex("/"))
    return (address[:at], address[at + 1 :]) if at >= 0 else (address, "")


def fetch(address: str, option_format: str = "") -> Document:
    """The text at an address. ``option_format``: the format that an option like ``--xml`` names.

    Addresses: a path, ``-``, ``fd://N``, ``exec://COMMAND``, ``data://TEXT``, ``http(s)://…``, each but data
    with ``:section`` behind it. Raises FetchFault.
    """
    name, section = split_address(address)
    path = ""
    try:
        scheme = SCHEME.match(name)
        if scheme:
            data = schemed(scheme[1], name[scheme.end() :], name)
        elif name == "-":
            data = descriptor(0)
        else:
            data = contents(name, own=address == owned())
            path = os.path.realpath(name)
    except (Overrun, ValueError) as fault:
        raise FetchFault(f"{name}: {fault}") from None
    except OSError as error:
        raise FetchFault(f"{name}: {error.strerror or error}") from None
    kind = option_format or format_of(name)
    return Document(name, decoded(data, kind), section, path, kind)


def schemed(scheme: str, rest: str, name: str) -> bytes:
    """What is behind ``scheme://``. Raises FetchFault, Overrun and OSError."""
    if scheme == "data" and not rest.isdecimal():
        return rest.encode(errors="surrogateescape")
    if scheme == "fd" and rest.isdecimal() and len(rest) < 10:
        return descriptor(int(rest))
    if scheme == "exec":
        return command(rest)
    if scheme.startswith("http"):
        return downloaded(name)
    why = OTHERS.get(scheme, f"{scheme}:// is followed by the number of a descriptor")
    if scheme == "data":
        why = "reads what is appended to the uwsgi binary"
    raise FetchFault(f"{name}: {why}" + ("" if scheme == "fd" else ", and there is none here"))


def descriptor(number: int) -> bytes:
    """All of a descriptor, which stays open. A person at a terminal has all the time there is."""
    return drain(number, None if os.isatty(number) else PATIENCE, LIMIT)


def contents(path: str, own: bool = False) -> bytes:
    """All of a file; a pipe by name is waited for. ``own``: it must belong to whom we are."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(file)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(0, "is a directory")
        if own and found.st_uid != os.geteuid():
            # Somebody has put it in the place of the file that made us who we are.
            raise PermissionError(0, f"is user {found.st_uid}'s, and is not read as user {os.geteuid()}")
        return drain(file, PATIENCE, LIMIT)
    finally:
        os.close(file)


def command(line: str) -> bytes:
    """What a shell command writes; uWSGI does not ask for its status, so it counts only with no output."""

    def body(pipe: int) -> None:
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(pipe, 1)
        os.execv("/bin/sh", ["/bin/sh", "-c", line])

    said, status = gather(start(body), PATIENCE, LIMIT)
    if status and not said:
        raise FetchFault(f"exec://{line}: no output, status {os.waitstatus_to_exitcode(status)}")
    return said


def downloaded(address: str) -> bytes:
    """A page of the web. Raises FetchFault and Overrun."""
    answer = isolated(download, address, seconds=WEB_PATIENCE)
    if isinstance(answer, bytes):
        if len(answer) > LIMIT:
            raise FetchFault(f"{address}: more than {LIMIT >> 20} MB")
        return answer
    raise FetchFault(f"{address}: {answer}")


def download(address: str) -> bytes | str:
    """In the child: the body, or why there is none."""
    from http.client import HTTPException
    from urllib.request import urlopen

    try:
        with urlopen(address, timeout=WEB_PATIENCE) as reply:
            return bytes(reply.read(LIMIT + 1))
    except (OSError, ValueError, HTTPException) as error:
        return str(error) or type(error).__name__


def decoded(data: bytes, kind: str) -> str:
    """The text; only xml can say that it is not UTF-8."""
    found = DECLARED.match(data[:1024]) if kind == "xml" else None
    if found:
        try:
            return data.decode(found[1].decode())
        except (LookupError, UnicodeError):
            pass  # the parser names the byte
    return data.decode(errors="surrogateescape")
