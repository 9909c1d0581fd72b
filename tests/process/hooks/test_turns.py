"""Hooks one after the other on a loop that never waits."""

import os
from collections.abc import Callable
from pathlib import Path

from penstock.config.household import hooks
from penstock.config.settings import Settings
from penstock.process.hooks.actions import HookError
from penstock.process.hooks.phases import Job
from penstock.process.hooks.turns import Batch, Turns
from tests.process.programs.keeping import PATH, keeping


def batch(*texts: str, done: Callable[[str], None] = lambda text: None, forgiving: bool = False) -> Batch:
    jobs = [Job("hook-touch", hooks.parse(text)) for text in texts]
    return Batch(jobs, Settings(wait_for_fs_timeout=5), lambda: {**PATH, "A": "b"}, forgiving, done)


def test_one_after_the_other(tmp_path: Path) -> None:
    log = tmp_path / "log"
    told: list[str] = []
    with keeping(tmp_path) as house:
        turns = Turns(house, {})
        turns.add(
            batch(
                f"exec:sleep 0.05; echo one $A >> {log}", f"appendn:{log} two", f"exec:echo three >> {log}",
                done=told.append,
            )
        )  # fmt: skip
        turns.add(batch(f"appendn:{log} four", "print:five", done=told.append))
        assert turns.busy and not log.exists()
        house.until(lambda: len(told) == 2)
        assert not turns.busy
        assert log.read_text() == "one b\ntwo\nthree\nfour\n"
        assert told == ["", ""] and "\nfive\n" in house.text()


def test_what_a_command_writes_is_in_the_log_with_its_name(tmp_path: Path) -> None:
    told: list[str] = []
    with keeping(tmp_path) as house:
        Turns(house, {}).add(batch("exec:echo hello", "!exec:echo secret $((1 + 1))", done=told.append))
        house.until(lambda: told)
        assert '[hook-touch "echo hello"] hello' in house.text()
        assert "[hook-touch] secret 2" in house.text() and "$((1" not in house.text()


def test_a_failure_ends_its_batch_alone(tmp_path: Path) -> None:
    told: list[str] = []
    with keeping(tmp_path) as house:
        turns = Turns(house, {})
        for text in ("exec:exit 3", "unlink:/nowhere/at/all", "exec:kill -9 $$"):
            turns.add(batch(text, f"create:{tmp_path}/never", done=told.append))
        turns.add(batch("print:well", "safeexec:exit 3", f"create:{tmp_path}/file", done=told.append))
        house.until(lambda: len(told) == 4)
        assert told == [
            'hook-touch: "exec:exit 3": exit status 3',
            'hook-touch: "unlink:/nowhere/at/all": exit status 1',
            'hook-touch: "exec:kill -9 $$": killed by signal 9',
            "",
        ]
        assert "No such file or directory" in house.text()
        assert {path.name for path in tmp_path.iterdir()} == {"house.log", "file"}


def test_after_a_failure_that_is_only_told_it_goes_on(tmp_path: Path) -> None:
    told: list[str] = []
    with keeping(tmp_path) as house:
        turns = Turns(house, {})
        turns.add(
            batch("exec:exit 3", "exec:exit 4", f"create:{tmp_path}/file", done=told.append, forgiving=True)
        )
        house.until(lambda: told)
        assert told == ['hook-touch: "exec:exit 3": exit status 3']
        assert (tmp_path / "file").exists()


def test_what_takes_its_time_takes_nobody_elses(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    told: list[str] = []
    with keeping(tmp_path) as house:
        turns = Turns(house, {})
        turns.add(batch(f"wait_for_file:{tmp_path}/file", f"write:{tmp_path}/pipe hello", done=told.append))
        house.watch.later(0.05, lambda: os.close(os.open(tmp_path / "file", os.O_CREAT | os.O_WRONLY)))
        reading: list[int] = []
        house.watch.later(
            0.3, lambda: reading.append(os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK))
        )
        house.until(lambda: told)
        assert told == [""] and os.read(reading[0], 100) == b"hello"
        os.close(reading[0])


def test_actions_of_ones_own(tmp_path: Path) -> None:
    heard: list[str] = []
    told: list[str] = []

    def refuse(argument: str) -> None:
        raise HookError("not here")

    with keeping(tmp_path) as house:
        turns = Turns(house, {"alarm": heard.append, "unix_signal": refuse})
        turns.add(batch("alarm:a b", "unix_signal:1 stats", "alarm:never comes", done=told.append))
        assert heard == ["a b"] and told == ['hook-touch: "unix_signal:1 stats": not here']


def test_what_has_not_begun_can_be_given_up(tmp_path: Path) -> None:
    told: list[str] = []
    with keeping(tmp_path) as house:
        turns = Turns(house, {})
        turns.add(batch(f"exec:sleep 0.05; > {tmp_path}/begun", f"create:{tmp_path}/never", done=told.append))
        turns.add(batch(f"create:{tmp_path}/never"))
        turns.clear()
        assert not turns.busy
        turns.add(batch(f"create:{tmp_path}/after", done=told.append))
        house.until(lambda: told)
        assert {path.name for path in tmp_path.iterdir()} == {"house.log", "begun", "after"}
