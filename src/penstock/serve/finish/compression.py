"""Which replies are compressed, and what their heads say then (``compress``, ``http-auto-gzip``).

Decided at boot, asked by pool threads for each reply. Nothing that is encoded already, that is a part of
something, or that says ``no-transform`` is touched; how bytes become fewer is known to ``coders``.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from penstock.serve.finish.coders import Coder
from penstock.serve.finish.touches import Touched
from penstock.serve.static.twins import codings_of

MARK = "uwsgi-encoding"
DIGESTS = ("content-md5", "content-digest", "digest", "repr-digest")
"""Fields that speak of the very bytes; a reply that has one is left as it is."""

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Compression:
    """``coders``  what makes a coder, by the name of its coding
    ``ways``    the codings for whatever reply is of the right type and size
    ``marked``  whether replies may ask for gzip themselves, by ``uWSGI-Encoding: gzip``
    ``least``   bytes below which a body of known length is left as it is
    ``types``   what a Content-Type matches then, in small letters and without parameters
    """

    coders: Mapping[str, Callable[[], Coder]]
    ways: frozenset[str]
    marked: bool
    least: int
    types: re.Pattern[str]

    def wanted(self, call: Touched) -> str:
        """The coding for this reply, "" for none. Vary is set where others may get another one."""
        marked = self.marked and value(call.pairs, MARK).strip().lower() == "gzip"
        if self.marked:
            call.remove((MARK,))
        # uWSGI's router leaves what says its length itself.
        marked = marked and not call.sized
        if not (marked or self.fits(call)) or untouchable(call):
            return ""
        vary(call.pairs)
        accepted = codings_of(call.environ.get("HTTP_ACCEPT_ENCODING"))
        if marked and "gzip" in accepted:
            return "gzip"
        return next((coding for coding in accepted if coding in self.ways), "")

    def fits(self, call: Touched) -> bool:
        """Whether a reply is of a type and a size to compress."""
        if not self.ways or 0 <= call.declared < self.least:
            return False
        kind = value(call.pairs, "content-type").partition(";")[0]
        return self.types.fullmatch(kind.strip().lower()) is not None

    def revalidated(self, call: Touched) -> None:
        """A 304 says of its page what the 200 said (RFC 9110 §15.4.5): that it varies, and the weak tag where
        the client asked about that one."""
        if call.code != 304 or not self.ways:
            return
        vary(call.pairs)
        tag = value(call.pairs, "etag")
        if f"W/{tag}" in call.environ.get("HTTP_IF_NONE_MATCH", ""):
            weaken(call.pairs)


def untouchable(call: Touched) -> bool:
    """Whether nobody may change this body."""
    pairs = call.pairs
    return (
        call.code == 206
        or value(pairs, "content-encoding").strip().lower() not in ("", "identity")
        or "no-transform" in value(pairs, "cache-control").lower()
        or "no-transform" in call.environ.get("HTTP_CACHE_CONTROL", "").lower()
        or any(value(pairs, name) for name in DIGESTS)
    )


class Compressing:
    """The transformation that compresses one reply, if it is one to compress."""

    __slots__ = ("coder", "compression")

    def __init__(self, compression: Compression) -> None:
        self.compression = compression
        self.coder: Coder | None = None

    def start(self, call: Touched) -> bool:
        """Negotiate, and have the head say what comes."""
        coding = self.compression.wanted(call)
        if not coding:
            return False
        self.coder = self.compression.coders[coding]()
        call.remove(("content-encoding", "accept-ranges"))
        weaken(call.pairs)
        call.pairs.append(("Content-Encoding", coding))
        return True

    def feed(self, data: bytes) -> bytes:
        """A block; all of it is in what went out only after ``flush``."""
        assert self.coder is not None
        return self.coder.feed(data)

    def flush(self) -> bytes:
        """PEP 3333: no block is kept back until the next one is made."""
        assert self.coder is not None
        return self.coder.flush()

    def finish(self) -> bytes:
        """The end."""
        assert self.coder is not None
        return self.coder.finish()

    def failed(self) -> None:
        """Nothing is held but memory."""
        self.coder = None


def value(pairs: Pairs, wanted: str) -> str:
    """The values of the fields with a lower-case name, joined; "" without one."""
    return ", ".join([said for name, said in pairs if name.lower() == wanted])


def weaken(pairs: Pairs) -> None:
    """Other bytes, the same meaning (RFC 9110 §8.8.3)."""
    for index, (name, tag) in enumerate(pairs):
        if name.lower() == "etag" and tag.startswith('"'):
            pairs[index] = (name, f"W/{tag}")


def vary(pairs: Pairs) -> None:
    """Have Vary name Accept-Encoding."""
    names = {each.strip().lower() for each in value(pairs, "vary").split(",")}
    if not names.isdisjoint(("accept-encoding", "*")):
        return
    for index, (name, said) in enumerate(pairs):
        if name.lower() == "vary":
            pairs[index] = (name, f"{said.strip()}, Accept-Encoding" if said.strip() else "Accept-Encoding")
            return
    pairs.append(("Vary", "Accept-Encoding"))


def types_of(patterns: Sequence[str]) -> re.Pattern[str]:
    """What one of the patterns matches; ``*`` stands for any part of a type, and by itself for all."""
    made = (re.escape(pattern).replace(r"\*", ".*") for pattern in patterns)
    return re.compile("|".join(made) or "(?!)", re.ASCII)
