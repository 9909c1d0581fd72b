"""Which format a file has, and every format by one door: same meaning, bounds, and clean modules."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings

from penstock.config.sources.formats import format_of, parse
from penstock.config.sources.lines import Line, SyntaxFault
from tests.config.sources.corpus import Case, cases, hold
from tests.config.sources.texts import BROKEN

KINDS = ("ini", "yaml", "xml", "json", "toml")
SAME = {
    "ini": "[uwsgi]\nmaster = true\nsocket = :1\nsocket = :2\n",
    "yaml": "uwsgi:\n  master: true\n  socket: [':1',\n    ':2']\n",
    "xml": "<uwsgi>\n<master>true</master>\n<socket>:1</socket>\n<socket>:2</socket></uwsgi>",
    "json": '{"uwsgi": {\n"master": "true",\n"socket": [":1",\n":2"]}}',
    "toml": "[uwsgi]\nmaster = true\nsocket = [':1',\n':2']\n",
}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.ini", "ini"),
        ("/etc/x.y/a.xml", "xml"),
        ("a.yaml", "yaml"),
        ("a.yml", "yaml"),
        ("a.json", "json"),
        ("a.js", "json"),
        ("a.toml", "toml"),
        ("http://host/a.INI", "ini"),
        ("a.ini.bak", ""),
        ("ini", ""),
        ("-", ""),
        ("", ""),
    ],
)
def test_the_ending_tells_the_format(name: str, kind: str) -> None:
    assert format_of(name) == kind


@pytest.mark.parametrize("kind", KINDS)
def test_all_formats_say_the_same(kind: str) -> None:
    parsed = parse(kind, SAME[kind], "")
    assert parsed.lines == (Line("master", "true", 2), Line("socket", ":1", 3), Line("socket", ":2", 4))
    assert parsed.warnings == ()


def test_a_format_that_is_none() -> None:
    with pytest.raises(KeyError):
        parse("conf", "", "")


@pytest.mark.parametrize("case", cases("toml"))
def test_toml_by_the_name_of_its_file(case: Case) -> None:
    hold(case, lambda: parse("toml", case.text, case.section, case.file))


@pytest.mark.parametrize("case", cases("xml"))
def test_xml_with_its_mode(case: Case) -> None:
    hold(case, lambda: parse("xml", case.text, case.section, "a.xml", case.mode))


def test_warnings_and_faults_come_back_from_the_child() -> None:
    assert parse("yaml", "uwsgi:\n  a: b: c\n", "").warnings[0][0] == 2
    with pytest.raises(SyntaxFault) as caught:
        parse("json", "{\n", "")
    assert (caught.value.line, caught.value.message) == (2, "a name in double quotes is expected")


HOSTILE: dict[str, tuple[str, Callable[[], str], str]] = {
    "yaml: deep": ("yaml", lambda: "uwsgi: {a: " + "[" * 100_000, "deeper than 32"),
    "yaml: deep blocks": ("yaml", lambda: "uwsgi:\n  a:\n   " + "- " * 100_000, "deeper than 32"),
    "yaml: deep where no list may be": ("yaml", lambda: "uwsgi: " + "[" * 100_000, ""),
    "yaml: deep keys": ("yaml", lambda: "? " * 100_000, "deeper than 32"),
    "yaml: deep braces": ("yaml", lambda: "{a: " * 100_000, "deeper than 32"),
    "yaml: long": (
        "yaml",
        lambda: "uwsgi:\n" + "".join(f" a{n}: {n}\n" for n in range(90_000)),
        "1 s of processor time",
    ),
    "yaml: aliases": (
        "yaml",
        lambda: "a: &a " + "x" * 100_000 + "\nuwsgi:\n b: [" + "*a," * 10_000 + "]\n",
        "16 MB of them",
    ),
    "yaml: laughs": (
        "yaml",
        lambda: (
            "a: &a [x]\n"
            + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True))
        ),
        "*a stands for",
    ),
    "xml: deep": ("xml", lambda: "<uwsgi>" + "<a>" * 1_000_000, "deeper than 32"),
    "xml: laughs": (
        "xml",
        lambda: (
            '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
            + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefg", "bcdefgh", strict=True))
            + "]><uwsgi><a>&h;</a></uwsgi>"
        ),
        "EntitiesForbidden",
    ),
    "xml: quadratic": (
        "xml",
        lambda: (
            '<!DOCTYPE x [<!ENTITY a "' + "a" * 100_000 + '">]><uwsgi><a>' + "&a;" * 10_000 + "</a></uwsgi>"
        ),
        "EntitiesForbidden",
    ),
    "xml: attributes, which take expat as long as it gets": (
        "xml",
        lambda: "<uwsgi " + " ".join(f"a{n}=''" for n in range(1_000_000)) + "><a>1</a>",
        "",
    ),
    "json: deep": ("json", lambda: '{"uwsgi": {"a": ' + "[" * 1_000_000, "nested too deeply"),
    "json: many": ("json", lambda: '{"uwsgi": {"a": [' + "1," * 5_000_000, "more than 100000 options"),
    "json: wide": ("json", lambda: '{"a": [' + "[]," * 5_000_000 + "[]]}", ""),
    "json: blank": ("json", lambda: " " * 16_000_000, "expected"),
    "toml: deep": ("toml", lambda: "a = " + "[" * 100_000, ""),
    "toml: dotted": ("toml", lambda: "a." * 400_000 + "b = 1\n", ""),
    "toml: long": (
        "toml",
        lambda: "[uwsgi]\n" + "".join(f"a{n} = {n}\n" for n in range(99_000)),
        "1 s of processor time",
    ),
    "ini: large": ("ini", lambda: "[uwsgi]\n" + "# " + "x" * (100 << 20), "larger than 16 MB"),
    "ini: long": ("ini", lambda: "[uwsgi]\n" + "a\n" * 8_000_000, "more than 100000 lines"),
    "ini: one line": ("ini", lambda: "[uwsgi]\n" + "=" * 16_000_000 + "\n\0", "NUL"),
}


DEAR = ("yaml: long", "toml: long", "json: wide")
"""Some of those that take all the processor time that they may have, as others of their kind do, too."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in DEAR else []) for name in HOSTILE]
)
def test_hostile_files_are_refused_soon_and_in_bounded_memory(name: str) -> None:
    kind, make, words = HOSTILE[name]
    text = make()
    begun, before = sum(os.times()[:4]), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(SyntaxFault) as caught:
        parse(kind, text, "")
    # Either bound may be met first, by how fast the machine is.
    assert words in caught.value.message or "more than 1 s of processor time" in caught.value.message
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 128 << 10, f"{grown} KB here"
    assert sum(os.times()[:4]) - begun < 4, "one second of processor time is the child's"


@settings(max_examples=6, deadline=None)
@given(BROKEN)
def test_any_text_by_the_door(text: str) -> None:
    for kind in KINDS:
        try:
            assert all(isinstance(line, Line) for line in parse(kind, text, "").lines)
        except SyntaxFault as fault:
            assert fault.message


def test_no_parser_is_loaded_where_the_application_runs() -> None:
    program = (
        "import sys; before = set(sys.modules); from penstock.config.sources import fetch, formats\n"
        f"for kind, text in {SAME!r}.items(): assert len(formats.parse(kind, text, '').lines) == 3, kind\n"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        env=os.environ,
    )
    loaded = set(done.stdout.split())
    assert "penstock" in loaded
    assert not loaded & {"yaml", "_yaml", "defusedxml", "xml", "pyexpat", "json", "tomllib", "urllib", "http"}
