"""What is asked of the application, and whether a reply is the right one, byte for byte."""

import hashlib
import random
from collections import Counter
from dataclasses import dataclass, field

from tests.soak import wire
from tests.soak.application import pattern
from tests.soak.wire import Line, Place, Reply, Wrong

FAILING = ("/fail-before", "/fail-head")  # their right answer is a 500


@dataclass
class Ask:
    """One request: its path, the bytes its reply is made of (-1: of the shared file), and its body."""

    path: str
    token: str
    size: int = 1000
    body: bytes | None = None

    @property
    def kind(self) -> str:
        return self.path.partition("?")[0]


@dataclass
class Visit:
    """What one client has while it is there: where it goes, its dice, and what it counts."""

    place: Place
    chance: random.Random
    shared: bytes = b""
    counts: Counter[str] = field(default_factory=Counter)

    def line(self, window: int = 0, timeout: float = 30.0) -> Line:
        return Line(self.place, window, timeout)

    def happens(self, probability: float) -> bool:
        return self.chance.random() < probability

    def token(self) -> str:
        return wire.token(self.chance)

    def ask(self, path: str, size: int = 1000, body: bytes | None = None) -> Ask:
        return Ask(path, self.token(), size, body)

    def bytes_of(self, ask: Ask, method: str = "", version: str = "1.1") -> bytes:
        """The request for ``ask``, in this place's protocol, without its body where that is HTTP."""
        if self.place.protocol == "uwsgi":
            return wire.packet(ask.path, ask.token, ask.body)
        return wire.request(ask.path, ask.token, ask.body, method=method, version=version)

    # ---- What to ask ------------------------------------------------------------------------------

    def any_ask(self) -> Ask:
        """Some reply that ends well."""
        pick = self.chance.choice
        kind = self.chance.choices(list(KINDS), list(KINDS.values()))[0]
        size = pick(SIZES.get(kind, (1000,)))
        path = f"{kind}?n={size}"
        if kind in ("/blocks", "/file", "/write"):
            path += pick(("", "&cl=1"))
        if kind == "/blocks":
            path += pick(("", "&pause=1"))
        if kind == "/sleep":
            path += f"&s={pick((0.002, 0.002, 0.02, 0.02, 0.3))}"
        return self.ask(path, -1 if kind == "/shared" else size)

    def any_body(self) -> bytes:
        return self.chance.randbytes(self.chance.choice((0, 1, 500, 15_000, 70_000, 300_000, 900_000)))

    # ---- What came --------------------------------------------------------------------------------

    def check(self, ask: Ask, reply: Reply, method: str = "GET") -> None:
        """Raises Wrong unless it is the answer to ``ask``."""
        if refused(ask, reply):
            self.counts[f"replies {reply.status}"] += 1
            return
        if reply.headers.get("x-token") != [ask.token]:
            found = reply.headers.get("x-token")
            raise Wrong(f"another's token: {found} for {ask.token} ({ask.path}, {reply.status})")
        if reply.status != (204 if ask.kind == "/nothing" else 200):
            raise Wrong(f"{reply.status} on {ask.path}: {reply.body[:100]!r}")
        wanted = b"" if method == "HEAD" else self.wanted(ask)
        if reply.body != wanted:
            pairs = enumerate(zip(reply.body, wanted, strict=False))
            at = next((number for number, (a, b) in pairs if a != b), -1)
            raise Wrong(f"{ask.path}: {len(reply.body)} bytes for {len(wanted)}, different from {at} on")
        self.counts["replies"] += 1
        self.counts["bytes"] += len(reply.body)

    def wanted(self, ask: Ask) -> bytes:
        if ask.kind == "/nothing":
            return b""
        if ask.kind == "/echo":
            body = ask.body or b""
            return f"{ask.token}:{len(body)}:{hashlib.sha1(body).hexdigest()}".encode()
        return self.shared if ask.size < 0 else pattern(ask.token, ask.size)


def refused(ask: Ask, reply: Reply) -> bool:
    """Whether it is a 503 or a 500 that may be; raises Wrong for one that may not, or looks wrong."""
    if reply.status == 503:
        if not (reply.headers.get("retry-after") or ["0"])[0].strip("0"):
            raise Wrong("503 without Retry-After")
        return True
    if ask.kind in FAILING:
        if reply.status != 500:
            raise Wrong(f"{reply.status} on {ask.path}")
        return True
    if reply.status in (400, 500):
        raise Wrong(f"{reply.status} on {ask.path}: {reply.body[:200]!r}")
    return False


KINDS = {
    "/plain": 43, "/blocks": 10, "/sleep": 7, "/fail-before": 4, "/fail-head": 3, "/file": 10,
    "/shared": 4, "/write": 9, "/over": 4, "/nothing": 3, "/watch": 3,
}  # fmt: skip
SIZES = {
    "/plain": (0, 1, 100, 1000, 30_000, 524_288),
    "/blocks": (200_000, 900_000, 2_000_000),
    "/sleep": (50,),
    "/file": (10, 100_000, 1_500_000),
    "/write": (100, 50_000, 400_000),
    "/over": (5000,),
    "/watch": (100,),
}
