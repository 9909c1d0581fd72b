"""The command table, walked whole: by signal, by letter, by message; and the page that shows it."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from penstock.config.settings import Settings
from penstock.process.supervisor import commands as table
from penstock.process.supervisor.building import Outcome
from penstock.process.supervisor.commands import (
    BY_LETTER,
    BY_NAME,
    COMMANDS,
    Command,
    Commands,
    by_signal,
    by_verb,
)
from penstock.process.supervisor.handle import State
from penstock.process.supervisor.order import Told
from tests.process.supervisor.obeying import FakeHandle, Obeying, obeying
from tests.process.supervisor.page import PAGE, rendered
from tests.sinks import file_sink

ASKED: dict[str, list[tuple[Any, ...]]] = {
    "stop": [("stop", "{why}", False)],
    "stop-now": [("stop", "{why}", True)],
    "reload": [("reload", "{why}", "graceful")],
    "reload-brutal": [("reload", "{why}", "brutal")],
    "reload-chain": [("reload", "{why}", "chain")],
    "reload-workers": [("reload", "{why}", "workers")],
    "reload-brutal-workers": [("reload", "{why}", "brutal-workers")],
    "pause": [("pause",)],
    "add-workers": [("resize", 1)],
    "remove-workers": [("resize", -1)],
    "cheap": [("cheap", "{why}")],
    "reopen-logs": [("reopen_logs",)],
    "rotate-logs": [("reopen_logs",)],
    "write-pidfiles": [("write_pidfiles",)],
    "upgrade": [("upgrade", "{why}")],
    **{name: [] for name in ("status", "health", "requests", "stacks", "profile", "log-status", "slot")},
    **{name: [] for name in ("replace-worker", "view")},
    "emperor-sos": [("reinforce", "{why}")],
    "emperor-scan": [("scan",)],
    "subscriptions": [],
}
"""What each command asks of the supervisor."""

WITHOUT_WORKERS_NOT = {"health", "profile", "replace-worker"}
"""Commands that fail where no worker serves."""

UWSGI = set("0123456789+-BcCEflLpPqQrRsSwW")
"""Every letter of uWSGI's pipe."""


def expected(command: Command, why: str) -> list[tuple[Any, ...]]:
    return [
        tuple(part.format(why=why) if part == "{why}" else part for part in one)
        for one in ASKED[command.name]
    ]


def named(command: Command) -> str:
    return command.name


# ---- The table ----------------------------------------------------------------------------------------


def test_it_says_everything_once() -> None:
    assert len(BY_NAME) == len(COMMANDS) == len(ASKED)
    assert sum(len(command.letter) for command in COMMANDS) == len(BY_LETTER)
    verbs = [command.verb for command in COMMANDS if command.verb]
    assert len(set(verbs)) == len(verbs)
    signals = [name for command in COMMANDS for name in command.signals]
    assert len(set(signals)) == len(signals)


def test_every_letter_of_uwsgi_has_a_meaning() -> None:
    assert set(BY_LETTER) == UWSGI


def test_every_command_can_be_asked_for() -> None:
    assert [c.name for c in COMMANDS if not (c.signals or c.letter or c.verb)] == []


def test_the_page_shows_it() -> None:
    # python -m tests.process.supervisor.page writes the page anew
    assert rendered(PAGE.read_text()) == PAGE.read_text()


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("reload", "reload"), ("reload graceful", "reload"), ("reload chain", "reload-chain"),
        ("workers add N", "add-workers"), ("stop --now", "stop-now"), ("log reopen", "reopen-logs"),
        ("requests", "requests"),
    ],
)  # fmt: skip
def test_words_of_ctl(words: str, name: str) -> None:
    found = by_verb(words)
    assert found is not None and found.name == name


@pytest.mark.parametrize("words", ["", "reload now", "workers", "cheap", "slot", "Stop"])
def test_words_that_are_none(words: str) -> None:
    assert by_verb(words) is None


# ---- Walked whole -------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.letter], ids=named)
def test_by_letter(tmp_path: Path, command: Command) -> None:
    with obeying(tmp_path) as supervisor:
        Commands(supervisor).letter(command.letter[0], "a pipe")
        why = f"{command.letter[0]} in a pipe"
        assert supervisor.did == expected(command, why)
        if command.later:
            assert f"penstock warning: {why}: {command.later}\n" in supervisor.text()
        else:
            told = command.name != "slot" and not command.silent
            assert (f"penstock: {why}: {command.name}\n" in supervisor.everything()) == told


@pytest.mark.parametrize(
    ("number", "command"),
    by_signal(False).items(),
    ids=lambda value: value.name if isinstance(value, Command) else str(int(value)),
)
def test_by_signal(tmp_path: Path, number: int, command: Command) -> None:
    before = {each: signal.getsignal(each) for each in by_signal(False)}
    try:
        with obeying(tmp_path) as supervisor:
            Commands(supervisor).install(supervisor.watch)
            os.kill(os.getpid(), number)
            supervisor.turn()
            assert supervisor.did == expected(command, signal.Signals(number).name)
    finally:
        for each, meaning in before.items():
            signal.signal(each, meaning)


