"""The registry: what is derived from the declarations, and how names are found."""

from collections import Counter

import pytest

from penstock.config import catalogue
from penstock.config.option import (
    ACTED_ON,
    FLAG,
    HARMLESS,
    INT,
    KEYVAL,
    LIST,
    MEGABYTES,
    MILLISECONDS,
    MODE,
    SECONDS,
    SIGNED,
    SIZE,
    TEXT,
    UNSUPPORTED,
    Option,
    opt,
    settings_of,
)
from penstock.config.registry import (
    by_name,
    by_short,
    declared,
    every_name,
    find,
    lookup,
    options,
    shown,
    suggest,
)
from penstock.config.settings import Settings
from tests.cases import each

ASKED_FOR = (
    "http-socket", "http", "uwsgi-socket", "socket", "protocol", "listen", "chmod-socket", "chown-socket",
    "module", "wsgi-file", "wsgi", "callable", "chdir", "pythonpath", "virtualenv", "env", "threads",
    "buffer-size", "limit-post", "post-buffering", "socket-timeout", "http-timeout", "http-keepalive",
    "so-keepalive", "need-app", "disable-logging", "logto", "log-x-forwarded-for", "add-header", "pyargv",
    "procname", "die-on-term", "vacuum", "master", "processes", "harakiri", "bind", "trusted-proxies",
    "uwsgi-allow", "max-connections", "request-queue", "queue-timeout", "shutdown-timeout", "event-loop",
)  # fmt: skip

SPELLED_OUT = ("log-sendfile", "log-ioerror")
"""Flags that uWSGI does not take without a value on the command line."""


def name_of(option: Option) -> str:
    return option.name


def test_no_name_and_no_letter_is_used_twice() -> None:
    names = Counter(name for option in options() for name in option.names)
    letters = Counter(option.short for option in options() if option.short)
    assert [name for name, count in (names + letters).items() if count > 1] == []
    assert set(every_name()) == set(names)
    assert set(by_short()) == {option.short for option in declared() if option.short}


def test_every_name_of_uwsgi_and_of_penstock_is_one_option() -> None:
    theirs = catalogue.by_name()
    assert len(theirs) == 1335
    own = {name for option in declared() if option.own for name in option.names}
    assert own & set(theirs) == set()
    assert set(every_name()) == set(theirs) | own
    assert options()[: len(declared())] == declared()


@pytest.mark.parametrize("name", [*ASKED_FOR, "alarm", "queue", "loop", "zerg", "http11-socket", "workers"])
def test_a_name_is_found_alone_as_among_all(name: str) -> None:
    assert lookup(name) == every_name()[name]


@pytest.mark.parametrize(
    "name", ["", "text", "list", "required", "supervisor", "xyzzy", "0", "name", "short"]
)
def test_a_word_of_the_catalogue_that_is_no_name(name: str) -> None:
    assert lookup(name) is None
    assert catalogue.entry(name) is None


def test_the_names_of_uwsgi_that_people_use_are_there() -> None:
    assert [name for name in ASKED_FOR if name not in every_name()] == []


@each(declared(), name_of)
def test_a_declaration_is_whole(option: Option) -> None:
    assert option.kind in (FLAG, INT, SIGNED, SIZE, MEGABYTES, SECONDS, MILLISECONDS, TEXT, LIST, MODE)
    assert option.help
    assert option.group
    assert len(option.short) <= 1
    spelled = option.kind != FLAG or option.name in SPELLED_OUT
    assert spelled == bool(option.metavar), "a value has a name in the help, a flag has none"
    assert (option.state, option.reason, option.unasked) == (ACTED_ON, "", ())
    if option.kind == FLAG:
        assert option.bare == (None if spelled else "true")


@each(options(), name_of)
def test_an_option_of_the_catalogue_says_what_is_done_with_it(option: Option) -> None:
    if option.field:
        assert by_name()[option.name] is option
        return
    assert option.state in (ACTED_ON, HARMLESS, UNSUPPORTED)
    assert (option.state == ACTED_ON) == (not option.reason)
    assert option.kind == FLAG or option.metavar
    assert not option.own


def test_every_field_but_the_derived_is_an_option() -> None:
    names = {option.field for option in declared()}
    assert set(settings_of(Settings)) - names == {
        "listeners",
        "notices",
        "unacted",
        "short_form",
        "spooler",
        "alarm_rules",
        "mules_before",
        "rules",
    }
    other = {
        option.name: option.field for option in declared() if option.field.replace("_", "-") != option.name
    }
    assert other == {"request-queue": "queue", "event-loop": "loop"}, "uWSGI has others by these names"


