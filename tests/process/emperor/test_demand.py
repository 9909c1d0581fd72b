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
from tests.e2e.daemons import open_folder
from tests.process.emperor.throneroom import room, settings


def vassal(folder: Path, address: str) -> Vassal:
    return Vassal(Realm(0, str(folder)), Found("sub/a.b.ini", 0, (0, 0), 0, 0), address=address)


def test_a_file_beside_it_names_it(tmp_path: Path) -> None:
    file = tmp_path / "a.ini.socket"
    assert first_line(str(file))[0] == ""
    file.write_text("127.0.0.1:81\nmore")
    assert first_line(str(file)) == ("127.0.0.1:81", os.getuid())
    file.write_text("\n127.0.0.1:81")
    assert first_line(str(file))[0] == ""


@pytest.mark.timeout(10)
def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.ini.socket")
    assert first_line(str(tmp_path / "a.ini.socket"))[0] == ""


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


def theirs(folder: Path, name: str, address: str = "") -> Path:
    """A file of user 1001 in a vassal's folder that everybody may write to."""
    file = folder / "vassals" / name
    file.parent.mkdir(exist_ok=True)
    file.parent.chmod(0o777)
    file.write_text(address)
    os.chown(file, 1001, 1002)
    return file


def test_a_tyrant_reads_no_address_through_somebodys_link() -> None:
    if os.getuid():
        pytest.skip("needs root")
    with open_folder() as folder:
        theirs(folder, "a.ini")
        (folder / "secret").write_text("secret:of:root")
        os.symlink(folder / "secret", folder / "vassals" / "a.ini.socket")
        options = {"emperor_tyrant": True, "emperor_on_demand_extension": ".socket", "emperor_nofollow": True}
        with room(folder, **options) as emperor:
            emperor.look_until(lambda: emperor.has("a.ini") and emperor.vassal("a.ini").pid)
            assert "secret" not in emperor.text()


def test_a_socket_that_a_tyrants_vassal_has_named_is_made_with_its_rights() -> None:
    if os.getuid():
        pytest.skip("needs root")
    options = {"emperor_tyrant": True, "emperor_on_demand_extension": ".socket"}
    with open_folder() as folder, room(folder, **options) as emperor:
        closed, file = folder / "closed", theirs(folder, "a.ini")
        closed.mkdir(0o755)
        address = theirs(folder, "a.ini.socket", str(closed / "a.sock"))
        emperor.look()
        assert not emperor.court.vassals and "a.sock: permission denied" in emperor.text()
        assert not list(closed.iterdir())
        address.write_text(str(folder / "a.sock"))
        emperor.look()
        found = (folder / "a.sock").stat()
        assert (found.st_uid, found.st_gid) == (1001, 1002)
        assert os.getresuid() == (0, 0, 0) and os.getresgid() == (0, 0, 0)
        # What lies there at the end may be another's, by a link in the place of a folder.
        (folder / "a.sock").rename(closed / "a.sock")
        (folder / "a.sock").symlink_to(closed)
        emperor.vassal("a.ini").path = str(folder / "a.sock" / "a.sock")
        file.unlink()
        emperor.look_until(lambda: not emperor.court.vassals)
        assert (closed / "a.sock").exists()
        # One that root has named is root's.
        os.chown(address, 0, 0)
        address.write_text(str(closed / "b.sock"))
        theirs(folder, "a.ini")
        emperor.look()
        assert (closed / "b.sock").stat().st_uid == 0
