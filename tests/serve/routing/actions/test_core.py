"""Actions that end a walk, write to the log, and touch the reply."""

import os
import subprocess
import sys
import zlib
from math import inf
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from penstock.serve.routing.flow import BREAK, CONTINUE
from penstock.serve.routing.table import RuleErrors
from penstock.serve.routing.tools import short_title
from tests.serve.routing.ground import Ground

PLAIN = b"Content-Type: text/plain\r\n"
APP = PLAIN + b"X-App: 1\r\n"


@pytest.mark.parametrize("action", ["last:", "continue:", "last:ignored"])
def test_on_to_the_application(action: str) -> None:
    ground = Ground(f"route-run = {action}\nroute-run = addvar:A=1").walk()
    assert ground.flow == CONTINUE and "A" not in ground.environ


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("403 Nope Nope", b"403 Nope Nope"),
        ("404", b"404 Not Found"),
        ("404 ", b"404 Not Found"),
        ("299", b"299 Unknown"),
        ("413", b"413 Request Entity Too Large"),
    ],
)
def test_break_with_a_status_has_no_body(text: str, line: bytes) -> None:
    ground = Ground(f"route-run = break:{text}")
    sent = b"HTTP/1.1 %b\r\n%bContent-Length: 0\r\nConnection: close\r\n\r\n" % (line, PLAIN)
    assert ground.serve() == sent
    assert ground.flow == BREAK


@pytest.mark.parametrize("action", ["return", "break-with-status"])
@pytest.mark.parametrize(
    ("status", "text"), [("404", b"Not Found"), ("500", b"Internal Server Error"), ("418", b"I'm a teapot")]
)
def test_return_has_the_status_as_its_body(action: str, status: str, text: bytes) -> None:
    line = status.encode() + b" " + text
    sent = b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b" % (line, PLAIN, len(text), text)
    assert Ground(f"route-run = {action}:{status}").serve() == sent


@pytest.mark.parametrize(
    "action", ["break:Forbidden", "break:40x", "break:100", "return:", "return:4", "return:x"]
)
def test_a_status_that_cannot_be_sent_is_refused_at_boot(action: str) -> None:
    with pytest.raises(RuleErrors, match="a status is three digits"):
        Ground(f"route-run = {action}")


def test_log_lines_are_the_operators() -> None:
    ground = Ground("route = (?s)^/(.*) log:said $1 of ${HTTP_HOST}").walk("/a\nb\x7f\tc")
    assert ground.lines == ["said a\\x0ab\\x7f\tc of h.example"]
    assert Ground("route-run = log:é ${X}").walk(X="\xff").environ["X"] == "\xff"
    ground = Ground("route-run = log:é ${X}").walk(X="\xff")
    assert ground.lines == ["é \\xff"]


def test_a_request_without_an_access_line() -> None:
    ground = Ground("route = ^/health donotlog:")
    assert ground.walk("/health").call.touches.logged is False
    assert ground.walk("/").call.touches.logged is True


def test_words_for_the_access_line() -> None:
    ground = Ground("route = ^/(.) logvar:first=<$1>\nroute-run = logvar:empty=").walk()
    assert ground.call.touches.logvars == {"first": "<a>", "empty": ""}


def test_headers_are_added_to_whatever_reply_comes() -> None:
    ground = Ground("route = ^/(.) addheader:X-A:  $1 \nroute-run = addheader:X-B:\nroute = ^/b return:404")
    assert b"X-A: a\r\nX-B: \r\n" in ground.serve("/a")
    assert b"X-A: b\r\nX-B: \r\n" in ground.serve("/b")


@pytest.mark.parametrize("text", ["Bad", "", ": x", "  :x"])
def test_a_header_without_a_name_is_refused_at_boot(text: str) -> None:
    with pytest.raises(RuleErrors, match="addheader: takes NAME: VALUE"):
        Ground(f"route-run = addheader:{text}")


@pytest.mark.parametrize("action", ["delheader", "remheader"])
def test_headers_of_the_application_are_left_out(action: str) -> None:
    ground = Ground(f"route = ^/(.) {action}:x-${{WHICH}}\nroute-run = addheader:X-A: b")
    assert ground.serve(WHICH="APP") == (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-A: b\r\nContent-Length: 4\r\n\r\napp\n"
    )


@pytest.mark.parametrize("action", ["clearheaders", "resetheaders"])
def test_a_reply_that_is_begun_is_the_applications_to_begin_again(action: str) -> None:
    ground = Ground(f"route-run = {action}:404 Gone")
    assert ground.walk().call.status_code == 404
    assert ground.serve().startswith(b"HTTP/1.1 200 OK\r\n" + APP)


