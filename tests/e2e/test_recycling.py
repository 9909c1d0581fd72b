"""Workers that are worn out, and what follows them."""

import time
from pathlib import Path

import pytest

from tests.e2e.shop import answer, shop

RAISES = """
class Lost(Exception):
    pass

def application(environ, start_response):
    if environ["PATH_INFO"] == "/raise":
        raise Lost("the connection")
    if environ["PATH_INFO"] == "/other":
        raise KeyError("other")
    start_response("200 OK", [])
    return [f"one {os.getpid()} {os.getppid()}".encode()]
"""


@pytest.mark.parametrize(
    "option",
    [
        pytest.param(("--reload-on-exception-type", "Lost"), marks=pytest.mark.slow),
        pytest.param(("--reload-on-exception-value", "the connection"), marks=pytest.mark.slow),
        ("--reload-on-exception-repr", "Lost: the connection"),
    ],
    ids=lambda option: option[0].removeprefix("--"),
)
def test_a_worker_whose_application_raises_that_is_replaced(tmp_path: Path, option: tuple[str, str]) -> None:
    (tmp_path / "shop.py").write_text("import os\n" + RAISES)
    with shop(tmp_path, *option, count=1) as server:
        _, pid, _ = answer(server)
        with server.client() as client:
            assert client.get("/other").status == 500
            time.sleep(0.6)  # two ticks
            assert answer(server)[1] == pid
            assert client.get("/raise").status == 500
        end = time.monotonic() + 10
        while answer(server)[1] == pid:
            assert time.monotonic() < end, server.text()
        assert f"is to be replaced: {option[0].removeprefix('--')}: Lost" in server.text()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--max-requests", "20"), "max-requests"),
        (("--reload-on-rss", "1"), "reload-on-rss"),
        pytest.param(("--reload-on-as", "1"), "reload-on-as", marks=pytest.mark.slow),
        pytest.param(("--evil-reload-on-rss", "1"), "evil-reload-on-rss", marks=pytest.mark.slow),
        (("--max-worker-lifetime", "1"), "max-worker-lifetime"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_worker_that_is_worn_is_replaced(tmp_path: Path, options: tuple[str, ...], why: str) -> None:
    with shop(tmp_path, *options, "--min-worker-lifetime", "1", count=1) as server:
        _, pid, _ = answer(server)
        end = time.monotonic() + 15
        while answer(server)[1] == pid:
            assert time.monotonic() < end, server.text()
        assert f"is to be replaced: {why}" in server.text()
        assert "died" not in server.text()
