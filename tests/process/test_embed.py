"""Servers in the shape of wsgiref's: addresses, options, logs and closing, beside the e2e tests' scripts."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref import simple_server

import httpx
import pytest

import penstock
import penstock.simple_server
from penstock.config.settings import IMPLYING
from penstock.core.errors import ConfigError
from penstock.process.embed import WSGIRequestHandler, WSGIServer, make_server
from tests.e2e.surroundings import environment
from tests.process.running import hello


@contextmanager
def served(server: WSGIServer) -> Iterator[str]:
    """The URL of a server that runs inside the block."""
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
    assert not thread.is_alive()


def test_what_a_server_says_of_itself() -> None:
    with make_server("127.0.0.1", 0, hello) as server:
        assert server.server_port > 0
        assert server.server_address == ("127.0.0.1", server.server_port)
        assert server.server_name == "127.0.0.1"
        assert server.fileno() == server.socket.fileno()
        assert server.socket.getsockname() == server.server_address
        assert server.get_app() is hello
        assert server.timeout is None
        assert server.RequestHandlerClass is WSGIRequestHandler
        assert server.settings.thread_count == 4
        server.server_activate()


def test_an_empty_host_is_every_address() -> None:
    with make_server("", 0, hello) as server:
        assert server.server_address[0] == "0.0.0.0"
        assert server.server_name == "localhost"


def test_an_ipv6_host() -> None:
    with make_server("::1", 0, hello) as server:
        assert server.server_address[:2] == ("::1", server.server_port)
        assert server.socket.family == socket.AF_INET6


def test_binding_may_wait() -> None:
    server = WSGIServer(("127.0.0.1", 0), bind_and_activate=False)
    assert server.server_address == ("127.0.0.1", 0)
    server.server_close()
    server.server_bind()
    assert server.server_port > 0
    server.set_app(hello)
    with served(server) as url:
        assert httpx.get(url).text == "hello"


def test_closing_gives_the_port_back_used_or_not_and_again_does_no_harm() -> None:
    server = make_server("127.0.0.1", 0, hello)
    port = server.server_port
    server.server_close()
    server.server_close()
    server = make_server("127.0.0.1", port, hello)
    with served(server) as url:
        assert httpx.get(url).status_code == 200
    server.server_close()
    make_server("127.0.0.1", port, hello).server_close()


def test_a_shutdown_before_the_first_request_returns() -> None:
    with make_server("127.0.0.1", 0, hello) as server:
        server.shutdown()
        begun = time.monotonic()
        server.serve_forever()  # the other thread was faster: there is nothing left to end it
        assert time.monotonic() - begun < 5


def test_serving_goes_on_after_a_shutdown() -> None:
    with make_server("127.0.0.1", 0, hello) as server:
        for _ in range(2):
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            assert httpx.get(f"http://127.0.0.1:{server.server_port}/").text == "hello"
            server.shutdown()
            thread.join(10)
            assert not thread.is_alive()


def test_options_are_the_command_lines() -> None:
    options: dict[str, Any] = {"threads": 2, "add_header": "X-Frame-Options: DENY", "request_line": "1k"}
    with served(make_server("127.0.0.1", 0, hello, access_log="off", **options)) as url:
        assert httpx.get(url).headers["x-frame-options"] == "DENY"
        assert httpx.get(url + "/" + "x" * 2000).status_code == 414


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"thread": 2}, "there is no such option; did you mean --threads?"),
        ({"queue_timeout": "soon"}, "a time is expected"),
        ({"threads": 0}, "a number from 1 to 4096 is expected"),
    ],
)
def test_options_that_are_wrong(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said.replace("?", r"\?")):
        make_server("127.0.0.1", 0, hello, **options)


@pytest.mark.parametrize("option", ["bind", "http", "http_socket", "http11_socket", "socket", "uwsgi_socket"])
def test_the_address_is_named_once(option: str) -> None:
    options: dict[str, Any] = {option: "127.0.0.1:0"}
    with pytest.raises(TypeError, match="the address of this server is its server_address"):
        WSGIServer(("127.0.0.1", 0), **options)


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_that_cannot_be_had_is_an_oserror(host: str) -> None:
    with pytest.raises(OSError):
        make_server(host, 8000, hello)


def test_without_an_application_it_is_the_demo() -> None:
    with served(make_server("127.0.0.1", 0, None, access_log="off")) as url:
        assert httpx.get(url).text.startswith("Hello world!")


def test_an_application_that_fails_is_a_500_and_its_traceback_is_logged(tmp_path: Path) -> None:
    def failing(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        raise RuntimeError("boom")

    log = tmp_path / "log"
    with served(make_server("127.0.0.1", 0, failing, logto=str(log))) as url:
        assert httpx.get(url).status_code == 500
    assert "RuntimeError: boom" in log.read_text()


def test_the_access_log_is_the_line_of_uwsgi(tmp_path: Path) -> None:
    log = tmp_path / "access"
    with served(make_server("127.0.0.1", 0, hello, access_log=str(log))) as url:
        httpx.get(url + "/page?x=1")
    assert "GET /page?x=1 => generated 5 bytes in" in log.read_text()


@pytest.mark.parametrize("option", ["logto", "access_log"])
def test_closing_closes_the_logs(tmp_path: Path, option: str) -> None:
    options: dict[str, Any] = {"access_log": "off", option: str(tmp_path / "log")}
    server = make_server("127.0.0.1", 0, hello, **options)
    with served(server) as url:
        httpx.get(url)
        assert server.diary is not None
        sink = server.diary.access_sink or server.diary.error_sink
        assert sink.fd > 2
    assert sink.fd == -1, "closed"
    written = (tmp_path / "log").read_text()
    assert ("GET / =>" in written) == (option == "access_log"), "and all was written before"


def test_a_subclass_that_overrides_log_request_gets_status_and_size(tmp_path: Path) -> None:
    calls: list[tuple[Any, ...]] = []

    class Mine(WSGIRequestHandler):
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            calls.append((self.address_string(), self.command, self.path, self.request_version, code, size))

    log = tmp_path / "access"
    server = make_server("127.0.0.1", 0, hello, handler_class=Mine, access_log=str(log))
    with served(server) as url:
        httpx.get(url + "/page")
    assert calls == [("127.0.0.1", "GET", "/page", "HTTP/1.1", 200, 5)]
    assert log.read_text() == "", "not twice"


def test_a_handler_of_wsgirefs_own_logs_as_it_does_there(capfd: pytest.CaptureFixture[str]) -> None:
    server = make_server("127.0.0.1", 0, hello, handler_class=simple_server.WSGIRequestHandler)
    with served(server) as url:
        httpx.get(url + "/page")
    err = capfd.readouterr().err
    assert '"GET /page HTTP/1.1" 200 5' in err
    assert err.startswith("127.0.0.1 - - [")


def test_our_handler_logs_in_that_form_too(capsys: pytest.CaptureFixture[str]) -> None:
    handler = WSGIRequestHandler()
    handler.client_address = ("192.0.2.9", 0)
    handler.requestline = "GET / HTTP/1.1"
    handler.log_request(404, 9)
    assert capsys.readouterr().err == '192.0.2.9 - - "GET / HTTP/1.1" 404 9\n'


def test_a_server_class_of_ones_own() -> None:
    class Mine(WSGIServer):
        greeting = "mine"

    with make_server("127.0.0.1", 0, hello, server_class=Mine) as server:
        assert isinstance(server, Mine)


def test_the_names_are_where_people_import_them_from() -> None:
    for name in ("make_server", "WSGIServer", "WSGIRequestHandler", "demo_app"):
        assert name in penstock.simple_server.__all__
        assert hasattr(simple_server, name), "wsgiref has it too"
    assert penstock.make_server is make_server
    assert penstock.WSGIServer is WSGIServer
    assert sorted(penstock.__all__) == ["WSGIServer", "__version__", "make_server", "run"]
    nothing = "frobnicate"
    with pytest.raises(AttributeError, match="module 'penstock' has no attribute 'frobnicate'"):
        getattr(penstock, nothing)


@pytest.mark.parametrize(
    ("call", "status", "said"),
    [
        ("penstock.run('nothing_here', '127.0.0.1:0')", 22, "there is no module named nothing_here"),
        ("penstock.run(print, '192.0.2.1:8000')", 1, "cannot listen on 192.0.2.1:8000"),
        ("penstock.run(print, '/nowhere/x.sock')", 1, "cannot listen on /nowhere/x.sock"),
        ("penstock.run(print, '127.0.0.1:0', chdir='/nowhere')", 1, "chdir /nowhere: No such file"),
        ("penstock.run(print, '1:2:3')", 1, "ConfigError: keyword argument: --bind 1:2:3: "),
    ],
)
def test_a_run_that_cannot_start_exits_as_the_command_does(
    tmp_path: Path, call: str, status: int, said: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import penstock\n{call}\nprint('served')"],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == status
    assert said in done.stderr
    assert done.stdout == ""


def test_a_run_of_a_name_without_an_address_has_the_short_forms() -> None:
    """All problems are told at once: that there is no socket would be among them."""
    with pytest.raises(ConfigError) as caught:
        penstock.run("pkg.mod:app", queue="x")
    assert str(caught.value) == "keyword argument: --queue x: a whole number is expected"


ABOUT_THE_PROCESS = [
    *("uid", "gid", "umask", "chdir", "daemonize", "pidfile", "env", "stop"),
    *("reload", "pause", "resume", "connect_and_read", "procname", "auto_procname", "procname_prefix"),
    *("chroot", "limit_as", "max_fd", "cpu_affinity"),
]


@pytest.mark.parametrize("name", ABOUT_THE_PROCESS)
def test_what_is_about_the_process_is_refused_and_not_ignored(name: str) -> None:
    options: dict[str, Any] = {name: "1"}
    with pytest.raises(TypeError, match=f"leaves the process as it is: {name}$"):
        make_server("127.0.0.1", 0, hello, **options)


LOOKED_AT = ("metrics", "metrics_path", "status_page", "status_auth", "health_live", "worker_logger")
OTHERS = ("master", "processes", "workers", "lazy_apps", "no_orphans", "lame_duck", *LOOKED_AT)


@pytest.mark.parametrize("name", [*OTHERS, *IMPLYING])
def test_what_needs_a_supervisor_is_refused_and_not_ignored(name: str) -> None:
    options: dict[str, Any] = {name: "1"}
    with pytest.raises(TypeError, match=f"a server inside a program has no supervisor: {name}$"):
        make_server("127.0.0.1", 0, hello, **options)


AFTER = """
import os, signal, sys, threading, time
import penstock
def mine(number, frame):
    print("mine", number)
