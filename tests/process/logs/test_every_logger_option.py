"""Each option that names a logger, or says how one is written to, where one process serves."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penstock.config.logs.loggers import SYSLOG
from penstock.process.standing import Standing
from tests.process.logs.test_alone import Single, single


@contextmanager
def mailbox(path: Path) -> Iterator[socket.socket]:
    """A socket that takes messages."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(path))
        server.settimeout(5)
        yield server


def test_worker_logger_takes_the_log(tmp_path: Path) -> None:
    options = {"worker_logger": [f"a file:{tmp_path}/a", "stdio"], "log_route": ["a error"]}
    with single(tmp_path, **options) as it:
        it.diary.errors.write("an error\nfine\n")
        assert ((tmp_path / "a").read_text(), it.path.read_text()) == ("an error\n", "fine\n")


def test_worker_logger_req_takes_the_lines_of_requests(tmp_path: Path) -> None:
    loggers = [f"a file:{tmp_path}/a", f"file:{tmp_path}/b"]
    with single(tmp_path, worker_logger_req=loggers, log_req_route=["a /api/"]) as it:
        it.request("GET /api/x\n")
        it.request("GET /\n")
        it.diary.errors.write("an error\n")
        assert (tmp_path / "a").read_text() == "GET /api/x\n"
        assert ((tmp_path / "b").read_text(), it.path.read_text()) == ("GET /\n", "an error\n")


def test_log_socket_takes_the_log(tmp_path: Path) -> None:
    with mailbox(tmp_path / "box") as server, single(tmp_path, log_socket=[f"{tmp_path}/box,web: "]) as it:
        it.diary.errors.write("an error\n")
        assert server.recv(999) == b"web: an error\n"


def test_log_syslog_takes_the_log(tmp_path: Path) -> None:
    with single(tmp_path, log_syslog=["shop,local0"]) as it:
        (logger,) = it.logs.sinks
        assert (logger.kind, logger.said, logger.number) == (SYSLOG, "shop", 16 << 3 | 6)


@pytest.mark.parametrize(("split", "count"), [(False, 1), (True, 3)])
def test_rsyslog_split_messages_sends_all_of_a_long_line(split: bool, count: int, tmp_path: Path) -> None:
    options = {"logger": [f"rsyslog:{tmp_path}/box,web"], "rsyslog_packet_size": 60}
    with mailbox(tmp_path / "box") as server:
        with single(tmp_path, rsyslog_split_messages=split, **options) as it:
            it.diary.errors.write("x" * 100 + "\n")
        found = []
        server.settimeout(0.3)
        while True:
            try:
                found.append(server.recv(999))
            except TimeoutError:
                break
        letters = sum(data.rpartition(b" ")[2].count(b"x") for data in found)
        assert (len(found), letters == 100) == (count, split)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("given", [False, True])
def test_logfile_chown_gives_the_files_to_whom_it_runs_as(given: bool, tmp_path: Path) -> None:
    it = Single(tmp_path, logfile_chown=given, access_log=f"{tmp_path}/access", uid="54321", gid="54322")
    try:
        standing = Standing(it.logs.settings, it.diary)
        standing.claim()
        owners = {(found.st_uid, found.st_gid) for found in (it.path.stat(), (tmp_path / "access").stat())}
        assert owners == ({(54321, 54322)} if given else {(0, 0)})
        it.path.rename(tmp_path / "old")
        it.diary.reopen()
        assert it.path.stat().st_uid == (54321 if given else 0)
    finally:
        it.diary.close()
