"""The configuration read again in a child: what comes back, and what cannot hurt."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.config.assemble import from_keywords
from penstock.config.option import settings_of
from penstock.config.settings import Settings
from penstock.core.errors import ConfigError
from penstock.process.supervisor.reread import FIXED, Reread, changed, heard_of, told
from penstock.process.supervisor.watch import Watch


def answer(read: Callable[[], Settings], folder: Path) -> tuple[Settings | None, str]:
    watch = Watch(pytest.fail)
    found: list[tuple[Settings | None, str]] = []

    def done(settings: Settings | None, text: str) -> None:
        found.append((settings, text))
        watch.stop()

    reread = Reread(watch, read, str(folder), done)
    watch.later(20.0, watch.stop)
    watch.run()
    os.waitpid(reread.pid, 0)
    watch.close()
    return found[0]


def test_settings_come_back_whole(tmp_path: Path) -> None:
    given = from_keywords({"bind": [":0"], "threads": 3, "touch_reload": ["a", "b"]}, "app")
    settings, text = answer(lambda: given, tmp_path)
    assert text == ""
    assert settings == given


def test_it_reads_in_the_folder_of_the_start(tmp_path: Path) -> None:
    def read() -> Settings:
        raise ConfigError(os.getcwd())

    settings, text = answer(read, tmp_path)
    assert settings is None
    assert text == str(tmp_path)


def test_an_error_is_told() -> None:
    def read() -> Settings:
        raise ConfigError("app.ini:3: unknown option")

    assert answer(read, Path("/")) == (None, "app.ini:3: unknown option")


def test_a_rule_that_is_wrong_is_an_error_too() -> None:
    settings, text = heard_of(told(lambda: from_keywords({"bind": [":0"], "route": ["^/a no:"]}, "app")))
    assert settings is None and "there is no action no" in text
    settings, _ = heard_of(told(lambda: from_keywords({"bind": [":0"], "route": ["^/a static:/x"]}, "app")))
    assert settings is not None and settings.rules[0][1] == "^/a static:/x"


def test_a_fault_is_told() -> None:
    def read() -> Settings:
        raise ZeroDivisionError("no")

    assert answer(read, Path("/")) == (None, "ZeroDivisionError('no')")


def test_a_child_that_dies_is_no_answer() -> None:
    def read() -> Settings:
        os._exit(9)

    settings, text = answer(read, Path("/"))
    assert settings is None
    assert "without a word" in text


def test_one_that_is_given_up_is_killed_and_says_nothing() -> None:
    def read() -> Settings:
        time.sleep(60)
        raise AssertionError

    watch = Watch(pytest.fail)
    reread = Reread(watch, read, "/", lambda settings, text: pytest.fail("it was given up"))
    reread.cancel()
    reread.cancel()
    _, status = os.waitpid(reread.pid, 0)
    assert os.waitstatus_to_exitcode(status) == -9
    watch.close()


def test_what_has_changed() -> None:
    one = from_keywords({"bind": [":0"], "threads": 3}, "app")
    two = from_keywords({"bind": [":0"], "threads": 4, "uid": "nobody"}, "app")
    assert changed(one, two) == ["uid"], "threads are taken up at a reload"
    assert changed(one, one) == []


def test_every_setting_that_stays_is_one() -> None:
    known = set(settings_of(Settings))
    assert {*FIXED} <= known


def test_a_child_that_is_killed_in_the_middle_is_told_once() -> None:
    """Half of an answer is none; the loop must not turn on it."""
    assert heard_of(b"")[0] is None
    whole = told(lambda: from_keywords({"bind": [":0"]}, "app"))
    assert heard_of(whole)[0] is not None
    settings, text = heard_of(whole[: len(whole) // 2])
    assert settings is None
    assert "without a word" in text


def test_one_that_is_given_up_is_told_too(tmp_path: Path) -> None:
    def read() -> Settings:
        time.sleep(60)
        raise ConfigError("too late")

    watch = Watch(pytest.fail)
    found: list[tuple[Settings | None, str]] = []
    reread = Reread(watch, read, str(tmp_path), lambda settings, text: found.append((settings, text)))
    reread.finish(None, "a newer reload was asked for")
    reread.finish(None, "again")
    assert os.waitstatus_to_exitcode(os.waitpid(reread.pid, 0)[1]) == -signal.SIGKILL
    watch.close()
    assert found == [(None, "a newer reload was asked for")]
