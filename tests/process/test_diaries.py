"""Where logs go: files, log servers, loggers that are just a file."""

import contextlib
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.logs.setup import Diary
from penstock.logs.sinks import Sink
from penstock.process import diaries


@pytest.mark.parametrize("option", ["daemonize", "daemonize2"])
@pytest.mark.parametrize("name", ["127.0.0.1:514", "logs.example.org:514", ":514"])
def test_a_daemon_has_a_file(tmp_path: Path, option: str, name: str) -> None:
    options: dict[str, Any] = {option: name}
    with contextlib.chdir(tmp_path), pytest.raises(StartError, match=f"^{option} {name}: a file is expected"):
        diaries.open_diary(Settings(**options))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["logto", "logto2"])
def test_each_line_to_a_log_server_is_a_datagram(option: str) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        options: dict[str, Any] = {option: f"127.0.0.1:{server.getsockname()[1]}"}
        if option == "logto":
            made = diaries.open_diary(Settings(**options))
        else:
            fd, path = diaries.open_log_at(Settings(), options[option])
            made = Diary(Sink(fd, path), None)
        made.error_sink.write("one\ntwo\n")
        assert [server.recv(99), server.recv(99)] == [b"one\n", b"two\n"]
        assert made.error_sink.path == ""
        os.close(made.error_sink.fd)


def test_a_log_server_that_nobody_knows() -> None:
    with pytest.raises(StartError, match=r"^cannot log to :514"):
        diaries.open_diary(Settings(logto=":514"))


def test_log_files_are_emptied_and_given_their_mode_and_owner(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("before\n")
    made = diaries.open_diary(Settings(logto=str(path), log_truncate=True, logfile_chmod=0o604))
    made.say("after")
    assert path.read_text() == "after\n"
    assert path.stat().st_mode & 0o777 == 0o604
    diaries.hand_over(made, Settings(logfile_chmod=0o604), os.getuid(), os.getgid())
    path.rename(tmp_path / "old")
    made.reopen()
    assert path.stat().st_mode & 0o777 == 0o604
    made.close()
    made = diaries.open_diary(Settings(logto=str(path)))
    made.say("more")
    made.close()
    made = diaries.open_diary(Settings(logto=str(path)))
    made.close()
    assert path.read_text() == "more\n", "it is emptied only where this is asked for"


@pytest.mark.parametrize(
    ("options", "error", "access"),
    [
        ({"logger": ("file:log",)}, "log", "log"),
        ({"logger": ("file:logfile=log,maxsize=9",), "req_logger": ("file:requests",)}, "log", "requests"),
        ({"req_logger": ("file:requests",)}, 2, "requests"),
        ({"req_logger": ("file:requests",), "disable_logging": True}, 2, None),
        ({"logger": ("file:log",), "access_log": "access"}, "log", "access"),
        ({"logger": ("a file:log",)}, 2, 2),
        ({"logger": ("file:log", "stdio")}, 2, 2),
        ({"logger": ("file:log",), "log_encoder": ("nl",)}, 2, 2),
        ({"logger": ("file:log",), "logto": "all"}, "all", "all"),
    ],
)
def test_processes_write_themselves_where_a_logger_is_just_a_file(
    tmp_path: Path, options: dict[str, Any], error: int | str, access: int | str | None
) -> None:
    def place(sink: Any) -> int | str | None:
        return None if sink is None else Path(sink.path).name or sink.fd

    with contextlib.chdir(tmp_path):
        made = diaries.open_diary(Settings(short_form=True, **options))
        found = (place(made.error_sink), place(made.access_sink))
        made.close()
    assert found == (error, access)
