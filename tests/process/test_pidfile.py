"""Files with the process's number: written, overwritten, removed if they are ours, and signalled by."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.core.errors import StartError
from penstock.process.pidfile import PidFile, signal_process

ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
OURS = f"{os.getpid()}\n"


def written(path: Path) -> tuple[PidFile, list[str]]:
    said: list[str] = []
    file = PidFile(str(path))
    file.write(said.append)
    return file, said


def test_it_holds_the_number_and_goes(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    file, said = written(path)
    assert (path.read_text(), said) == (OURS, [])
    assert path.stat().st_mode & 0o777 == 0o644
    assert not os.get_inheritable(file.fd)
    file.remove()
    assert not path.exists()
    file.remove()
    assert file.fd == -1


def test_a_stale_one_is_overwritten_whole_without_a_word(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    path.write_text("123456789 and more than that\nof a process that is gone\n")
    file, said = written(path)
    assert (path.read_text(), said) == (OURS, [])
    file.close()
    assert path.read_text() == OURS, "closed is not removed"


def test_one_of_a_server_that_runs_is_overwritten_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    first, _ = written(path)
    path.write_text("4242\n")
    second, said = written(path)
    assert said == [
        f"pidfile {path}: it belonged to a penstock that still runs, process 4242; "
        "it names this one from now on"
    ]
    assert path.read_text() == OURS
    first.close()
    second.close()
    third, said = written(path)
    assert said == [], "nobody holds it any more"
    third.remove()


def test_one_that_names_another_by_now_stays(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    file, _ = written(path)
    path.write_text("4242\n")
    file.remove()
    assert path.read_text() == "4242\n"


def test_one_that_was_replaced_stays(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    file, _ = written(path)
    path.unlink()
    path.write_text(OURS)
    file.remove()
    assert path.read_text() == OURS, "another file of this name, whoever wrote it"


def test_it_is_found_after_a_change_of_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file, _ = written(Path("pid"))
    monkeypatch.chdir("/")
    file.remove()
    assert list(tmp_path.iterdir()) == []


@ROOT
def test_where_it_may_not_be_removed_it_is_emptied(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    child = os.fork()
    if child == 0:
        try:
            file, _ = written(path)
            os.setuid(54321)
            file.remove()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert path.read_text() == ""


def test_a_link_of_ours_is_followed(tmp_path: Path) -> None:
    path, target = tmp_path / "pid", tmp_path / "target"
    path.symlink_to(target)
    file, _ = written(path)
    assert target.read_text() == OURS
    file.remove()


@ROOT
def test_a_link_of_somebody_else_s_is_not(tmp_path: Path) -> None:
    path, target = tmp_path / "pid", tmp_path / "target"
    target.write_text("root's own")
    path.symlink_to(target)
    os.lchown(path, 65534, 65534)
    with pytest.raises(StartError, match="it is a link of user 65534's, which is not followed"):
        written(path)
    assert target.read_text() == "root's own"


def test_a_file_with_two_names_is_not_written(tmp_path: Path) -> None:
    path, target = tmp_path / "pid", tmp_path / "target"
    target.write_text("root's own")
    path.hardlink_to(target)
    with pytest.raises(StartError, match="it has another name, and is not written"):
        written(path)
    assert target.read_text() == "root's own"


def test_a_pipe_is_neither_written_nor_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    os.mkfifo(path)
    with pytest.raises(StartError, match="it is no plain file"):
        written(path)
    with pytest.raises(StartError, match="there is no process number in it"):
        signal_process("stop", str(path))


@pytest.mark.parametrize("name", ["no/pid", "."])
def test_one_that_cannot_be_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(StartError, match=rf"^pidfile {tmp_path}(/no/pid)?: (No such|Is a dir)"):
        PidFile(str(tmp_path / name)).write(lambda text: None)


# ---- Signals by it ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("option", "number"), [("stop", signal.SIGINT), ("reload", signal.SIGHUP)])
@pytest.mark.parametrize("form", ["{}\n", "{}", "  {} \n", "{} and words\n"])
def test_the_process_that_is_named_gets_the_signal(
    tmp_path: Path, option: str, number: signal.Signals, form: str
) -> None:
    path = tmp_path / "pid"
    script = (
        "import signal\nfor number in (1, 2):\n    signal.signal(number, signal.SIG_DFL)\n"
        "print(1, flush=True)\nsignal.pause()\n"
    )
    with subprocess.Popen([sys.executable, "-S", "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        path.write_text(form.format(process.pid))
        signal_process(option, str(path))
        assert process.wait(10) == -number


@pytest.mark.parametrize("text", ["", "\n", "abc\n", "-1\n", "0\n", "1\n", "00001\n", "\x00\xff"])
def test_what_is_no_number_signals_nobody(tmp_path: Path, text: str) -> None:
    """0 is one's own process group, -1 is everybody (kill(2)); uWSGI takes ``abc`` for 0."""
    path = tmp_path / "pid"
    path.write_text(text)
    with pytest.raises(StartError, match=rf"^stop {path}: there is no process number in it$"):
        signal_process("stop", str(path))


def test_a_process_that_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    path.write_text("999999999\n")
    with pytest.raises(StartError, match=rf"^stop {path}: process 999999999: No such process$"):
        signal_process("stop", str(path))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=rf"^reload {tmp_path}/pid: No such file or directory$"):
        signal_process("reload", str(tmp_path / "pid"))
