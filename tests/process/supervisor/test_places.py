"""Where control sockets lie and how they are found, with real folders and sockets."""

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.core.errors import StartError
from penstock.process.supervisor import places
from penstock.process.supervisor.commands import Commands
from penstock.process.supervisor.control import Control
from penstock.process.supervisor.places import (
    Place,
    answers,
    environ_of,
    facts,
    folders,
    listed,
    ours,
    own_folder,
    running,
    socket_of,
    sweep,
)
from tests.process.supervisor.obeying import controlled, obeying

ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
DEAD = 999999999  # above the kernel's largest process number


def listening(path: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(path))
    sock.listen(5)
    return sock


def test_the_order_of_folders() -> None:
    environ = {"RUNTIME_DIRECTORY": "/run/a:/run/b", "XDG_RUNTIME_DIR": "/run/user/1000/"}
    assert folders(environ, 1000) == [
        "/run/a", "/run/user/1000/penstock", "/run/penstock", "/tmp/penstock-1000"
    ]  # fmt: skip
    assert folders(environ, 0) == ["/run/a", "/run/penstock", "/run/user/1000/penstock", "/tmp/penstock-0"]
    assert folders({}, 33) == ["/run/penstock", "/tmp/penstock-33"]
    assert folders({"RUNTIME_DIRECTORY": "here", "XDG_RUNTIME_DIR": ""}, 33) == folders({}, 33)


