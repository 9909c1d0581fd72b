"""The examples of docs/health.md, taken from the page and tried: what they start, what they ask, how long."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e import nginx
from tests.e2e.server import Server, serving
from tests.e2e.surroundings import TOP, environment

PAGE = (TOP / "docs" / "health.md").read_text()
EXAMPLES = str(TOP / "examples")
STOP = 25  # seconds of shutdown-timeout, whose default the page names


def blocks(language: str) -> list[str]:
    """The page's examples in a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def started(words: list[str], tmp: Path) -> list[str]:
    """An example's words with an address that is free, and the sample application."""
    port = nginx.free_port()
    made = [re.sub(r"^(0\.0\.0\.0|127\.0\.0\.1):8000$", f"127.0.0.1:{port}", word) for word in words]
    assert made != words
    return [*made, "--pythonpath", EXAMPLES, "--control-socket", str(tmp / "ctl")]


def asked(url: str) -> int:
    """The status of a page."""
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def lame(words: list[str]) -> float:
    """Seconds of lame-duck among words."""
    return float(words[words.index("--lame-duck") + 1]) if "--lame-duck" in words else 0.0


def shorter(words: list[str]) -> list[str]:
    """The same with a lame duck that a test can wait for."""
    return [*words, "--lame-duck", "1"]


def test_kubernetes(tmp_path: Path) -> None:
    [pod] = [yaml.safe_load(text)["spec"]["template"]["spec"] for text in blocks("yaml") if "kind:" in text]
    [container] = pod["containers"]
    words: list[str] = container["args"]
    assert pod["terminationGracePeriodSeconds"] > lame(words) + STOP
    probes: dict[str, Any] = {
        name: container[name]["httpGet"] for name in container if name.endswith("Probe")
    }
    assert len(probes) == 3 and {probe["port"] for probe in probes.values()} == {8000}
    ready = container["readinessProbe"]
    assert ready["periodSeconds"] * ready["failureThreshold"] + ready["timeoutSeconds"] < lame(words)
    with serving(tmp_path, *started(shorter(words), tmp_path), app="") as server:
        assert {asked(server.url + probe["path"]) for probe in probes.values()} == {200}
        server.process.send_signal(signal.SIGTERM)
        until(server, probes["readinessProbe"]["path"], 503)
        assert asked(server.url + probes["livenessProbe"]["path"]) == 200
        assert asked(server.url) == 200
        server.process.wait(20)  # the second of serving on is over


def until(server: Server, path: str, status: int) -> None:
    """Ask until it is so."""
    end = time.monotonic() + 10
    while asked(server.url + path) != status:
        assert time.monotonic() < end, server.text()
        time.sleep(0.02)


def test_compose(tmp_path: Path) -> None:
    [service] = [yaml.safe_load(text)["services"]["app"] for text in blocks("yaml") if "services:" in text]
    kind, program, *check = service["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "penstock")
    assert int(service["stop_grace_period"].rstrip("s")) > lame(service["command"]) + STOP
    with serving(tmp_path, *started(service["command"], tmp_path), app="") as server:
        until(server, "/-/ready", 200)
        command = [sys.executable, "-m", "penstock", *check, "--socket", str(tmp_path / "ctl")]
        assert subprocess.run(command, env=environment(), timeout=20).returncode == 0
    assert subprocess.run(command, env=environment(), timeout=20).returncode != 0


def test_systemd(tmp_path: Path) -> None:
    [unit] = blocks("ini")
    program, *words = shlex.split(re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)[0])
    assert program.endswith("/penstock")
    assert int(re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[0]) > lame(words) + STOP
    with serving(tmp_path, *started(shorter(words), tmp_path), app="") as server:
        until(server, "/-/ready", 200)


@pytest.mark.skipif(nginx.PROGRAM is None, reason=nginx.MISSING)
def test_nginx_keeps_the_paths_from_strangers(tmp_path: Path) -> None:
    [locations] = blocks("nginx")
    port = nginx.free_port()
    with serving(tmp_path, "--pythonpath", EXAMPLES, app="hello") as server:
        for who, status in (("127.0.0.1", 200), ("192.0.2.1", 403)):
            folder = tmp_path / who
            folder.mkdir()
            inner = locations.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
            inner = inner.replace("allow 127.0.0.1;", f"allow {who};")
            path = folder / "nginx.conf"
            path.write_text(configuration(folder, port, inner))
            with nginx.nginx(folder, path, port) as url:
                assert asked(f"{url}/-/ready") == status
                assert asked(f"{url}/") == 200


def configuration(folder: Path, port: int, inner: str) -> str:
    """A whole nginx around the page's lines."""
    paths = " ".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "uwsgi", "fastcgi", "scgi")
    )
    return (
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"{'user root;' if os.geteuid() == 0 else ''} events {{ worker_connections 64; }}\n"
        f"http {{ access_log off; {paths}\n server {{ listen 127.0.0.1:{port};\n{inner}\n}} }}\n"
    )
