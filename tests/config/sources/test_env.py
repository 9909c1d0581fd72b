"""The environment as raw options, systemd's descriptors among them."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import penstock
from penstock.config.assemble import assemble
from penstock.config.raw import RawOption
from penstock.config.sources.env import NOT_OPTIONS, export, read_env, take_activated, variables
from penstock.core.errors import ConfigError
from tests.config.parse import parse

READ = ("PORT", "FORWARDED_ALLOW_IPS", "WEB_CONCURRENCY", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """None of what is read is set, and all is as before afterwards."""
    before = dict(os.environ)
    for name in READ:
        os.environ.pop(name, None)
    yield
    os.environ.clear()
    os.environ.update(before)


def activate(count: str = "1", names: str = "", pid: str = "") -> list[RawOption]:
    os.environ.update(LISTEN_PID=pid or str(os.getpid()), LISTEN_FDS=count)
    if names:
        os.environ["LISTEN_FDNAMES"] = names
    return take_activated()


def test_nothing_set_and_nothing_said() -> None:
    assert read_env() == []
    os.environ.update(PORT="", FORWARDED_ALLOW_IPS="", WEB_CONCURRENCY="")
    assert read_env() == []


def test_each_variable_is_an_option_with_its_origin() -> None:
    os.environ.update(PORT="5000", FORWARDED_ALLOW_IPS="*", WEB_CONCURRENCY="4")
    assert read_env() == [
        RawOption("<port>", "5000", "environment PORT"),
        RawOption("trusted-proxies", "*", "environment FORWARDED_ALLOW_IPS"),
        RawOption("processes", "4", "environment WEB_CONCURRENCY"),
    ]


def test_port_is_every_address_and_counts_where_no_socket_is_named() -> None:
    os.environ["PORT"] = "5000"
    (spec,) = parse(environment=read_env()).listeners
    assert (spec.address, spec.protocol, spec.origin) == (":5000", "http", "environment PORT")
    (spec,) = parse("--bind", "127.0.0.1:80", environment=read_env()).listeners
    assert (spec.address, spec.origin) == ("127.0.0.1:80", "command line")


def test_port_is_enough_for_the_options_of_uwsgi_too() -> None:
    os.environ["PORT"] = "5000"
    settings = assemble([*read_env(), RawOption("module", "app", "command line")])
    assert [spec.address for spec in settings.listeners] == [":5000"]
    assert not settings.short_form


@pytest.mark.parametrize("port", ["http", "-1", "65536", "tcp://10.0.0.1:80"])
def test_a_port_that_is_none_names_its_variable(port: str) -> None:
    os.environ["PORT"] = port
    with pytest.raises(ConfigError, match=r"^environment PORT: "):
        parse(environment=read_env())
    assert parse("--bind", ":1", environment=read_env()).listeners, "nobody asks for it"


def test_trusted_peers_of_the_environment_give_way_to_the_command_line() -> None:
    os.environ["FORWARDED_ALLOW_IPS"] = "10.0.0.0/8, 192.0.2.1"
    assert parse(environment=read_env()).trusted_proxies == ("10.0.0.0/8", "192.0.2.1")
    settings = parse("--trusted-proxies", "::1", environment=read_env())
    assert settings.trusted_proxies == ("::1",)


def test_variables_of_uwsgi_and_penstock() -> None:
    environ = {"UWSGI_HTTP_SOCKET": ":1", "HOME": "/", "PENSTOCK_BIND": ":2", "UWSGI_": "x", "UWSGI_A": ""}
    assert list(variables({**environ, **dict.fromkeys(NOT_OPTIONS, "1")})) == [
        RawOption("http-socket", ":1", "environment UWSGI_HTTP_SOCKET"),
        RawOption("a", "", "environment UWSGI_A"),
        RawOption("bind", ":2", "environment PENSTOCK_BIND"),
    ]
    assert len(NOT_OPTIONS) == 9


def test_an_environment_that_is_given_is_the_one_that_is_read() -> None:
    os.environ["PORT"] = "1"
    assert read_env({}) == []
    assert read_env({"PORT": "2"}) == [RawOption("<port>", "2", "environment PORT")]


@pytest.mark.parametrize(("value", "supervised"), [("4", True), ("1", False), ("auto", True)])
def test_web_concurrency_is_the_number_of_processes(value: str, supervised: bool) -> None:
    os.environ["WEB_CONCURRENCY"] = value
    settings = parse(environment=read_env())
    assert (settings.processes, settings.supervised, settings.notices) == (value, supervised, ())
    assert parse("--workers=3", environment=read_env()).processes == "3"


def test_web_concurrency_that_is_no_number() -> None:
    os.environ["WEB_CONCURRENCY"] = "many"
    with pytest.raises(
        ConfigError, match=r"^environment WEB_CONCURRENCY: --processes many: a number from 1 to"
    ):
        parse(environment=read_env())


def test_descriptors_that_were_handed_over() -> None:
    raws = activate("3", "web-http:plain:app.uwsgi")
    assert raws == [
        RawOption("http-socket", "fd://3", "environment LISTEN_FDS"),
        RawOption("<activated>", "fd://4", "environment LISTEN_FDS"),
        RawOption("uwsgi-socket", "fd://5", "environment LISTEN_FDS"),
    ]
    assert not [name for name in os.environ if name.startswith("LISTEN_")], "no trace for what we start"


def test_a_descriptor_without_a_name_speaks_what_protocol_says() -> None:
    raws = activate("2", "web-http")
    assert [raw.key for raw in raws] == ["http-socket", "<activated>"]
    module = RawOption("module", "app", "command line")
    for protocol, speaks in (("", "uwsgi"), ("uwsgi", "uwsgi"), ("http", "http")):
        chosen = [RawOption("protocol", protocol, "command line")] if protocol else []
        settings = assemble([*raws, module, *chosen])
        assert [spec.protocol for spec in settings.listeners] == ["http", speaks]
    assert [spec.protocol for spec in parse(environment=raws).listeners] == ["http", "http"], "short form"


def test_descriptors_for_the_first_process_are_its_childs() -> None:
    os.environ.update(LISTEN_PID="1", LISTEN_FDS="1")
    assert [raw.value for raw in take_activated(init=True)] == ["fd://3"]
    os.environ.update(LISTEN_PID="1", LISTEN_FDS="1")
    assert take_activated() == []


TAKES = """
import os
from penstock.config.sources.env import take_activated
print([(raw.key, raw.value, raw.origin) for raw in take_activated()], os.read(0, 9) if WHOLE else "")
"""


@pytest.mark.parametrize(("family", "listens"), [("unix", True), ("inet", True), ("inet", False)])
def test_a_socket_in_the_place_of_standard_input(tmp_path: Path, family: str, listens: bool) -> None:
    with socket.socket(socket.AF_UNIX if family == "unix" else socket.AF_INET) as sock:
        sock.bind(str(tmp_path / "sock") if family == "unix" else ("127.0.0.1", 0))
        if listens:
            sock.listen()
        done = subprocess.run(
            [sys.executable, "-c", TAKES.replace("WHOLE", str(listens))],
            stdin=sock.fileno(), capture_output=True, text=True, timeout=30, check=True, env=clean(),
        )  # fmt: skip
    said = "[('<activated>', 'fd://3', 'standard input')] b''" if listens else "[] "
    assert done.stdout == said + "\n"


def clean() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(penstock.__file__).parents[1])}


def test_skip_zero_leaves_standard_input_alone() -> None:
    raws = [RawOption("<activated>", "fd://9", "standard input"), RawOption("module", "shop", "x")]
    (spec,) = assemble(raws).listeners
    assert (spec.address, spec.protocol) == ("fd://9", "uwsgi")
    with pytest.raises(ConfigError, match="no socket"):
        assemble([*raws, RawOption("skip-zero", "true", "x")])


@pytest.mark.parametrize("init", [False, True])
def test_descriptors_that_are_addressed_to_nobody_are_left(init: bool) -> None:
    os.environ["LISTEN_FDS"] = "1"
    assert take_activated(init) == []


@pytest.mark.parametrize(("count", "pid"), [("1", "1"), ("", ""), ("many", ""), ("0", ""), ("-1", "")])
def test_what_is_meant_for_others_or_makes_no_sense_is_left_and_removed(count: str, pid: str) -> None:
    assert activate(count, pid=pid) == []
    assert not [name for name in os.environ if name.startswith("LISTEN_")]


def test_variables_for_the_application() -> None:
    os.environ["PENSTOCK_TEST_OLD"] = "old"
    export(
        parse("--env", "PENSTOCK_TEST_NEW=a=b", "--env=PENSTOCK_TEST_OLD", "--env", "PENSTOCK_X=").env_pairs
    )
    assert os.environ["PENSTOCK_TEST_NEW"] == "a=b"
    assert os.environ["PENSTOCK_X"] == ""
    assert "PENSTOCK_TEST_OLD" not in os.environ
    export([("PENSTOCK_TEST_OLD", None)])