@pytest.mark.parametrize("command", COMMANDS, ids=named)
def test_by_message(tmp_path: Path, command: Command) -> None:
    told: list[Told] = []
    with obeying(tmp_path) as supervisor:
        supervisor.emperor = True
        Commands(supervisor).ask({"command": command.name}, "ctl", told.append)
        assert supervisor.did == expected(command, "ctl")
        assert len(told) == 1
        there_is_one = not command.later and command.name != "slot"
        assert told[0].ok == (there_is_one and command.name not in WITHOUT_WORKERS_NOT)
        assert (told[0].code == 0) == told[0].ok
        assert (f"ctl: {command.name}\n" in supervisor.everything()) == (there_is_one and not command.silent)


def test_a_worker_is_replaced(tmp_path: Path) -> None:
    told: list[Told] = []
    with obeying(tmp_path) as supervisor:
        supervisor.workers = [FakeHandle(1, 0, 11), FakeHandle(2, 1, 12, State.LEAVING), FakeHandle(2, 2, 13)]
        for count in (2, 3):
            Commands(supervisor).ask({"command": "replace-worker", "count": count}, "ctl", told.append)
        assert supervisor.did == [("replace", 2, "ctl")]
    assert told == [Told(True, "worker 2 (pid 13) is to be replaced"), Told(False, "no worker 3 serves", 1)]


def test_what_a_server_cannot_do_it_says(tmp_path: Path) -> None:
    told: list[Told] = []
    with obeying(tmp_path) as supervisor:
        commands = Commands(supervisor)
        commands.unable = {"reload": "not today"}
        commands.ask({"command": "reload"}, "ctl", told.append)
        commands.ask({"command": "pause"}, "ctl", told.append)
        assert supervisor.did == [("pause",)]
    assert told[0] == Told(False, "not today", 1) and told[1].ok


@pytest.mark.parametrize("name", ["emperor-sos", "emperor-scan"])
def test_without_an_emperor(tmp_path: Path, name: str) -> None:
    told: list[Told] = []
    with obeying(tmp_path) as supervisor:
        Commands(supervisor).ask({"command": name}, "ctl", told.append)
    assert not told[0].ok and told[0].code == 1 and "emperor" in told[0].text


def test_the_signals_of_now() -> None:
    said = {signal.Signals(number).name: command.name for number, command in by_signal(False).items()}
    assert said == {
        "SIGTERM": "stop", "SIGINT": "stop", "SIGQUIT": "stop", "SIGHUP": "reload", "SIGTSTP": "pause",
        "SIGTTIN": "add-workers", "SIGTTOU": "remove-workers", "SIGUSR1": "reopen-logs", "SIGUSR2": "upgrade",
    }  # fmt: skip
    with_option = {signal.Signals(number).name: command.name for number, command in by_signal(True).items()}
    assert with_option == {**said, "SIGQUIT": "reload"}


# ---- Stopping -----------------------------------------------------------------------------------------


def signalled(commands: Commands, *numbers: int) -> None:
    for number in numbers:
        commands.signalled(number)


def later(commands: Commands) -> None:
    """As if the first signal had come a second earlier."""
    assert commands.stopped is not None
    commands.stopped -= 1.0


