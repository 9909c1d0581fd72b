"""The pages for those who come from uWSGI and gunicorn: each file in them runs, each output is the real one.

``python -m tests.test_moving`` writes the outputs anew into the pages.
"""

import re
import subprocess
from pathlib import Path

import pytest

from penstock.config.catalogue import entry
from penstock.config.language.collect import collect
from tests.compat.corpus import sandbox, words
from tests.compat.corpus.plan import Maker, Plan
from tests.compat.corpus.programs import every_minute
from tests.compat.corpus.reading import Reader, World

DOCS = Path(__file__).parents[1] / "docs"
UWSGI, GUNICORN = DOCS / "moving-from-uwsgi.md", DOCS / "moving-from-gunicorn.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILES = {UWSGI: ("ini", "shop.ini"), GUNICORN: ("python", "gunicorn.conf.py")}
SITE = "/srv/shop"

pytestmark = pytest.mark.timeout(120)


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(page.read_text()) if kind == language]


def first(page: Path) -> str:
    """The file that a page starts from."""
    return blocks(page, FILES[page][0])[0]


def furnished() -> Plan:
    """The machine that the pages speak of."""
    text = first(UWSGI)
    world: World = {f"{SITE}/shop.ini": text, f"{SITE}/gunicorn.conf.py": first(GUNICORN)}
    plan = Plan("moving", SITE, ["--ini", "shop.ini"], {})
    reader = Reader(world, {}, SITE)
    made = Maker(plan, words.read(reader, plan.words)).make()
    made.files |= {path: text or "" for path, text in world.items()}
    return made


def said(command: str) -> str:
    """What a command prints there, to both of its ends."""
    plan = furnished()
    plan.listeners, plan.words = [], ["-c", f'penstock() {{ {" ".join(sandbox.PENSTOCK)} "$@"; }}; {command}']
    outcome = sandbox.run(plan, ("/bin/sh",))
    assert "sandbox" not in outcome.wrong, outcome.log
    return outcome.log


def filled(text: str) -> str:
    """A page with every output as it is now."""

    def one(found: "re.Match[str]") -> str:
        if found[1] != "console":
            return found[0]
        command = found[2].partition("\n")[0]
        return f"```console\n{command}\n{said(command.removeprefix('$ ')).strip()}\n```"

    return BLOCK.sub(one, text)


@pytest.fixture(scope="module")
def place() -> None:
    if reason := sandbox.obstacle():
        pytest.skip(reason)


@pytest.mark.parametrize("page", [UWSGI, GUNICORN], ids=lambda page: page.stem)
def test_every_output_is_what_the_command_says(page: Path, place: None) -> None:
    assert filled(page.read_text()) == page.read_text(), "python -m tests.test_moving writes them anew"


def test_the_uwsgi_file_serves_as_it_is(place: None) -> None:
    outcome = sandbox.run(furnished())
    assert outcome.started, f"{outcome.why}\n{outcome.log}"


def test_what_runs_beside_it_runs(place: None) -> None:
    (text,) = (text for text in blocks(UWSGI, "ini") if "\nattach-daemon = " in text)
    world: World = {f"{SITE}/shop.ini": first(UWSGI), f"{SITE}/beside.ini": text}
    plan = Plan("beside", SITE, ["--ini", "beside.ini"], {})
    made = Maker(plan, words.read(Reader(world, {}, SITE), plan.words)).make()
    # Its command of the night runs at once.
    made.files |= {path: every_minute(text or "") for path, text in world.items()}
    assert sorted(one.kind for one in made.programs) == ["cron", "daemons", "hooks"] and made.mules == 1
    outcome = sandbox.run(made)
    assert outcome.started, f"{outcome.why}\n{outcome.log}"


def test_what_a_site_keeps_beside_it_serves(place: None) -> None:
    (text,) = (text for text in blocks(UWSGI, "ini") if "\nroute = " in text)
    world: World = {f"{SITE}/shop.ini": first(UWSGI), f"{SITE}/site.ini": text}
    plan = Plan("site", SITE, ["--ini", "site.ini"], {})
    made = Maker(plan, words.read(Reader(world, {}, SITE), plan.words)).make()
    made.files |= {path: text or "" for path, text in world.items()}
    made.files[f"{SITE}/404.html"] = "<p>It is not here.</p>"
    outcome = sandbox.run(made)
    assert outcome.started, f"{outcome.why}\n{outcome.log}"
    warned = [line for line in outcome.log.splitlines() if " warning: " in line]
    assert [line.split(" = ")[0].rpartition(": ")[2] for line in warned] == ["vaccum"]


def test_what_gunicorn_s_file_becomes_serves(place: None, tmp_path: Path) -> None:
    (tmp_path / "gunicorn.conf.py").write_text(first(GUNICORN))
    migrated = subprocess.run(
        [*sandbox.PENSTOCK, "migrate", "gunicorn.conf.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    plan = Plan("moved", SITE, ["--ini", "penstock.ini", "--module", "shop.wsgi:application"], {})
    reader = Reader({f"{SITE}/penstock.ini": migrated.stdout}, {}, SITE)
    pairs = [
        ("http-socket" if key == "bind" else key, value) for key, value in words.read(reader, plan.words)
    ]
    made = Maker(plan, pairs).make()
    made.files[f"{SITE}/penstock.ini"] = migrated.stdout
    assert made.given == []
    outcome = sandbox.run(made)
    assert outcome.started, f"{outcome.why}\n{outcome.log}"


def test_what_is_said_not_to_be_there_is_not_there() -> None:
    rows = re.findall(
        r"^\| (`.*?) \|", UWSGI.read_text().partition("## What is not there yet")[2], re.MULTILINE
    )
    names = [name for row in rows for name in re.findall(r"`([\w-]+)`", row)]
    assert len(names) > 15
    found = {name: entry(name) for name in names}
    assert [name for name, one in found.items() if one is None or one.state != "unsupported"] == []


@pytest.mark.parametrize("page", [UWSGI, GUNICORN], ids=lambda page: page.stem)
def test_every_command_line_that_is_shown_is_understood(page: Path) -> None:
    shown = [line for text in blocks(page, "sh") for line in text.splitlines()]
    for line in shown:
        found = re.match(r"penstock (-\S.*?|\w+\.\w+:.*?)(\s#.*)?$", line)
        if found and ".ini" not in found[1]:
            assert collect(found[1].split(), {}).findings == [], line


if __name__ == "__main__":
    for page in (UWSGI, GUNICORN):
        page.write_text(filled(page.read_text()))
