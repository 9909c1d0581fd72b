"""Starts and stops the servers of a comparison, each pinned to the server's core; nginx beside the load.

Run by the benchmark's own process. It knows how a server is reached and when it answers, not what is
measured; it ends only processes that it has started, by their process groups.
"""

import functools
import http.client
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers import THREADS, TOP, Peer, arguments
from benchmarks.scenarios import Scenario

HOST = "127.0.0.1"
STARTS_WITHIN = 20.0
NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; {user}
events {{ worker_connections 4096; }}
http {{
  access_log off; client_max_body_size 0; keepalive_requests 1000000000; keepalive_timeout 75s;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; uwsgi_temp_path {folder}/uwsgi;
  fastcgi_temp_path {folder}/fastcgi; scgi_temp_path {folder}/scgi;
  server {{
    listen {host}:{port} backlog=4096;
    location / {{
      uwsgi_pass unix:{path};
      {params}
    }}
  }}
}}
"""
# What Debian's uwsgi_params hands on.
PARAMS = {
    "QUERY_STRING": "$query_string",
    "REQUEST_METHOD": "$request_method",
    "CONTENT_TYPE": "$content_type",
    "CONTENT_LENGTH": "$content_length",
    "REQUEST_URI": "$request_uri",
    "PATH_INFO": "$document_uri",
    "DOCUMENT_ROOT": "$document_root",
    "SERVER_PROTOCOL": "$server_protocol",
    "REQUEST_SCHEME": "$scheme",
    "REMOTE_ADDR": "$remote_addr",
    "REMOTE_PORT": "$remote_port",
    "SERVER_PORT": "$server_port",
    "SERVER_NAME": "$server_name",
}


@dataclass(frozen=True)
class Cores:
    """The processors of the server and of the load; ``None`` leaves both to the kernel."""

    server: int | None
    load: int | None


@dataclass
class Server:
    """A started server: where it answers HTTP (for a uwsgi one: its nginx), and its processes."""

    peer: Peer
    port: int
    process: "subprocess.Popen[bytes]"
    log: Path
    nginx: "subprocess.Popen[bytes] | None" = None

    @property
    def pid(self) -> int:
        """The first process of the tree that is measured."""
        return self.process.pid


class Refused(Exception):
    """The server does not start, or does not answer as it should; the text says how."""


def two_cores() -> Cores:
    """One core each where there are two."""
    cores = sorted(os.sched_getaffinity(0))
    return Cores(cores[0], cores[1]) if len(cores) > 1 else Cores(None, None)


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        port: int = sock.getsockname()[1]
        return port


def pin(core: int | None) -> None:
    """Bind the calling process to ``core``; for a child just before it becomes its program."""
    if core is not None:
        os.sched_setaffinity(0, {core})


def launch(command: list[str], core: int | None, log: Path, env: dict[str, str]) -> "subprocess.Popen[bytes]":
    """``command`` in a process group of its own, on ``core``, its output in ``log``."""
    with log.open("ab") as out:
        return subprocess.Popen(
            command,
            cwd=TOP,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            preexec_fn=functools.partial(pin, core),
        )


def environment(app: str) -> dict[str, str]:
    """The servers' environment: ours without what changes how Python runs."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return clean | {
        "PYTHONPATH": str(TOP),
        "BENCHMARK_APPLICATION": app,
        "BENCHMARK_THREADS": str(THREADS),
    }


def nginx_before(path: Path, port: int, core: int | None, folder: Path) -> "subprocess.Popen[bytes]":
    """nginx with one worker on the load's core, in front of the uwsgi socket at ``path``."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise Refused("nginx is not installed")
    params = "\n".join(f"uwsgi_param {name} {value};" for name, value in PARAMS.items())
    user = "user root;" if os.getuid() == 0 else ""
    text = NGINX.format(folder=folder, user=user, host=HOST, port=port, path=path, params=params)
    (folder / "nginx.conf").write_text(text)
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    return launch(command, core, folder / "nginx.log", dict(os.environ))


def start(peer: Peer, scenario: Scenario, programs: Path, folder: Path, cores: Cores) -> Server:
    """Start ``peer`` as ``scenario`` wants it, with its files in ``folder``; :func:`ready` waits for it."""
    folder.mkdir(parents=True)
    port, path, log = free_port(), folder / "socket", folder / "log"
    added = peer.logged if scenario.logged else peer.quiet
    added += peer.many if scenario.kind == "idle" else ()
    added += peer.impatient if scenario.kind == "stuck" else ()
    words = {"program": str(programs), "app": scenario.app, "host": HOST, "port": str(port)}
    words |= {"path": str(path), "threads": str(THREADS)}
    process = launch(arguments(peer, added, words), cores.server, log, environment(scenario.app))
    server = Server(peer, port, process, log)
    if peer.protocol == "uwsgi":
        try:
            server.nginx = nginx_before(path, port, cores.load, folder)
        except Refused:
            stop(server)
            raise
    return server


def ask(server: Server, scenario: Scenario, path: str = "/") -> tuple[int, bytes]:
    """One request as the scenario sends them; status and body. OSError or HTTPException when it fails."""
    connection = http.client.HTTPConnection(HOST, server.port, timeout=10)
    try:
        headers = dict(line.split(": ", 1) for line in scenario.headers)
        method, body = ("POST", scenario.upload) if scenario.upload else ("GET", None)
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def ready(server: Server, scenario: Scenario) -> None:
    """Wait until the server answers, and see that it answers rightly; Refused otherwise."""
    until = time.monotonic() + STARTS_WITHIN
    status, body, why = 0, b"", "no answer"
    while time.monotonic() < until:
        if server.process.poll() is not None:
            raise Refused(f"ended with status {server.process.returncode}: {tail(server.log)}")
        try:
            status, body = ask(server, scenario)
        except (OSError, http.client.HTTPException) as error:
            why = repr(error)
        # nginx answers 502 until the server behind it listens.
        if status not in (0, 502):
            break
        time.sleep(0.05)
    if status != 200:
        raise Refused(f"{why if status == 0 else f'status {status}'}: {tail(server.log)}")
    if scenario.reply not in body or scenario.size not in (None, len(body)):
        raise Refused(f"a wrong reply of {len(body)} bytes: {body[:80]!r}")


def tail(log: Path) -> str:
    """The end of what a server said, on one line."""
    return " / ".join(log.read_text(errors="replace").splitlines()[-4:])[-400:]


def stop(server: Server, patience: float = 2.0) -> None:
    """End the server and its nginx: TERM to each group, KILL after ``patience`` seconds."""
    processes = [process for process in (server.nginx, server.process) if process is not None]
    for sign, wait in ((signal.SIGTERM, patience), (signal.SIGKILL, 10.0)):
        for process in processes:
            try:
                os.killpg(process.pid, sign)
            except ProcessLookupError:
                pass
        for process in processes:
            try:
                process.wait(wait)
            except subprocess.TimeoutExpired:
                pass
