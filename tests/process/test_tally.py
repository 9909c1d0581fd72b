"""A worker's cell of the scoreboard: what it says when the worker has ended is all that it did."""

from pathlib import Path
from typing import Any

from penstock.interprocess.scoreboard import Scoreboard
from penstock.process.tally import Tally
from tests.process.running import running


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    if environ["PATH_INFO"] == "/boom":
        raise ValueError("boom")
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


def test_what_came_since_the_last_tick_is_in_it_at_the_end(tmp_path: Path) -> None:
    cell = Scoreboard.private().cell(0)
    sent = 0
    with running(tmp_path, application, metrics=str(tmp_path / "metrics.sock")) as it:
        it.call(Tally, it.worker, cell)
        with it.client() as client:
            for path in ("/", "/boom", "/", "/"):
                reply = client.get(path)
                sent += sum(len(line) + 2 for line in reply.lines) + 2 + len(reply.body)
        it.end(it.worker.halt)  # no tick comes, or none any more
        assert (cell.requests, cell.exceptions, cell.sent) == (4, 1, sent)
