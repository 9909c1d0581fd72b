"""Requests that are stuck, each in its own way: the client hears in time, the neighbours finish, the log
shows where it hung.

``python -m tests.supervision.stuck``; with ``--edges 10000`` requests that end just about when their deadline
falls, beside others that nothing may ever reach.
"""

import argparse
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from penstock.net.overdue import CUT
from tests.e2e.server import Client
from tests.supervision.load import Load, Record, kinds
from tests.supervision.place import Place, running
from tests.supervision.proc import wait_until
from tests.supervision.scene import Scene, parser, perform
from tests.supervision.wire import Kind, Lane

DEADLINE = 2.0  # seconds
LATER = 1.0  # after the stuck one's deadline its client must have heard


@dataclass
class Asked:
    """One request in a thread of its own: its status (0: a closed connection), who answered, how long."""

    place: Place
    query: str
    status: int = -1
    body: bytes = b""
    took: float = 0.0
    thread: threading.Thread = field(default_factory=threading.Thread)

    def start(self) -> "Asked":
        """Ask."""
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        return self

    def run(self) -> None:
        begun = time.monotonic()
        try:
            with Client(("127.0.0.1", self.place.port), timeout=30) as client:
                reply = client.get(f"/id/7?size=100&{self.query}")
                self.status, self.body = reply.status, reply.body
        except (EOFError, ConnectionError):
            self.status = 0
        except TimeoutError:
            self.status = -1
        self.took = time.monotonic() - begun

    def end(self) -> "Asked":
        """Its end."""
        self.thread.join(40)
        return self

    @property
    def pid(self) -> int:
        """Who answered."""
        return int(self.body.split()[1]) if self.status == 200 else 0


@dataclass(frozen=True)
class Way:
    """A way of being stuck: the word in the query, the status, the function that must be in the log."""

    name: str
    status: int
    function: str
    free: bool = True  # whether others in the same process can run


WAYS = (
    Way("python", 504, "stuck_in_python_code"),
    Way("nap", 504, "stuck_in_sleep"),
    Way("lock", 504, "stuck_at_a_lock"),
    Way("gil", 0, "stuck_in_a_call_that_holds_the_gil", free=False),
)


def one(scene: Scene, place: Place, way: Way) -> None:
    """One stuck request with a neighbour in the same worker."""
    old, since = place.crew(), len(place.text())
    stuck = Asked(place, f"{way.name}=40").start()
    neighbour = Asked(place, "sleep=1.6")
    if way.free:
        time.sleep(1.0)
        neighbour.start()
    stuck.end()
    scene.put(**{f"{way.name}: status": stuck.status, f"{way.name}: after": round(stuck.took, 2)})
    scene.check(stuck.status == way.status, f"{way.name}: status {stuck.status}, not {way.status}")
    scene.check(stuck.took <= DEADLINE + LATER, f"{way.name}: its client heard after {stuck.took:.2f} s")
    scene.check(
        stuck.took >= DEADLINE - 0.3, f"{way.name}: its client heard after {stuck.took:.2f} s already"
    )
    if way.free:
        neighbour.end()
        right = neighbour.status == 200 and neighbour.pid in old
        scene.check(right, f"{way.name}: its neighbour has {neighbour.status} by {neighbour.pid}")
    wait_until(lambda: way.function in place.text()[since:], 10, f"{way.name}: no {way.function} in the log")
    if way.free:  # nothing of a process runs while C code holds the interpreter: there only the stacks tell
        scene.check("/id/7?" in place.text()[since:], f"{way.name}: the log does not name the request")
    gone = wait_until(lambda: not set(old) & set(place.crew()) and len(place.crew()) == 1, 90, "not replaced")
    scene.put(**{f"{way.name}: replaced": round(gone, 2)})
    wait_until(lambda: Asked(place, "").start().end().status == 200, 10, "nobody answers any more")


def edges(scene: Scene, place: Place, count: int) -> None:
    """Requests that end about when their deadline falls; only they may be told 504."""
    # The deadline falls at the next tick behind it, anywhere in the next quarter of a second.
    ends = [f"edge={DEADLINE / 4 + 0.04 * step:.2f}" for step in range(8)]
    near = [Lane("edge", place.address("http"), kept=True, query=query) for query in ends]
    rate = 6.0 * place.workers  # half of the threads, so that nobody waits for one
    seconds = count / rate
    with (
        Load(place.lanes("kept", "new"), scene.folder, rate=60, seed=2) as others,
        Load(near, scene.folder, rate=rate, seconds=seconds) as load,
    ):
        load.wait()
        records = load.records()
    judge_edges(scene, records, place.text().count(CUT))
    scene.count(others, "neighbours:")


def judge_edges(scene: Scene, records: Sequence[Record], begun: int) -> None:
    """200 or 504, nothing else; but a reply that had ``begun`` when its deadline fell can only be cut, and
    the log says so of each."""
    cut = sum(record.status == 504 for record in records)
    fine = sum(record.kind == Kind.OK for record in records)
    scene.put(edges=len(records), in_time=fine, answered_504=cut, cut_in_its_reply=begun)
    scene.check(cut + fine + begun == len(records), f"others than 200 and 504: {kinds(records)}")
    scene.check(bool(cut and fine), "no request was cut, or all were")


def play(scene: Scene, given: argparse.Namespace) -> None:
    """Each way, in one worker; or the edges, in several."""
    if given.edges:
        options: dict[str, object] = {"harakiri": f"{DEADLINE / 4}", "threads": 8}
        with running(scene.folder / "site", workers=2, options=options) as place:
            edges(scene, place, given.edges)
            scene.check(place.ends() == 0, "the server's exit status is not 0")
        return
    options = {"harakiri": f"{DEADLINE:g}", "harakiri-grace": "2"}
    with running(scene.folder / "site", workers=1, options=options) as place:
        for way in WAYS:
            one(scene, place, way)
        place.ends()


def words() -> argparse.ArgumentParser:
    """The command line."""
    made = parser("stuck", __doc__)
    made.add_argument("--edges", type=int, default=0, help="so many requests that end with their deadline")
    return made


if __name__ == "__main__":
    sys.exit(perform("stuck", play, words()))