signal.signal(signal.SIGHUP, mine)
before = {number: signal.getsignal(number) for number in (1, 2, 3, 10, 13, 15)}, sys.getswitchinterval()
def told():
    # A TERM that comes before the server has its handlers would end the program.
    while signal.getsignal(signal.SIGTERM) is before[0][signal.SIGTERM]:
        time.sleep(0.01)
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=told).start()
penstock.run(print, "127.0.0.1:0", access_log=False)
after = {number: signal.getsignal(number) for number in (1, 2, 3, 10, 13, 15)}, sys.getswitchinterval()
assert after == before, (before, after)
os.kill(os.getpid(), signal.SIGHUP)
try:
    os.kill(os.getpid(), signal.SIGINT)
    signal.pause()
except KeyboardInterrupt:
    print("interrupted")
"""


def test_a_program_has_its_signals_back_when_run_returns() -> None:
    done = subprocess.run(
        [sys.executable, "-c", AFTER],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stdout == "mine 1\ninterrupted\n", done.stderr


ITSELF = """
import penstock
def application(environ, start_response):
    start_response("200 OK", [])
    return []
penstock.run("itself:application", "127.0.0.1:0"{options})
"""


@pytest.mark.parametrize("options", ["", ", processes=2"])
def test_an_import_that_would_serve_what_is_being_imported(tmp_path: Path, options: str) -> None:
    """Each would start the next one."""
    (tmp_path / "itself.py").write_text(ITSELF.format(options=options))
    done = subprocess.run(
        [sys.executable, "itself.py"],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 22
    assert "RuntimeError: the import of the application calls penstock.run()" in done.stderr
    assert done.stderr.count(" penstock: penstock 0.") == 1


ALONE = """
import os, signal, socket, threading, time
import penstock

def application(environ, start_response):
    os.kill(os.getpid(), signal.SIGTERM)
    start_response("200 OK", [])
    return []

def ask():
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect("s")
                sock.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
                return sock.recv(100)
        except OSError:
            time.sleep(0.01)

threading.Thread(target=ask, daemon=True).start()
penstock.run(application, "unix:s", **{options})
"""


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ("{'master': True, 'processes': 4, 'max_requests': 9}", "--master, --processes, --max-requests"),
        ("{'workers': 'auto'}", "--processes"),
        ("{'harakiri': 9, 'harakiri_mode': 'process'}", "--harakiri-mode"),
        ("{'harakiri': 9, 'processes': 1, 'control_socket': 'off'}", ""),
    ],
)
def test_an_object_is_served_by_one_process_and_what_is_not_done_then_is_said(
    tmp_path: Path, options: str, named: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ALONE.replace("{options}", options)],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if "not acted on" in line]
    assert len(said) == bool(named)
    assert all(f" penstock warning: {named}: not acted on: " in line for line in said)
    assert all("needs the application by its name, 'module:callable'" in line for line in said)
    assert "workers" not in done.stderr
