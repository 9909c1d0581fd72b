"""penstock from Python: scripts written for wsgiref, and run()."""

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

import penstock
from penstock.core.errors import ConfigError
from penstock.simple_server import WSGIRequestHandler, WSGIServer, demo_app, make_server
from tests.e2e.server import Server
from tests.e2e.surroundings import environment

SCRIPT = """
import pysnooper, io
from {module} import make_server

class Middle:
    def __init__(self, app):
        self.app = app
    def __call__(self, environ, start_response):
        return self.app(environ, start_response)

@pysnooper.snoop(io.StringIO())
def application(environ, start_response):
    start_response("200 OK", [("Content-type", "text/plain; charset=utf-8")])
    name = environ["PATH_INFO"][1:] or "World"
    return [b"Hello, ", name.encode("latin-1"), b"!"]

with make_server("", 0, Middle(application)) as httpd:
    print("Serving on port", httpd.server_port, flush=True)
    try:
        httpd.serve_forever()
    except KeyboardInterrupt:
        print("interrupted", flush=True)
print("closed", flush=True)
"""


@pytest.mark.parametrize("module", ["wsgiref.simple_server", "penstock.simple_server", "penstock"])
def test_a_script_for_wsgiref_runs_with_its_import_changed(tmp_path: Path, module: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(module=module))
    process = subprocess.Popen(
        [sys.executable, str(script)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline().split()[-1])
        for name in ("one", "two"):
            assert httpx.get(f"http://127.0.0.1:{port}/{name}").text == f"Hello, {name}!"
        process.send_signal(2)
        out, err = process.communicate(timeout=20)
        assert out.split() == ["interrupted", "closed"], err
        assert process.returncode == 0
        assert "GET /one" in err
    finally:
        process.kill()
        process.communicate()


def hello(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello from " + threading.current_thread().name.encode()]


@pytest.mark.parametrize("main", [True, False])
def test_serve_forever_on_any_thread_and_shutdown_from_another(main: bool) -> None:
    server = make_server("127.0.0.1", 0, hello, threads=2)
    replies: list[int] = []

    def use() -> None:
        for _ in range(5):
            replies.append(httpx.get(f"http://127.0.0.1:{server.server_port}/").status_code)
        server.shutdown()

    user = threading.Thread(target=use if main else server.serve_forever)
    user.start()
    (server.serve_forever if main else use)()
    user.join(10)
    assert not user.is_alive()
    server.server_close()
    assert replies == [200] * 5
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{server.server_port}/")


def test_handle_request_serves_exactly_one() -> None:
    with make_server("127.0.0.1", 0, hello) as server:
        replies: list[int] = []
        for _ in range(3):
            url = f"http://127.0.0.1:{server.server_port}/"
            user = threading.Thread(target=lambda url=url: replies.append(httpx.get(url).status_code))
            user.start()
            server.handle_request()
            user.join(10)
        assert replies == [200] * 3


def test_two_clients_at_once_are_one_for_each_call() -> None:
    both = threading.Barrier(2, timeout=10)

    def together(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if both.wait() == 0:  # the loop is away until both are answered
            server.worker.loop.call_soon_threadsafe(time.sleep, 0.3)  # type: ignore[union-attr]  # it runs
        both.wait()
        return hello(environ, start_response)

    with make_server("127.0.0.1", 0, together) as server:
        server.timeout = 5
        url = f"http://127.0.0.1:{server.server_port}/"
        replies: list[int] = []
        users = [
            threading.Thread(target=lambda: replies.append(httpx.get(url).status_code)) for _ in range(2)
        ]
        for user in users:
            user.start()
        begun = time.monotonic()
        server.handle_request()
        server.handle_request()
        assert time.monotonic() - begun < 4, "the second call is for the second of them"
        for user in users:
            user.join(10)
        assert replies == [200, 200]
        server.timeout = 0.2
        begun = time.monotonic()
        server.handle_request()
        assert time.monotonic() - begun > 0.1, "there is no third"


def test_what_is_finished_between_two_calls_is_the_next_ones() -> None:
    arrived, go = threading.Event(), threading.Event()

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/slow":
            arrived.set()
            assert go.wait(10)
        assert arrived.wait(10)
        return hello(environ, start_response)

    with make_server("127.0.0.1", 0, application) as server:
        server.timeout = 5
        url = f"http://127.0.0.1:{server.server_port}"
        slow, fast = (threading.Thread(target=httpx.get, args=(url + path,)) for path in ("/slow", "/fast"))
        slow.start()
        fast.start()
        server.handle_request()
        fast.join(10)
        go.set()
        slow.join(10)
        assert not slow.is_alive(), "its thread answers it by itself"
        begun = time.monotonic()
        server.handle_request()
        assert time.monotonic() - begun < 4
        server.timeout = 0.3
        begun = time.monotonic()
        server.handle_request()
        assert time.monotonic() - begun > 0.2, "no stop is left over from it"


def test_handle_request_gives_up_after_its_timeout() -> None:
    with make_server("127.0.0.1", 0, hello) as server:
        server.timeout = 0.2
        begun = time.monotonic()
        server.handle_request()
        assert 0.1 < time.monotonic() - begun < 3


def test_a_server_by_its_class_and_an_application_set_later() -> None:
    with WSGIServer(("127.0.0.1", 0), WSGIRequestHandler) as server:
        server.set_app(demo_app)
        assert server.get_app() is demo_app
        user = threading.Thread(target=server.serve_forever)
        user.start()
        url = f"http://127.0.0.1:{server.server_port}/"
        assert httpx.get(url).text.startswith("Hello world!")
        server.set_app(hello)
        assert httpx.get(url).text.startswith("hello from penstock-")
        server.shutdown()
        user.join(10)


def test_a_handler_that_logs_its_own_way_is_asked() -> None:
    lines: list[str] = []

    class Quiet(WSGIRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            lines.append(self.client_address[0] + " " + format % args)

    with make_server("127.0.0.1", 0, hello, handler_class=Quiet) as server:
        user = threading.Thread(target=server.serve_forever)
        user.start()
        httpx.get(f"http://127.0.0.1:{server.server_port}/x?y")
        server.shutdown()
        user.join(10)
    assert lines == ['127.0.0.1 "GET /x?y HTTP/1.1" 200 21']


def test_an_address_that_is_taken_is_an_oserror() -> None:
    with make_server("127.0.0.1", 0, hello) as server, pytest.raises(OSError, match=r"in use|98"):
        make_server("127.0.0.1", server.server_port, hello)


def test_run_serves_until_a_signal(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import penstock\n"
        "from tests.sites.zoo import application\n"
        "penstock.run(application, '127.0.0.1:0', threads=2, access_log='off')\n"
        "print('after')\n"
    )
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(script)], env=environment(), stdout=output, stderr=subprocess.STDOUT
        )
    server = Server(process, log)
    try:
        server.wait_until_listening(1)
        with server.client() as client:
            assert client.get("/hello").status == 200
        assert server.stop() == 0
        assert "after" in server.text()
    finally:
        process.kill()
        process.wait()


def test_wrong_options_are_named() -> None:
    with pytest.raises(ConfigError, match="no such option"):
        penstock.run(hello, "127.0.0.1:0", frobnicate=1)
