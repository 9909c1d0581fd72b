"""The options as people read them."""

import re
import subprocess
import sys
from functools import cache
from itertools import takewhile
from pathlib import Path

import pytest

from penstock.config.option import ACTED_ON, Option
from penstock.config.registry import declared, every_name, options
from penstock.config.show import COMMON, TITLES, described, entry, groups, help_text, markdown, spelled
from tests.cases import each
from tests.e2e.surroundings import environment

PAGE = Path(__file__).parents[2] / "docs" / "options.md"
COMMON_HEADINGS = ["Listening", "Application", "Python", "Threads", "Processes", "Trust", "Logging"]
HEADINGS = [
    "Listening", "Application", "Python", "Threads", "Processes", "Privileges", "HTTP", "Limits", "Trust",
    "Logging", "Reloading", "Deadlines", "Scaling", "Configuration", "Tools",
]  # fmt: skip


@cache
def whole_page() -> str:
    return markdown()


@cache
def whole_help() -> str:
    return help_text(100, everything=True)


def words(text: str) -> str:
    """Without line breaks and indents."""
    return " ".join(text.split())


@cache
def whole_help_in_words() -> str:
    return words(whole_help())


def test_the_page_is_what_the_registry_says() -> None:
    assert PAGE.read_text() == markdown(), "make docs"


def test_the_page_as_make_docs_writes_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "penstock.config.show"],
        env=environment(), capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert done.stdout == PAGE.read_text()
    assert done.stderr == ""


def test_the_page_says_that_it_is_generated() -> None:
    head = words(markdown().partition("## ")[0])
    assert "Generated from the option registry by `make docs`; do not edit." in head


@each(declared(), lambda option: str(option.name))
def test_the_page_has_a_row_for_every_option_that_is_acted_on(option: Option) -> None:
    cell = f"| `{spelled(option).replace('|', chr(92) + '|')}`"
    (row,) = [line for line in whole_page().splitlines() if line.startswith(cell)]
    for alias in option.aliases:
        assert f"`--{alias}`" in row
    assert row.endswith(f"| {option.default} |")
    assert ("*own*" in row) == option.own
    assert row.replace("\\|", "").count("|") == 4, "three cells"


def test_the_page_has_every_name_once_under_its_heading() -> None:
    page = markdown()
    sections = {part.partition("\n")[0]: part for part in page.split("\n## ")[1:]}
    assert set(sections) == {TITLES.get(option.group, option.group) for option in options()}
    for name, option in every_name().items():
        section = sections[TITLES.get(option.group, option.group)]
        if option.state == ACTED_ON:
            assert re.search(rf"`(-\w, )?--{re.escape(name)}[` \[]", section), name
        else:
            (row,) = [
                line for line in section.splitlines() if re.search(rf"[ |]`{re.escape(name)}`[, ]", line)
            ]
            assert row.endswith(f"| {option.reason.replace('|', chr(92) + '|')} |")


def test_a_row_of_options_that_are_not_acted_on_has_one_reason_for_all() -> None:
    rows = [
        line for line in markdown().splitlines() if line.startswith("| `") and not line.startswith("| `-")
    ]
    unacted = [option for option in options() if option.state != ACTED_ON]
    assert sum(row.count("`, `") + 1 for row in rows) == sum(len(option.names) for option in unacted)
    assert len(rows) < len(unacted) / 2


def test_groups_come_in_the_order_of_tasks() -> None:
    found = list(groups(options()))
    assert found[:4] == ["Sockets", "Application", "Python", "Threads"]
    assert found[15:] == sorted(found[15:])
    assert len(found) == 32


@each(declared(), lambda option: str(option.name))
def test_the_whole_help_has_every_option_with_its_default(option: Option) -> None:
    text = whole_help()
    assert f"  {spelled(option)}" in text
    for alias in option.aliases:
        assert f"--{alias}" in text
    block = words("\n".join(entry(option, 100)))
    assert block in whole_help_in_words()
    if option.default:
        assert block.endswith(f"[{option.default}]")


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("request-line", "16k"), ("header-bytes", "64k"), ("header-count", "100"), ("head-timeout", "15s"),
        ("body-timeout", "30s"), ("keepalive-timeout", "75s"), ("write-timeout", "60s"),
        ("request-queue", "1024"),
        ("queue-timeout", "30s"), ("gather", "64k"), ("chunked-limit", "1g"), ("min-rate", "256"),
        ("reply-buffer", "1m"), ("reply-spool", "64m"), ("shutdown-timeout", "25s"), ("buffer-size", "64k"),
    ],
)  # fmt: skip
def test_the_help_names_every_limit_and_its_default(name: str, default: str) -> None:
    lines = help_text(everything=True).splitlines()
    (at,) = [index for index, line in enumerate(lines) if re.match(rf"  (-\w, )?--{name} ", line)]
    block = [lines[at], *takewhile(lambda line: line.startswith("   "), lines[at + 1 :])]
    assert words(" ".join(block)).endswith(f"[{default}]")


def test_the_limit_of_connections_says_where_it_comes_from() -> None:
    assert "0 for what the descriptor limit gives" in words(help_text(everything=True))


def test_the_common_help_is_short_and_names_the_rest() -> None:
    text = help_text(80)
    assert len(text.splitlines()) < 60
    assert text.startswith("penstock: a WSGI server for HTTP/1.1 and uwsgi\n")
    assert "penstock [OPTION ...] MODULE:CALLABLE" in text
    assert text.endswith("--help all names every option; --version the version.\n")
    assert {option.name for option in declared()} >= COMMON
    assert help_text(everything=True).endswith("\npenstock options WORD searches these and uWSGI's others.\n")
    for name in COMMON:
        assert f"--{name}" in text


@pytest.mark.parametrize("width", [0, 40, 60, 80, 100, 110, 400])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    most = max(60, min(width, 110))
    usage = help_text(width).split("\n\n")[1].splitlines()
    for everything in (False, True):
        lines = help_text(width, everything).splitlines()
        assert [line for line in lines if len(line) > most and line not in usage] == []


def test_how_an_option_is_spelled() -> None:
    assert spelled(Option("name", "flag", "G", "H")) == "--name"
    assert spelled(Option("name", "int", "G", "H", metavar="N", short="n")) == "-n, --name N"
    assert spelled(Option("name", "size", "G", "H", metavar="B", bare="1")) == "--name[=B]"


def test_how_an_option_is_described() -> None:
    option = Option("name", "int", "G", "Help.", aliases=("other", "third"), default="7")
    assert described(option) == "Help. Also --other, --third. [7]"
    assert described(Option("name", "flag", "G", "Help.")) == "Help."


def test_a_long_head_stands_on_a_line_of_its_own() -> None:
    option = Option("a-name-that-is-rather-long", "int", "G", "Help.", metavar="NUMBER")
    assert entry(option, 80) == ["  --a-name-that-is-rather-long NUMBER", f"{'':28}Help."]
    assert entry(Option("name", "int", "G", "Help.", metavar="N"), 80) == [f"{'  --name N':28}Help."]
