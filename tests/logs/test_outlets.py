"""Sinks of loggers: files that are renamed, sockets, syslog."""

import gzip
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from penstock.config.logs.loggers import parse_logger
from penstock.core.errors import StartError
from penstock.logs.outlets import Messages, outlet, socket_address, stamped, with_prefix
from penstock.logs.sinks import MOST

STAMP = rb"<%d>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d %s: "


@pytest.fixture
def server(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(tmp_path / "socket"))
        made.settimeout(5)
        yield made


def test_a_file_is_renamed_when_it_is_large(tmp_path: Path) -> None:
    path = tmp_path / "log"
    sink = outlet(parse_logger(f"file:logfile={path},maxsize=100"))
    for number in range(3):
        sink.put(b"%050d\n" % number)
    sink.put(b"after\n")
    sink.close()
    (old,) = set(tmp_path.iterdir()) - {path}
    assert re.fullmatch(r"log\.\d{10}", old.name)
    told = f"logsize: 102, triggering rotation to {old}...\n".encode()
    assert old.read_bytes() == b"%050d\n%050d\n" % (0, 1) + told
    assert path.read_bytes() == b"%050d\nafter\n" % 2


def test_two_that_are_renamed_in_one_second_are_two(tmp_path: Path) -> None:
    sink = outlet(parse_logger(f"file:logfile={tmp_path}/log,maxsize=10"))
    for number in range(9):
        sink.put(b"line %05d\n" % number)
    sink.close()
    found = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert sorted(re.findall(rb"line (\d+)", found)) == [b"%05d" % number for number in range(9)]


def test_a_file_of_many_threads_is_renamed_by_one(tmp_path: Path) -> None:
    sink = outlet(parse_logger(f"file:logfile={tmp_path}/log,maxsize=500"))

    def write(thread: int) -> None:
        for number in range(300):
            sink.put(b"%d %05d\n" % (thread, number))

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sink.close()
    lines = b"".join(file.read_bytes() for file in tmp_path.iterdir()).splitlines()
    assert len({line for line in lines if not line.startswith(b"logsize")}) == 1200
    assert len(list(tmp_path.iterdir())) >= 3  # many lines are one write where threads wait long


def test_own_words_have_the_form_of_all_lines(tmp_path: Path) -> None:
    sink = outlet(parse_logger(f"file:logfile={tmp_path}/log,backupname={tmp_path}/old,maxsize=9"))
    sink.encode = lambda line: gzip.compress(line)
    sink.put(gzip.compress(b"line\n"))
    sink.close()
    assert re.fullmatch(rb"line\nlogsize: \d+, .*\n", gzip.decompress((tmp_path / "old").read_bytes()))
    assert gzip.decompress(sink.confession(2)) == b"penstock: 2 lines of the log were lost here\n"


def test_a_file_has_its_backups_name_and_one_that_cannot_be_renamed_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "log"
    sink = outlet(parse_logger(f"file:logfile={path},backupname={tmp_path}/old,maxsize=9"))
    sink.put(b"0123456789\n")
    assert (tmp_path / "old").read_text().startswith("0123456789\nlogsize: 11,")
    sink.close()
    sink = outlet(parse_logger(f"file:logfile={path},backupname={tmp_path}/no/old,maxsize=9"))
    for _ in range(3):
        sink.put(b"0123456789\n")
    text = path.read_text()
    assert text.count("0123456789") == 3 and text.count("cannot be renamed") == 1, "and not at each line"
    sink.close()


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="cannot open the log"):
        outlet(parse_logger(f"file:{tmp_path}/no/log"))


def test_a_descriptor() -> None:
    reading, writing = os.pipe()
    sink = outlet(parse_logger(f"fd:{writing}"))
    sink.put_lines([b"one\n", b"two\n"])
    assert os.read(reading, 99) == b"one\ntwo\n"
    sink.close()
    for fd in (reading, writing):
        os.close(fd)


