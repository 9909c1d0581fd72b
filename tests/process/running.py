"""A worker on a thread of its own, made as ``serve`` makes one, with its log in a file."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.config.assemble import from_keywords
from penstock.config.settings import Settings
from penstock.handoff.exchange import Exchange
from penstock.logs.setup import Diary
from penstock.process import binding, build, diaries
from penstock.process.single import make_worker
from penstock.process.worker import Worker
from tests.e2e.server import Client

Application = Callable[[dict[str, Any], Any], Any]


@dataclass
class Running:
    """The worker, its thread, and where it listens; ``code`` once it has ended."""

    worker: Worker
    thread: threading.Thread
    diary: Diary
    log: Path
    address: tuple[str, int]
    settings: Settings
    code: int | None = None

    def client(self) -> Client:
        return Client(self.address)

    def call(self, call: Callable[..., object], *args: object) -> None:
        """Have the loop call it."""
        self.worker.loop.call_soon_threadsafe(call, *args)

    def end(self, call: Callable[..., object], *args: object) -> int:
        """The same, and wait for the end; the exit status."""
        self.call(call, *args)
        self.thread.join(10)
        assert not self.thread.is_alive()
        assert self.code is not None
        return self.code


@contextmanager
def running(
    tmp: Path, application: Application, answered: Callable[[Exchange], None] | None = None, **options: Any
) -> Iterator[Running]:
    """A worker that serves inside the block; it is halted after it, if it still runs."""
    log = tmp / "worker.log"
    words = {"bind": "127.0.0.1:0", "threads": 2, "logto": str(log), **options}
    settings = from_keywords(words, application=True)
    diary = diaries.open_diary(settings)
    bound = binding.bind(settings)
    address = bound[0][1].getsockname()
    worker = make_worker(settings, application, diary)
    worker.answered = answered
    worker.start(build.make_listeners(bound, settings, diary))
    thread = threading.Thread(target=lambda: setattr(it, "code", worker.run()), name="worker")
    it = Running(worker, thread, diary, log, address, settings)
    thread.start()
    try:
        yield it
    finally:
        if thread.is_alive():
            it.end(worker.halt)
        worker.loop.close()
        diary.close()


def hello(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """The application that most tests serve."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


class Held:
    """An application whose requests wait until they are let go."""

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self.go = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.arrived.set()
        assert self.go.wait(20)
        return hello(environ, start_response)