def test_a_folder_of_ours_is_made_for_us_alone(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert own_folder({"RUNTIME_DIRECTORY": str(folder)}) == str(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert ours(str(folder)), "and is taken again"
    assert not ours(str(tmp_path / "no" / "run"))


def test_a_folder_where_others_may_write_is_not_ours(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    folder.chmod(0o770)
    assert not ours(str(folder))
    folder.chmod(0o755)
    assert ours(str(folder)), "systemd makes it so"


def test_a_link_or_a_file_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "file").touch()
    assert not ours(str(tmp_path / "link")) and not ours(str(tmp_path / "file"))


@ROOT
def test_a_folder_of_somebody_else_s_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    os.chown(tmp_path / "run", 65534, -1)
    assert not ours(str(tmp_path / "run"))
    assert not ours(str(tmp_path / "run" / "below")), "its owner could put another in its place"
    assert not (tmp_path / "run" / "below").exists()


def test_what_the_dead_left_is_swept(tmp_path: Path) -> None:
    for name in (f"{DEAD}.ctl", f"{os.getppid()}.ctl", "other.ctl", "7.txt"):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(str(tmp_path / name))
    (tmp_path / f"{DEAD - 1}.ctl").symlink_to(tmp_path / "gone")
    with listening(tmp_path / f"{DEAD - 2}.ctl"):  # of another numbering, as containers have
        sweep(str(tmp_path))
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {f"{os.getppid()}.ctl", "other.ctl", "7.txt", f"{DEAD - 2}.ctl"}
    sweep(str(tmp_path / "no"))


def test_who_answers(tmp_path: Path) -> None:
    with listening(tmp_path / "live"):
        assert answers(str(tmp_path / "live"))
    assert not answers(str(tmp_path / "live")), "nobody listens any more"
    (tmp_path / "file").touch()
    assert not answers(str(tmp_path / "file")) and not answers(str(tmp_path / "no"))
    assert not answers(str(tmp_path / ("x" * 200)))


def test_servers_that_run(tmp_path: Path) -> None:
    environ = {"RUNTIME_DIRECTORY": str(tmp_path / "run")}
    folder = Path(own_folder(environ))
    (folder / "12.ctl").symlink_to(tmp_path / "elsewhere")
    with listening(folder / "11.ctl"), listening(tmp_path / "elsewhere"):
        (folder / "13.ctl").symlink_to(folder / "11.ctl")
        found = [place for place in running(environ) if place.path.startswith(str(tmp_path))]
        assert found == [Place(11, f"{folder}/11.ctl"), Place(12, f"{folder}/12.ctl")]
        folder.chmod(0o777)
        assert not [place for place in running(environ) if place.path.startswith(str(tmp_path))]
    assert listed(str(tmp_path / "no")) == []


def test_the_socket_of_a_process(tmp_path: Path) -> None:
    environ = {"RUNTIME_DIRECTORY": str(tmp_path / "run")}
    folder = own_folder(environ)
    assert socket_of(os.getpid(), environ) == ""
    with listening(Path(folder) / f"{os.getpid()}.ctl"):
        assert socket_of(os.getpid(), environ) == f"{folder}/{os.getpid()}.ctl"
    assert socket_of(os.getpid(), environ) == "", "it does not answer any more"


def test_a_link_leads_there(tmp_path: Path) -> None:
    environ = {"RUNTIME_DIRECTORY": str(tmp_path / "run")}
    folder = own_folder(environ)
    os.symlink(tmp_path / "elsewhere", f"{folder}/{os.getpid()}.ctl")
    with listening(tmp_path / "elsewhere"):
        assert socket_of(os.getpid(), environ) == str(tmp_path / "elsewhere")


def test_it_is_looked_for_by_the_environment_of_the_process(tmp_path: Path) -> None:
    environ = {"RUNTIME_DIRECTORY": str(tmp_path / "run")}
    folder = own_folder(environ)
    script = "import sys\nprint(1, flush=True)\nsys.stdin.read()\n"
    with subprocess.Popen(
        [sys.executable, "-S", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        process.stdout.readline()
        with listening(Path(folder) / f"{process.pid}.ctl"):
            assert environ_of(process.pid) == environ
            assert socket_of(process.pid, {}) == f"{folder}/{process.pid}.ctl"
        process.stdin.close()


def test_what_is_known_of_a_process() -> None:
    assert facts(os.getpid())[:2] == (os.geteuid(), os.getpid())
    assert facts(DEAD) == (os.geteuid(), DEAD, False)
    assert environ_of(DEAD) == {}


@ROOT
def test_root_finds_those_of_others() -> None:
    folder = Path(f"{places.FALLBACK}54387")
    folder.mkdir(mode=0o700)
    try:
        with listening(folder / "77.ctl"):
            os.chown(folder, 54387, -1)
            assert Place(77, f"{folder}/77.ctl") in running({})
            os.chown(folder, 54322, -1)
            assert Place(77, f"{folder}/77.ctl") not in running({}), "the name lies"
    finally:
        (folder / "77.ctl").unlink()
        folder.rmdir()


# ---- Where a server puts its own ----------------------------------------------------------------------


def test_it_is_ours_alone_and_goes(tmp_path: Path) -> None:
    mask = os.umask(0o022)
    try:
        with controlled(tmp_path) as (_, control):
            found = (tmp_path / "ctl").lstat()
            assert stat.S_ISSOCK(found.st_mode) and found.st_mode & 0o777 == 0o600
            assert control.guests is not None
            assert not any(one.get_inheritable() for one in control.guests.listeners.values())
            assert os.umask(0o022) == 0o022, "the mask is as it was"
            control.close()
            assert not (tmp_path / "ctl").exists()
    finally:
        os.umask(mask)


def test_one_that_was_replaced_stays(tmp_path: Path) -> None:
    with controlled(tmp_path) as (_, control):
        (tmp_path / "ctl").unlink()
        (tmp_path / "ctl").write_text("another's")
        control.close()
        assert (tmp_path / "ctl").exists()


def test_the_default_place(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        control = Control(Commands(supervisor))
        environ = {"RUNTIME_DIRECTORY": str(tmp_path / "run")}
        control.open(supervisor.watch, "", environ)
        try:
            assert control.path == f"{tmp_path}/run/{os.getpid()}.ctl"
            assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700
        finally:
            control.close()
        assert list((tmp_path / "run").iterdir()) == []


def test_elsewhere_it_leaves_word(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        control = Control(Commands(supervisor))
        control.open(supervisor.watch, str(tmp_path / "ctl"), {"RUNTIME_DIRECTORY": str(tmp_path / "run")})
        link = tmp_path / "run" / f"{os.getpid()}.ctl"
        assert link.readlink() == tmp_path / "ctl"
        control.close()
        assert not link.is_symlink() and not (tmp_path / "ctl").exists()


def test_a_default_place_that_is_taken(tmp_path: Path) -> None:
    """By a server of another numbering, as containers have, that shares the folder."""
    with obeying(tmp_path) as supervisor:
        (tmp_path / "run").mkdir(mode=0o700)
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(tmp_path / "run" / f"{os.getpid()}.ctl"))
            other.listen(1)
            control = Control(Commands(supervisor))
            control.open(supervisor.watch, "", {"RUNTIME_DIRECTORY": str(tmp_path / "run")})
            assert control.path == "" and control.guests is None
            control.close()
            assert (tmp_path / "run" / f"{os.getpid()}.ctl").exists()
        assert "there is no control socket: cannot listen on" in supervisor.text()


@ROOT
def test_without_any_default_place_it_is_said(tmp_path: Path) -> None:
    squatted = Path("/tmp/penstock-54323")
    squatted.mkdir(mode=0o777)
    try:
        with obeying(tmp_path) as supervisor:
            child = os.fork()
            if child == 0:
                try:
                    os.setuid(54323)
                    Control(Commands(supervisor)).open(supervisor.watch, "", {})
                finally:
                    os._exit(0)
            os.waitpid(child, 0)
            assert "none of /run/penstock, /tmp/penstock-54323 is ours alone to write" in supervisor.text()
    finally:
        squatted.rmdir()


def test_off(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        control = Control(Commands(supervisor))
        control.open(supervisor.watch, "off", {"RUNTIME_DIRECTORY": str(tmp_path / "run")})
        assert control.guests is None and control.path == ""
        assert not (tmp_path / "run").exists()
        control.close()


def test_a_path_that_cannot_be_had(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    with obeying(tmp_path) as supervisor:
        control = Control(Commands(supervisor))
        for name in ("taken", "no/ctl", "x" * 200):
            with pytest.raises(StartError):
                control.open(supervisor.watch, str(tmp_path / name), {})
        control.close()
    assert (tmp_path / "taken").read_text() == "mine"


def test_what_a_dead_one_left_is_replaced_and_what_lives_is_not(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(tmp_path / "ctl"))
    with controlled(tmp_path) as (supervisor, control):
        second = Control(Commands(supervisor))
        with pytest.raises(StartError, match="another server is listening there"):
            second.open(supervisor.watch, control.path, {})
        second.close()
        assert (tmp_path / "ctl").exists()
