"""A sink that is called again where something waits in it."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from penstock.logs.sinks import Sink
from penstock.process.logs.patient import Patient
from tests.process.programs.keeping import Keeping, keeping

LINE = b"x" * 99 + b"\n"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Keeping]:
    with keeping(tmp_path) as kept:
        yield kept


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    yield reading, writing
    os.close(reading)
    os.close(writing)


def test_what_waits_is_written_as_it_is_read_and_then_nobody_looks(
    house: Keeping, pipe: tuple[int, int]
) -> None:
    reading, writing = pipe
    sink = Sink(writing)
    patient = Patient(house.watch, sink)
    assert patient.timer is None
    sent = LINE * 3000
    sink.put(sent)
    assert patient.timer is not None
    found = b""
    while sink.waiting:
        house.rest(0.003)
        with suppress(BlockingIOError):
            found += os.read(reading, 1 << 16)
    with suppress(BlockingIOError):
        found += os.read(reading, 1 << 16)
    assert found == sent
    assert patient.timer is None
    sink.close()


def test_the_end_waits_for_a_moment_and_no_longer(house: Keeping, pipe: tuple[int, int]) -> None:
    sink = Sink(pipe[1])
    patient = Patient(house.watch, sink)
    sink.put(LINE * 5000)
    patient.end(0.05)
    assert sink.size > 0
    assert patient.timer is None and sink.stalled is None
    sink.close()
