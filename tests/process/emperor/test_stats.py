"""What ``emperor-stats`` tells."""

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from penstock.core.errors import StartError
from penstock.process.emperor.stats import MOST
from tests.process.emperor.throneroom import Room, put, room


def ask(emperor: Room, address: str) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(address)
        sock.setblocking(False)
        text = b""

        def more() -> bool:
            nonlocal text
            try:
                piece = sock.recv(1 << 16)
            except BlockingIOError:
                return False
            text += piece
            return not piece

        emperor.until(more)
    found: dict[str, Any] = json.loads(text)
    return found


def test_it_tells_of_everybody(tmp_path: Path) -> None:
    address = str(tmp_path / "stats")
    put(tmp_path, "a.ini", "say 17", "say 26")
    put(tmp_path, "b.ini", "exit 3")
    with room(tmp_path, emperor_stats=address) as emperor:
        emperor.stats.open()
        emperor.look_until(lambda: emperor.court.blacklist.entries and emperor.vassal("a.ini").loyal)
        emperor.until(lambda: emperor.vassal("a.ini").times.heartbeat)
        told = ask(emperor, address)
        assert list(told) == [
            *("version", "pid", "uid", "gid", "cwd", "emperor", "emperor_tyrant", "throttle_level"),
            *("vassals", "blacklist"),
        ]
        assert told["emperor"] == [str(tmp_path / "vassals")]
        first, second = told["vassals"]
        assert (first["id"], first["loyal"], first["pid"]) == ("a.ini", 1, emperor.vassal("a.ini").pid)
        assert first["last_heartbeat"] > 0
        assert second["id"] == "b.ini"
        assert [entry["id"] for entry in told["blacklist"]] == ["b.ini"]
    assert not Path(address).exists()


def test_a_folder_that_was_removed_keeps_nobody_from_asking(tmp_path: Path) -> None:
    address, before = str(tmp_path / "stats"), Path.cwd()
    (tmp_path / "here").mkdir()
    with room(tmp_path, emperor_stats=address) as emperor:
        emperor.stats.open()
        os.chdir(tmp_path / "here")
        try:
            (tmp_path / "here").rmdir()
            assert ask(emperor, address)["cwd"] == ""
        finally:
            os.chdir(before)


def test_readers_that_do_not_read_hold_up_nobody(tmp_path: Path) -> None:
    address = str(tmp_path / "stats")
    with room(tmp_path, emperor_stats=address) as emperor:
        emperor.stats.figures = lambda: {"much": "x" * (4 << 20)}
        emperor.stats.open()
        idle = [socket.socket(socket.AF_UNIX) for _ in range(MOST + 1)]
        for sock in idle:
            sock.connect(address)
        emperor.until(lambda: len(emperor.stats.readers) == MOST)
        for sock in idle:
            sock.close()
        emperor.until(lambda: not emperor.stats.readers)
        assert len(ask(emperor, address)["much"]) == 4 << 20


def test_an_address_where_nobody_can_listen(tmp_path: Path) -> None:
    address = str(tmp_path / "nowhere" / "stats")
    with room(tmp_path, emperor_stats=address) as emperor, pytest.raises(StartError, match="nowhere"):
        emperor.stats.open()
