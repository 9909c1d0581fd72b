"""``python -m tests.soak.crowd '{…}'``: a process of clients, each on a thread, each its own dice.

Says what it has counted every few seconds, and what was wrong, as lines of JSON on standard output.
"""

import json
import random
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.soak import guests, rude
from tests.soak.asked import Visit
from tests.soak.wire import Gone, Line, Place, Wrong

Act = Callable[[Visit], None]
TELL = 5.0  # seconds between two lines
KEPT = 40  # wrongs that are told in full


def hogs(visit: Visit) -> None:
    """More requests at once than the threads can serve within the queue's time-out."""
    asks = [visit.ask("/sleep?n=10&s=0.3", 10) for _ in range(32)]
    lines: list[Line] = []
    try:
        for ask in asks:
            lines.append(visit.line())
            lines[-1].send(visit.bytes_of(ask))
        for ask, line in zip(asks, lines, strict=True):
            visit.check(ask, line.reply())
    finally:
        for line in lines:
            line.close()


QUICK_HTTP: dict[Act, float] = {
    guests.keep_alive: 30, guests.pipeline: 22, guests.http_10: 6, guests.half_close: 8, guests.expect: 10,
    guests.unread: 8, rude.leaves_in_request: 12, rude.leaves_in_reply: 12, rude.no_request: 8,
    rude.cut_short: 5, rude.connects: 4,
}  # fmt: skip
SLOW_HTTP: dict[Act, float] = {
    guests.slow: 1, rude.stops_reading: 0.2, rude.stops_sending: 0.2, rude.drips_a_head: 0.3,
    rude.stays_idle: 0.5, hogs: 0.4,
}  # fmt: skip
QUICK_UWSGI: dict[Act, float] = {
    guests.packet: 20, rude.leaves_in_request: 5, rude.leaves_in_reply: 5, rude.cut_short: 3,
}  # fmt: skip
SLOW_UWSGI: dict[Act, float] = {guests.slow: 1, rude.stops_reading: 0.1}


@dataclass
class Orders:
    """What a crowd does: ``places`` are (protocol, address); ``slow`` clients take part or not."""

    places: list[tuple[str, tuple[str, int] | str]]
    seconds: float
    clients: int
    seed: str
    shared: str
    slow: bool = True

    def text(self) -> str:
        return json.dumps(asdict(self))


class Crowd:
    """The clients of one process."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.places = [
            Place(kind, address if isinstance(address, str) else (address[0], address[1]))
            for kind, address in orders.places
        ]
        self.shared = Path(orders.shared).read_bytes()
        self.until = time.monotonic() + orders.seconds
        self.counts: list[Counter[str]] = []
        self.wrongs: list[str] = []

    def acts(self, protocol: str) -> dict[Act, float]:
        quick, slow = (QUICK_UWSGI, SLOW_UWSGI) if protocol == "uwsgi" else (QUICK_HTTP, SLOW_HTTP)
        return {**quick, **slow} if self.orders.slow else quick

    def client(self, number: int, counts: Counter[str]) -> None:
        """One client after the other, until the time is over."""
        chance = random.Random(f"{self.orders.seed}/{number}")
        while time.monotonic() < self.until:
            place = chance.choice(self.places)
            acts = self.acts(place.protocol)
            act = chance.choices(list(acts), list(acts.values()))[0]
            self.visit(act, Visit(place, random.Random(chance.getrandbits(64)), self.shared, counts))

    def visit(self, act: Act, visit: Visit) -> None:
        counts, name = visit.counts, f"{visit.place.protocol} {act.__name__}"
        try:
            act(visit)
        except Gone as gone:
            if act.__module__ == guests.__name__:
                self.wrongs.append(f"{name}: the connection ended: {gone}")
            else:
                counts[f"ended: {act.__name__}"] += 1
        except Wrong as wrong:
            self.wrongs.append(f"{name}: {str(wrong)[:400]}")
        except Exception:
            self.wrongs.append(f"{name}: {traceback.format_exc()[-600:]}")
        counts["clients"] += 1
        counts[name] += 1

    def run(self) -> None:
        """All of them, with a line now and then."""
        threads = []
        for number in range(self.orders.clients):
            self.counts.append(Counter())
            thread = threading.Thread(target=self.client, args=(number, self.counts[-1]), daemon=True)
            threads.append(thread)
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(TELL)
                self.tell()
                if time.monotonic() > self.until + 90:
                    self.wrongs.append("a client hangs")
                    return
        self.tell()

    def tell(self) -> None:
        total: Counter[str] = Counter()
        for counts in self.counts:
            total.update(dict(counts))
        said = {"counts": total, "wrong": len(self.wrongs), "wrongs": self.wrongs[:KEPT]}
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    Crowd(Orders(**json.loads(sys.argv[1]))).run()
