"""The access log's line is uWSGI's, and one line whatever a client says."""

import os
from time import ctime

import pytest

from penstock.logs.access import LONGEST, AccessFormat, AccessRecord, escape

RECORD = AccessRecord(
    started=1795216000.25,
    seconds=0.0019,
    address="127.0.0.1",
    user="",
    method="GET",
    uri="/hi?a=b",
    protocol="HTTP/1.1",
    status=200,
    headers=2,
    header_bytes=58,
    body_bytes=9,
    variables=10,
    size=197,
    switches=2,
    core=0,
    via="",
    app=0,
)


def test_the_line_is_uwsgis() -> None:
    line = AccessFormat().line(RECORD)
    assert line == (
        f"[pid: {os.getpid()}|app: 0|req: 1/1] 127.0.0.1 () {{20 vars in 197 bytes}} "
        f"[{ctime(1795216000)}] GET /hi?a=b => generated 9 bytes in 1 msecs "
        "(HTTP/1.1 200) 2 headers in 58 bytes (2 switches on core 0)"
    )


def test_counters_are_by_application_and_in_all() -> None:
    make = AccessFormat()
    make.line(RECORD)
    make.line(RECORD._replace(app=1))
    assert "|app: 0|req: 2/3]" in make.line(RECORD)
    assert "|app: -1|req: -1/4]" in make.line(RECORD._replace(app=-1))


def test_sendfile_is_named() -> None:
    assert " msecs via sendfile() (HTTP/1.1 200) " in AccessFormat().line(RECORD._replace(via="sendfile()"))


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("/plain?a=b", "/plain?a=b"),
        ('a"b', "a\\x22b"),
        ("a\\b", "a\\x5cb"),
        ("a\nb\rc", "a\\x0ab\\x0dc"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x00\x7f\xff\x80", "\\x00\\x7f\\xff\\x80"),
        ("\u2028", "\\x28"),
    ],
)
def test_what_a_client_says_is_escaped(text: str, safe: str) -> None:
    assert escape(text) == safe
    line = AccessFormat().line(RECORD._replace(uri=text, user=text, address=text, method=text, protocol=text))
    assert line.isprintable()


def test_endless_fields_are_cut() -> None:
    assert len(escape("x" * 100_000)) == LONGEST + 3
