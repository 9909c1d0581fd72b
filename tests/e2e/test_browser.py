"""A browser on the Django site that is served from one ini: no complaint, nothing asked for twice."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.alone import USER, alone
from tests.e2e.server import Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
MISSING = "chromium is not installed: apt-get install chromium"
ASKED = re.compile(r"\] GET (\S+) => .*\(HTTP/1\.1 (\d+)\)")


def visit(url: str, profile: Path) -> tuple[str, list[str]]:
    """The document as the browser has it in the end, and what its console says."""
    words = [
        *(str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *(f"--user-data-dir={profile}", "--enable-logging=stderr", "--virtual-time-budget=8000"),
        *("--no-first-run", "--dump-dom", url),
    ]
    done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=90, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if ":CONSOLE" in line]


def asked(server: Server, since: int) -> tuple[dict[str, int], int]:
    """What was asked for behind that place of the log, with the status; and the place behind it."""
    text = server.text()
    return {path: int(status) for path, status in ASKED.findall(text[since:])}, len(text)


@pytest.mark.parametrize("path", ["/admin/", "/admin/auth/user/"])
def test_a_browser_has_no_complaint_and_asks_for_no_file_twice(tmp_path: Path, path: str) -> None:
    if CHROMIUM is None:
        pytest.skip(MISSING)
    with alone(tmp_path, "--http-socket", "127.0.0.1:0") as server:
        url = f"http://{USER[0]}:{USER[1]}@127.0.0.1:{server.port}{path}"
        page, console = visit(url, tmp_path / "profile")
        assert "Django administration" in page
        assert console == []
        first, place = asked(server, 0)
        files = {name for name in first if name.startswith("/static/")}
        assert len(files) >= 5 and {first[name] for name in files} == {200}
        page, console = visit(url, tmp_path / "profile")
        assert "Django administration" in page and console == []
        second, _ = asked(server, place)
        assert second[path] == 200
        assert not files & second.keys(), "kept by the browser, and never to be asked for again"
