"""The program that sends an alarm's message: by HTTP and by mail, and what it says when it cannot."""

import json
import socket
import subprocess
import sys
from dataclasses import asdict
from typing import Any

import pytest

from penstock.config.household.alarms import Post, parse
from penstock.process.alarms.raising import letter
from tests.e2e.surroundings import environment
from tests.process.alarms.posting import OK, peer

MAIL = [b"220 here\r\n", b"250 here\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"250 ok\r\n",
        b"221 bye\r\n"]  # fmt: skip


def sent(text: str, message: bytes, **more: Any) -> tuple[int, str]:
    """Exit status and what it said."""
    post = parse(f"a {text}").post
    assert post is not None
    done = subprocess.run(
        [sys.executable, "-m", "penstock.process.alarms.webhook"],
        input=letter(Post(**{**asdict(post), **more}), message),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(no_proxy="*"),
        timeout=20,
        check=False,
    )
    return done.returncode, done.stdout.decode()


def test_a_message_is_posted() -> None:
    with peer(OK) as one:
        assert sent(f"http://127.0.0.1:{one.port}/hook?a=b", "für\nzwei\n".encode()) == (0, "")
    head, _, body = one.heard.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hook?a=b HTTP/1.1\r\n")
    assert b"Content-Type: text/plain; charset=utf-8" in head
    assert body == "für\nzwei\n".encode()


def test_as_curl_would() -> None:
    with peer(OK) as one:
        words = "method=PUT;auth_user=me;auth_pass=it;subject=on fire"
        assert sent(f"curl:http://127.0.0.1:{one.port}/x;{words}", b"line\n") == (0, "")
    head, _, body = one.heard.partition(b"\r\n\r\n")
    assert head.startswith(b"PUT /x ")
    assert b"\r\nAuthorization: Basic bWU6aXQ=" in head
    assert body == b"Subject: on fire\r\n\r\nline\n"


def test_a_name_in_the_url_is_not_a_host() -> None:
    with peer(OK) as one:
        assert sent(f"http://m%65:it@127.0.0.1:{one.port}/", b"line\n") == (0, "")
    assert b"\r\nAuthorization: Basic bWU6aXQ=" in one.heard
    assert f"\r\nHost: 127.0.0.1:{one.port}".encode() in one.heard


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "HTTP Error 500: No"),
        (
            b"HTTP/1.1 302 There\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            "HTTP Error 302",
        ),
        (b"nonsense\r\n\r\n", "the answer is none"),
    ],
)
def test_an_answer_that_is_none(answer: bytes, said: str) -> None:
    with peer(answer) as one:
        status, text = sent(f"http://127.0.0.1:{one.port}/secret", b"line\n")
    assert status == 1
    assert said in text and text.startswith(f"http://127.0.0.1:{one.port}: ")
    assert "secret" not in text and text.count("\n") == 1


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    status, text = sent(f"http://127.0.0.1:{port}/", b"line\n")
    assert (status, "refused" in text) == (1, True)


def test_who_does_not_answer_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        status, text = sent(where, b"line\n", timeout=0.3, connect=5.0)
        assert status == 1 and "takes too long" in text
        status, text = sent(where, b"line\n", timeout=5.0, connect=0.3)
        assert status == 1 and "timed out" in text


def test_a_mail() -> None:
    with peer(*MAIL, greets=True) as one:
        words = "mail_to=a@example.org;mail_from=b@example.org;subject=on fire"
        assert sent(f"curl:smtp://127.0.0.1:{one.port};{words}", b"one\ntwo\n") == (0, "")
    text = one.heard.decode().lower()
    assert "mail from:<b@example.org>" in text and "rcpt to:<a@example.org>" in text
    assert "to: a@example.org\r\nsubject: on fire\r\n\r\none\r\ntwo\r\n.\r\n" in text


def test_a_mail_that_nobody_takes() -> None:
    with peer(b"554 no\r\n", greets=True) as one:
        status, text = sent(f"curl:smtp://127.0.0.1:{one.port};mail_to=a@b", b"x")
    assert status == 1 and "554" in text


def test_what_it_reads_is_a_line_of_how_and_the_message() -> None:
    head, _, message = letter(Post(url="http://a/"), b"\nb\n").partition(b"\n")
    assert json.loads(head)["url"] == "http://a/"
    assert message == b"\nb\n"
