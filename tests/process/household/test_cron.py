"""Commands at set times in a supervisor whose clock the test sets: when they run, and what is remembered."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from penstock.process.household.cron import MINUTE, Cron, label, named
from tests.process.household.attending import Attended, attended
from tests.process.supervisor.recording import settings

NOON = 1_795_262_400.0  # 2026-11-21 12:00 UTC
EVERY = "-1 -1 -1 -1 -1 "
UTC = {"TZ": "UTC0"}


class Hand:
    """Of a clock: ``at`` seconds after noon."""

    def __init__(self, at: float = 0.0) -> None:
        self.at = at

    def __call__(self) -> float:
        return NOON + self.at


class Case:
    """A house with commands, and a file in which each run is a line."""

    def __init__(self, house: Attended, file: Path) -> None:
        self.house = house
        self.file = file
        self.hand = Hand()
        house.variables |= UTC | {"FILE": str(file)}
        self.cron = Cron(house, self.hand)

    def begin(self) -> None:
        self.cron.start()
        self.house.serve()

    def at(self, seconds: float) -> None:
        """It is that late, and the supervisor looks."""
        self.hand.at = seconds
        self.cron.look()

    def settle(self) -> list[str]:
        """What has run, all of it."""
        self.house.until(lambda: not self.cron.runs.busy)
        return self.ran()

    def ran(self) -> list[str]:
        return self.file.read_text().split() if self.file.exists() else []


def case(house: Attended, tmp: Path) -> Case:
    return Case(house, tmp / "ran")


def test_noon_is_noon() -> None:
    assert datetime.fromtimestamp(NOON).timestamp() % MINUTE == 0


def test_one_runs_in_its_minutes_and_once_in_each(tmp_path: Path) -> None:
    with attended(tmp_path, cron="-2 -1 -1 -1 -1 echo a >> $FILE") as house:
        it = case(house, tmp_path)
        it.begin()
        for seconds in range(0, 600, 5):
            it.at(seconds)
        assert it.settle() == ["a"] * 5
        assert "unseen" not in house.text() and "set back" not in house.text()


def test_nothing_runs_before_the_first_generation_serves(tmp_path: Path) -> None:
    with attended(tmp_path, cron=EVERY + "echo a >> $FILE") as house:
        it = case(house, tmp_path)
        it.cron.start()
        house.rest(0.1)
        assert it.ran() == []
        assert 'cron "echo a >> $FILE" will run at -1 -1 -1 -1 -1' in house.text()
        house.serve()
        assert it.settle() == ["a"], "and then the minute that is now counts, as in uWSGI"


def test_it_looks_by_itself_when_a_minute_begins(tmp_path: Path) -> None:
    with attended(tmp_path, cron="1 12 -1 -1 -1 echo a >> $FILE") as house:
        it = case(house, tmp_path)
        it.hand.at = 59.95
        it.begin()
        assert it.ran() == []
        it.hand.at = 60.01
        house.until(it.ran, 5)


@pytest.mark.parametrize("option", ["cron", "cron2", "unique_cron"])
def test_each_option_runs_its_commands(tmp_path: Path, option: str) -> None:
    fields = "minute=0,hour=12 " if option == "cron2" else "0 12 -1 -1 -1 "
    with attended(tmp_path, **{option: [fields + "echo a >> $FILE", fields + "echo b >> $FILE"]}) as house:
        it = case(house, tmp_path)
        it.begin()
        assert sorted(it.settle()) == ["a", "b"]
        it.at(60)
        assert sorted(it.settle()) == ["a", "b"]


def test_the_same_twice_is_two(tmp_path: Path) -> None:
    with attended(tmp_path, cron=[EVERY + "echo a >> $FILE"] * 2) as house:
        it = case(house, tmp_path)
        it.begin()
        assert it.settle() == ["a", "a"]


@pytest.mark.parametrize(("option", "count"), [("unique_cron", 1), ("cron", 2)])
def test_one_that_is_unique_is_not_run_while_it_runs(tmp_path: Path, option: str, count: int) -> None:
    hold = tmp_path / "hold"
    hold.write_text("")
    command = f"echo a >> $FILE; while [ -e {hold} ]; do sleep 0.02; done"
    with attended(tmp_path, **{option: EVERY + command}) as house:
        it = case(house, tmp_path)
        it.begin()
        house.until(it.ran)
        it.at(60)
        house.until(lambda: len(it.ran()) == count)
        house.rest(0.1)
        it.at(65)
        assert it.ran() == ["a"] * count
        assert house.text().count("still runs, and is not run again") == (1 if count == 1 else 0)
        hold.unlink()
        # It ends within the minute that it was left out of, and so it runs then.
        assert it.settle() == ["a"] * 2


def test_a_minute_that_is_over_is_not_made_up_for_by_one_that_is_unique(tmp_path: Path) -> None:
    hold = tmp_path / "hold"
    hold.write_text("")
    command = f"echo a >> $FILE; while [ -e {hold} ]; do sleep 0.02; done"
    with attended(tmp_path, unique_cron="-2 -1 -1 -1 -1 " + command) as house:
        it = case(house, tmp_path)
        it.begin()
        house.until(it.ran)
        it.at(120)
        it.at(180)
        hold.unlink()
        assert it.settle() == ["a"]
        it.at(185)
        assert it.settle() == ["a"]


def test_one_that_cannot_be_started_is_tried_until_its_minute_is_over(tmp_path: Path) -> None:
    with attended(tmp_path, cron="-2 -1 -1 -1 -1 echo a >> $FILE") as house:
        it = case(house, tmp_path)
        it.cron.runs.most = 0
        it.begin()
        it.at(5)
        assert house.text().count("could not be started: 0 of it are running already") == 1
        it.cron.runs.most = 1
        it.at(10)
        assert it.settle() == ["a"]
        it.cron.runs.most = 0
        it.at(120)
        it.cron.runs.most = 1
        it.at(180)
        assert it.settle() == ["a"]


@pytest.mark.parametrize(
    ("options", "killed"),
    [
        ({"cron": EVERY + "exec sleep 2", "cron_harakiri": 0.2}, True),
        ({"cron2": "minute=-1 exec sleep 2", "cron_harakiri": 0.2}, True),
        ({"cron2": "minute=-1,harakiri=0 sleep 0.5", "cron_harakiri": 0.2}, False),
        ({"cron2": "minute=-1,harakiri=1 exec sleep 20"}, True),
        ({"cron": EVERY + "sleep 0.5"}, False),
    ],
)
def test_harakiri(tmp_path: Path, options: dict[str, Any], killed: bool) -> None:
    with attended(tmp_path, **options) as house:
        it = case(house, tmp_path)
        it.begin()
        it.settle()
        assert ("killed by SIGKILL" in house.text()) is killed, house.text()
        assert ("exit status 0" in house.text()) is not killed


def test_minutes_that_a_stopped_supervisor_has_missed(tmp_path: Path) -> None:
    with attended(tmp_path, cron=["5 12 -1 -1 -1 echo a >> $FILE", "30 3 -1 -1 -1 echo b >> $FILE"]) as house:
        it = case(house, tmp_path)
        it.begin()
        it.at(20 * MINUTE)
        assert it.settle() == ["a"]
        it.at(20 * 60 * MINUTE)
        assert it.settle() == ["a"], "a night is not made up for"
        assert "1179 minutes have passed unseen; what was to run in them is left out" in house.text()


def test_a_clock_that_is_set_back_is_told_of(tmp_path: Path) -> None:
    with attended(tmp_path, cron="0 12 -1 -1 -1 echo a >> $FILE") as house:
        it = case(house, tmp_path)
        it.begin()
        it.at(-300)
        for seconds in range(-300, 120, 30):
            it.at(seconds)
        assert it.settle() == ["a"]
        assert "cron: the clock was set back by 5 minutes" in house.text()


def test_the_zone_is_that_of_the_commands(tmp_path: Path) -> None:
    with attended(tmp_path, cron="0 21 -1 -1 -1 date +%H:%M >> $FILE; echo $TZ >> $FILE") as house:
        it = case(house, tmp_path)
        house.variables |= {"TZ": "JST-9"}
        it.begin()
        assert it.settle()[1:] == ["JST-9"]
        house.variables |= {"TZ": "Nowhere/Here"}
        house.serve(cron="0 21 -1 -1 -1 true")
        assert "TZ=Nowhere/Here: there is no such time zone; cron goes by the server's own" in house.text()


def test_a_reload_keeps_what_has_run_and_takes_what_is_new(tmp_path: Path) -> None:
    a, b = EVERY + "echo a >> $FILE", EVERY + "echo b >> $FILE"
    with attended(tmp_path, cron=a) as house:
        it = case(house, tmp_path)
        it.begin()
        assert it.settle() == ["a"]
        house.serve(cron=[a, b])
        assert it.settle() == ["a", "b"], "uWSGI would run both again"
        house.serve(cron=[b])
        it.at(60)
        assert it.settle() == ["a", "b", "b"]
        house.serve(threads=2)
        it.at(120)
        assert it.settle() == ["a", "b", "b"] and it.cron.timer is None
        it.hand.at = 7200
        house.serve(cron=[a])
        assert it.settle() == ["a", "b", "b", "a"]
        assert "unseen" not in house.text(), "nothing was to run meanwhile"


def test_a_unique_one_is_still_known_after_a_reload(tmp_path: Path) -> None:
    text = EVERY + "echo a >> $FILE; exec sleep 60"
    with attended(tmp_path, unique_cron=text) as house:
        it = case(house, tmp_path)
        it.begin()
        house.until(it.ran)
        house.serve(unique_cron=[text], threads=2)
        it.at(60)
        house.rest(0.1)
        assert it.ran() == ["a"]


def test_another_penstock_runs_no_minute_twice(tmp_path: Path) -> None:
    options = {"cron": [EVERY + "echo a >> $FILE"], "unique_cron": [EVERY + "echo b >> $FILE; exec sleep 60"]}
    with attended(tmp_path, **options) as house:
        it = case(house, tmp_path)
        it.begin()
        house.until(lambda: sorted(it.ran()) == ["a", "b"])
        house.until(lambda: len(it.cron.runs.all) == 1)
        data = it.cron.state()
        assert data["fds"] == [it.cron.runs.state()[0]["fd"]]
        house.watch.remove(data["fds"][0])
        house.children.clear()
        house.on_serving.clear()
        other = case(house, tmp_path)
        other.cron.resume(data)
        said = house.text()
        other.begin()
        assert sorted(other.ran()) == ["a", "b"] and other.cron.carried == {}
        assert "will run at" not in house.text().removeprefix(said)
        other.at(60)
        house.until(lambda: sorted(it.ran()) == ["a", "a", "b"])
        assert "still runs, and is not run again" in house.text()


def test_the_end_stops_what_runs_and_starts_nothing(tmp_path: Path) -> None:
    with attended(tmp_path, cron=EVERY + "echo a >> $FILE; exec sleep 60", reload_mercy=5) as house:
        it = case(house, tmp_path)
        it.begin()
        house.until(it.ran)
        assert not house.done()
        house.finish()
        it.at(60)
        house.until(house.done, 3)
        assert house.looked and it.ran() == ["a"]
        assert "killed by SIGTERM" in house.text()


def test_an_urgent_end_kills(tmp_path: Path) -> None:
    with attended(
        tmp_path, cron=EVERY + "trap '' TERM; echo a >> $FILE; while :; do sleep 0.05; done"
    ) as house:
        it = case(house, tmp_path)
        it.begin()
        house.until(it.ran)
        house.finish(now=True)
        house.until(house.done, 3)


def test_the_shell_is_the_one_that_is_asked_for(tmp_path: Path) -> None:
    shell = tmp_path / "shell"
    shell.write_text('#!/bin/sh\necho "shell $2" >> "$FILE"\n')
    shell.chmod(0o755)
    with attended(tmp_path, cron=EVERY + "hello", binsh=str(shell)) as house:
        it = case(house, tmp_path)
        it.begin()
        assert it.settle() == ["shell", "hello"]


def test_figures(tmp_path: Path) -> None:
    with attended(tmp_path, cron2="minute=0,week=3 exec sleep 60") as house:
        it = case(house, tmp_path)
        it.hand.at = 60
        it.begin()
        (one,) = it.cron.figures()
        assert (one["option"], one["command"]) == ("cron2", "exec sleep 60")
        assert (one["times"], one["running"], one["last"]) == ([0, -1, -1, -1, 3], [], 0.0)
        house.serve(cron="2 -1 -1 -1 -1 exec sleep 60")
        it.at(120)
        (one,) = it.cron.figures()
        assert (len(one["running"]), one["last"]) == (1, NOON + 120)


def test_an_address_has_no_password_in_the_log() -> None:
    given = settings(curl_cron="0 0 -1 -1 -1 http://me:secret@example.com/a")
    ((_, option, entry),) = named(given)
    assert label(option, entry) == 'curl-cron "http://example.com/a"'