def test_people_read_the_sockets_first() -> None:
    headings = list(dict.fromkeys(option.group for option in declared()))
    assert headings[:3] == ["Sockets", "HTTP", "Processes"]
    assert set(headings) - {entry.group for entry in catalogue.entries()} == {"Trust"}


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("request-line", "16k"), ("header-bytes", "64k"), ("header-count", "100"), ("head-timeout", "15s"),
        ("body-timeout", "30s"), ("keepalive-timeout", "75s"), ("write-timeout", "60s"),
        ("request-queue", "1024"), ("queue-timeout", "30s"), ("gather", "64k"), ("chunked-limit", "1g"),
        ("reply-buffer", "1m"),
        ("reply-spool", "64m"), ("shutdown-timeout", "25s"), ("min-rate", "256"), ("max-connections", ""),
        ("trusted-proxies", "127.0.0.0/8,::1,unix:"), ("need-app", "on"), ("early-hints", ""),
    ],
)  # fmt: skip
def test_the_defaults_that_are_promised(name: str, default: str) -> None:
    assert by_name()[name].default == default


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (SIZE, 1 << 30, "1g"), (SIZE, 3 << 20, "3m"), (SIZE, 1024, "1k"), (SIZE, 1025, "1025"), (SIZE, 0, ""),
        (SECONDS, 0.5, "0.5s"), (SECONDS, 0.0, ""), (SECONDS, None, ""), (MILLISECONDS, 1.5, "1.5s"),
        (FLAG, True, "on"),
        (FLAG, False, ""), (LIST, (), ""), (LIST, ("a", "b"), "a,b"), (TEXT, "auto", "auto"), (INT, 7, "7"),
        (MODE, None, ""), (MODE, 0o22, "022"),
    ],
)  # fmt: skip
def test_defaults_are_shown_as_people_write_them(kind: str, value: object, text: str) -> None:
    assert shown(kind, value) == text


@each([option.name for option in options()])
def test_a_whole_name_is_found_whatever_else_begins_with_it(name: str) -> None:
    found = find(name)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    ("beginning", "name"),
    [
        ("proces", "processes"), ("workers", "processes"), ("wsgi-f", "wsgi-file"), ("pp", "pythonpath"),
        ("wsgi-env-b", "wsgi-env-behaviour"), ("virtualen", "virtualenv"), ("chmod-", "chmod-socket"),
        ("forwarded-al", "trusted-proxies"), ("keepalive", "keepalive-timeout"), ("threads", "threads"),
        ("harakiri-v", "harakiri-verbose"), ("request-q", "request-queue"),
    ],
)  # fmt: skip
def test_a_beginning_that_only_one_has_is_enough(beginning: str, name: str) -> None:
    found = find(beginning)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    "name", ["", "h", "qux", "http-", "http-sock", "pro", "header-", "va", "nothing-like-it"]
)
def test_a_beginning_of_several_of_none_or_too_short_is_not(name: str) -> None:
    assert find(name) is None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("vaccum", "vacuum"), ("thread", "threads"), ("http-scoket", "http-socket"), ("modul", "module"),
        ("proceses", "processes"), ("process", "processes"), ("bnid", "bind"), ("worker", "workers"),
        ("guid", "gid or --uid"), ("chmod-sock", "chmod-socket"), ("harakari", "harakiri"),
        ("wsgi_file", "wsgi-file"), ("Threads", "threads"), ("pid-file", "pidfile"),
        ("static_map", "static-map"),
        ("log-buffering", ""), ("time-out", ""), ("xyzzy", ""), ("ap", ""),
        ("base", ""), ("host", ""), ("", ""),
    ],
)  # fmt: skip
def test_what_was_meant(typed: str, meant: str) -> None:
    assert suggest(typed) == (f"; did you mean --{meant}?" if meant else "")


def test_what_was_meant_in_a_file() -> None:
    assert suggest("vaccum", "") == "; did you mean vacuum?"


def test_a_field_that_holds_an_option() -> None:
    option = Option("name", LIST, "Group", "What it does.", aliases=("other",))
    field = opt(("a",), option)
    assert field.default == ("a",)
    assert field.option == option
    assert option.names == ("name", "other")


@pytest.mark.parametrize("kind", [FLAG, INT, SIZE, TEXT, MODE])
def test_lists_and_pairs_keep_all(kind: str) -> None:
    assert not Option("name", kind, "Group", "What it does.").keeps_all
    for kept in (LIST, KEYVAL):
        assert Option("name", kept, "Group", "What it does.").keeps_all
