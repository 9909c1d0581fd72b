"""When a worker asks to be replaced: for which limit, not before its time, once, and in which words."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from penstock.process.memory import MB, address_and_resident
from penstock.process.wear import Monitored, Wear
from tests.process.running import hello, running
from tests.process.supervisor.recording import settings


@dataclass
class Life:
    """A worker of whom only the wear is there; ``asked`` is what it asked for."""

    wear: Wear
    asked: list[tuple[str, bool]]
    done: list[int] = field(default_factory=lambda: [0])

    def at(self, age: float, done: int = 0) -> list[tuple[str, bool]]:
        """What it has asked for by this age, having answered so many requests."""
        self.done[0] = done
        self.wear.tick(self.wear.born + age)
        return self.asked


def life(wid: int = 1, monitored: Monitored | None = None, **options: Any) -> Life:
    asked: list[tuple[str, bool]] = []
    done = [0]
    wear = Wear(settings(**options), wid, lambda *call: asked.append(call), lambda: done[0], monitored)
    return Life(wear, asked, done)


def test_without_an_option_nobody_wears_out() -> None:
    assert life().at(1e6, 1 << 40) == []


def test_requests_are_counted_once_it_is_old_enough() -> None:
    worker = life(max_requests=5000)
    assert worker.at(9.9, 6000) == [], "min-worker-lifetime is 10 seconds"
    assert worker.at(10.0, 4999) == []
    assert worker.at(10.1, 5003) == [("max-requests: 5003 answered", False)]
    assert len(worker.at(99.0, 9999)) == 1, "it is asked once"


def test_the_age_that_counts_can_be_said() -> None:
    assert life(max_requests=5, min_worker_lifetime=0).at(0.1, 5) == [("max-requests: 5 answered", False)]
    assert life(max_requests=5, min_worker_lifetime=60).at(59.0, 5) == []


def test_each_worker_has_its_own_limits() -> None:
    assert life(3, max_requests=100, max_requests_delta=10).at(20, 119) == []
    assert life(3, max_requests=100, max_requests_delta=10).at(20, 120) == [
        ("max-requests: 120 answered", False)
    ]
    assert life(2, max_worker_lifetime=60, max_worker_lifetime_delta=7).at(66.9) == []
    assert life(2, max_worker_lifetime=60, max_worker_lifetime_delta=7).at(67.0) == [
        ("max-worker-lifetime: 67 s", False)
    ]


def test_a_delta_alone_is_no_limit() -> None:
    assert life(2, max_requests_delta=1, max_worker_lifetime_delta=1).at(1e6, 1000) == []


def test_a_lifetime_waits_for_no_other() -> None:
    assert life(max_worker_lifetime=3).at(3.0) == [("max-worker-lifetime: 3 s", False)]


# ---- Memory ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["reload-on-as", "reload-on-rss", "reload-on-pss", "reload-on-uss"])
def test_memory_is_looked_at_after_requests(option: str) -> None:
    kind = option.rpartition("-")[2]
    limits: dict[str, Any] = {option.replace("-", "_"): 1}
    worker = life(**limits)
    assert worker.wear.limits == {kind: MB}
    assert worker.at(5.0, 1) == [], "too young"
    assert worker.at(20.0, 0) == [], "nothing was answered"
    ((why, urgent),) = worker.at(20.1, 1)
    assert re.fullmatch(rf"reload-on-{kind}: \d+ MB, \d+ MB when it started", why)
    assert not urgent


def test_it_is_looked_at_once_a_second_at_most() -> None:
    worker = life(reload_on_rss=1 << 20)
    assert worker.at(20.0, 1) == []
    looked = worker.wear.next_look
    assert looked >= worker.wear.born + 21.0
    worker.wear.limits = {"rss": MB}
    assert worker.at(looked - worker.wear.born - 0.01, 2) == []
    assert len(worker.at(looked - worker.wear.born, 2)) == 1


def test_an_idle_one_is_not_looked_at_again() -> None:
    worker = life(reload_on_rss=1 << 20)
    assert worker.at(20.0, 1) == []
    worker.wear.limits = {"rss": MB}
    assert worker.at(500.0, 1) == []
    assert len(worker.at(500.3, 2)) == 1


def test_the_figures_are_those_of_the_process() -> None:
    ((why, _),) = life(reload_on_rss=1).at(20.0, 1)
    said = int(why.split()[1])
    assert abs(said - address_and_resident()[1] / MB) < 16


# ---- Exceptions -----------------------------------------------------------------------------------------


class Gone(ConnectionResetError):
    """The application's own."""


