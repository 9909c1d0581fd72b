"""The catalogue of uWSGI's options: every name once, as uWSGI reads it, and each with something to say."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import penstock
from penstock.config.option import FLAG, Option
from penstock.config.registry import declared
from tests.cases import each

Entry = dict[str, Any]

FILE = Path(penstock.__file__).parent / "config" / "catalogue.jsonl"
TABLE = Path(__file__).parents[1] / "corpus" / "uwsgi-option-names.txt"
ENTRIES: list[Entry] = [json.loads(line) for line in FILE.read_text().splitlines()]
BY_NAME: dict[str, Entry] = {name: entry for entry in ENTRIES for name in (entry["name"], *entry["aliases"])}
UWSGI = [line.split() for line in TABLE.read_text().splitlines() if not line.startswith("#")]

FIELDS = ["name", "aliases", "short", "kind", "arg", "group", "state", "reason", "later", "help"]
MAY_HAVE = ("immediate", "inverted", "language")
GROUPS = {
    "Alarms", "Application", "Async engines", "Caching", "Configuration", "Cron", "Daemons", "Deadlines",
    "Emperor", "HTTP", "Hooks", "Isolation", "Legion", "Limits", "Logging", "Mules, spooler and signals",
    "Other languages", "Other protocols and file systems", "Privileges", "Processes", "Python", "Reloading",
    "Routers and subscriptions", "Routing", "Scaling", "Sockets", "Static files", "Stats and metrics", "TLS",
    "Threads", "Tools",
}  # fmt: skip
LATER = {
    "", "static-and-routing", "observability", "uwsgi-module", "tls-http2", "protocols",
}  # fmt: skip
KINDS = {
    "flag": {"flag"},
    "int": {"int", "signed", "size", "kilobytes", "megabytes", "seconds", "milliseconds"},
    "list": {"list", "keyval"},
    "string": {"text", "mode"},
}
"""What a kind of uWSGI's may be here."""
NUMBERS = {"asyncio", "coroae", "gevent", "goroutines", "max-vars", "tornado"}
"""Kept as a string by uWSGI's table, and read as a number by its setter."""
NOT_SETTINGS = {"help", "version"}
"""Acted on without a field of the settings: by the command line, as are the words of the language."""
READ_OTHERWISE = {"processes": "text", "threads": "text", "worker-logger": "list"}
"""Settings that take more than uWSGI's kind has: a number, or ``auto``; and one that its table has as a
string, of which each adds a logger."""
NAMES = {"FastCGI", "FreeBSD's", "GeoIP's", "Mongrel2's", "Python", "Python's", "PyPy", "WebSockets"}
SLIPS = re.compile(r"\s\s|[\n\t]| [,;]| \.(?!\w)")


def test_every_name_of_uwsgi_is_there_once() -> None:
    assert len(UWSGI) == 1335
    found = Counter(name for entry in ENTRIES for name in (entry["name"], *entry["aliases"]))
    assert [name for name, count in found.items() if count > 1] == []
    assert set(found) == {row[0] for row in UWSGI}


def test_the_catalogue_is_in_order() -> None:
    order = [(entry["group"], entry["name"]) for entry in ENTRIES]
    assert order == sorted(order)
    assert {entry["group"] for entry in ENTRIES} == GROUPS


def test_no_letter_is_used_twice() -> None:
    letters = Counter(entry["short"] for entry in ENTRIES if entry["short"])
    assert [letter for letter, count in letters.items() if count > 1] == []
    assert (letters["s"], BY_NAME["socket"]["short"], BY_NAME["threads"]["short"]) == (1, "s", "")


def test_each_name_is_read_as_uwsgi_reads_it() -> None:
    wrong = []
    for name, kind, argument, *immediate in UWSGI:
        entry = BY_NAME[name]
        kinds = {"int"} if kind == "string" and entry["name"] in NUMBERS else KINDS[kind]
        same = entry["arg"] == argument and entry.get("immediate", False) == (immediate == ["immediate"])
        wrong += [] if same and entry["kind"] in kinds else [name]
    assert wrong == []


