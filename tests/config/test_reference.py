"""The reference that is searched."""

import json

import pytest

from penstock.config.option import Option
from penstock.config.reference import LEGEND, as_json, as_text, rows, search
from penstock.config.registry import options


def names(word: str) -> list[str]:
    return [option.name for option in search(word)]


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("harakiri", "harakiri"),
        ("--harakiri", "harakiri"),
        ("workers", "processes"),
        (" THREADS ", "threads"),
    ],
)
def test_a_whole_name_is_that_option_alone(word: str, name: str) -> None:
    assert names(word) == [name]


def test_a_word_in_names_and_then_in_what_is_said() -> None:
    found = names("pidfile-")
    assert found == []
    found = names("pidf")
    assert {"pidfile", "pidfile2", "safe-pidfile", "safe-pidfile2"} <= set(found)
    assert all("pidf" in " ".join(option.names) for option in search("pidf"))
    assert "buffer-size" not in found
    said = search("celery")
    assert said
    assert all("celery" in f"{option.help} {option.reason}".lower() for option in said)


def test_every_option_without_a_word() -> None:
    assert search() == options()


def test_plain_data() -> None:
    found = json.loads(as_json(search()))
    assert found == rows(options())
    assert len({name for row in found for name in (row["name"], *row["aliases"])}) >= 1335
    assert {row["state"] for row in found} == {"acted-on", "harmless", "unsupported"}
    (row,) = rows(search("socket"))
    assert row == {
        "name": "socket", "aliases": [], "short": "s", "kind": "list", "default": "", "state": "acted-on",
        "reason": "", "group": "Sockets",
        "help": "Serve the protocol named by --protocol (uwsgi) on this address.",
    }  # fmt: skip
    assert as_json(()) == "[]\n"


def test_one_option_in_full() -> None:
    text = as_text(search("tcp-fast-open"))
    assert text.startswith("--tcp-fast-open N\n    ")
    assert "\n    group: Listening\n" in text
    assert "\n    asks for nothing: 0\n" in text
    assert "state: unsupported: " in text
    assert "\n    state: acted on, penstock's own\n" in as_text(search("request-queue"))
    assert "\n    note: " in as_text(search("die-on-term"))
    option = Option("name", "int", "Group", "What it does.")
    assert (
        as_text((option,))
        == "--name\n    What it does.\n    kind: int\n    group: Group\n    state: acted on\n"
    )


def test_several_a_line_each() -> None:
    text = as_text(search("pidf"))
    assert text.endswith(f"\n{LEGEND}\n")
    assert "\nProcesses:\n" in f"\n{text}"
    lines = text.splitlines()
    assert [line for line in lines if line.startswith("  + pidfile2 ")]
    marks = {line[2] for line in as_text(search()).splitlines() if line.startswith("  ")}
    assert marks == {"+", "=", "-"}


@pytest.mark.parametrize("width", [0, 60, 80, 200])
@pytest.mark.parametrize("word", ["", "harakiri", "plugins", "logfile-chown"])
def test_no_line_is_wider_than_the_terminal(width: int, word: str) -> None:
    most = max(60, min(width, 110))
    assert [line for line in as_text(search(word), width).splitlines() if len(line) > most] == []


def test_nothing_found() -> None:
    assert search("xyzzy") == ()
    assert as_text(()) == ""
