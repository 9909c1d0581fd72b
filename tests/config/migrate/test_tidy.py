"""uWSGI's files written anew: what is dropped, what is kept, and that it comes to the same."""

import os
from pathlib import Path

import pytest

from penstock.config.assemble import meant
from penstock.config.judge import judge, words_for
from penstock.config.migrate.uwsgi import tidy_file, tidy_words
from penstock.config.migrate.written import Written
from penstock.config.reading import read
from penstock.config.registry import lookup

SAMPLE = """\
# the shop
[uwsgi]
http-socket = :8000
wsgi=shop.wsgi


; how much
threads = 2
threads = 4 ; four
vacuum
plugins = python3
thunder-lock = true
vaccum = true
base = /srv/shop
pythonpath = %(base)
processes = 2
workers-of-mine = 3

[pytest]
x=y


addopts =  -q
"""


def tidied(text: str, tmp_path: Path, name: str = "app.ini", form: str = "", out: str = "") -> Written:
    path = tmp_path / name
    path.write_text(text)
    return tidy_file(str(path), form, out)


def effective(path: Path) -> dict[str, object]:
    """What is acted on, with its value; options that cannot be read as they are written."""
    found: dict[str, list[object]] = {}
    for raw in judge(words_for(str(path)), {"HOME": "/home/x"}).collected.options:
        option = lookup(meant(raw))
        if option is None or option.state != "acted-on" or option.name in ("plugins", "need-plugins"):
            continue
        try:
            value: object = read(option, raw.value)[0]
        except ValueError:
            value = raw.value
        found[option.name] = [*found.get(option.name, []), value] if option.keeps_all else [value]
    return dict(found)


def test_the_sample_as_it_is_written(tmp_path: Path) -> None:
    written = tidied(SAMPLE, tmp_path)
    assert written.text == (
        "# the shop\n"
        "[uwsgi]\n"
        "http-socket = :8000\n"
        "module = shop.wsgi\n"
        "\n"
        "; how much\n"
        "# dropped: threads = 2 (line 9 says it again, and counts)\n"
        "# four\n"
        "threads = 4\n"
        "vacuum = true\n"
        "# dropped: plugins = python3 (Python, HTTP and uwsgi are built in)\n"
        "# dropped: thunder-lock = true (accepting needs no lock here)\n"
        "# dropped: vaccum = true (there is no such option; did you mean vacuum?)\n"
        "base = /srv/shop\n"
        "pythonpath = %(base)\n" + kept_note("processes") + "processes = 2\n"
        "workers-of-mine = 3\n"
        "\n"
        "[pytest]\nx=y\n\n\naddopts =  -q\n"
    )
    assert [finding.option for finding in written.findings if finding.kind == "unknown-option"] == ["vaccum"]


def kept_note(name: str) -> str:
    """The note that stands above an option that a later version is to act on; nothing once it is acted on."""
    option = lookup(name)
    assert option is not None
    return f"# not acted on: {option.reason}\n" if option.state == "unsupported" else ""


def test_twice_is_once(tmp_path: Path) -> None:
    once = tidied(SAMPLE, tmp_path).text
    assert tidied(once, tmp_path).text == once


@pytest.mark.parametrize("form", ["ini", "yaml", "xml"])
def test_it_comes_to_the_same(form: str, tmp_path: Path) -> None:
    path = tmp_path / "app.ini"
    written = tidied(SAMPLE, tmp_path, form=form)
    (tmp_path / f"new.{form}").write_text(written.text)
    assert effective(tmp_path / f"new.{form}") == effective(path) != {}


YAML = """\
uwsgi:
  # which app
  module: app # here
  socket: :8000
  yaml: :more
  plugin: python
more:
  threads: 3
"""
XML = """\
<x>
<!-- two
 lines -->
<uwsgi><socket>:8000</socket><vacuum/><wsgi-file>a.py</wsgi-file></uwsgi></x>
"""
JSON = '{"uwsgi": {"module": "app", "http-socket": [":1", ":2"], "threads": 3}}\n'
TOML = '[uwsgi]\n# which\nmodule = "app"\nthreads = 3\n'


@pytest.mark.parametrize(
    ("name", "text"), [("a.yaml", YAML), ("a.xml", XML), ("a.json", JSON), ("a.toml", TOML)]
)
@pytest.mark.parametrize("form", ["ini", "yaml", "xml"])
def test_other_formats_come_to_the_same(name: str, text: str, form: str, tmp_path: Path) -> None:
    written = tidied(text, tmp_path, name, form)
    assert not [finding for finding in written.findings if finding.level == "error"]
    (tmp_path / f"new.{form}").write_text(written.text)
    assert effective(tmp_path / f"new.{form}") == effective(tmp_path / name) != {}


def test_comments_of_other_formats_are_kept(tmp_path: Path) -> None:
    assert tidied(YAML, tmp_path, "a.yaml").text == (
        "[uwsgi]\n# which app\n# here\nmodule = app\nsocket = :8000\nini = :more\n"
        "# dropped: plugin = python (Python, HTTP and uwsgi are built in)\n\n[more]\nthreads = 3\n"
    )
    assert tidied(XML, tmp_path, "a.xml").text.startswith("[uwsgi]\n# two\n# lines\nsocket = :8000\n")
    assert "# which\nmodule = app\n" in tidied(TOML, tmp_path, "a.toml").text


@pytest.mark.parametrize(
    "text",
    [
        "thunder-lock = 1\nlogto = /tmp/%(thunder-lock)\n",
        "thunder-lock = 1\nif-opt = thunder-lock\nthreads = 2\nendif =\n",
    ],
)
def test_what_something_refers_to_stays(text: str, tmp_path: Path) -> None:
    assert "\nthunder-lock = 1\n" in tidied(f"[uwsgi]\n{text}", tmp_path).text


