"""From start to the last reply: addresses, failures to start, signals, PID 1."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.cases import covering
from tests.e2e.server import LOOPS, Client, Server, serving
from tests.e2e.surroundings import environment

ROOT = os.getuid() == 0


def load(server: Server, stop: threading.Event, results: list[str], keep: bool) -> None:
    """Requests until the connection cannot be made; each connection made must be answered."""
    while not stop.is_set():
        try:
            client = server.client(timeout=10)
        except OSError:
            return  # the handshake was not completed: nobody promised anything
        with client:
            try:
                for _ in range(50 if keep else 1):
                    reply = client.get("/hello", *([] if keep else ["Connection: close"]))
                    results.append("ok" if reply.body == b"Hello, World!" else f"wrong {reply}")
                    if reply.headers.get("connection") == "close":
                        break
            except (OSError, EOFError, ValueError) as error:
                results.append(f"lost {error!r}")


@pytest.mark.parametrize(
    ("loop", "keep", "number"),
    covering(LOOPS, [False, True], [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT]),
)
def test_term_under_load_loses_nobody(tmp_path: Path, loop: str, keep: bool, number: int) -> None:
    with serving(tmp_path, "--threads", "4", "--loop", loop, expect=None) as server:
        stop, results = threading.Event(), list[str]()
        threads = [threading.Thread(target=load, args=(server, stop, results, keep)) for _ in range(6)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        assert server.stop(number) == 0
        stop.set()
        for thread in threads:
            thread.join(15)
        assert len(results) > 50
        assert [result for result in results if result != "ok"] == []


def test_a_running_request_is_finished_and_a_waiting_one_too(tmp_path: Path) -> None:
    with serving(tmp_path, "--threads", "1", expect=None) as server:
        first, second, idle = server.client(), server.client(), server.client()
        assert idle.get("/hello").status == 200
        first.send(b"GET /sleep?s=0.8 HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.1)
        second.send(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.1)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        # An idle connection lingers: a request that was on its way is answered, and told that it is the last.
        reply = idle.get("/hello")
        assert reply.status == 200
        assert reply.headers["connection"] == "close"
        assert first.reply().body == b"slept"
        assert second.reply().body == b"Hello, World!"
        with pytest.raises(OSError):
            server.client()
        assert server.process.wait(10) == 0, "a second signal would stop at once"
        for client in (first, second, idle):
            client.close()


def test_a_second_signal_stops_at_once(tmp_path: Path) -> None:
    with serving(tmp_path, expect=None) as server, server.client() as client:
        client.send(b"GET /sleep?s=20 HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.2)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        begun = time.monotonic()
        assert server.stop() == 30
        assert time.monotonic() - begun < 3


def test_the_time_for_leaving_is_bounded(tmp_path: Path) -> None:
    with serving(tmp_path, "--shutdown-timeout", "1", expect=None) as server, server.client() as client:
        client.send(b"GET /sleep?s=20 HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.2)
        begun = time.monotonic()
        assert server.stop() == 30
        assert time.monotonic() - begun < 4
        assert "shutdown-timeout: 1 requests" in server.text()


@pytest.mark.skipif(not ROOT, reason="unshare needs root")
def test_as_pid_1_in_a_namespace_of_its_own(tmp_path: Path) -> None:
    prefix = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
    with serving(tmp_path, "--threads", "2", prefix=prefix, expect=None) as server:
        stop, results = threading.Event(), list[str]()
        threads = [threading.Thread(target=load, args=(server, stop, results, False)) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.4)
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
        first = int(children[0])
        os.kill(first, signal.SIGTERM)
        assert server.process.wait(20) == 0, server.text()
        stop.set()
        for thread in threads:
            thread.join(15)
        assert len(results) > 20
        assert [result for result in results if result != "ok"] == []


@pytest.mark.skipif(not ROOT, reason="unshare needs root")
def test_pid_1_reaps_what_the_application_leaves_behind(tmp_path: Path) -> None:
    (tmp_path / "orphans.py").write_text(
        "import subprocess\n"
        "def application(environ, start_response):\n"
        "    done = subprocess.run(['sh', '-c', '(sleep 0.2 &) ; exit 3'])\n"
        "    body = str(done.returncode).encode()\n"
        "    start_response('200 OK', [('Content-Length', str(len(body)))])\n"
        "    return [body]\n"
    )
    prefix = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
    with serving(tmp_path, app="orphans", prefix=prefix, expect=None) as server, server.client() as client:
        for _ in range(5):
            assert client.get("/").body == b"3", "the application's own children keep their exit status"
        time.sleep(0.8)
        init = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()[0]
        states = []
        for child in Path(f"/proc/{init}/task/{init}/children").read_text().split():
            states.append(Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0])
        assert "Z" not in states
        os.kill(int(init), signal.SIGTERM)
        assert server.process.wait(20) == 0


def run(*words: str, cwd: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "penstock", *words],
        cwd=cwd,
        env=environment(**env),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_taken_port_is_said_and_fails(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        done = run("--http-socket", f"127.0.0.1:{server.port}", "--module", "tests.sites.zoo", cwd=tmp_path)
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{server.port}: the address is in use" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["no_such_module"], 22, "there is no module named no_such_module"),
        (["tests.sites.zoo:nothing"], 22, "there is no nothing in it"),
        (["tests.sites.zoo:VIEWS"], 22, "VIEWS is not callable but dict"),
        (["--wsgi-file", "missing.py", "--bind", "127.0.0.1:0"], 22, "there is no such file"),
        (["--frobnicate"], 1, "unknown option --frobnicate"),
        (["--vaccum"], 1, "did you mean --vacuum?"),
        (["--threads", "lots", "x"], 1, "--threads lots"),
        (["--http-socket", "1:2:3", "x"], 1, "put brackets round an IPv6 address"),
        (["--chdir", "/nowhere/at/all", "x"], 1, "chdir /nowhere/at/all"),
        (["--http-socket", ":0"], 1, "no application"),
        (["--module", "x"], 1, "no socket"),
        (["--virtualenv", "/nowhere", "x"], 1, "virtualenv /nowhere"),
        (["--bind", "/nowhere/x.sock", "x"], 1, "cannot listen on /nowhere/x.sock"),
        (["--add-header", "X: a\nb", "tests.sites.zoo"], 1, "add-header"),
        (["--trusted-proxies", "not-an-ip", "tests.sites.zoo"], 1, "trusted-proxies"),
        (["x.ini"], 1, "x.ini: No such file or directory"),
    ],
)
def test_what_cannot_start_says_why(tmp_path: Path, words: list[str], code: int, said: str) -> None:
    done = run(*words, cwd=tmp_path, **({} if said == "no socket" else {"PORT": "0"}))
    assert said in done.stderr
    assert done.returncode == code, done.stderr


def test_without_need_app_every_request_gets_500(tmp_path: Path) -> None:
    with serving(tmp_path, "--need-app=false", app="no_such_module") as server, server.client() as client:
        assert client.get("/").status == 500


@pytest.mark.parametrize("more", [(), ("--processes", "2", "--harakiri", "20")])
def test_what_is_not_acted_on_is_said_once_at_start(tmp_path: Path, more: tuple[str, ...]) -> None:
    options = ("--jailed", "--ugreen", "--gevent", "10", "--enable-threads", *more)
    with serving(tmp_path, *options) as server, server.client() as client:
        assert client.get("/hello").status == 200
        warnings = [line for line in server.text().splitlines() if "not acted on" in line]
        named = [line.partition(" warning: ")[2].split()[0] for line in warnings]
        assert named == ["--jailed", "--ugreen", "--gevent"]
        for name in ("--enable-threads", "--processes", "--harakiri"):
            assert name not in server.text()


def test_several_listeners_each_with_its_protocol(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    options = (
        "--http-socket", "127.0.0.1:0", "--http-socket", "[::1]:0", "--http", str(path), "--chmod-socket=600",
        "--http-socket", f"@penstock-test-{os.getpid()}", "--uwsgi-socket", "127.0.0.1:0",
    )  # fmt: skip
    with serving(tmp_path, *options, listeners=5) as server:
        for index in range(4):
            with server.client(index) as client:
                assert client.get("/hello").status == 200, server.listening[index]
        assert (path.stat().st_mode & 0o777) == 0o600
        with server.client(4) as client:
            client.send(b"GET / HTTP/1.1\r\n\r\n")
            assert client.ended()
        server.wait_for("this looks like HTTP")
    assert not path.exists(), "vacuum"


def test_a_socket_file_that_nobody_serves_is_replaced_and_others_are_not(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(path))
    with serving(tmp_path, "--http-socket", str(path)) as server:
        done = run("--http-socket", str(path), "--module", "tests.sites.zoo", cwd=tmp_path)
        assert done.returncode == 1
        assert "another server is listening there" in done.stderr
        with server.client() as client:
            assert client.get("/hello").status == 200
    (tmp_path / "file").write_text("precious")
    done = run("--http-socket", str(tmp_path / "file"), "--module", "tests.sites.zoo", cwd=tmp_path)
    assert "is no socket" in done.stderr
    assert (tmp_path / "file").read_text() == "precious"


def test_an_inherited_descriptor(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        fd = sock.fileno()
        with (
            serving(tmp_path, "--http-socket", f"fd://{fd}", pass_fds=(fd,)) as server,
            server.client() as client,
        ):
            assert client.get("/hello").status == 200


def test_socket_activation_as_systemd_does_it(tmp_path: Path) -> None:
    script = tmp_path / "activate.py"
    script.write_text(
        "import os, socket, sys\n"
        "one = socket.create_server(('127.0.0.1', 0)); two = socket.create_server(('127.0.0.1', 0))\n"
        "a, b = os.dup(one.fileno()), os.dup(two.fileno())\n"
        "os.dup2(a, 3); os.dup2(b, 4)\n"
        "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='2', LISTEN_FDNAMES='web-http:plain')\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'penstock', *sys.argv[1:]])\n"
    )
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(script), "--module", "tests.sites.zoo"],
            stdout=output, stderr=subprocess.STDOUT, env=environment(), cwd=tmp_path, close_fds=True,
        )  # fmt: skip
    server = Server(process, log)
    try:
        server.wait_until_listening(2)
        assert [kind for kind, _ in server.listening] == ["http", "uwsgi"]
        with server.client(0) as client:
            assert b"LISTEN_" not in client.get("/show").body
        assert server.stop() == 0
    finally:
        process.kill()
        process.wait()


def test_port_from_the_environment_and_the_short_form(tmp_path: Path) -> None:
    with (
        serving(tmp_path, "tests.sites.zoo:application", "--bind", "127.0.0.1:0", app="") as server,
        server.client() as client,
    ):
        assert client.get("/hello").status == 200
        assert "threads: 2 for each of" in server.text()


def test_logto_takes_everything_and_is_reopened(tmp_path: Path) -> None:
    log = tmp_path / "all.log"
    with serving(tmp_path, "--logto", str(log), expect=None, listeners=0) as server:
        until = time.monotonic() + 10
        while not (log.exists() and "listening on" in log.read_text()) and time.monotonic() < until:
            time.sleep(0.02)
        found = Server(server.process, log)
        found.wait_until_listening(1)
        with found.client() as client:
            client.get("/hello?before")
            found.wait_for("/hello?before")
            log.rename(tmp_path / "old.log")
            found.process.send_signal(signal.SIGUSR1)
            time.sleep(0.3)
            client.get("/hello?after")
            time.sleep(0.6)
        assert "/hello?after" in log.read_text()
        assert "/hello?after" not in (tmp_path / "old.log").read_text()
        assert found.stop() == 0


def test_disable_logging_and_chosen_places(tmp_path: Path) -> None:
    with serving(tmp_path, "--disable-logging") as server, server.client() as client:
        client.get("/hello?quiet")
        time.sleep(0.5)
        assert "/hello?quiet" not in server.text()
    access = tmp_path / "access.log"
    with serving(tmp_path, "--access-log", str(access)) as server, server.client() as client:
        client.get("/hello?a%22b")
    line = access.read_text()
    assert "GET /hello?a%22b => generated 13 bytes in" in line
    assert "[pid: " in line


def test_early_hints_by_option(tmp_path: Path) -> None:
    with serving(tmp_path, "--early-hints") as server:
        for target in (b"/hints", b"/hints?lazy=1"):
            with server.client() as client:
                client.send(b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n")
                hints = client.head()
                assert hints.status == 103
                assert hints.headers["link"] == "</a.css>; rel=preload"
                assert client.reply().body == b"True"
        with server.client() as client:
            assert client.get("/hints", version="HTTP/1.0").body == b"False"


def test_add_header_and_chunked_stream_and_post_buffering(tmp_path: Path) -> None:
    options = ("--add-header", "X-Frame-Options: DENY", "--chunked-stream")
    with serving(tmp_path, *options) as server, server.client() as client:
        assert client.get("/hello").headers["x-frame-options"] == "DENY"
        client.send(
            b"POST /show HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
        )
        assert b"HTTP_TRANSFER_ENCODING" in client.reply().body
    with serving(tmp_path, "--add-header", "Connection: close") as server, server.client() as client:
        assert client.get("/hello").headers["connection"] == "close"
        assert client.ended()


def test_post_buffering_takes_no_thread_while_a_large_body_comes(tmp_path: Path) -> None:
    options = ("--post-buffering", "1000", "--threads", "1")
    with serving(tmp_path, *options) as server, server.client() as slow, server.client() as client:
        slow.send(b"POST /digest HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" + b"x" * 200_000)
        time.sleep(0.1)
        assert client.get("/hello").status == 200
        slow.send(b"x" * 100_000)
        assert slow.reply().body.startswith(b"300000 ")


def test_limit_post_and_chunked_limit(tmp_path: Path) -> None:
    with serving(tmp_path, "--limit-post", "10", "--chunked-limit", "10") as server:
        for head in (
            b"Content-Length: 11\r\n\r\n",
            b"Transfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n",
        ):
            with server.client() as client:
                client.send(b"POST /digest HTTP/1.1\r\nHost: a\r\n" + head)
                assert client.reply().status == 413


def test_forwarded_headers_of_strangers_change_nothing(tmp_path: Path) -> None:
    with serving(tmp_path, "--trusted-proxies", "192.0.2.1") as server, server.client() as client:
        body = client.get("/show", "X-Forwarded-Proto: https", "X-Forwarded-For: 203.0.113.9").body
        assert b'"wsgi.url_scheme": ["str", "http"]' in body
        assert b"HTTP_X_FORWARDED_PROTO" in body
    with serving(tmp_path, "--forwarded-addr") as server, server.client() as client:
        body = client.get("/show", "X-Forwarded-For: 198.51.100.7, 203.0.113.9, 127.0.0.1").body
        assert b'"REMOTE_ADDR": ["str", "203.0.113.9"]' in body


def test_uwsgi_allow_turns_others_away(tmp_path: Path) -> None:
    options = ("--uwsgi-socket", "127.0.0.1:0", "--uwsgi-allow", "192.0.2.0/24")
    with serving(tmp_path, *options) as server:
        with Client(server.address()) as client:
            assert client.ended()
        server.wait_for("not in uwsgi-allow")
