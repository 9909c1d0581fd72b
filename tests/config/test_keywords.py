"""Settings from Python keywords."""

from pathlib import Path
from typing import Any

import pytest

from penstock.config.assemble import from_keywords
from penstock.config.settings import Settings
from penstock.core.errors import ConfigError


def keywords(**options: Any) -> Settings:
    return from_keywords(options, application=True)


@pytest.mark.parametrize(
    ("options", "field", "value"),
    [
        ({"threads": 8}, "thread_count", 8),
        ({"threads": "auto"}, "threads", "auto"),
        ({"queue": 5}, "queue", 5),
        ({"request_queue": 6}, "queue", 6),
        ({"loop": "asyncio"}, "loop", "asyncio"),
        ({"event_loop": "uvloop"}, "loop", "uvloop"),
        ({"umask": 0o22}, "umask", 0o22),
        ({"uid": 1000}, "uid", "1000"),
        ({"queue_timeout": 2}, "queue_timeout", 2.0),
        ({"queue_timeout": 0.25}, "queue_timeout", 0.25),
        ({"queue_timeout": "250ms"}, "queue_timeout", 0.25),
        ({"queue_timeout": 1e-05}, "queue_timeout", 1e-05),
        ({"limit_post": 1 << 20}, "limit_post", 1 << 20),
        ({"limit_post": "1m"}, "limit_post", 1 << 20),
        ({"early_hints": True}, "early_hints", True),
        ({"early_hints": False}, "early_hints", False),
        ({"vacuum": False}, "vacuum", False),
        ({"chmod_socket": "640"}, "chmod_socket", 0o640),
        ({"chmod_socket": 0o660}, "chmod_socket", 0o660),
        ({"chmod": 0o7}, "chmod_socket", 0o7),
        ({"trusted_proxies": ["10.0.0.0/8", "::1"]}, "trusted_proxies", ("10.0.0.0/8", "::1")),
        ({"trusted_proxies": "10.0.0.0/8,::1"}, "trusted_proxies", ("10.0.0.0/8", "::1")),
        ({"forwarded_allow_ips": ("*",)}, "trusted_proxies", ("*",)),
        ({"uwsgi_allow": {"192.0.2.1"}}, "uwsgi_allow", ("192.0.2.1",)),
        ({"uwsgi_allow": frozenset({"192.0.2.1"})}, "uwsgi_allow", ("192.0.2.1",)),
        ({"add_header": ["A: 1", "B: 2"]}, "add_header", ("A: 1", "B: 2")),
        ({"env": []}, "env", ()),
        ({"spool_dir": Path("/var/spool")}, "spool_dir", "/var/spool"),
        ({"access_logfile": "-"}, "access_log", "-"),
        ({"access_log": False}, "access_log", "off"),
        ({"access_logfile": True}, "access_log", "auto"),
    ],
)
def test_values_as_python_has_them(options: dict[str, Any], field: str, value: object) -> None:
    found = getattr(keywords(**options), field)
    assert found == value
    assert type(found) is type(value)


def test_binds_in_order() -> None:
    settings = keywords(bind=["127.0.0.1:1", ":2"], uwsgi_socket="@x")
    assert [(spec.address, spec.protocol) for spec in settings.listeners] == [
        ("127.0.0.1:1", "http"), (":2", "http"), ("@x", "uwsgi"),
    ]  # fmt: skip
    assert {spec.origin for spec in settings.listeners} == {"keyword argument"}


def test_without_a_bind_it_is_the_short_forms_address() -> None:
    assert [spec.address for spec in keywords(bind=[]).listeners] == ["127.0.0.1:8000"]


def test_an_application_by_its_name_is_the_short_form_as_on_the_command_line() -> None:
    settings = from_keywords({"bind": []}, "pkg.mod:web")
    assert (settings.module, settings.short_form) == ("pkg.mod:web", True)
    assert [(spec.address, spec.protocol) for spec in settings.listeners] == [("127.0.0.1:8000", "http")]


@pytest.mark.parametrize("name", ["http_socket", "http11_socket"])
def test_another_name_of_a_socket_option_speaks_the_same(name: str) -> None:
    """Beside ``module``, where a socket without a protocol of its own would speak uwsgi."""
    settings = from_keywords({"module": "pkg:app", name: ":1"})
    assert [(spec.address, spec.protocol) for spec in settings.listeners] == [(":1", "http")]


@pytest.mark.parametrize("name", ["early_hints", "chmod_socket", "post_buffering", "threads", "bind"])
def test_none_is_not_given(name: str) -> None:
    """Not the value that an option has which is given without one either."""
    assert keywords(**{name: None}) == keywords()


def test_a_module_by_its_name_is_the_application() -> None:
    settings = from_keywords({"module": "pkg:app", "bind": ":0"})
    assert settings.module == "pkg:app"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"frobnicate": 1}, "keyword argument: --frobnicate 1: there is no such option"),
        ({"thread": 1}, "keyword argument: --thread 1: there is no such option; did you mean --threads?"),
        ({"threads": 0}, "keyword argument: --threads 0: a number from 1 to 4096 is expected, or auto"),
        ({"gather": "9 of 10"}, "keyword argument: --gather 9 of 10: only the leading number 9 is used"),
        ({"queue": "x"}, "keyword argument: --queue x: a whole number is expected"),
        ({"queue": -1}, "keyword argument: --queue -1: a whole number is expected"),
        ({"bind": "::1:80"}, "keyword argument: --bind ::1:80: '::1:80' is not an address"),
        ({"loop": "tornado"}, "keyword argument: --loop tornado: auto, uvloop or asyncio is expected"),
        ({"write_timeout": "x"}, "keyword argument: --write-timeout x: a time is expected"),
    ],
)
def test_what_is_wrong_names_the_keyword(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        keywords(**options)
    assert str(caught.value).startswith(said)


def test_what_is_not_acted_on_is_a_notice() -> None:
    (notice,) = keywords(snmp=":1717").notices
    assert notice.startswith("--snmp (keyword argument): not acted on: ")


def test_no_application_at_all() -> None:
    with pytest.raises(ConfigError, match="no application"):
        from_keywords({"bind": ":0"})


@pytest.mark.parametrize("name", ["ini", "include", "if_env", "exit", "show_config"])
def test_words_of_the_language_of_files_are_refused_and_not_ignored(name: str) -> None:
    with pytest.raises(ConfigError, match="only files and the command line have this word"):
        keywords(**{name: "x"})