def test_only_the_body_is_sent() -> None:
    assert Ground("route-run = disableheaders:").serve() == b"app\n"


def test_body_bytes_are_sent_at_once() -> None:
    ground = Ground(
        "route-run = clearheaders:201 Made\nroute-run = addheader:X-A: b\n"
        "route-run = send:one${HTTP_HOST}\nroute-run = send-crnl:\nroute-run = break:"
    )
    assert ground.serve() == (
        b"HTTP/1.1 201 Made\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"c\r\noneh.example\r\n2\r\n\r\n\r\n0\r\n\r\n"
    )


def test_an_application_behind_them_has_no_head() -> None:
    ground = Ground("route-run = send:one")
    sent = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n4\r\napp\n\r\n0\r\n\r\n"
    assert ground.serve(status="404 Not Found") == sent
    assert ground.call.code == 200


@pytest.mark.parametrize("phase", ["response", "error"])
def test_in_a_reply_that_has_begun_they_come_before_its_body(phase: str) -> None:
    rules = ("send:one,", "send-crnl:two", "addheader:X-A: b")
    ground = Ground("\n".join(f"{phase}-route-run = {rule}" for rule in rules))
    head = b"HTTP/1.1 200 OK\r\n" + APP + b"X-A: b\r\nContent-Length: 13\r\n\r\n"
    assert ground.serve() == head + b"one,two\r\napp\n"
    assert ground.serve(REQUEST_METHOD="HEAD").partition(b"\r\n\r\n")[2] == b""


def test_without_the_body_they_are_all_of_it() -> None:
    ground = Ground("response-route-run = send:alone\nresponse-route-run = break:")
    assert ground.serve().endswith(b"Content-Length: 5\r\n\r\nalone")


def test_the_folder_is_changed_for_the_whole_process(tmp_path: Path) -> None:
    before = os.getcwd()
    (tmp_path / "ä").mkdir()
    try:
        ground = Ground(f"route-run = chdir:{tmp_path}/${{DIR}}").walk(DIR="ä".encode().decode("latin-1"))
        assert ground.flow == CONTINUE and os.getcwd() == f"{tmp_path}/ä"
    finally:
        os.chdir(before)


@pytest.mark.parametrize("folder", ["missing", "nul\0"])
def test_a_folder_that_cannot_be_entered(folder: str, tmp_path: Path) -> None:
    before = os.getcwd()
    ground = Ground(f"route-run = chdir:{tmp_path}/${{DIR}}")
    assert ground.serve(DIR=folder).startswith(b"HTTP/1.1 500 ")
    assert os.getcwd() == before and len(ground.warnings) == 1


def test_the_processs_title() -> None:
    titles: list[str] = []
    ground = Ground("route = ^/(.) setprocname:at $1", title=titles.append).walk()
    assert ground.flow == CONTINUE and titles == ["at a"]


@pytest.mark.skipif(not os.path.exists("/proc/self/comm"), reason="no /proc here")
def test_the_title_without_anybody_who_gives_one() -> None:
    code = (
        "from penstock.serve.routing.tools import short_title as t; t('a name that is long'); "
        "print(open('/proc/self/comm').read())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20)
    assert done.stdout.strip() == "a name that is "[:15].strip(), done.stderr
    assert callable(short_title)


def test_a_deadline_of_its_own() -> None:
    ground = Ground("route = ^/slow harakiri:60\nroute = ^/none harakiri:0")
    call: Any = ground.walk("/slow").call
    assert 59 < call.x.deadline - monotonic() <= 60
    for path in ("/none", "/"):
        assert ground.walk(path).call.x.deadline not in (inf, -1.0) and ground.call.x.deadline == 0.0


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5"])
def test_a_deadline_that_is_no_number(text: str) -> None:
    with pytest.raises(RuleErrors, match="harakiri: takes seconds"):
        Ground(f"route-run = harakiri:{text}")


def test_what_a_response_rule_sends_is_compressed_with_the_body() -> None:
    ground = Ground("route-run = gzip:\nresponse-route-run = send:first ")
    ground.serve(HTTP_ACCEPT_ENCODING="gzip")
    head, _, body = ground.box.sent.partition(b"\r\n\r\n")
    assert b"Content-Encoding: gzip" in head
    pieces = zlib.decompressobj(wbits=31)
    compressed = body[body.index(b"\x1f\x8b") :]  # behind the first chunk's size, if it is chunked
    assert pieces.decompress(compressed.replace(b"\r\n0\r\n\r\n", b"")) == b"firstapp\n"
