"""What is said of a file: its header fields, made once for as long as the file stays as it is.

Made by the pool thread that needs it first and kept with the file's entry; two threads may make the same
one, and either is right. Knows files and options, not requests or how anything is sent.
"""

from typing import NamedTuple

from penstock.codecs import http1_reply
from penstock.codecs.http1_reply import Fields
from penstock.core.date import http_date
from penstock.serve.static.entry import Entry
from penstock.serve.static.expires import IMMUTABLE, Delay

Pairs = list[tuple[str, str]]


class Kept(NamedTuple):
    """For how long a reply may be kept, as fields, and whether they stand ``behind`` its Content-Type."""

    pairs: Pairs
    behind: bool


class Saying(NamedTuple):
    """What an entry's reply says beside its size and age.

    ``kind``    Content-Type, "" for none; ``coding``: Content-Encoding of a twin, "" for the file itself
    ``keep``    a Cache-Control or an Expires, None for neither
    ``varies``  there is more than one form of it to choose from (Vary)
    ``ranges``  whether Accept-Ranges is said
    """

    kind: str
    coding: str
    keep: Delay | str | None
    varies: bool
    ranges: bool


class Ready(NamedTuple):
    """A whole reply: ``date`` is the Date line of its time, ``dress`` what was done to its fields, ``extra``
    what every reply has; ``head_size`` of its bytes are the head, of ``fields``."""

    date: bytes
    dress: object
    extra: Fields
    data: bytes
    head_size: int
    fields: Fields


class Heads:
    """The fields of one file in one coding.

    ``etag``      its strong entity tag, quotes included; weak (W/) while the file is so new that its next
                  change might not show in its time stamp (RFC 9110 §8.8.1)
    ``modified``  its Last-Modified
    ``ready``     an ordinary reply as it was last sent
    ``quick``     such a reply can go out as it was before; set by who made this
    """

    __slots__ = ("_fields", "entry", "etag", "modified", "quick", "ready", "saying")

    def __init__(self, entry: Entry, saying: Saying) -> None:
        self.entry = entry
        self.saying = saying
        suffix = f"-{saying.coding}" if saying.coding else ""  # each coding has its own (RFC 9110 §8.8.3.3)
        weak = "" if entry.settled else "W/"
        self.etag = f'{weak}"{entry.mtime_ns:x}-{entry.size:x}{suffix}"'
        self.modified = http_date(max(0, entry.mtime))
        self.quick = False
        self.ready: Ready | None = None
        self._fields: tuple[int, Fields] | None = None

    def kept(self, keep: Delay | str | None, now: int) -> Kept:
        """Cache-Control or Expires."""
        if isinstance(keep, Delay):
            return Kept([("Expires", keep.line(self.entry.mtime, now))], keep.by_type)
        return Kept([("Cache-Control", IMMUTABLE)] if keep else [], False)

    def about(self) -> Pairs:
        """What a 304 repeats, too (RFC 9110 §15.4.5)."""
        pairs = [("ETag", self.etag)]
        if self.saying.varies:
            pairs.append(("Vary", "Accept-Encoding"))
        return pairs

    def pairs(self, kept: Kept, length: int, span: str = "", kind: str = "") -> Pairs:
        """All fields of a reply of ``length`` bytes, in uWSGI's order where it has them; ``span``: its
        Content-Range; ``kind``: another type than the file's."""
        saying = self.saying
        pairs = [*self.content(kept, kind or saying.kind), ("Content-Length", str(length))]
        if span:
            pairs.append(("Content-Range", span))
        pairs += [("Last-Modified", self.modified), *self.about()]
        if saying.ranges:
            pairs.append(("Accept-Ranges", "bytes"))
        return pairs

    def handed(self, kept: Kept, field: tuple[str, str]) -> Pairs:
        """The fields for a front server that is to send the file; ``field`` says which."""
        return [*self.content(kept, self.saying.kind), field, ("Last-Modified", self.modified)]

    def content(self, kept: Kept, kind: str) -> Pairs:
        """Expires, Content-Encoding and Content-Type; an Expires of the type behind it."""
        pairs = [("Content-Encoding", self.saying.coding)] if self.saying.coding else []
        if kind:
            pairs.append(("Content-Type", kind))
        return [*pairs, *kept.pairs] if kept.behind else [*kept.pairs, *pairs]

    def make_ready(self, date: bytes, dress: object, fields: Fields, extra: Fields) -> "Ready":
        """An ordinary reply (HTTP/1.1, kept alive) with the content in memory and these fields."""
        dated = b"" if fields.dated or extra.dated else date
        head = b"HTTP/1.1 200 OK\r\n%b%b%b\r\n" % (fields.lines, extra.lines, dated)
        self.ready = ready = Ready(date, dress, extra, head + (self.entry.small or b""), len(head), fields)
        return ready

    def fields(self, now: int) -> Fields:
        """``pairs`` of the whole file, checked and joined; kept, where there is an Expires for its second."""
        keep = self.saying.keep
        second = now if isinstance(keep, Delay) and not keep.from_mtime else 0
        made = self._fields
        if made is None or made[0] != second:
            checked = http1_reply.fields(self.pairs(self.kept(keep, now), self.entry.size))
            self._fields = made = (second, checked)
        return made[1]


def sayable(path: str) -> bool:
    """Whether a path can be a header's value."""
    return http1_reply.VALUE.fullmatch(path) is not None
