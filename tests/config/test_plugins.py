"""uWSGI's plugins by name."""

import pytest

from penstock.config.plugins import harmless, names, reason

OTHERS = "uWSGI's plugins are not loaded; penstock runs Python WSGI applications"


@pytest.mark.parametrize(
    "value",
    [
        "python", "python3", "python3.11", "python27", "python3,http", "http, python3", "router_redirect",
        "logfile", "/usr/lib/uwsgi/python3", "./plugins/python311_plugin.so", "0:python3", "cheaper_busyness",
        "transformation_gzip", "syslog", "", ",",
    ],
)  # fmt: skip
def test_what_is_there_without_being_loaded(value: str) -> None:
    assert reason(value) == ""


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("gevent", "gevent: requests run on threads here; set threads = N"),
        ("gevent3,python3", "gevent3: requests run on threads here; set threads = N"),
        ("asyncio,greenlet", "asyncio, greenlet: requests run on threads here; set threads = N"),
        ("php", f"php: {OTHERS}"),
        ("python3, rack , psgi", f"rack, psgi: {OTHERS}"),
        ("pythonic", f"pythonic: {OTHERS}"),
        ("/opt/sentry_plugin.so", f"sentry: {OTHERS}"),
    ],
)  # fmt: skip
def test_what_is_not(value: str, said: str) -> None:
    assert reason(value) == said


def test_the_names_in_a_value() -> None:
    assert names("0:python3, /a/b/php_plugin.so,,http") == ["python3", "php", "http"]
    assert names("") == []


def test_families() -> None:
    assert harmless("router_rewrite")
    assert not harmless("router")