def whole(entry: Entry) -> bool:
    """Whether an entry has its fields, in their order, and nothing else."""
    unasked = entry.get("unasked", ["0"])
    return (
        [field for field in entry if field not in (*MAY_HAVE, "unasked")] == FIELDS
        and all(entry[field] is True for field in MAY_HAVE if field in entry)
        and entry["state"] in ("acted-on", "harmless", "unsupported")
        and entry["later"] in LATER
        and len(entry["short"]) <= 1
        and bool(unasked)
        and all(isinstance(value, str) for value in unasked)
        and ("unasked" not in entry or entry["state"] == "unsupported")
    )


def test_each_entry_is_whole() -> None:
    assert [entry["name"] for entry in ENTRIES if not whole(entry)] == []


def test_each_entry_says_what_it_does() -> None:
    texts = {entry["name"]: entry["help"] for entry in ENTRIES}
    assert [name for name, text in texts.items() if not re.fullmatch(r"[A-Z].{8,98}[^.]\.", text)] == []
    assert [name for name, text in texts.items() if SLIPS.search(text)] == []


def test_what_is_acted_on_needs_no_reason() -> None:
    acted = [entry for entry in ENTRIES if entry["state"] == "acted-on"]
    assert acted
    assert {(entry["reason"], entry["later"]) for entry in acted} == {("", "")}


def test_what_is_not_acted_on_says_why() -> None:
    reasons = {entry["reason"] for entry in ENTRIES if entry["state"] != "acted-on"}
    assert [text for text in reasons if len(text) < 15 or text.endswith(".") or SLIPS.search(text)] == []
    # It follows a colon: only names and abbreviations begin with a capital.
    first = {text.split()[0].rstrip(",;") for text in reasons}
    assert {word for word in first if not word[0].islower() and word != word.upper()} <= NAMES


@each([option for option in declared() if not option.own], lambda option: str(option.name))
def test_what_the_settings_act_on_is_what_the_catalogue_says(option: Option) -> None:
    entry = BY_NAME[option.name]
    assert (entry["name"], entry["state"]) == (option.name, "acted-on")
    assert (entry["short"], entry["group"]) == (option.short, option.group)
    assert entry["aliases"] == list(option.aliases)
    assert READ_OTHERWISE.get(option.name, entry["kind"]) == option.kind
    assert entry.get("language", False) == option.language
    if option.kind != FLAG:
        assert (entry["arg"] == "required") == (option.bare is None)


def test_what_the_catalogue_says_is_acted_on_is_a_setting() -> None:
    acted = {entry["name"] for entry in ENTRIES if entry["state"] == "acted-on" and not entry.get("language")}
    assert acted - {option.name for option in declared()} == NOT_SETTINGS


def test_penstocks_own_names_are_not_uwsgis() -> None:
    own = {name for option in declared() if option.own for name in option.names}
    assert own & set(BY_NAME) == set()


def test_the_language_is_of_the_configuration() -> None:
    language = [entry for entry in ENTRIES if entry.get("language")]
    assert {entry["group"] for entry in language} == {"Configuration"}
    assert {entry["state"] for entry in language} == {"acted-on"}
    names = {entry["name"] for entry in language}
    assert names >= {"ini", "xml", "yaml", "json", "include", "inherit", "set", "strict", "print"}
    blocks = {row[0] for row in UWSGI if re.match(r"(if|for|end)-?[a-z]*\b", row[0])}
    blocks -= {name for name in blocks if name.startswith(("fork", "forc", "ifs"))}
    assert {BY_NAME[name]["name"] for name in blocks} <= names


def test_only_these_turn_off_what_they_name() -> None:
    inverted = {entry["name"] for entry in ENTRIES if entry.get("inverted")}
    assert inverted == {"disable-logging", "disable-async-warn-on-queue-full"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gevent", "threads = N"), ("asyncio", "threads = N"), ("ugreen", "threads = N"),
        ("php-docroot", "penstock runs Python WSGI applications"), ("rack", "Puma"), ("psgi", "Starman"),
        ("queue", "request-queue = N"), ("loop", "event-loop = "), ("loop", "threads = N"),
        ("profiler", "penstock ctl profile"), ("http-stats", "stats = ADDRESS"), ("spooler", "Celery"),
        ("http-fallback", "HAProxy"),
    ],
)  # fmt: skip
def test_a_reason_names_the_way_there(name: str, words: str) -> None:
    assert BY_NAME[name]["state"] == "unsupported"
    assert words in BY_NAME[name]["reason"]
