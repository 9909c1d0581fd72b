"""Which requests have a line: uWSGI's conditions add lines where there are none, and never take one away."""

from typing import Any

import pytest

from penstock.config.settings import Settings
from penstock.core.record import FILE, LANE, READ_ERROR, RULE, WRITE_ERROR
from penstock.logs.pick import asked, compile_pick
from tests.records import PLAIN, record

CONDITIONS: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"log_4xx": True}, {"status": 400}, {"status": 399}),
    ({"log_4xx": True}, {"status": 499}, {"status": 500}),
    ({"log_5xx": True}, {"status": 500}, {"status": 499}),
    ({"log_5xx": True}, {"status": 599}, {"status": 600}),
    ({"log_slow": 0.25}, {"seconds": 0.2501}, {"seconds": 0.2499}),
    ({"log_big": 1000}, {"body_bytes": 1000}, {"body_bytes": 999}),
    ({"log_zero": True}, {"body_bytes": 0}, {"body_bytes": 1}),
    ({"log_sendfile": True}, {"via": "sendfile()"}, {"via": "offload()"}),
    ({"log_sendfile": True}, {"kind": FILE}, {"kind": RULE}),
    ({"log_ioerror": True}, {"faults": READ_ERROR | WRITE_ERROR}, {"faults": WRITE_ERROR}),
]


@pytest.mark.parametrize(("options", "has", "has_not"), CONDITIONS)
def test_conditions_without_the_log(
    options: dict[str, Any], has: dict[str, Any], has_not: dict[str, Any]
) -> None:
    settings = Settings(disable_logging=True, **options)
    pick = compile_pick(settings)
    assert asked(settings)
    assert pick(record(**has))
    assert not pick(record(**has_not))
    assert not pick(PLAIN)


@pytest.mark.parametrize(("options", "has", "has_not"), CONDITIONS)
def test_conditions_take_nothing_from_the_log(
    options: dict[str, Any], has: dict[str, Any], has_not: dict[str, Any]
) -> None:
    pick = compile_pick(Settings(**options))
    assert pick(record(**has_not))
    assert pick(PLAIN)


def test_one_of_several_conditions_is_enough() -> None:
    pick = compile_pick(Settings(disable_logging=True, log_4xx=True, log_big=100))
    assert pick(record(status=404))
    assert pick(record(body_bytes=100))
    assert not pick(PLAIN)


@pytest.mark.parametrize("options", [{}, {"disable_logging": True, "log_zero": True}])
def test_who_said_donotlog_and_the_lane_have_none(options: dict[str, Any]) -> None:
    pick = compile_pick(Settings(**options))
    assert pick(record(body_bytes=0))
    assert not pick(record(body_bytes=0, logged=False))
    assert not pick(record(body_bytes=0, kind=LANE))


def test_whether_there_is_a_log_at_all() -> None:
    assert asked(Settings())
    assert not asked(Settings(disable_logging=True))
    assert not asked(Settings(access_log="off"))
    assert not asked(Settings(access_log="off", log_4xx=True))
