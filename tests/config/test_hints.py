"""What is said of a value beside what was expected, and of what is missing beside that it is."""

import pytest

from penstock.config.finding import BAD_VALUE, ERROR, MISSING_PATH, UNSUPPORTED, WARNING, Finding
from penstock.config.hints import hint, instead, odd, unfilled, unread
from penstock.config.raw import RawOption
from tests.config.test_findings import read, refused

IN_FILE = ("app.ini:1", "app.ini", 1)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("$(NO_SUCH)/app.sock", "NO_SUCH is not in the environment"),
        ("%(root)/app.sock", "nothing is called root"),
        ("%(a)/$(B)/%(a)", "nothing is called a, and B is not in the environment"),
        ("$(A):$(B)", "A and B are not in the environment"),
        ("%(a)%(b)", "nothing is called a or b"),
        ("/run/$app", ""),
        ("50%(", ""),
        ("${HOME}", ""),
    ],
)
def test_placeholders_that_are_left(value: str, said: str) -> None:
    assert unfilled("socket", value) == said


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("attach-daemon", "serve $(hostname)", ""),
        ("hook-asap", "exec:touch $(date).$(STAMP)", "STAMP is not in the environment"),
        ("cron", "-1 -1 -1 -1 -1 x %(root)", "nothing is called root"),
        ("touch-exec", "/f echo $(NAME)", "NAME is not in the environment"),
        ("chdir", "$(hostname)", "hostname is not in the environment"),
    ],
)
def test_a_shell_has_brackets_of_its_own(name: str, value: str, said: str) -> None:
    assert unfilled(name, value) == said


def test_what_is_filled_in_for_each_request_is_no_placeholder() -> None:
    assert unfilled("log-format", "%(addr) %(method)") == ""


def test_a_setting_with_a_placeholder_that_is_left_warns_and_keeps_it() -> None:
    settings, (finding,) = read("logto = /log/%(name).log")
    assert settings.logto == "/log/%(name).log"
    assert (finding.level, finding.kind, finding.line) == (WARNING, BAD_VALUE, 3)
    assert finding.message == "nothing is called name: it stays as it is written"


def test_a_blank_in_the_name_of_a_variable() -> None:
    said = "the blank before = is part of the variable's name, as in uWSGI"
    assert odd("env", "MODE = fast") == said
    assert odd("env", "MODE=very = fast") == odd("env", "MODE ") == odd("socket", "a = b") == ""
    settings, (finding,) = read("env = MODE = fast")
    assert (finding.level, finding.message) == (WARNING, said)
    assert settings.env_pairs == (("MODE ", " fast"),)


def test_a_placeholder_that_is_left_where_a_number_belongs() -> None:
    (finding,) = refused("listen = $(BACKLOG)")
    assert finding.message == "a whole number is expected; BACKLOG is not in the environment"


def test_an_option_that_was_taken_for_a_value() -> None:
    raw = RawOption("idle", "--master", "command line")
    assert hint(raw) == "the option takes a value, and --master was taken for it"
    assert hint(RawOption("idle", "--master", *IN_FILE)) == ""


def test_a_comment_behind_a_value() -> None:
    said = "a comment is a line of its own, and what follows a value is part of it"
    assert hint(RawOption("listen", "many ; of them", *IN_FILE)) == said
    assert hint(RawOption("listen", "many ; of them", "command line")) == ""


@pytest.mark.parametrize(
    ("option", "what", "found"),
    [
        ("fastrouter", "application", True),
        ("fastrouter", "socket", True),
        ("psgi", "application", True),
        ("psgi", "socket", False),
        ("fastcgi-socket", "socket", True),
        ("fastcgi-socket", "application", False),
        ("harakiri", "application", False),
    ],
)
def test_what_was_meant_to_name_what_is_missing(option: str, what: str, found: bool) -> None:
    finding = Finding(WARNING, UNSUPPORTED, "not acted on: because", option, "x")
    assert instead(what, [finding]) == (f"{option} is not acted on: because" if found else "")
    assert instead(what, [Finding(WARNING, BAD_VALUE, "no", option, "x")]) == ""


def test_a_configuration_that_could_not_be_read_lacks_nothing_that_is_known() -> None:
    assert unread([Finding(ERROR, MISSING_PATH, "there is none")])
    assert not unread([Finding(WARNING, MISSING_PATH, "there is none"), Finding(ERROR, BAD_VALUE, "no")])
