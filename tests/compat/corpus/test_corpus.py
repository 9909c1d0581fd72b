"""Real configurations start a server: each listener that a file names answers with the file's application.

Each case runs in a sandbox where its paths, users and modules are what it says, unchanged; a server with a
master or several processes has its number of workers, before and after a reload. Programs that it has run
beside it are stand-ins, which have to be run in their folder, by their user and with their words; commands at
set times are run every minute. What waits for a part of penstock that is not there yet is named in
``corpus.toml``, and an entry that starts fails.
"""

import pytest

from tests.compat.corpus import corpus, occurrences, programs, sandbox
from tests.compat.corpus.corpus import Case
from tests.compat.corpus.plan import Ask, Listener, Plan, source

pytestmark = [pytest.mark.compat, pytest.mark.timeout(200)]
PARTS = {
    *("static-and-routing", "supervisor", "observability", "uwsgi-module"),
    *("tls-http2", "protocols", "none"),
}


@pytest.fixture(scope="module")
def place() -> None:
    """A corpus, and a sandbox."""
    if corpus.folder() is None:
        pytest.skip(corpus.MISSING)
    if reason := sandbox.obstacle():
        pytest.skip(reason)


def waits(case: Case) -> dict[str, str]:
    found: dict[str, str] = corpus.data().get("waits", {}).get(case.name, {})
    return found


@pytest.mark.parametrize("case", [*corpus.files(), *corpus.lines()], ids=lambda case: case.name)
def test_it_starts_and_every_listener_answers(case: Case, place: None) -> None:
    outcome = sandbox.run(corpus.plan_of(case))
    if entry := waits(case):
        assert not outcome.started, f"it starts now, and its entry says that it waits for {entry['part']}"
    else:
        assert outcome.started, f"{outcome.why}\n{outcome.log}"


def test_every_entry_is_of_a_case(place: None) -> None:
    names = {case.name for case in (*corpus.files(), *corpus.lines())}
    data = corpus.data()
    assert {*data["files"], *data.get("waits", {})} <= names
    assert all(entry["part"] in PARTS and entry["reason"] for entry in data.get("waits", {}).values())


def test_most_options_that_are_used_are_acted_on_or_harmless(place: None) -> None:
    assert occurrences.share(occurrences.counted([*corpus.files(), *corpus.lines()])) >= 0.98


@pytest.mark.parametrize(
    ("body", "port", "wrong"),
    [
        ("ours", 8000, {}),
        ("another", 8000, {"http :8000": "another"}),
        ("ours", 9000, {"http :8000": "ConnectionRefusedError: [Errno 111] Connection refused"}),
    ],
    ids=["as it should", "another body", "another port"],
)
def test_the_harness_itself_can_say_no(body: str, port: int, wrong: dict[str, str]) -> None:
    if reason := sandbox.obstacle():
        pytest.skip(reason)
    plan = Plan("harness", "/site", ["--http-socket", f":{port}", "--wsgi-file", "app.py"], {})
    plan.chdir, plan.files = plan.cwd, {"/site/app.py": source({"application": body})}
    plan.listeners, plan.asks = [Listener("http", ":8000")], [Ask("/", "ours")]
    outcome = sandbox.run(plan)
    assert outcome.wrong == wrong and outcome.left == ""


def with_program(command: str) -> Plan:
    """A server that has a program beside it, which goes to the background and stands in its place."""
    value = f"/run/beside.pid {command}"
    started = ["--http-socket", ":8000", "--wsgi-file", "app.py", "--smart-attach-daemon", value]
    plan = Plan("harness", "/site", started, {}, kinds=["daemons"])
    plan.chdir, plan.files = plan.cwd, {"/site/app.py": source({"application": "ours"})}
    plan.listeners, plan.asks = [Listener("http", ":8000")], [Ask("/", "ours")]
    plan.programs = list(programs.found([("smart-attach-daemon", "/run/beside.pid NAME=one beside it")]))
    return plan


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("NAME=one beside it", ""),
        ("NAME=two beside it", "beside it: [{"),
        ("NAME=one beside them", "beside it: not run"),
        ("cd /; NAME=one beside it", "'cwd': '/'"),
    ],
    ids=["as it should", "another variable", "another word", "another folder"],
)
def test_the_harness_itself_can_say_no_to_programs(command: str, said: str) -> None:
    if reason := sandbox.obstacle():
        pytest.skip(reason)
    outcome = sandbox.run(with_program(command))
    assert said in outcome.wrong.get("programs", "") and bool(outcome.wrong) == bool(said), outcome
    assert outcome.left == ""


@pytest.mark.parametrize(
    ("text", "workers", "said"),
    [
        ("", 2, ""),
        ("", 3, "2 serve, and 3 are asked for"),
        ("import os; os.mkdir('/site/once')\n", 2, "FileExistsError"),
    ],
    ids=["as it should", "another number", "a reload that fails"],
)
def test_the_harness_itself_can_say_no_to_workers(text: str, workers: int, said: str) -> None:
    if reason := sandbox.obstacle():
        pytest.skip(reason)
    started = ["--http-socket", ":8000", "--wsgi-file", "app.py", "--processes", "2"]
    plan = Plan("harness", "/site", started, {}, workers=workers)
    plan.chdir, plan.files = plan.cwd, {"/site/app.py": text + source({"application": "ours"})}
    plan.listeners, plan.asks = [Listener("http", ":8000")], [Ask("/", "ours")]
    outcome = sandbox.run(plan)
    assert said in outcome.wrong.get("workers", "") and bool(outcome.wrong) == bool(said), outcome
    assert outcome.left == ""
