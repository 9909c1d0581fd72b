"""Addresses to listen on, and when none is missing."""

import pytest

from penstock.config.assemble import assemble
from penstock.config.listening import SOCKETLESS, specs
from penstock.config.raw import RawOption
from penstock.config.settings import Settings
from penstock.core.errors import ConfigError
from tests.config.parse import bare


def raw(key: str, value: str) -> RawOption:
    return RawOption(key, value, "app.ini:1", "app.ini", 1)


def test_each_option_speaks_its_protocol_and_socket_what_is_said() -> None:
    keys = ("http-socket", "http", "bind", "uwsgi-socket", "socket")
    sockets = [raw(key, f":{8000 + number}") for number, key in enumerate(keys)]
    for protocol in ("http", "uwsgi"):
        found = specs(sockets, protocol, lambda raw, text: None)
        assert [spec.protocol for spec in found] == ["http", "http", "http", "uwsgi", protocol]
    assert [spec.parsed.port for spec in found] == [8000, 8001, 8002, 8003, 8004]


def test_an_address_counts_once_unless_the_kernel_chooses_the_port() -> None:
    sockets = [raw("socket", value) for value in (":1", ":0", ":1", ":0")]
    assert [spec.address for spec in specs(sockets, "uwsgi", lambda raw, text: None)] == [":1", ":0", ":0"]


def test_an_address_that_is_none_is_told_of() -> None:
    said: list[tuple[str | None, str]] = []
    assert specs([raw("socket", "1:2:3")], "uwsgi", lambda raw, text: said.append((raw.value, text))) == ()
    ((value, text),) = said
    assert value == "1:2:3"
    assert text


SAMPLES = {
    "attach_daemon2": "cmd=x",
    "smart_attach_daemon": "/p x",
    "smart_attach_daemon2": "/p x",
    **dict.fromkeys(("cron", "unique_cron"), "-1 -1 -1 -1 -1 x"),
    "cron2": "minute=-1 x",
    "curl_cron": "-1 -1 -1 -1 -1 http://x/",
}


@pytest.mark.parametrize("field", SOCKETLESS)
def test_what_there_is_to_do_without_a_socket(field: str) -> None:
    settings = bare(f"--{field.replace('_', '-')}={SAMPLES.get(field, '/x')}")
    assert settings.listeners == ()
    assert not settings.need_app


@pytest.mark.parametrize("field", [field for field in SOCKETLESS if field != "emperor"])
def test_a_socket_that_is_named_beside_it_wants_an_application(field: str) -> None:
    words = (f"--{field.replace('_', '-')}={SAMPLES.get(field, '/x')}", "--socket=:0")
    with pytest.raises(ConfigError, match=r"^no application: name one"):
        bare(*words)
    settings = bare(*words, "--module=shop")
    assert len(settings.listeners) == 1
    assert settings.need_app


def test_an_emperor_serves_nothing_itself_unless_it_is_asked_to() -> None:
    assert not bare("--emperor=/x", "--http=:0").need_app
    settings = bare("--emperor=/x", "--http=:0", "--module=shop")
    assert (settings.need_app, settings.module, len(settings.listeners)) == (True, "shop", 1)
    assert not settings.supervised
    assert Settings().need_app


SERVING = {
    "static-map": "/static=/srv", "static-map2": "/static=/srv", "check-static": "/srv", "route": "^/a last:",
    "route-run": "last:", "check-static-docroot": "true",
}  # fmt: skip


@pytest.mark.parametrize("name", SERVING)
def test_files_and_rules_alone_are_served_and_said(name: str) -> None:
    words = (f"--{name}={SERVING[name]}", "--http=:0")
    settings = bare(*words)
    assert not settings.need_app
    assert settings.notices == (
        f"--{name} (command line): no application is named: what no file and no rule answers is answered 500",
    )
    assert bare(*words, "--need-app=false").notices == ()
    assert bare(*words, "--module=shop").need_app
    assert bare(*words, "--module=shop").notices == ()
    with pytest.raises(ConfigError, match=r"^no application: name one"):
        bare(*words, "--need-app")


def test_a_port_from_outside_is_for_an_application() -> None:
    raws = [RawOption("<port>", "5000", "environment PORT"), RawOption("emperor", "/x", "app.ini:1")]
    assert assemble(raws).listeners == ()
    (spec,) = assemble([*raws, RawOption("module", "shop", "app.ini:2")]).listeners
    assert spec.address == ":5000"


def test_an_application_by_position_listens_as_it_always_does() -> None:
    settings = bare("--cron=-1 -1 -1 -1 -1 x", "shop:app")
    assert [spec.address for spec in settings.listeners] == ["127.0.0.1:8000"]
    assert settings.supervised


def test_mules_alone_serve_nobody_as_in_uwsgi() -> None:
    with pytest.raises(ConfigError, match="no socket: name one"):
        bare("--mule", "--module=shop")
