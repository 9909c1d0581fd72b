"""Every option that is a rule: it runs in its phase for what it is about, and for nothing else."""

import pytest

from penstock.config.assemble import assemble
from penstock.config.consistency import RULES
from penstock.config.raw import RawOption
from penstock.config.registry import by_name
from tests.serve.routing.ground import Ground, application

SUBJECTS = {
    "route": "PATH_INFO", "route-host": "HTTP_HOST", "route-uri": "REQUEST_URI", "route-qs": "QUERY_STRING",
    "route-remote-addr": "REMOTE_ADDR", "route-remote-user": "REMOTE_USER",
    "route-user-agent": "HTTP_USER_AGENT", "route-referer": "HTTP_REFERER",
    "response-route": "PATH_INFO", "response-route-host": "HTTP_HOST", "response-route-uri": "REQUEST_URI",
    "response-route-qs": "QUERY_STRING", "response-route-remote-addr": "REMOTE_ADDR",
    "response-route-remote-user": "REMOTE_USER", "response-route-user-agent": "HTTP_USER_AGENT",
    "response-route-referer": "HTTP_REFERER",
    "error-route": "PATH_INFO", "error-route-host": "HTTP_HOST", "error-route-uri": "REQUEST_URI",
    "error-route-qs": "QUERY_STRING", "error-route-remote-addr": "REMOTE_ADDR",
    "error-route-remote-user": "REMOTE_USER", "error-route-user-agent": "HTTP_USER_AGENT",
    "error-route-referer": "HTTP_REFERER",
    "final-route": "PATH_INFO", "final-route-host": "HTTP_HOST", "final-route-uri": "REQUEST_URI",
    "final-route-qs": "QUERY_STRING", "final-route-remote-addr": "REMOTE_ADDR",
    "final-route-remote-user": "REMOTE_USER", "final-route-user-agent": "HTTP_USER_AGENT",
    "final-route-referer": "HTTP_REFERER",
}  # fmt: skip
"""What the regex of a rule is asked about."""
STATUSES = {"response-route-status": "201", "error-route-status": "201", "final-route-status": "201"}
"""The status that is there in the phase."""
CONDITIONS = {
    "route-if": "yes", "response-route-if": "yes", "error-route-if": "yes", "final-route-if": "yes",
    "route-if-not": "no", "response-route-if-not": "no", "error-route-if-not": "no",
    "final-route-if-not": "no",
}  # fmt: skip
"""What a variable has to be where the rule asks whether it is ``yes``."""
ALWAYS = ("route-run", "response-route-run", "error-route-run", "final-route-run")
TURNS = {"": 0, "response-": 1, "error-": 1, "final-": 2}
"""Before the application, with its reply (error rules are asked about every status), behind it."""
LABELS = ("route-label", "response-route-label", "error-route-label", "final-route-label")


def wrote(text: str, option: str, environ: dict[str, str] | None = None) -> list[str]:
    """What rules write to the log when it is an option's turn; they write nothing before or after it."""
    pairs = [line.split(" = ") for line in text.splitlines()]
    settings = assemble([RawOption(name, value, "x.ini:1") for name, value in pairs], application=True)
    ground = Ground("\n".join(f"{name} = {value}" for name, value, _ in settings.rules))
    ground.walk(**(environ or {}))
    found = [ground.lines[:]]
    ground.call.run(application("201 Created"), ground.environ)
    found.append(ground.lines[len(found[0]) :])
    ground.rules.final(ground.call)
    found.append(ground.lines[sum(map(len, found)) :])
    mine = found.pop(TURNS[option[: option.index("route")]])
    assert found == [[], []]
    return mine


def test_all_of_them_are_here() -> None:
    here = [*SUBJECTS, *STATUSES, *CONDITIONS, *ALWAYS, *LABELS]
    assert sorted(here) == sorted(name for name in by_name() if RULES.fullmatch(name))


@pytest.mark.parametrize(("option", "variable"), SUBJECTS.items())
def test_a_rule_with_a_regex(option: str, variable: str) -> None:
    text = f"{option} = ^/?needle$ log:seen"
    assert wrote(text, option, {variable: "/needle"}) == ["seen"]
    others = dict.fromkeys(set(SUBJECTS.values()) - {variable}, "/needle")
    assert wrote(text, option, {**others, variable: "/another"}) == []


@pytest.mark.parametrize(("option", "status"), STATUSES.items())
def test_a_rule_with_a_status(option: str, status: str) -> None:
    assert wrote(f"{option} = {status} log:seen", option) == ["seen"]
    assert wrote(f"{option} = 500 log:seen", option) == []


@pytest.mark.parametrize(("option", "wanted"), CONDITIONS.items())
def test_a_rule_with_a_condition(option: str, wanted: str) -> None:
    text = f"{option} = eq:${{SAID}};yes log:seen"
    assert wrote(text, option, {"SAID": wanted}) == ["seen"]
    assert wrote(text, option, {"SAID": "no" if wanted == "yes" else "yes"}) == []


@pytest.mark.parametrize("option", ALWAYS)
def test_a_rule_without_a_condition(option: str) -> None:
    assert wrote(f"{option} = log:one\n{option} = log:two", option) == ["one", "two"]


@pytest.mark.parametrize("option", LABELS)
def test_a_place_to_go_to(option: str) -> None:
    run = option.replace("label", "run")
    text = f"{run} = goto:there\n{run} = log:left out\n{option} = there\n{run} = log:seen"
    assert wrote(text, option) == ["seen"]
