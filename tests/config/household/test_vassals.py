"""What ``emperor`` and ``vassals-set`` say, and the variables between an emperor and its vassals."""

import pytest

from penstock.config.household.bonds import take_bond
from penstock.config.household.vassals import Source, of_vassal, parse, parse_set


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("/etc/vassals", Source("", "/etc/vassals")),
        ("/etc/vassals/*.ini", Source("", "/etc/vassals/*.ini")),
        ("odd:name", Source("", "odd:name")),
        ("dir:///etc/v", Source("folder", "/etc/v")),
        ("glob://*/conf/*.ini", Source("pattern", "*/conf/*.ini")),
    ],
)
def test_places(text: str, source: Source) -> None:
    assert parse(text) == source


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "a folder"),
        ("dir://", "a path is expected behind dir://"),
        ("pg://host=x user=y;SELECT", "a PostgreSQL database"),
        ("mongodb://127.0.0.1/x", "a MongoDB"),
        ("zmq://tcp://127.0.0.1:1", "ZeroMQ"),
        ("amqp://x", "an AMQP broker"),
        ("redis://x", "redis://"),
        ("zeus:10.0.0.1:4040", "a Zeus"),
    ],
)
def test_places_that_are_none(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse(text)


def test_what_is_set_for_all() -> None:
    assert parse_set("a=b=c") == "a=b=c"
    assert parse_set("flag") == "flag"
    with pytest.raises(ValueError, match="NAME=VALUE"):
        parse_set("=b")


@pytest.mark.parametrize(("text", "number"), [("7", 7), ("", -1), ("x", -1), ("-3", -1), ("²", -1)])
def test_the_pipe_is_taken_with_all_its_traces(text: str, number: int) -> None:
    environ = {"UWSGI_EMPEROR_FD": text, "UWSGI_EMPEROR_FD_CONFIG": "9", "PATH": "/bin"}
    assert take_bond(environ) == number
    assert environ == {"PATH": "/bin"}


def test_without_an_emperor_there_is_no_pipe() -> None:
    assert take_bond({}) == -1


def test_a_vassal_has_its_emperors_environment_but_for_what_made_it_one() -> None:
    environ = {
        "PATH": "/bin",
        "UWSGI_VASSAL_PROCESSES": "3",
        "UWSGI_VASSALS_DIR": "/elsewhere",
        "UWSGI_EMPEROR": "/etc/vassals",
        "UWSGI_EMPEROR_TYRANT": "1",
        "PENSTOCK_VASSALS_INCLUDE": "x",
        "UWSGI_EARLY_EMPEROR": "1",
        "UWSGI_EMPEROR_FD": "5",
        "UWSGI_RELOADS": "2",
        "NOTIFY_SOCKET": "/run/x",
        "UWSGI_THREADS": "2",
    }
    of_vassal({"UWSGI_EMPEROR_FD": "9", "UWSGI_VASSALS_DIR": "/etc/vassals"}, environ)
    assert environ == {
        "PATH": "/bin",
        "UWSGI_PROCESSES": "3",
        "UWSGI_THREADS": "2",
        "UWSGI_EMPEROR_FD": "9",
        "UWSGI_VASSALS_DIR": "/etc/vassals",
    }