class Mute(Exception):
    """Whose message cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError("no message")


WATCHED = [
    ({"reload_on_exception": True}, KeyError(1), "reload-on-exception: KeyError"),
    ({"reload_on_exception": True}, Mute(), "reload-on-exception: Mute"),
    ({"reload_on_exception_type": "Gone"}, Gone(), "reload-on-exception-type: Gone"),
    ({"reload_on_exception_type": f"{__name__}.Gone"}, Gone(), "reload-on-exception-type: Gone"),
    ({"reload_on_exception_type": "OSError"}, Gone(), "reload-on-exception-type: Gone"),
    ({"reload_on_exception_type": "builtins.OSError"}, Gone(), "reload-on-exception-type: Gone"),
    ({"reload_on_exception_type": ["KeyError", "OSError"]}, Gone(), "reload-on-exception-type: Gone"),
    ({"reload_on_exception_type": "KeyError"}, Gone("KeyError"), ""),
    ({"reload_on_exception_value": "no such row"}, KeyError("no such row"), ""),
    ({"reload_on_exception_value": "no such row"}, Gone("no such row"), "reload-on-exception-value: Gone"),
    ({"reload_on_exception_value": "row"}, Gone("no such row"), ""),
    (
        {"reload_on_exception_repr": "Gone: no such row"},
        Gone("no such row"),
        "reload-on-exception-repr: Gone",
    ),
    ({"reload_on_exception_repr": "OSError: no such row"}, Gone("no such row"), ""),
    ({"reload_on_exception_value": "x"}, Mute(), ""),
    ({}, KeyError(1), ""),
]


@pytest.mark.parametrize(("options", "error", "why"), WATCHED)
def test_exceptions_are_told_apart(options: dict[str, Any], error: Exception, why: str) -> None:
    monitored = Monitored(settings(**options))
    assert monitored.wanted is bool(options)
    monitored.note(error)
    assert monitored.why == why


def test_one_that_counts_is_urgent_and_waits_for_no_lifetime() -> None:
    monitored = Monitored(settings(reload_on_exception_type="KeyError"))
    worker = life(monitored=monitored)
    monitored.note(ValueError())
    assert worker.at(0.1) == []
    monitored.note(KeyError())
    monitored.note(KeyError("another"))
    assert worker.at(0.2) == [("reload-on-exception-type: KeyError", True)]
    assert len(worker.at(0.3)) == 1


@pytest.mark.parametrize("error", [SystemExit(), KeyboardInterrupt(), GeneratorExit()])
def test_what_is_no_error_of_the_application_does_not_count(error: BaseException) -> None:
    monitored = Monitored(settings(reload_on_exception=True))
    monitored.note(error)
    assert monitored.why == ""


# ---- In a worker ----------------------------------------------------------------------------------------


def test_a_worker_counts_what_its_threads_have_answered(tmp_path: Path) -> None:
    asked: list[tuple[str, bool]] = []
    with running(tmp_path, hello) as it:
        worn = settings(max_requests=3, min_worker_lifetime=0)
        wear = Wear(worn, 1, lambda *call: asked.append(call), lambda: it.worker.pool.done)
        it.call(it.worker.door.on_tick.append, wear.tick)
        with it.client() as client:
            assert [client.get("/").status for _ in range(5)] == [200] * 5
            it.end(it.worker.leave)
    ((why, urgent),) = asked
    assert re.fullmatch("max-requests: [345] answered", why), "by a tick in between or after them"
    assert not urgent
