"""The corpus as cases: which files and command lines there are, and the plan of each.

The folder is ``PENSTOCK_CORPUS``, or ``shared/corpus`` beside the checkout. What a file needs that does not
stand in it is in ``corpus.toml``.
"""

import functools
import json
import os
import posixpath
import re
import tomllib
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.compat.corpus import words
from tests.compat.corpus.plan import GIVEN, Ask, Listener, Maker, Plan, included
from tests.compat.corpus.reading import FORMATS, Reader, World, variables

HERE = Path(__file__).parent
SITE = "/site"
LINES = "command-lines.txt"
OPTION = {"ini": "--ini", "yaml": "--yaml", "xml": "--xml", "json": "--json"}
MISSING = "no corpus: PENSTOCK_CORPUS names the folder of real configurations"


@dataclass(frozen=True)
class Case:
    """One configuration: ``name`` in the corpus, its format, and its path in its repository."""

    name: str
    form: str
    repo: str
    path: str


@functools.cache
def folder() -> Path | None:
    """Where the corpus is."""
    named = os.environ.get("PENSTOCK_CORPUS")
    place = Path(named) if named else HERE.parents[3] / "shared" / "corpus"
    return place if place.is_dir() else None


@functools.cache
def data() -> dict[str, Any]:
    """``corpus.toml``."""
    return tomllib.loads((HERE / "corpus.toml").read_text())


@functools.cache
def files() -> tuple[Case, ...]:
    """Every file that is no template of another tool, and that uWSGI itself can serve with."""
    place = folder()
    if place is None:
        return ()
    found = []
    for line in (place / "index.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["file"] not in {**data()["templates"], **data()["broken"]}:
            form = row["file"].rpartition(".")[2]
            found.append(Case(row["file"], form, row["repo"], site_path(row["path"], form)))
    return tuple(found)


@functools.cache
def lines() -> tuple[Case, ...]:
    """Every command line that starts a server, by its number."""
    place = folder()
    texts = (place / LINES).read_text().splitlines() if place else []
    named = [(f"line-{number:03}", text) for number, text in enumerate(texts, 1)]
    return tuple(Case(name, "line", text, "") for name, text in named if name not in data()["no-start"])


def site_path(path: str, form: str) -> str:
    """A repository's path; what is no path of a file is one of our own."""
    name = path.lstrip("/") if " " not in path and ":" not in path else ""
    return name if "." in posixpath.basename(name) and form != "env" else f"uwsgi.{form}"


def text_of(case: Case) -> str:
    place = folder()
    assert place is not None, MISSING
    return (place / case.name).read_text(encoding="utf-8", errors="replace")


def given(case: Case) -> dict[str, Any]:
    """What ``corpus.toml`` says of one case."""
    found: dict[str, Any] = data()["files"].get(case.name, {})
    return found


def platform(text: str) -> dict[str, str]:
    """The port that a platform gives, to those who ask for it."""
    return {"PORT": "8000"} if re.search(r"\$[({]?PORT\b", text) else {}


def plan_of(case: Case) -> Plan:
    """The plan of a file or of a command line."""
    return of_line(case) if case.form == "line" else of_file(case)


def of_file(case: Case) -> Plan:
    """``penstock --ini FILE``, ``penstock FILE.yaml``; variables alone for an env file."""
    more = given(case)
    environ = {**platform(text_of(case)), **more.get("environ", {})}
    siblings = {one.path: text_of(one) for one in files() if one.repo == case.repo and one.form != "env"}
    world: World = {posixpath.join(SITE, path): text for path, text in siblings.items()}
    started = list(more.get("words", []))
    if case.form == "env":
        environ |= variables(text_of(case))
    else:
        address = case.path + (":" + more["section"] if "section" in more else "")
        known = FORMATS.get(case.path.rpartition(".")[2]) == case.form
        started += [address] if known and case.form != "ini" else [OPTION[case.form], address]
    return planned(Plan(case.name, SITE, started, environ), world, siblings, more)


def of_line(case: Case) -> Plan:
    """A command line with its program's name changed; files that it names are empty ones."""
    more = given(case)
    environ = {**platform(case.repo), "HOME": "/home/user", **data()["variables"], **more.get("environ", {})}
    started = words.words_of(case.repo, environ)
    return planned(Plan(case.name, SITE, started, environ), {}, {}, more)


def planned(plan: Plan, world: World, siblings: dict[str, str], more: dict[str, Any]) -> Plan:
    """The plan with all that has to be in place; read twice, since a file may name one that is missing."""
    body = f"the application of {plan.name}"
    world |= dict.fromkeys(more.get("folders", []), None)
    world |= {path: text.replace("@BODY@", body) for path, text in more.get("files", {}).items()}
    for _ in range(2):
        reader = Reader(dict(world), plan.environ, plan.cwd)
        pairs = words.read(reader, plan.words)
        world |= included(reader.missing, siblings, GIVEN if plan.name.startswith("line") else [])
    plan.files = {path: text for path, text in world.items() if text is not None}
    plan.folders = [path for path, text in world.items() if text is None]
    plan.environ = {**plan.environ}
    made = Maker(plan, pairs).make()
    made.environments += more.get("environments", [])
    if "listeners" in more:
        made.listeners = [Listener(*pair) for pair in more["listeners"]]
    if "login" in more:
        secret = f"Basic {b64encode(more['login'].encode()).decode()}"
        made.asks = [Ask(one.path, one.body, secret) for one in made.asks]
    return made
