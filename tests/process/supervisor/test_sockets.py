"""Listening sockets over a reload: kept, opened, refused."""

import os
import socket
from pathlib import Path

import pytest

from penstock.config.assemble import from_keywords
from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.process import binding
from penstock.process.supervisor.sockets import Listening, opened, renewed


def settings_of(*addresses: str) -> Settings:
    return from_keywords({"http_socket": list(addresses)}, "app")


def first(*addresses: str) -> list[Listening]:
    return opened(binding.bind(settings_of(*addresses)))


def port(listening: Listening) -> int:
    number: int = listening.sock.getsockname()[1]
    return number


def test_the_same_address_keeps_its_socket() -> None:
    old = first("127.0.0.1:0", "127.0.0.2:0")
    try:
        new = renewed(old, settings_of("127.0.0.2:0", "127.0.0.1:0"), ("/", "/"), "")
        assert [one.sock for one in new] == [old[1].sock, old[0].sock]
        assert [one.spec.address for one in new] == ["127.0.0.2:0", "127.0.0.1:0"]
    finally:
        for one in old:
            one.close(unlink=False)


def test_what_an_address_speaks_may_change(tmp_path: Path) -> None:
    path = str(tmp_path / "app.sock")
    old = first(path, "127.0.0.1:0")
    try:
        settings = from_keywords({"uwsgi_socket": [path], "http_socket": ["127.0.0.1:0"]}, "app")
        new = renewed(old, settings, ("/", "/"), "")
        assert {one.spec.protocol: one.sock for one in new} == {"uwsgi": old[0].sock, "http": old[1].sock}
    finally:
        for one in old:
            one.close(unlink=True)


def test_a_new_one_is_opened_and_the_rest_is_the_callers(tmp_path: Path) -> None:
    path = str(tmp_path / "app.sock")
    old = first("127.0.0.1:0")
    new = renewed(old, settings_of(path), (str(tmp_path), str(tmp_path)), "")
    assert new[0].path == path
    assert new[0].name == f"http://unix:{path}"
    assert old[0].sock.fileno() >= 0
    new[0].close(unlink=True)
    assert not os.path.exists(path)
    old[0].close(unlink=True)


def test_one_that_cannot_be_had_leaves_nothing_behind(tmp_path: Path) -> None:
    path = str(tmp_path / "app.sock")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        old = first("127.0.0.1:0")
        with pytest.raises(StartError, match="in use"):
            renewed(old, settings_of("127.0.0.1:0", path, f"127.0.0.1:{number}"), ("/", "/"), "")
    assert not os.path.exists(path)
    assert port(old[0]) > 0  # still open
    old[0].close(unlink=False)


def test_a_relative_path_is_another_one_in_another_folder(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    before = os.getcwd()
    os.chdir(tmp_path)
    try:
        old = first("app.sock")
        os.chdir(inside)
        new = renewed(old, settings_of("app.sock"), (str(tmp_path), str(inside)), "")
        assert new[0].sock is not old[0].sock
        assert new[0].path == str(inside / "app.sock")
        same = renewed(old, settings_of(str(tmp_path / "app.sock")), (str(tmp_path), str(inside)), "")
        assert same[0].sock is old[0].sock
    finally:
        os.chdir(before)
    for one in (*old, *new):
        one.close(unlink=True)


def test_a_path_that_is_somebody_elses_by_now_stays(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    old = first(str(path))
    path.unlink()
    path.write_text("another's")
    old[0].close(unlink=True)
    assert path.read_text() == "another's"
