"""The names that the language goes by, beside the catalogue."""

import pytest

from penstock.config import catalogue
from penstock.config.language import names

ENTRIES = [(name, entry) for entry in catalogue.entries() for name in entry.names]
OWN = {"toml"}


def test_the_words_are_those_of_the_catalogue() -> None:
    assert {name for name, entry in ENTRIES if entry.language} == set(names.WORDS) - OWN


def test_immediate_is_what_uwsgi_says() -> None:
    said = {name for name, entry in ENTRIES if entry.immediate}
    assert {name for name, _ in ENTRIES if names.immediate(name)} == said
    assert set(names.IMMEDIATE) <= said
    assert names.immediate("toml")


def test_arguments_are_what_getopt_has() -> None:
    wrong = [
        name
        for name, entry in ENTRIES
        if (names.argument(name) == names.REQUIRED) != (entry.arg == names.REQUIRED)
        or (entry.short and (names.argument(name) == names.NONE) != (entry.arg == names.NONE))
    ]
    assert wrong == []


def test_every_name_is_known_and_others_are_not() -> None:
    assert all(names.known(name) for name, _ in ENTRIES)
    assert names.known("bind") and names.known("toml")
    assert not any(names.known(key) for key in ("", "vaccum", "end", "Threads", "<application>"))


@pytest.mark.parametrize(
    ("letter", "name"),
    [("x", "xmlconfig"), ("H", "home"), ("p", "processes"), ("A", "sharedarea"), ("Z", ""), ("=", "")],
)
def test_letters(letter: str, name: str) -> None:
    assert names.of_letter(letter) == name


def test_every_letter_of_uwsgi_is_there() -> None:
    assert all(names.known(names.of_letter(entry.short)) for _, entry in ENTRIES if entry.short)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("proces", ["processes"]),
        ("yam", ["yaml"]),
        ("body-t", ["body-timeout"]),
        ("nothing-begins-so", []),
    ],
)
def test_beginnings(start: str, expected: list[str]) -> None:
    assert names.beginning(start) == expected


def test_a_beginning_of_many_has_one_name_for_each() -> None:
    assert {"workers", "worker-exec"} <= set(names.beginning("worker"))
    assert "processes" not in names.beginning("worker"), "the name that begins so"


def test_slips_are_looked_into_only_so_often() -> None:
    slips = names.Slips()
    assert slips.near("vaccum") == "; did you mean vacuum?"
    assert slips.near("x" * 1000) == ""
    for at in range(names.SLIPS):
        slips.near(f"zzz{at}")
    assert slips.near("harakari") == ""
    assert slips.near("vaccum"), "what was found stays"


def test_a_rule_of_a_kind_that_there_is_not() -> None:
    slips = names.Slips()
    kinds = [f"route-{kind}" for kind in ("host", "uri", "if", "if-not", "run", "label", "remote-addr")]
    for key in ("route-method", "route-status", "route-"):
        said = slips.near(key)
        assert said.startswith("; the rules there are: route-") and all(kind in said for kind in kinds)
    assert "response-route-status" in slips.near("response-route-cookie")
    assert slips.near("route-hosts") == "; did you mean route-host?"
    assert slips.near("response-route-statu") == "; did you mean response-route-status?"