@pytest.mark.parametrize(
    "text",
    [
        "threads = 2\nif-env = A\nthreads = 4\nendif =\n",
        "threads = 2\nthreads = 3\nlogto = /x%(threads)\n",
        "pythonpath = /a\npythonpath = /b\n",
        "declare-option = thread=threads=$1\nthread = 2\n",
        "set = threads=2\nthreads = 3\n",
    ],
)
def test_lines_that_count_stay(text: str, tmp_path: Path) -> None:
    assert tidied(f"[uwsgi]\n{text}", tmp_path).text == f"[uwsgi]\n{text}"


def test_a_slip_stays_where_another_file_may_use_it(tmp_path: Path) -> None:
    assert "\nvaccum = 1\n" in tidied("[uwsgi]\nvaccum = 1\ninclude = other.ini\n", tmp_path).text


def test_only_the_sections_that_are_read_are_ours(tmp_path: Path) -> None:
    text = "[uwsgi]\nini = :base\n\n[base]\nwsgi = x\n\n[server]\nwsgi =   x\n"
    assert tidied(text, tmp_path).text == text.replace("wsgi = x", "module = x")
    path = f"{tmp_path}/app.ini:server"
    assert tidy_file(path).text == text.replace("wsgi =   x", "module = x")


def test_letters_of_the_path_are_said_when_the_path_changes(tmp_path: Path) -> None:
    text = "[uwsgi]\nsocket = %d%n.sock\nlogto = /x%%p\n# %e\n"
    other = str(tmp_path / "deep" / "other.ini")
    assert [f.message for f in tidied(text, tmp_path, out=other).findings] == [
        "%d, %n stand for parts of the file's own path, and the path changes"
    ]
    assert tidied(text, tmp_path, out=str(tmp_path / "app.ini")).findings == ()


@pytest.mark.parametrize(
    ("name", "text", "form", "said"),
    [
        ("a.xml", "<uwsgi", "", "no XML"),
        (
            "a.json",
            '{"uwsgi": {"env": "A=1\\n2"}}',
            "ini",
            "ini has no way to write a value of several lines",
        ),
        ("a.ini", "[uwsgi]\nif me = 2\n", "xml", "xml has no such element"),
        ("a.ini", "[uwsgi]\npythonpath =\n", "xml", "an empty element says 1"),
    ],
)
def test_what_cannot_be_written_is_an_error(
    name: str, text: str, form: str, said: str, tmp_path: Path
) -> None:
    written = tidied(text, tmp_path, name, form)
    assert written.text == ""
    assert written.findings[0].level == "error" and said in written.findings[0].message


def test_a_file_that_is_not_there() -> None:
    assert tidy_file("no/such.ini").findings[0].kind == "missing-path"


def test_blanks_around_a_value_are_lost_in_ini_alone(tmp_path: Path) -> None:
    text = '{"uwsgi": {"procname": "a "}}'
    assert "blanks" in tidied(text, tmp_path, "a.json").findings[0].message
    assert tidied(text, tmp_path, "a.json", "yaml").text == 'uwsgi:\n  procname: "a "\n'


def test_a_command_line() -> None:
    written = tidy_words(["--http-socket", ":8000", "-w", "app", "--thunder-lock", "more.ini"])
    assert written.text == (
        "[uwsgi]\nhttp-socket = :8000\nmodule = app\n"
        "# dropped: thunder-lock (accepting needs no lock here)\nini = more.ini\n"
    )
    assert tidy_words(["--thredas", "2"]).findings[0].level == "error"


CORPUS = os.environ.get("PENSTOCK_CORPUS", "")
TEMPLATES = ("{{", "{%", "<%", "@uwsgi_")


def test_real_files_come_to_the_same(tmp_path: Path) -> None:
    if not CORPUS:
        pytest.skip("PENSTOCK_CORPUS names no folder of configuration files")
    files = [
        path for path in sorted(Path(CORPUS).iterdir()) if path.suffix in (".ini", ".xml", ".yaml", ".json")
    ]
    assert files
    different = []
    for path in files:
        copy = tmp_path / path.name
        copy.write_bytes(path.read_bytes())
        before = effective(copy)
        written = tidy_file(str(copy))
        new = copy.with_suffix(".ini")
        new.write_text(written.text, errors="surrogateescape")
        template = any(mark in path.read_text(errors="replace") for mark in TEMPLATES)
        lost = any(finding.message.startswith("ini drops the blanks") for finding in written.findings)
        if effective(new) != before and not (template or lost):
            different.append(path.name)
        new.unlink()
    assert different == []


def test_a_value_that_asks_for_nothing_stays_without_a_note(tmp_path: Path) -> None:
    written = tidied("[uwsgi]\nmodule = app\nhttp-websockets = false\nhttp-keepalive = true\n", tmp_path)
    assert written.text == "[uwsgi]\nmodule = app\nhttp-websockets = false\nhttp-keepalive = true\n"
    assert written.findings == ()
    written = tidied("[uwsgi]\nhttp-websockets = $(N)\n", tmp_path)
    assert written.text.startswith("[uwsgi]\n# not acted on: ")


def test_what_the_old_app_element_leaves_behind_is_dropped(tmp_path: Path) -> None:
    text = '<uwsgi><app mountpoint="/shop"><module>shop</module></app></uwsgi>'
    assert tidied(text, tmp_path, "a.xml").text == "[uwsgi]\nmount = /shop=shop\n"
    assert "<app" not in tidied(text, tmp_path, "a.xml", "xml").text
