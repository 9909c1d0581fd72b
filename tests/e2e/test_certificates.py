"""Certificates over a server's life: those that are wrong or renewed, and whoever may read them."""

import json
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.cases import each
from tests.e2e.daemons import NOBODY, ROOT, command, open_folder, public_python
from tests.e2e.secure import CERTIFICATES, Secure, TlsClient, copied, install, pair, secured, trusting
from tests.e2e.server import Server, serving
from tests.e2e.surroundings import environment

MASTER = ("--master", "--processes", "2", "--threads", "2")
BOTH = trusting("server", "renewed")
PID = """
import os
def application(environ, start_response):
    start_response("200 OK", [])
    return [str(os.getpid()).encode()]
"""


def penstock(*words: str, cwd: Path = CERTIFICATES) -> "subprocess.CompletedProcess[str]":
    """A command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "penstock", *words],
        cwd=cwd, env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


# ---- Wrong --------------------------------------------------------------------------------------------

WRONG = {
    "server.pem,none.key": "the key none.key cannot be read: No such file or directory",
    "server.pem,renewed.key": "the key renewed.key is not that of the certificate server.pem",
    "server.pem,encrypted.key": "the key encrypted.key is encrypted",
    "server.pem,server.key,NONSENSE": "OpenSSL knows no such ciphers: NONSENSE",
    "server.pem": "ADDRESS,CERTIFICATE,KEY is expected",
}


@each(WRONG)
def test_a_start_that_cannot_be_says_why_and_so_does_check(case: str) -> None:
    line = ("--https", f"127.0.0.1:0,{case}", "--module", "tests.sites.zoo:application")
    started, checked = penstock(*line), penstock("check", "--", *line)
    assert (started.returncode, checked.returncode) == (1, 1)
    assert WRONG[case] in started.stderr and f"127.0.0.1:0,{case}" in started.stderr
    assert WRONG[case] in checked.stdout and "command line" in checked.stdout
    assert "Traceback" not in started.stderr


def test_check_names_the_line_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "site.ini"
    file.write_text(
        f"[uwsgi]\nmodule = tests.sites.zoo\nhttps = :8443,{pair()}\nhttps-socket = :8444,a.pem,a.key\n"
    )
    done = penstock("check", str(file), cwd=tmp_path)
    assert done.returncode == 1
    assert (
        f"{file}:4: error: https-socket = :8444,a.pem,a.key: the certificate a.pem cannot be read"
        in done.stdout
    )
    assert ":3" not in done.stdout


def test_one_that_is_asked_whether_it_is_ready(tmp_path: Path) -> None:
    with secured(tmp_path, plain=False, count=1) as it:
        host, port = it.address
        words = (f"--https={host}:{port},{pair()}", "--module", "tests.sites.zoo:application", "--nagios")
        done = penstock(*words)
        assert (done.returncode, done.stdout) == (0, "PENSTOCK OK: armed and ready\n")
    assert penstock(*words).returncode == 2


def test_what_is_tls_is_imported_by_nobody_else(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "import sys\n"
        "def application(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return [str('penstock.handoff.tls' in sys.modules).encode()]\n"
    )
    with secured(tmp_path, "--chdir", str(tmp_path), app="app") as it, it.client() as client:
        assert client.get("/").body == b"True"
    with serving(tmp_path, "--chdir", str(tmp_path), app="app") as server, server.client() as plain:
        assert plain.get("/").body == b"False"


# ---- Renewed ------------------------------------------------------------------------------------------


def name(it: Secure) -> str:
    """Whose certificate is shown now."""
    with it.client(BOTH) as client:
        assert client.get("/hello").body == b"Hello, World!"
        return client.name


def reload(it: Secure, said: str) -> None:
    it.server.process.send_signal(signal.SIGHUP)
    it.server.wait_for(said, 30)


def test_a_reload_takes_up_a_new_certificate_and_no_broken_one(tmp_path: Path) -> None:
    with secured(tmp_path, *MASTER, https=f"--https=127.0.0.1:0,{copied(tmp_path)}") as it:
        with it.client(BOTH) as before:
            assert before.get("/hello").status == 200 and before.name == "server"
            install(tmp_path, "renewed")
            assert name(it) == "server", "not before it is told to"
            reload(it, "generation 2 serves")
            assert name(it) == "renewed"
        (tmp_path / "site.key").write_bytes((CERTIFICATES / "server.key").read_bytes())
        reload(it, "the reload failed, and what ran before serves on")
        assert "site.key is not that of the certificate" in it.server.text()
        assert name(it) == "renewed"
        install(tmp_path, "server")
        reload(it, "generation 3 serves")
        assert name(it) == "server"


def test_a_worker_that_follows_another_has_the_certificate_of_its_generation(tmp_path: Path) -> None:
    options = ("--master", "--processes=1", "--threads=1", "--lazy-apps")
    with secured(tmp_path, *options, https=f"--https=127.0.0.1:0,{copied(tmp_path)}") as it:
        assert name(it) == "server"
        for end in ("pem", "key"):
            (tmp_path / f"site.{end}").unlink()
        children = Path(f"/proc/{it.server.process.pid}/task/{it.server.process.pid}/children")
        for pid in map(int, children.read_text().split()):
            os.kill(pid, signal.SIGKILL)  # its prototype, and the worker
        it.server.wait_for("its prototype (pid")
        assert name(it) == "server"


@pytest.mark.slow
def test_another_penstock_that_takes_over_goes_on_with_it(tmp_path: Path) -> None:
    with secured(tmp_path, *MASTER, https=f"--https=127.0.0.1:0,{copied(tmp_path)}") as it:
        with it.client(BOTH) as kept:
            assert kept.get("/hello").status == 200
            it.server.process.send_signal(signal.SIGUSR2)
            it.server.wait_for("took over: generation 2 serves", 30)
        assert name(it) == "server"
        install(tmp_path, "renewed")
        reload(it, "generation 3 serves")
        assert name(it) == "renewed"


def test_all_workers_go_on_with_sessions_of_each_other(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(PID)
    context = trusting(newest=ssl.TLSVersion.TLSv1_2)
    with secured(tmp_path, *MASTER, "--chdir", str(tmp_path), app="app") as it:
        with it.client(context) as client:
            client.get("/")
            session = client.tls.session
        pids = set()
        with ExitStack() as stack:  # all at once, so that no worker has them all
            for _ in range(8):
                client = stack.enter_context(TlsClient(it.address, context, session=session))
                assert client.tls.session_reused
                pids.add(client.get("/").body)
        assert len(pids) == 2


def test_what_runs_is_finished_at_the_end(tmp_path: Path) -> None:
    with secured(tmp_path, "--threads", "2") as it, it.client() as client, it.client() as idle:
        idle.get("/hello")
        client.send(b"GET /sleep?s=1 HTTP/1.1\r\nHost: a\r\n\r\n")
        it.server.wait_for("application")
        it.server.process.send_signal(signal.SIGTERM)
        reply = client.reply()
        assert (reply.body, reply.headers["connection"]) == (b"slept", "close")
        assert client.tls.recv(1) == b"" and idle.tls.recv(1) == b"", "the end was said to both"


# ---- Who may read them --------------------------------------------------------------------------------


@contextmanager
def of_nobody(home: Path, *options: str) -> Iterator[Secure]:
    """A server that root starts and nobody serves, with a key that only root can read."""
    listen = ("--https", "127.0.0.1:0,site.pem,site.key", "--http-socket", "127.0.0.1:0")
    owner = ("--uid", "nobody", "--gid", str(NOBODY.pw_gid))
    renew(home, "server")
    with open(home / "log", "wb") as log:
        process = subprocess.Popen(
            command(public_python(), *listen, *owner, *options), cwd=home, env=environment(),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    server = Server(process, home / "log")
    try:
        server.wait_until_listening(2)
        yield Secure(server)
        assert server.stop() == 0, server.text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def renew(home: Path, name: str) -> None:
    install(home, name)
    (home / "site.key").chmod(0o600)


def seen(it: Secure) -> tuple[str, int]:
    """Whose certificate is shown, and the user that serves."""
    with it.client(BOTH, timeout=30) as client:
        return client.name, json.loads(client.get("/").body)["uids"][0]


@ROOT
@pytest.mark.parametrize("master", [True, False])
def test_a_key_of_roots_is_read_before_the_rights_are_dropped(master: bool) -> None:
    with open_folder() as home, of_nobody(home, *(MASTER if master else ())) as it:
        assert seen(it) == ("server", NOBODY.pw_uid)
        if master:
            renew(home, "renewed")
            reload(it, "generation 2 serves")
            text = "the key site.key cannot be read: Permission denied; what was read before stays"
            assert text in it.server.text()
            assert seen(it) == ("server", NOBODY.pw_uid)


@ROOT
@pytest.mark.parametrize("option", ["--master-as-root", "--drop-after-apps"])
def test_a_supervisor_that_keeps_its_rights_reads_a_new_key(option: str) -> None:
    with open_folder() as home, of_nobody(home, *MASTER, option) as it:
        assert seen(it) == ("server", NOBODY.pw_uid)
        it.server.wait_for("ready after")
        renew(home, "renewed")
        reload(it, "generation 2 serves")
        assert seen(it) == ("renewed", NOBODY.pw_uid)
