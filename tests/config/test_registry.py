"""The registry: what is derived from the declarations, and how names are found."""

from collections import Counter

import pytest

from penstock.config.option import FLAG, INT, LIST, MODE, SECONDS, SIZE, TEXT, Option, opt
from penstock.config.registry import by_name, by_short, find, options, shown, suggest
from penstock.config.settings import Settings

ASKED_FOR = (
    "http-socket", "http", "uwsgi-socket", "socket", "protocol", "listen", "chmod-socket", "chown-socket",
    "module", "wsgi-file", "wsgi", "callable", "chdir", "pythonpath", "virtualenv", "env", "threads",
    "buffer-size", "limit-post", "post-buffering", "socket-timeout", "http-timeout", "http-keepalive",
    "so-keepalive", "need-app", "disable-logging", "logto", "log-x-forwarded-for", "add-header", "pyargv",
    "procname", "die-on-term", "vacuum", "master", "processes", "harakiri", "bind", "trusted-proxies",
    "uwsgi-allow", "max-connections", "queue", "queue-timeout", "shutdown-timeout",
)  # fmt: skip


def test_no_name_and_no_letter_is_used_twice() -> None:
    names = Counter(name for option in options() for name in option.names)
    letters = Counter(option.short for option in options() if option.short)
    assert [name for name, count in (names + letters).items() if count > 1] == []
    assert set(by_name()) == set(names)
    assert set(by_short()) == set(letters)


def test_the_names_of_uwsgi_that_people_use_are_there() -> None:
    assert [name for name in ASKED_FOR if name not in by_name()] == []


@pytest.mark.parametrize("option", options(), ids=lambda option: option.name)
def test_a_declaration_is_whole(option: Option) -> None:
    assert option.kind in (FLAG, INT, SIZE, SECONDS, TEXT, LIST, MODE)
    assert option.help
    assert option.group
    assert len(option.short) <= 1
    assert (option.kind == FLAG) == (not option.metavar), "a value has a name in the help, a flag has none"
    if option.kind == FLAG:
        assert option.bare == "true"


def test_every_field_but_the_derived_is_an_option() -> None:
    fields = {option.field for option in options() if option.field}
    assert set(Settings.model_fields) - fields == {"listeners", "notices", "short_form"}
    assert [
        option.name for option in options() if option.field.replace("_", "-") not in ("", option.name)
    ] == []


def test_people_read_listening_first_and_what_is_only_taken_last() -> None:
    headings = list(dict.fromkeys(option.group for option in options()))
    assert headings == [
        "Listening", "Application", "Threads", "Limits", "Trust", "Logs", "Taken, not acted on",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("request-line", "16k"), ("header-bytes", "64k"), ("header-count", "100"), ("head-timeout", "15s"),
        ("body-timeout", "30s"), ("keepalive-timeout", "75s"), ("write-timeout", "60s"), ("queue", "1024"),
        ("queue-timeout", "30s"), ("gather", "64k"), ("chunked-limit", "1g"), ("reply-buffer", "1m"),
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
        (SECONDS, 0.5, "0.5s"), (SECONDS, 0.0, ""), (SECONDS, None, ""), (FLAG, True, "on"),
        (FLAG, False, ""), (LIST, (), ""), (LIST, ("a", "b"), "a,b"), (TEXT, "auto", "auto"), (INT, 7, "7"),
        (MODE, None, ""),
    ],
)  # fmt: skip
def test_defaults_are_shown_as_people_write_them(kind: str, value: object, text: str) -> None:
    assert shown(kind, value) == text


@pytest.mark.parametrize("name", [option.name for option in options()])
def test_a_whole_name_is_found_whatever_else_begins_with_it(name: str) -> None:
    found = find(name)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    ("beginning", "name"),
    [
        ("http-sock", "http-socket"), ("proces", "processes"), ("work", "processes"), ("wsgi-f", "wsgi-file"),
        ("wsgi-env-b", "wsgi-env-behaviour"), ("vir", "virtualenv"), ("forwarded-al", "trusted-proxies"),
        ("pp", "pythonpath"), ("chmod-", "chmod-socket"), ("keepalive", "keepalive-timeout"),
    ],
)  # fmt: skip
def test_a_beginning_that_only_one_has_is_enough(beginning: str, name: str) -> None:
    found = find(beginning)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("name", ["", "h", "qux", "http-", "pro", "header-", "va", "nothing-like-it"])
def test_a_beginning_of_several_of_none_or_too_short_is_not(name: str) -> None:
    assert find(name) is None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("vaccum", "vacuum"), ("thread", "threads"), ("http-scoket", "http-socket"), ("modul", "module"),
        ("proceses", "processes"), ("bnid", "bind"), ("worker", "workers"), ("time-out", ""), ("xyzzy", ""),
    ],
)  # fmt: skip
def test_what_was_meant(typed: str, meant: str) -> None:
    expected = f"; did you mean --{meant}?" if meant else ""
    found = suggest(typed)
    assert found == expected or (not meant and found.startswith("; did you mean --"))


def test_a_field_that_holds_an_option() -> None:
    option = Option("name", LIST, "Group", "What it does.", aliases=("other",))
    field = opt(["a"], option)
    assert field.default == ("a",)
    assert field.description == "What it does."
    assert field.json_schema_extra == {"option": option}
    assert option.names == ("name", "other")
