"""The fuzzer in small: some thousands of inputs, what it once found, and that it does find faults."""

import subprocess
import sys
from pathlib import Path

import pytest

from penstock.codecs.chunked import ChunkedBody
from penstock.codecs.decoder import Event
from penstock.codecs.http1 import Http1Decoder
from penstock.core.request import Request
from tests.e2e.surroundings import TOP, environment
from tests.fuzz.case import KINDS, Case, keep, load
from tests.fuzz.oracle import BASE, CODECS, Codecs
from tests.fuzz.run import Plan, Tally, batch, shortest, wrong_with

FOUND = sorted((Path(__file__).parent / "regressions").glob("*.txt"))
SEED = 20


@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.slow) for part in (1, 2, 3))])
def test_some_thousands_of_inputs(part: int) -> None:
    total = Tally()
    for number in range(part * 10, part * 10 + 10):
        total.add(batch(Plan(SEED, compared=8), number))
    assert [(failure.where, failure.problem) for failure in total.failures] == []
    assert total.counts["inputs"] == 5000
    assert total.share("legal") >= 30 and total.share("bytewise") >= 80
    assert {name.split()[0] for name in total.counts if " " in name} == {*KINDS, "h11"}
    for verdict in ("http 400", "http 414", "http 417", "http 431", "http 501", "http 505", "uwsgi 400"):
        assert total.counts[verdict], verdict
    assert total.counts["h11 agreed"] > 100


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_what_was_found_once(path: Path) -> None:
    assert wrong_with(load(path)) == ""


# ---- It finds what is wrong -------------------------------------------------------------------------


class Hasty(Http1Decoder):
    """Looks for the end of the head behind what it has seen: an end that is split is missed."""

    def incomplete(self) -> list[Event]:
        events = super().incomplete()
        self.searched = len(self.held)
        return events


class Trusting(ChunkedBody):
    """Takes whatever int() takes for a chunk size."""

    def on_size(self, line: bytes) -> None:
        int(line.partition(b";")[0], 16)
        super().on_size(line)


class Lenient(Http1Decoder):
    """Looks at the last transfer coding alone."""

    def guard_coding(self, request: Request, coding: str, length: str | None) -> None:
        super().guard_coding(request, coding.rpartition(",")[2].strip(), length)


class Hoarder(Http1Decoder):
    """Waits for the end of a head of any size."""

    def incomplete(self) -> list[Event]:
        self.searched = max(0, len(self.held) - 3)
        return []


class Deaf(Http1Decoder):
    """Loses the last byte of a piece of a body."""

    def receive_body(self, data: bytes) -> list[Event]:
        events = super().receive_body(data)
        return [event[:-1] or event if isinstance(event, bytes) else event for event in events]


PLANTED: list[tuple[str, Codecs]] = [
    ("http", {**CODECS, "http": lambda limits: Hasty(BASE, limits)}),
    ("chunked", {**CODECS, "chunked": Trusting}),
    ("http", {**CODECS, "http": lambda limits: Lenient(BASE, limits)}),
    ("http", {**CODECS, "http": lambda limits: Hoarder(BASE, limits)}),
    ("http", {**CODECS, "http": lambda limits: Deaf(BASE, limits)}),
]


@pytest.mark.parametrize(("kind", "codecs"), PLANTED, ids=["hasty", "trusting", "lenient", "hoarder", "deaf"])
def test_a_fault_is_found_made_short_and_kept(kind: str, codecs: Codecs, tmp_path: Path) -> None:
    number, found = 0, Tally()
    while not found.failures:
        assert number < 20, "10,000 inputs and nothing found"
        found = batch(Plan(SEED), number, codecs)
        number += 1
    failure = found.failures[0]
    assert failure.case.kind == kind
    short = shortest(failure, codecs)
    assert len(short.raw) <= len(failure.case.raw)
    again = load(keep(short, failure.problem, failure.where, tmp_path))
    assert again.raw == short.raw
    assert wrong_with(again, codecs), "it does not fail again"
    assert wrong_with(again) == "", "it is not the planted fault that fails"


def test_a_batch_is_the_same_whoever_runs_it() -> None:
    first, second = (batch(Plan(3, size=200), 7) for _ in range(2))
    assert first.counts == second.counts
    assert first.counts != batch(Plan(4, size=200), 7).counts


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fuzz", *words]
    return subprocess.run(
        command, cwd=TOP, env=environment(), capture_output=True, text=True, timeout=50, check=False
    )


def test_the_command_runs_in_processes_and_replays(tmp_path: Path) -> None:
    done = run("--inputs", "1000", "--jobs", "2", "--seed", "5", "--out", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASSED: " in done.stdout and "seed 5" in done.stdout
    good = keep(Case("http", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "", "by hand", tmp_path)
    assert run("--replay", str(good)).returncode == 0
    wrong = keep(Case("http", b"GET / HTTP/1.1\r\n\r\n", expected=[]), "two\nlines", "by hand", tmp_path)
    replayed = run("--replay", str(wrong))
    assert replayed.returncode == 1 and "a legal input" in replayed.stdout