def test_each_line_is_a_message_behind_its_prefix(server: socket.socket) -> None:
    sink = outlet(parse_logger(f"socket:{server.getsockname()},web "))
    sink.put_lines([b"one\n", b"two\n"])
    assert [server.recv(99), server.recv(99)] == [b"web one\n", b"web two\n"]
    sink.close()


def test_a_log_server_by_udp() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(5)
        sink = outlet(parse_logger(f"rsyslog:127.0.0.1:{made.getsockname()[1]},site,14"))
        sink.put(b"line\n")
        assert re.fullmatch(STAMP % (14, b"site") + b"line", made.recv(99))
        sink.close()


def test_a_line_for_rsyslog_is_cut_or_split(server: socket.socket) -> None:
    for split, count in ((False, 1), (True, 2)):
        sink = outlet(parse_logger(f"rsyslog:{server.getsockname()},web"), 100, split)
        sink.put(b"x" * 120 + b"\n")
        found = [server.recv(999) for _ in range(count)]
        assert all(re.match(STAMP % (29, b"web"), data) for data in found)
        assert len(found[0]) == 100
        assert sum(data.count(b"x") for data in found) == (120 if split else 100 - 25)
        sink.close()


def test_the_host_is_named_where_nobody_is(server: socket.socket) -> None:
    sink = outlet(parse_logger(f"rsyslog:{server.getsockname()}"))
    sink.put(b"x\n")
    assert f" {socket.gethostname()} penstock: x".encode() in server.recv(999)
    sink.close()


def test_syslog(server: socket.socket) -> None:
    logger = parse_logger("syslog:site,local6")
    assert outlet(logger).by_line
    sink = Messages(server.getsockname(), stamped(logger.number, logger.said, 60_000, False))
    sink.put(b"line\n")
    assert re.fullmatch(STAMP % (182, b"site") + b"line", server.recv(99))
    sink.close()


def test_who_is_gone_keeps_nobody_waiting_and_hears_all_of_it_later(tmp_path: Path) -> None:
    path = str(tmp_path / "gone")
    sink = Messages(path, with_prefix(""))
    begun = time.monotonic()
    for number in range(5000):
        assert sink.put(b"%d\n" % number)
    assert time.monotonic() - begun < 1.0
    sink.retry()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(path)
        server.settimeout(0)
        found: list[bytes] = []
        while sink.waiting:
            sink.retry()
            with suppress(BlockingIOError):
                while True:
                    found.append(server.recv(99))
        assert found == [b"%d\n" % number for number in range(5000)]
    os.unlink(path)
    sink.put(b"and again\n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(path)
        sink.retry()
        assert server.recv(99) == b"and again\n"
    sink.close()


def test_what_waits_has_bounds_and_what_is_lost_is_said(tmp_path: Path) -> None:
    sink = Messages(str(tmp_path / "gone"), with_prefix(""))
    line = b"x" * 9999 + b"\n"
    count = 0
    while sink.put(line):
        count += 1
    assert not sink.put(line)
    assert count == MOST // 10_000 and sink.dropped == 2 and sink.size <= MOST
    begun = time.monotonic()
    sink.end()
    assert time.monotonic() - begun < 0.5, "the end of the process does not wait for who is gone"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "gone"))
        server.settimeout(0)
        found: list[bytes] = []
        while sink.waiting:
            sink.retry()
            with suppress(BlockingIOError):
                while True:
                    found.append(server.recv(99_999))
    assert found[:-1] == [line] * count
    assert found[-1] == b"penstock: 2 lines of the log were lost here\n"
    sink.close()


def test_addresses() -> None:
    assert socket_address("/run/log") == "/run/log"
    assert socket_address("@log") == "\0log"
    assert socket_address("localhost:514") == ("localhost", 514)
    with pytest.raises(StartError, match=r"the log's address no\.such\.host\.invalid:1 is not known"):
        outlet(parse_logger("socket:no.such.host.invalid:1"))
