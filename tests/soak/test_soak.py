"""The soak in short, and that it would say so if something were wrong."""

import random
from pathlib import Path

import pytest

from tests.cases import turns
from tests.e2e.server import LOOPS
from tests.soak.application import pattern
from tests.soak.asked import Visit
from tests.soak.run import Plan, soak
from tests.soak.watch import Use, Watch, odd_lines
from tests.soak.wire import Place, Reply, Wrong

NOWHERE = Place("http", ("127.0.0.1", 0))


@pytest.mark.parametrize("loop", turns(LOOPS, "uvloop"))
def test_a_short_soak_leaves_nothing_behind(tmp_path: Path, loop: str) -> None:
    plan = Plan(loop, seconds=2.0, seed=3, clients=8, slow=False, nap=0.2)
    assert soak(plan, tmp_path) == []


# ---- That it would be seen --------------------------------------------------------------------------


def test_a_reply_is_held_against_its_request_byte_for_byte() -> None:
    visit = Visit(NOWHERE, random.Random(1))
    ask = visit.ask("/plain?n=100", 100)
    body, head = pattern(ask.token, 100), {"x-token": [ask.token]}
    visit.check(ask, Reply(200, head, body))
    for wrong in (
        Reply(200, {"x-token": ["0" * 16]}, body),
        Reply(200, head, body[:-1]),
        Reply(200, head, body[:50] + b"X" + body[51:]),
        Reply(204, head, b""),
        Reply(500, {}, b""),
        Reply(400, {}, b""),
        Reply(503, {}, b""),
        Reply(503, {"retry-after": ["0"]}, b""),
    ):
        with pytest.raises(Wrong):
            visit.check(ask, wrong)
    visit.check(ask, Reply(503, {"retry-after": ["1"]}, b""))
    assert visit.counts["replies"] == 1 and visit.counts["replies 503"] == 1


@pytest.mark.parametrize(
    ("megabytes", "flat"),
    [
        ([50, 90, 100, 100, 102, 99], True),
        ([50, 90, 100, 100, 107, 107], True),
        ([50, 90, 100, 100, 110, 112], False),
        ([300, 400, 400, 400, 415, 415], True),
        ([300, 400, 400, 400, 430, 430], False),
    ],
)
def test_memory_is_flat_when_its_last_third_is_as_its_middle(megabytes: list[int], flat: bool) -> None:
    watch = Watch(0)
    watch.looks = [(at + 0.99, Use(0.0, size << 20, 0, 0)) for at, size in enumerate(megabytes)]
    assert (watch.grown() == "") is flat
    assert len(watch.means(3)) == 3


def test_a_log_may_say_what_was_planned_and_nothing_else() -> None:
    at = "2026-01-02 03:04:05 penstock"
    planned = [
        "penstock: listening on http://127.0.0.1:8000",
        f"{at}: SIGTERM: finishing what runs, at most 10 s",
        f"{at} warning: http://127.0.0.1:1: 127.0.0.1: refused: 400 a bare CR",
        f"{at} error: GET /fail-head?t=1: ValueError from the application",
        "Traceback (most recent call last):",
        "ValueError: planned, after the head",
    ]
    assert odd_lines("\n".join(planned)) == []
    for line in (
        f"{at} error: a connection was cut after a fault of penstock's own",
        f"{at} error: GET /plain?t=1: KeyError from the application",
        f"{at} warning: shutdown-timeout: 1 requests on 1 connections were cut",
        "Traceback (most recent call last):",
    ):
        assert len(odd_lines("\n".join([*planned, line, ""]))) == 1
