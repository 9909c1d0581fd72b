"""What differs between two servers' answers to a case, and the list of what is allowed to.

Pure: knows no server, reads nothing but ``LISTS``. What is no difference here is in NORMALISED,
with the reason.
"""

import gzip
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from tests.compat.compare import ABSENT, fits, order, values
from tests.compat.site.site import Seen
from tests.compat.wire import Reply

LISTS = ("differences.toml", "differences-files.toml")
FIELDS = {"cases", "parts", "uwsgi", "penstock", "reason"}
NORMALISED = {
    "date": "penstock adds Date to every reply (RFC 9110 §6.6.1), uWSGI to none",
    "connection": "both close: each case asks for it. penstock says so in the reply, uWSGI only on its pages",
    "framing": "penstock frames each body, by its length or in chunks, and puts that last; where uWSGI lets"
    " the end of the connection end it or chooses chunks, or each says its own body's length, the framing"
    " is checked to be right, and taken away",
    "end": "complete by its framing or by the end of the connection is whole; reset or closed before the"
    " first byte is nothing",
    "gzip": "what two compressors make of the same text: it is unpacked",
    "shape": "fields named X-Shape are different each time; their shape is compared",
}
DROPPED = ("date", "connection")
FRAMING = ("content-length", "transfer-encoding")


@dataclass(frozen=True)
class Difference:
    """``part``: "status", "body", "end", "order", "file NAME", "log PATTERN", or a header's name in small
    letters; behind the first request of a case with the number before it: "2 status"."""

    case: str
    part: str
    uwsgi: str
    penstock: str

    @property
    def which(self) -> str:
        """The part, of whichever request."""
        number, _, part = self.part.partition(" ")
        return part if number.isdecimal() else self.part

    def __str__(self) -> str:
        return f"{self.case} {self.part}: uWSGI {self.uwsgi[:400]!r}, penstock {self.penstock[:400]!r}"


def differences(name: str, theirs: Seen, ours: Seen, framed: bool = False) -> list[Difference]:
    """All of them. ``framed``: two of one server's, whose framing is compared, too."""
    return [Difference(name, *row) for row in rows(theirs, ours, framed)]


Row = tuple[str, str, str]


def rows(theirs: Seen, ours: Seen, framed: bool) -> Iterator[Row]:
    for number, (one, other) in enumerate(zip(theirs.replies, ours.replies, strict=True), 1):
        left, right = plain(one), plain(other)
        if not framed:
            yield from numbered(number, unsaid(left, right))
            head = number in theirs.heads
            left, right = unframed(left, right, head), unframed(right, left, head)
        yield from numbered(number, reply_rows(left, right))
    for name, content in theirs.files.items():
        if content != ours.files[name]:
            yield f"file {name}", content or ABSENT, ours.files[name] or ABSENT
    for pattern, found in theirs.logs.items():
        if found != ours.logs[pattern]:
            yield f"log {pattern}", str(found), str(ours.logs[pattern])


def numbered(number: int, found: Iterator[Row]) -> Iterator[Row]:
    """With the number of their request, behind the first."""
    for part, left, right in found:
        yield (part if number == 1 else f"{number} {part}"), left, right


def reply_rows(one: Reply, other: Reply) -> Iterator[Row]:
    """Of one request."""
    if one.status != other.status:
        yield "status", one.status or ABSENT, other.status or ABSENT
    for name in sorted({name.lower() for name, _ in one.headers + other.headers}):
        left, right = values(one, name), values(other, name)
        if left != right:
            yield name, left, right
    left, right = order(one, other), order(other, one)
    if left != right:
        yield "order", left, right
    if one.body != other.body:
        yield "body", one.body, other.body
    if ended(one) != ended(other):
        yield "end", ended(one), ended(other)


def plain(reply: Reply) -> Reply:
    """Without what is said in NORMALISED of one reply by itself."""
    headers = tuple(
        (name, shape(value) if name.lower() == "x-shape" else value)
        for name, value in reply.headers
        if name.lower() not in DROPPED
    )
    body = reply.body
    if values(reply, "content-encoding") == "gzip" and body:
        try:
            body = "unpacked: " + gzip.decompress(body.encode("latin-1")).decode("latin-1")
        except (OSError, EOFError):
            body = "no gzip: " + body
    return replace(reply, headers=headers, body=body)


def shape(text: str) -> str:
    """Digits as one 9, hexadecimal groups of a UUID as one h."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uuid>", text)
    return re.sub(r"\d+", "9", re.sub(r"\w{3}, \d\d \w{3} \d{4}", "<day>", text))


def unframed(reply: Reply, other: Reply, head: bool) -> Reply:
    """Without a framing that is right, unless both say a length that is no body's (HEAD)."""
    right = reply.end in ("complete", "close") and " | " not in values(reply, "content-length")
    if head and all(values(each, "content-length") != ABSENT for each in (reply, other)):
        right = False
    if "1.0" in reply.status:
        right = right and values(reply, "transfer-encoding") == ABSENT
    headers = tuple(pair for pair in reply.headers if not right or pair[0].lower() not in FRAMING)
    return replace(reply, headers=headers)


def unsaid(theirs: Reply, ours: Reply) -> Iterator[Row]:
    """A length that uWSGI says, and penstock does not of the same body."""
    said, own = (values(reply, "content-length") for reply in (theirs, ours))
    if own == ABSENT != said and (theirs.status, theirs.body) == (ours.status, ours.body):
        yield "content-length", said, own


def ended(reply: Reply) -> str:
    if reply.end.startswith("nothing") or (reply.end == "reset" and not reply.status):
        return "nothing"
    return "whole" if reply.end in ("complete", "close") else reply.end


# ---- The list -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """A listed difference: globs of cases and of parts; "…" in the values stands for any text."""

    cases: tuple[str, ...]
    parts: tuple[str, ...]
    uwsgi: tuple[str, ...]
    penstock: tuple[str, ...]
    reason: str

    def covers(self, found: Difference) -> bool:
        return (
            any(fnmatchcase(found.case, glob) for glob in self.cases)
            and any(fnmatchcase(found.which, glob) for glob in self.parts)
            and any(fits(text, found.uwsgi) for text in self.uwsgi)
            and any(fits(text, found.penstock) for text in self.penstock)
        )

    def unseen(self, found: list[Difference]) -> list[str]:
        """What of the entry does not occur among ``found``."""
        mine = [one for one in found if self.covers(one)]
        return [
            *(glob for glob in self.cases if not any(fnmatchcase(one.case, glob) for one in mine)),
            *(glob for glob in self.parts if not any(fnmatchcase(one.which, glob) for one in mine)),
            *(text for text in self.uwsgi if not any(fits(text, one.uwsgi) for one in mine)),
            *(text for text in self.penstock if not any(fits(text, one.penstock) for one in mine)),
        ]


def listed() -> list[Entry]:
    """The entries. Raises AssertionError for one that is not well-formed."""
    texts = [Path(__file__).with_name(name).read_text(encoding="utf-8") for name in LISTS]
    tables: list[dict[str, Any]] = [table for text in texts for table in tomllib.loads(text)["difference"]]
    entries = []
    for table in tables:
        assert {*table} == FIELDS, table
        assert len(table["reason"]) > 20, table
        lists = {name: tuple(table[name]) for name in ("cases", "parts", "uwsgi", "penstock")}
        assert all(lists.values()), table
        entries.append(Entry(**lists, reason=table["reason"]))
    return entries
