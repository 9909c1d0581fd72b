"""Options of what is seen of a server, each by itself: what it does, and that it is not done without it."""

import json
import re
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.server import serving

pytestmark = pytest.mark.slow  # `make slow`: many servers, and `make test` has six minutes

HERE = "tests.e2e.test_seen_options"
APART = ("unshare", "--mount", "--map-root-user")
DEV = """
mkdir dev && mount --rbind /dev dev && mount -t tmpfs none /dev && ln -s "$PWD/box" /dev/log || exit
for name in null urandom zero; do touch /dev/$name && mount --bind dev/$name /dev/$name || exit; done
exec "$@"
"""
"""A folder of devices of its own, in which there is a syslog."""


def by_path(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """The status that the path is; ``slow``, ``big`` and ``empty`` are what they say."""
    word = environ["PATH_INFO"][1:]
    if word == "slow":
        time.sleep(0.2)
    start_response(f"{word} Said" if word.isdecimal() else "200 OK", [])
    return [b"x" * {"big": 5000, "empty": 0}.get(word, 3)]


@pytest.mark.parametrize(
    ("option", "picked"),
    [
        (("--log-4xx",), "/404"),
        (("--log-5xx",), "/500"),
        (("--log-slow", "150"), "/slow"),
        (("--log-big", "4000"), "/big"),
        (("--log-zero",), "/empty"),
        (("--log-sendfile", "true"), "/static/page.txt"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_each_condition_picks_its_own_request(tmp_path: Path, option: tuple[str, ...], picked: str) -> None:
    (tmp_path / "page.txt").write_text("a page\n")
    words = (
        "--disable-logging",
        *option,
        "--log-format",
        "LINE %(uri)",
        "--static-map",
        f"/static={tmp_path}",
    )
    with serving(tmp_path, *words, app=f"{HERE}:by_path") as server:
        with server.client() as client:
            for path in ("/200", "/404", "/500", "/slow", "/big", "/empty", "/static/page.txt"):
                client.get(path)
        assert server.stop() == 0
        assert re.findall(r"^LINE .*", server.text(), re.MULTILINE) == [f"LINE {picked}"]


def document(path: Path) -> Any:
    """The statistics."""
    data = b""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(str(path))
        while piece := sock.recv(1 << 16):
            data += piece
    return json.loads(data)


@pytest.mark.parametrize("given", [True, False])
def test_metrics_are_in_the_statistics_where_they_are_asked_for(tmp_path: Path, given: bool) -> None:
    words = ("--stats", str(tmp_path / "stats"), *(("--enable-metrics",) if given else ()))
    with serving(tmp_path, *words, app=f"{HERE}:by_path") as server:
        with server.client() as client:
            client.get("/200")
        until = time.monotonic() + 10
        while True:
            found = document(tmp_path / "stats").get("metrics")
            if not given or found["worker.0.requests"]["value"] or time.monotonic() > until:
                break
            time.sleep(0.1)
    assert (found is not None and found["worker.0.requests"]["value"] == 1) if given else found is None


@pytest.mark.parametrize("given", [True, False])
def test_replies_tell_of_their_times_where_that_is_asked_for(tmp_path: Path, given: bool) -> None:
    words = ("--server-timing",) if given else ()
    with serving(tmp_path, *words, app=f"{HERE}:by_path") as server, server.client() as client:
        timing = client.get("/slow").headers.get("server-timing", "")
    assert bool(re.fullmatch(r"receive;dur=\S+, queue;dur=\S+, run;dur=2\d\d\.\d", timing)) == given, timing


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("--request-id", "X-Correlation-ID"), "x-correlation-id"),
        (("--request-id", "off", "--log-format", "json"), ""),
        (("--log-format", "json"), "x-request-id"),
        ((), ""),
    ],
    ids=["named", "off", "auto, where it is logged", "auto"],
)
def test_replies_have_the_id_under_its_name(tmp_path: Path, words: tuple[str, ...], name: str) -> None:
    words = (*words, "--trusted-proxies", "192.0.2.1")  # else loopback is believed
    with serving(tmp_path, *words, app=f"{HERE}:by_path") as server, server.client() as client:
        headers = client.get("/200", f"{name or 'X-Request-ID'}: a-stranger-s").headers
    found = {key for key, value in headers.items() if re.fullmatch("[0-9a-f]{32}", value)}
    assert found == ({name} if name else set())


@pytest.mark.parametrize("option", ["--health-live", "--health-ready"])
def test_the_paths_of_health_can_be_others_or_none(tmp_path: Path, option: str) -> None:
    usual = f"/-/{option.removeprefix('--health-')}"
    with serving(tmp_path, option, "/healthy", app=f"{HERE}:by_path") as server, server.client() as client:
        assert client.get("/healthy").body in (b"alive\n", b"serving\n")
        assert client.get(usual).body == b"xxx"
    with serving(tmp_path, option, "off", app=f"{HERE}:by_path") as server, server.client() as client:
        assert client.get(usual).body == b"xxx"


def apart() -> bool:
    """Whether a process can have mounts of its own here."""
    try:
        return subprocess.run([*APART, "true"], capture_output=True, timeout=30, check=False).returncode == 0
    except OSError:
        return False


@pytest.mark.parametrize("given", ["--log-syslog=shop,local0", "--log-syslog", "--logger=syslog:shop,local0"])
def test_syslog_is_sent_the_log(tmp_path: Path, given: str) -> None:
    if not apart():
        pytest.skip("no mounts of its own can be had here")
    begin = (
        rb"<134>\w{3} [ \d]\d [\d:]{8} shop: " if "shop" in given else rb"<\d+>\w{3} [ \d]\d [\d:]{8} \S+: "
    )
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as box:
        box.bind(str(tmp_path / "box"))
        box.settimeout(10)
        seen: list[bytes] = []
        prefix = (*APART, "sh", "-c", DEV, "sh")
        words = (given, "--http-socket", str(tmp_path / "http.sock"))
        with serving(tmp_path, *words, app=f"{HERE}:by_path", prefix=prefix, listeners=0) as server:
            until = time.monotonic() + 10
            while not any(b"GET /200" in line for line in seen):
                assert time.monotonic() < until, (seen, server.text())
                if (tmp_path / "http.sock").exists():
                    with socket.socket(socket.AF_UNIX) as sock:
                        sock.connect(str(tmp_path / "http.sock"))
                        sock.sendall(b"GET /200 HTTP/1.0\r\n\r\n")
                        assert sock.recv(99)
                seen.append(box.recv(9999))
    assert all(re.match(begin, line) for line in seen), seen
