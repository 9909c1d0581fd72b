"""Loggers as they are written."""

from typing import Any

import pytest

from penstock.config.logs.loggers import ABSENT, Logger, log_loggers, parse_logger, request_loggers
from penstock.config.settings import Settings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("file:/var/log/a", {"kind": "file", "target": "/var/log/a"}),
        ("main file:/var/log/a b", {"kind": "file", "id": "main", "target": "/var/log/a b"}),
        ("file:logfile=a,maxsize=10", {"kind": "file", "target": "a", "size": 10}),
        (
            "x1 file:logfile=a,backupname=b,maxsize=10",
            {"kind": "file", "id": "x1", "target": "a", "backup": "b", "size": 10},
        ),
        ("fd:7", {"kind": "fd", "target": "7", "number": 7}),
        ("stdio", {"kind": "stdio"}),
        ("stdio:", {"kind": "stdio"}),
        ("socket:/run/log", {"kind": "socket", "target": "/run/log"}),
        ("socket:10.0.0.1:99,web: ", {"kind": "socket", "target": "10.0.0.1:99", "said": "web: "}),
        ("socket:@log", {"kind": "socket", "target": "@log"}),
        ("syslog", {"kind": "syslog", "said": "penstock", "number": 30}),
        ("syslog:site", {"kind": "syslog", "said": "site", "number": 30}),
        ("syslog:site,local6", {"kind": "syslog", "said": "site", "number": 182}),
        ("syslog:,mail", {"kind": "syslog", "said": "penstock", "number": 22}),
        ("rsyslog:10.0.0.1", {"kind": "rsyslog", "target": "10.0.0.1:514", "number": 29}),
        ("rsyslog:logs:1514,web", {"kind": "rsyslog", "target": "logs:1514", "said": "web", "number": 29}),
        ("rsyslog:/dev/log,web,14", {"kind": "rsyslog", "target": "/dev/log", "said": "web", "number": 14}),
        ("pipe:exec logger -t a:b", {"kind": "pipe", "target": "exec logger -t a:b"}),
        ("p pipe:cat >x", {"kind": "pipe", "id": "p", "target": "cat >x"}),
    ],
)
def test_what_a_logger_is(text: str, expected: dict[str, Any]) -> None:
    assert parse_logger(text) == Logger(**expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nothing:x", "there is no kind of logger 'nothing': file, fd"),
        ("", "there is no kind of logger ''"),
        ("/var/log/x", "rsyslog, pipe are known; did you mean file:/var/log/x?"),
        ("a-b file:x", "there is no kind of logger 'a-b file'"),  # an id has letters and digits, as uWSGI's
        ("file:", "something is expected behind the colon"),
        ("file:maxsize=10", "something is expected"),
        ("file:logfile=a,maxsize=1M", "maxsize=1M: a number of bytes"),
        ("file:logfile=a,size=1", "size: logfile, backupname and maxsize are known"),
        ("fd:x", "the number of a descriptor"),
        ("pipe:", "something is expected"),
        ("socket:", "an empty address"),
        ("socket:fd://3", "a UNIX socket's path or host:port is expected"),
        ("socket:host:", "host:port is expected"),
        ("socket::99", "host:port is expected"),
        ("rsyslog:", "an empty address"),
        ("rsyslog:host,web,high", "'high' is no priority"),
        ("syslog:site,local9", "there is no facility 'local9'"),
        *((f"{kind}:x", f"there are no {kind} loggers: ") for kind in ABSENT),
    ],
)
def test_what_is_none(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        parse_logger(text)
    assert message in str(error.value)


def test_those_of_the_log_and_those_of_requests() -> None:
    settings = Settings(
        logger=("stdio",),
        worker_logger=("a fd:3",),
        log_syslog=("", "site"),
        log_socket=("10.0.0.1:99,x",),
        req_logger=("file:r",),
        worker_logger_req=("fd:4",),
    )
    assert [logger.name for logger in log_loggers(settings)] == [
        *("stdio", "a fd:3", "syslog", "syslog", "socket:10.0.0.1:99"),
    ]
    assert [logger.name for logger in request_loggers(settings)] == ["file:r", "fd:4"]
