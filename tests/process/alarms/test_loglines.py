"""Lines and the alarms that they raise."""

from typing import Any

import pytest

from penstock.process.alarms.loglines import LONGEST, Lines
from tests.process.supervisor.recording import settings

ALARMS = ["a log:", "b log:", "c log:"]


def hits(data: bytes, **options: Any) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    Lines(settings(alarm=ALARMS, **options)).check(data, lambda name, line: found.append((name, line)))
    return found


def test_each_line_by_itself() -> None:
    data = b"one error\ntwo\n^error\nlast error"
    assert hits(data, log_alarm="a error$") == [
        ("a", b"one error\n"),
        ("a", b"^error\n"),
        ("a", b"last error"),
    ]
    assert hits(b"", log_alarm="a ^") == []


def test_every_rule_counts_and_every_alarm_once() -> None:
    rules = ["a,b error", "b,c one", "c two"]
    assert hits(b"one error\n", log_alarm=rules) == [(name, b"one error\n") for name in "abc"]


def test_what_is_to_raise_none_stops_what_stands_below_it() -> None:
    data = b"error 1\nerror 2\n"
    assert hits(data, not_log_alarm="b 2$", log_alarm="a error") == [("a", b"error 1\n")]
    assert hits(data, log_alarm="a error", not_log_alarm="b 2$") == [("a", b"error 1\n"), ("a", b"error 2\n")]


def test_what_alarms_say_raises_none() -> None:
    assert hits(b"[uwsgi-alarm-curl] error\n[uwsgi] error\n", log_alarm="a error") == [
        ("a", b"[uwsgi] error\n")
    ]


@pytest.mark.parametrize(("at", "seen"), [(LONGEST - 5, True), (LONGEST - 4, False)])
def test_so_much_of_a_line_is_looked_at(at: int, seen: bool) -> None:
    line = b"x" * at + b"error" + b"x" * LONGEST + b"\n"
    found = hits(line + b"error\n", log_alarm="a error")
    assert ("a", line[:LONGEST]) in found if seen else len(found) == 1
    assert found[-1] == ("a", b"error\n")


def test_whether_there_is_anything_to_look_for() -> None:
    assert not Lines(settings(alarm=ALARMS))
    assert not Lines(settings(alarm=ALARMS, not_log_alarm="a x"))
    assert Lines(settings(alarm=ALARMS, log_alarm="a x"))
