"""Inputs without end from one seed: grammars with faults at a known rate, and mutations of the corpora.

At least three of ten are legal by construction; the rest is spoilt, mutated, or fed under small limits.
"""

import tomllib
from pathlib import Path
from random import Random
from typing import Any

from tests.codecs.corpus import vectors
from tests.fuzz import packets
from tests.fuzz.case import Case
from tests.fuzz.faults import spoil
from tests.fuzz.grammar import Draw, Message, message, pick

INTERESTING = [
    *(bytes((octet,)) for octet in (0, 9, 10, 11, 13, 32, 34, 37, 44, 47, 58, 59, 61, 64, 127, 128, 255)),
    *b"0 1 5 f g +5 -1 0x 00000000000000000 ffffffffffffffff 99999999999999999999 chunked close".split(),
    *(b"\r\n", b"\r\n\r\n", b"\n\n", b"\r\r", b"\n\r\n", b"\r\n ", b"\r\n\t", b"; a", b' ;a="', b": ", b", "),
    *(b"Host: b\r\n", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n"),
    *(b"Expect: 100-continue\r\n", b"Expect: x\r\n", b"0\r\n\r\n", b"5\r\nhello\r\n", b"X: y\r\n" * 6),
    *(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b" HTTP/1.1", b" HTTP/1.0", b"http://b/", b"%00", b"#", b"*"),
    *(b"a" * 50, b"%2", b"Upgrade", b"  "),
    *(b"\x01\x00", b"\xff\xff", b"\x00\x00", b"\x0e\x00REQUEST_METHOD\x03\x00GET", b"\x0e\x00CONTENT_LENGTH"),
]  # fmt: skip
GARBAGE = [
    b"",
    b"garbage",
    b"\0\0",
    b"\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
]
UWSGI = Path(__file__).parents[1] / "corpus" / "uwsgi.toml"


def packet_corpus() -> list[bytes]:
    """The packets of the corpus, groups left out: they are single values."""
    found = []
    for entry in tomllib.loads(UWSGI.read_text())["packet"]:
        block = entry["block"].encode("latin-1") if "block" in entry else packets.block(entry.get("vars", []))
        found.append(
            packets.packet(block, entry.get("modifier", 0)) + entry.get("body", "").encode("latin-1")
        )
    return found


def chunked_corpus(http: list[bytes]) -> list[bytes]:
    """The bodies of the corpus's requests, whatever their framing."""
    return [body for body in (raw.partition(b"\r\n\r\n")[2] for raw in http) if body]


class Source:
    """One batch's inputs: the same for the same seed and number, whoever makes them."""

    def __init__(self, seed: int, number: int) -> None:
        self.random = Random(f"{seed}:{number}")
        self.draw: Draw = self.random.random
        self.corpus = CORPUS

    def case(self) -> Case:
        """The next input."""
        r = self.draw
        case = self.make()
        count = 1 + int(r() * 3)
        size = len(case.raw) + 1
        case.cuts = tuple([int(r() * size) for _ in range(count)])
        if size > 300 and r() < 0.1:
            case.cuts = (1, *case.cuts)  # byte by byte all the same
        if case.kind != "said" and r() < 0.15:
            case.limits, case.expected, case.refusal = "small", None, ()
        return case

    def make(self) -> Case:
        r = self.draw
        chance = r()
        if chance < 0.34:
            return stream(r)
        if chance < 0.46:
            return spoilt_stream(r)
        if chance < 0.66:
            return self.mutated("http", stream(r).raw if r() < 0.5 else pick(r, self.corpus["http"]))
        if chance < 0.76:
            return packets.uwsgi(r)
        if chance < 0.81:
            return packets.spoilt_uwsgi(r)
        if chance < 0.87:
            return self.mutated("uwsgi", packets.uwsgi(r).raw if r() < 0.5 else pick(r, self.corpus["uwsgi"]))
        return self.small()

    def small(self) -> Case:
        """The codecs that are small."""
        r = self.draw
        chance = r()
        if chance < 0.2:
            return packets.body(r)
        if chance < 0.5:
            return self.mutated(
                "chunked", packets.body(r).raw if r() < 0.5 else pick(r, self.corpus["chunked"])
            )
        if chance < 0.6:
            return packets.reply(r)
        if chance < 0.75:
            return self.mutated("reply", packets.reply(r).raw)
        case = packets.application(r)
        return case if chance < 0.9 else self.mutated("said", case.raw)

    # ---- Mutations ----------------------------------------------------------------------------------

    def mutated(self, kind: str, raw: bytes) -> Case:
        """An input with one to three changes, of which nobody knows whether it is legal."""
        r = self.draw
        data = bytearray(raw)
        for _ in range(1 + int(r() * r() * 4)):
            pick(r, MUTATIONS)(self, kind, data)
        if kind == "uwsgi" and r() < 0.7 and len(data) > 4:
            mend(data, len(raw))
        return Case(kind, bytes(data), origin="mutation")

    def place(self, data: bytearray) -> int:
        return int(self.draw() * (len(data) + 1))

    def flip(self, kind: str, data: bytearray) -> None:
        if data:
            data[self.place(data) - 1] ^= 1 << int(self.draw() * 8)

    def replace(self, kind: str, data: bytearray) -> None:
        at = self.place(data)
        data[at : at + 1] = pick(self.draw, INTERESTING)

    def insert(self, kind: str, data: bytearray) -> None:
        at = self.place(data)
        data[at:at] = pick(self.draw, INTERESTING)

    def cut(self, kind: str, data: bytearray) -> None:
        at = self.place(data)
        del data[at : at + 1 + int(self.draw() ** 3 * 30)]

    def truncate(self, kind: str, data: bytearray) -> None:
        del data[self.place(data) :]

    def double(self, kind: str, data: bytearray) -> None:
        at = self.place(data)
        span = data[at : at + 1 + int(self.draw() * 40)]
        to = self.place(data)
        data[to:to] = span

    def splice(self, kind: str, data: bytearray) -> None:
        """The rest becomes the rest of another one."""
        other = pick(self.draw, self.corpus.get(kind) or self.corpus["http"])
        at = int(self.draw() * (len(other) + 1))
        data[self.place(data) :] = other[at:]


MUTATIONS = (
    Source.flip,
    Source.flip,
    Source.replace,
    Source.replace,
    Source.insert,
    Source.insert,
    Source.cut,
    Source.truncate,
    Source.double,
    Source.splice,
)


def mend(data: bytearray, before: int) -> None:
    """Have a packet's size follow its change, so that the block is reached."""
    size = (data[1] | data[2] << 8) + len(data) - before
    data[1:3] = (max(size, 0) & 0xFFFF).to_bytes(2, "little")


# ---- Streams of requests ----------------------------------------------------------------------------


def stream(r: Draw) -> Case:
    """One to three legal requests in a row."""
    raw = b"" if r() < 0.97 else b"\r\n" * (1 + int(r() * 2))
    facts: list[Any] = []
    more = True
    while more and len(facts) < 3:
        one = message(r)
        raw += one.octets()
        facts.append(one.facts)
        if not one.keep:
            raw += pick(r, GARBAGE)  # what follows the last request is nobody's
            break
        if r() < 0.03:
            raw += b"\r\n"
        more = r() < 0.2
    return Case("http", raw, expected=facts, origin="grammar")


def kept(r: Draw) -> Message:
    """A legal request after which another may follow."""
    while True:
        one = message(r)
        if one.keep:
            return one


def spoilt_stream(r: Draw) -> Case:
    """A request with one fault, behind a legal one or alone, and at times with a legal one after it."""
    raw = kept(r).octets() if r() < 0.15 else b""
    one = message(r)
    name, statuses = spoil(r, one)
    raw += one.octets()
    if r() < 0.3:
        raw += b"GET /after HTTP/1.1\r\nHost: a\r\n\r\n"
    return Case("http", raw, refusal=statuses, origin=f"grammar, {name}")


_HTTP = [vector.raw for vector in vectors("http1.toml")]
CORPUS = {"http": _HTTP, "uwsgi": packet_corpus(), "chunked": chunked_corpus(_HTTP)}