def test_a_second_signal_stops_at_once(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        commands = Commands(supervisor)
        signalled(commands, signal.SIGTERM)
        later(commands)
        signalled(commands, signal.SIGINT)
        assert supervisor.did == [("stop", "SIGTERM", False), ("stop", "SIGINT again", True)]


def test_one_signal_that_comes_twice_is_one(tmp_path: Path) -> None:
    """timeout(1) sends to the process and then to its group, and the process is in it."""
    with obeying(tmp_path) as supervisor:
        signalled(Commands(supervisor), signal.SIGTERM, signal.SIGTERM)
        assert supervisor.did == [("stop", "SIGTERM", False)]


def test_a_stop_by_the_pipe_is_no_first_signal(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        commands = Commands(supervisor)
        commands.letter("q", "a pipe")
        signalled(commands, signal.SIGTERM)
        commands.letter("q", "a pipe")
        assert supervisor.did == [("stop", "q in a pipe", False)], "nothing of these is a second wish"
        later(commands)
        signalled(commands, signal.SIGTERM)
        assert supervisor.did[1:] == [("stop", "SIGTERM again", True)]


def test_quit_reloads_as_soon_as_the_settings_say_so(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        commands = Commands(supervisor)
        supervisor.settings = Settings(die_on_term=True)
        signalled(commands, signal.SIGQUIT)
        assert supervisor.did == [("reload", "SIGQUIT", "graceful")]


# ---- Numbers and outcomes -----------------------------------------------------------------------------


def asked(supervisor: Obeying, **message: Any) -> Told:
    told: list[Told] = []
    Commands(supervisor).ask(message, "ctl", told.append)
    assert len(told) == 1
    return told[0]


def test_several_workers(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        assert asked(supervisor, command="add-workers", count=3) == (True, "5 workers are to run", 0, {})
        assert asked(supervisor, command="remove-workers", count=4).text == "1 worker is to run"
        assert supervisor.did == [("resize", 3), ("resize", -4)]


@pytest.mark.parametrize("count", [0, -1, 1001, "2", 1.5, None, True, [1]])
def test_a_number_that_is_none(tmp_path: Path, count: object) -> None:
    with obeying(tmp_path) as supervisor:
        told = asked(supervisor, command="add-workers", count=count)
        assert told == (False, "count: a number from 1 to 1000 is expected", 2, {})
        assert supervisor.did == []


@pytest.mark.parametrize("name", [None, "", "frobnicate", "Stop", ["stop"], {"a": 1}, "slot"])
def test_a_command_that_is_none(tmp_path: Path, name: object) -> None:
    with obeying(tmp_path) as supervisor:
        told = asked(supervisor, command=name)
        assert (told.ok, told.text, told.code) == (False, f"there is no command {name!r}", 2)
        assert supervisor.did == []


@pytest.mark.parametrize("name", ["reload", "reload-chain", "upgrade"])
def test_how_it_ended_is_told_when_it_has(tmp_path: Path, name: str) -> None:
    with obeying(tmp_path) as supervisor:
        supervisor.outcome = None
        told: list[Told] = []
        Commands(supervisor).ask({"command": name}, "ctl", told.append)
        assert told == []
        supervisor.waiting[0](Outcome(False, "Traceback\nSyntaxError", 22))
        assert told == [(False, "Traceback\nSyntaxError", 22, {})]


def test_what_a_letter_could_not_do_stands_in_the_log(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        supervisor.outcome = Outcome(False, "the server is stopping", 1)
        Commands(supervisor).letter("r", "a pipe")
        assert "penstock warning: r in a pipe: the server is stopping\n" in supervisor.text()


@pytest.mark.parametrize("letter", ["x", "\n", "\x00", "é", "A"])
def test_a_letter_that_is_unknown_is_nothing(tmp_path: Path, letter: str) -> None:
    with obeying(tmp_path) as supervisor:
        Commands(supervisor).letter(letter, "a pipe")
        assert (supervisor.did, supervisor.text()) == ([], "")


# ---- Logs and status ----------------------------------------------------------------------------------


def test_logs_are_rotated(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        supervisor.diary.access_sink = file_sink(str(tmp_path / "access"))
        supervisor.diary.info("before")
        told = asked(supervisor, command="rotate-logs")
        supervisor.diary.info("behind")
        assert told.ok and supervisor.did == [("reopen_logs",)]
        old = {path.name.partition(".")[0]: path for path in tmp_path.iterdir() if "." in path.name}
        assert set(old) == {"log", "access"}
        assert all(str(path) in told.text for path in old.values())
        assert "before\n" in old["log"].read_text() and "behind" not in old["log"].read_text()
        assert "behind\n" in supervisor.text() and "before" not in supervisor.text()


def test_a_log_that_is_not_there_is_not_rotated(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        supervisor.log.unlink()
        told = asked(supervisor, command="rotate-logs")
        supervisor.log.touch()
        assert told == (False, f"{supervisor.log}: No such file or directory; it is not rotated", 1, {})
        assert supervisor.did == []


def test_who_only_orders_hears_of_a_failure_in_the_log(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        commands, path = Commands(supervisor), supervisor.diary.error_sink.path
        commands.order("reopen-logs", "touch-logreopen: /f was touched")
        assert supervisor.did == [("reopen_logs",)]
        supervisor.diary.error_sink.path = ""
        commands.order("rotate-logs", "touch-logrotate: /f was touched")
        supervisor.diary.error_sink.path = path
        first, second, third = supervisor.text().splitlines()
        assert first.endswith(" penstock: touch-logreopen: /f was touched: reopen-logs")
        assert second.endswith(" penstock: touch-logrotate: /f was touched: rotate-logs")
        assert " penstock warning: touch-logrotate: /f was touched: no log goes to a file" in third


def test_a_terminal_is_not_rotated(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        supervisor.diary.error_sink.path, path = "", supervisor.diary.error_sink.path
        told = asked(supervisor, command="rotate-logs")
        supervisor.diary.error_sink.path = path
        assert (told.ok, supervisor.did) == (False, [])


def test_the_status_goes_to_the_log(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        supervisor.workers = [FakeHandle(1, 0, os.getpid(), figures={"requests": 7})]
        Commands(supervisor).letter("s", "a pipe")
        text = supervisor.text()
        assert f"process {os.getpid()}: serving, generation 1" in text
        assert "1 of 2 workers serve, 7 requests answered" in text
        assert f"  1  {os.getpid()}    1  " in text


def test_digits_belong_to_the_pipe() -> None:
    assert {letter for letter, command in BY_LETTER.items() if command.name == "slot"} == set(table.DIGITS)
