"""Waiting for files, interfaces, mounts and servers: there, coming, and never."""

import os
import socket
from pathlib import Path

import pytest

from penstock.config.address import parse_address
from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.process.hooks import waiting


def test_what_is_there_is_not_waited_for(tmp_path: Path) -> None:
    said: list[str] = []
    settings = Settings(
        wait_for_fs=(str(tmp_path),), wait_for_interface=("lo",), wait_for_mountpoint=("/proc",)
    )
    waiting.before_root(settings, said.append)
    assert said == [
        "penstock: waiting for interface lo, at most 60 s",
        "penstock: interface lo is there",
        f"penstock: waiting for {tmp_path}, at most 60 s",
        f"penstock: {tmp_path} is there",
        "penstock: waiting for mount /proc, at most 60 s",
        "penstock: mount /proc is there",
    ]


def test_what_comes_is_waited_for(tmp_path: Path) -> None:
    looks = iter((False, False, True))
    said: list[str] = []
    waiting.wait("it", lambda: next(looks), 5.0, said.append)
    assert said == ["penstock: waiting for it, at most 5 s", "penstock: it is there"]
    assert next(looks, None) is None


@pytest.mark.parametrize(
    "given",
    [
        {"wait_for_fs": ("/nowhere/at/all",)},
        {"wait_for_interface": ("nosuchif0",), "wait_for_interface_timeout": 0.05},
        {"wait_for_mountpoint": ("/proc/self",)},
        {"wait_for_mountpoint": ("/nowhere/at/all",)},
    ],
)
def test_what_never_comes(given: dict[str, object]) -> None:
    settings = Settings(**{"wait_for_fs_timeout": 0.05, **given})
    with pytest.raises(StartError, match=r"is not there after 0\.05 s"):
        waiting.before_root(settings, lambda text: None)


def test_kinds(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    settings = Settings(wait_for_fs_timeout=0.05)
    for path, kind, found in [
        (file, "fs", True), (file, "file", True), (file, "dir", False),
        (tmp_path, "fs", True), (tmp_path, "file", False), (tmp_path, "dir", True),
    ]:  # fmt: skip
        said: list[str] = []
        try:
            waiting.for_kind(settings, str(path), kind, said.append)
        except StartError:
            assert not found
        assert (len(said) == 2) == found


def test_servers(tmp_path: Path) -> None:
    with (
        socket.socket() as server,
        socket.socket(socket.AF_UNIX) as unix,
        socket.socket(socket.AF_UNIX) as hidden,
    ):
        server.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{server.getsockname()[1]}"
        settings = Settings(wait_for_socket_timeout=0.05)
        with pytest.raises(StartError, match=address):
            waiting.for_socket(settings, address, lambda text: None)
        server.listen()
        waiting.for_socket(settings, address, lambda text: None)
        path, name = str(tmp_path / "sock"), f"@penstock-test-{os.getpid()}"
        assert not waiting.listens(parse_address(path))
        unix.bind(path)
        assert not waiting.listens(parse_address(path))
        unix.listen()
        assert waiting.listens(parse_address(path))
        hidden.bind("\0" + name[1:])
        hidden.listen()
        assert waiting.listens(parse_address(name))
