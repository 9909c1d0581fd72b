"""The program behind ``curl-cron``: what it sends, what it prints, and how it ends."""

import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import Request

from penstock.process.household.asking import request_of


class Answers(BaseHTTPRequestHandler):
    """``/to`` leads elsewhere, ``/404`` is not there, all else says what it was asked."""

    seen: list[tuple[str, str | None]] = []

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers["Authorization"]))
        status = {"/to": 302, "/404": 404}.get(self.path, 200)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        body = f"at {self.path}\n".encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the test's output is not its log."""


@contextmanager
def answering() -> Iterator[str]:
    Answers.seen.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def ask(url: str, patience: str = "4") -> tuple[int, str]:
    words = [sys.executable, "-m", "penstock.process.household.asking", patience]
    done = subprocess.run(words, input=url, capture_output=True, text=True, timeout=20)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_an_answer_is_printed() -> None:
    with answering() as host:
        assert ask(f"http://{host}/a?b=c#d") == (0, "at /a?b=c\n")


def test_it_goes_where_it_is_told() -> None:
    with answering() as host:
        assert ask(f"http://{host}/to") == (0, "at /elsewhere\n")


def test_one_of_400_is_a_failure() -> None:
    with answering() as host:
        code, text = ask(f"http://{host}/404")
        assert (code, text) == (1, f"at /404\n\nhttp://{host}/404: 404 Not Found\n")


def test_a_name_and_a_password_are_sent_once() -> None:
    with answering() as host:
        assert ask(f"http://me:a%20b@{host}/to")[0] == 0
    assert Answers.seen == [("/to", f"Basic {b64encode(b'me:a b').decode()}"), ("/elsewhere", None)]


def test_nobody_there_is_a_failure_without_a_password() -> None:
    with answering() as host:
        pass
    code, text = ask(f"http://me:secret@{host}/a")
    assert code == 1 and text == f"http://{host}/a: <urlopen error [Errno 111] Connection refused>\n"


def test_what_it_asks_for() -> None:
    request, place = request_of("http://me@[::1]:80/a")
    assert isinstance(request, Request) and place == "http://[::1]:80/a" == request.full_url
    assert request.get_header("Authorization") == f"Basic {b64encode(b'me').decode()}"
    assert request_of("http://a/")[0].get_header("Authorization") is None
