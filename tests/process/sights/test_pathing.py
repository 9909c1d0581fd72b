"""A worker's table of paths: there while somebody looks, or always where that was asked for."""

import json
import time
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from penstock.interprocess.channel import PACKET, pair
from penstock.process.sights import pathing, tells
from penstock.process.sights.pathing import ALONE, NO_RECORDS, Paths
from penstock.process.sights.scribe import Scribe
from penstock.services.view import History, Merged, taken
from tests.records import usual


class AtOnce:
    """A service thread that has always time."""

    def submit(self, work: Callable[[], Any], done: Callable[[Any, Any], None] | None = None) -> None:
        result, failure = None, None
        try:
            result = work()
        except Exception as error:
            failure = error
        if done is not None:
            done(result, failure)


def worker(records: bool = True) -> Any:
    scribe = Scribe(lambda text: None)
    scribe.offload = AtOnce()  # type: ignore[assignment]  # in what the scribe asks of it
    kitchen = SimpleNamespace(record=scribe.records.append if records else None)
    made: Any = SimpleNamespace(scribe=scribe, kitchen=kitchen, door=SimpleNamespace(on_tick=[]), tells={})
    made.tells = {"paths": lambda question, say: pathing.tell(made, question, say)}
    return made


def ask(of: Any, **more: Any) -> dict[str, Any]:
    """The message that answers an inquiry."""
    said: list[dict[str, Any]] = []
    tells.answer(of.tells, {"what": "paths", "id": 1, **more}, said.append)
    (message,) = said
    return message


def said_in(message: dict[str, Any]) -> dict[str, Any]:
    """What is in it."""
    found: dict[str, Any] = json.loads("".join(message["value"]))
    return found


def serve(of: Any, *uris: str) -> None:
    of.scribe.records = deque(usual(uri=uri) for uri in uris)
    of.scribe.drain()


def test_nothing_is_counted_until_somebody_asks() -> None:
    asked = worker()
    serve(asked, "/before")
    assert asked.scribe.consumers == []
    assert said_in(ask(asked))["rows"] == {}
    serve(asked, "/a", "/a", "/users/1")
    told = said_in(ask(asked))
    assert {path: row[0] for path, row in told["rows"].items()} == {"/a": 2, "/users/*": 1}
    assert len(asked.scribe.consumers) == 1, "one table, however often it is asked"


def test_nor_when_nobody_has_asked_for_long() -> None:
    asked = worker()
    ask(asked)
    (tick,) = asked.door.on_tick
    tick(time.monotonic() + ALONE - 5)
    assert len(asked.scribe.consumers) == 1
    tick(time.monotonic() + ALONE + 5)
    tick(time.monotonic() + ALONE + 6)
    assert asked.scribe.consumers == []
    ask(asked)
    assert len(asked.scribe.consumers) == 1 and len(asked.door.on_tick) == 1


def test_always_where_that_was_asked_for() -> None:
    asked = worker()
    Paths(asked, always=True)
    assert asked.door.on_tick == []
    serve(asked, "/first")
    assert set(said_in(ask(asked))["rows"]) == {"/first"}


def test_seconds_that_are_known_are_not_told_again() -> None:
    asked = worker()
    paths = Paths(asked, always=True)
    assert paths.table is not None
    now = paths.table.clock()
    paths.table.clock = lambda: now
    serve(asked, "/a")
    paths.table.clock = lambda: now + 2
    assert len(said_in(ask(asked, since=0))["history"]) == 1
    assert said_in(ask(asked, since=int(now) + 1))["history"] == {}
    assert len(said_in(ask(asked, since="x"))["history"]) == 1


def test_without_records_it_is_said_what_to_do() -> None:
    assert ask(worker(records=False))["reason"] == NO_RECORDS
    early = worker()
    early.scribe.offload = None
    assert ask(early)["reason"] == NO_RECORDS


def test_a_large_table_is_whole_behind_a_real_channel() -> None:
    asked = worker()
    ask(asked)
    for batch in range(100):
        asked.scribe.records = deque(
            usual(uri=f"/{'x' * 40}{chr(97 + n % 50)}", run=1e-5 * 1.1 ** (batch + n), queue=1e-6 * batch * n)
            for n in range(100)
        )
        asked.scribe.drain()
        ask(asked)
    message = ask(asked)
    here, there = pair()
    try:
        here.send(message)
        arrived = there.receive()
        while here.pending:
            here.flush()
            arrived += there.receive()
        ((heard, _),) = arrived
    finally:
        here.close()
        there.close()
    assert len("".join(heard["value"])) > PACKET, "else this would say nothing"
    merged = Merged()
    assert taken(heard["value"], 1, merged, History()) > 0
    assert sum(row.count for row in merged.rows.values()) == 100 * 100
