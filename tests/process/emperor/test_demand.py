"""Which socket wakes a vassal, and the socket itself."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from penstock.core.errors import StartError
from penstock.process.emperor.demand import close, first_line, listen
from penstock.process.emperor.scan import Found, Realm
from penstock.process.emperor.vassal import Vassal
from tests.process.emperor.throneroom import room, settings


def vassal(folder: Path, address: str) -> Vassal:
    return Vassal(Realm(0, str(folder)), Found("sub/a.b.ini", 0, (0, 0), 0, 0), address=address)


def test_a_file_beside_it_names_it(tmp_path: Path) -> None:
    file = tmp_path / "a.ini.socket"
    assert first_line(str(file)) == ""
    file.write_text("127.0.0.1:81\nmore")
    assert first_line(str(file)) == "127.0.0.1:81"
    file.write_text("\n127.0.0.1:81")
    assert first_line(str(file)) == ""


def asked(tmp_path: Path, **options: Any) -> str:
    told: list[str] = []
    with room(tmp_path, **options) as emperor:
        one = vassal(tmp_path, "")
        emperor.court.demand.ask(one.realm, one.found, told.append)
        emperor.until(lambda: told)
    return told[0]


def test_the_ways_to_name_it(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.b.ini.on").write_text("@name")
    assert asked(tmp_path) == ""
    assert asked(tmp_path, emperor_on_demand_extension=".on") == "@name"
    assert asked(tmp_path, emperor_on_demand_extension=".off") == ""
    assert asked(tmp_path, emperor_on_demand_directory="/run/on") == "/run/on/a.b.socket"
    assert asked(tmp_path, emperor_on_demand_exec="echo /run/") == "/run/ sub/a.b.ini"
    assert asked(tmp_path, emperor_on_demand_exec="exit 3;") == ""


@pytest.mark.parametrize("address", ["127.0.0.1:0", ":0", "@penstock-on-demand-test", "a.sock"])
def test_the_socket(address: str, tmp_path: Path) -> None:
    one = vassal(tmp_path, address)
    listen(settings(tmp_path), one)
    assert one.listening is not None
    name = one.listening.getsockname()
    name = ("127.0.0.1", name[1]) if name[0] == "0.0.0.0" else name
    with socket.socket(one.listening.family) as client:
        client.connect(name)
    close(one)
    assert one.listening is None and not os.path.exists(tmp_path / "a.sock")
    close(one)


@pytest.mark.parametrize("address", ["fd://3", "127.0.0.1:port", "@", "nowhere/a.sock", "localhost:0"])
def test_what_is_no_socket(address: str, tmp_path: Path) -> None:
    one = vassal(tmp_path, address)
    with pytest.raises(StartError):
        listen(settings(tmp_path), one)
    assert one.listening is None
