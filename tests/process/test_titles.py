"""What the processes are called: uWSGI's options as a table, and the name as the kernel has it."""

import contextlib
import subprocess
import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest

from penstock.config.assemble import from_keywords
from penstock.config.settings import Settings
from penstock.process.titles import MASTER, MULE, PROTOTYPE, SINGLE, WORKER, set_title, title_of
from tests.e2e.surroundings import environment


def settings_of(**options: Any) -> Settings:
    return from_keywords({"bind": [], **options}, application=True)


@pytest.mark.parametrize(
    ("options", "master", "prototype", "worker", "single"),
    [
        ({}, "", "", "", ""),
        ({"auto_procname": True}, "penstock master", "penstock prototype", "penstock worker 3", "penstock"),
        ({"procname": "web"}, "web", "web", "web", "web"),
        ({"procname_master": "boss"}, "boss", "penstock prototype", "penstock worker 3", "penstock"),
        ({"procname_master": "boss", "procname": "web"}, "boss", "web", "web", "web"),
        (
            {"procname_prefix": "a-"},
            "a-penstock master", "a-penstock prototype", "a-penstock worker 3", "a-penstock",
        ),
        (
            {"procname_prefix_spaced": "shop", "procname_append": "!"},
            "shop penstock master!", "shop penstock prototype!", "shop penstock worker 3!", "shop penstock!",
        ),
        (
            {"procname_prefix": "x", "procname_master": "m", "procname": "w", "procname_append": " y"},
            "xm y", "xw y", "xw y", "xw y",
        ),
    ],
)  # fmt: skip
def test_titles(options: dict[str, Any], master: str, prototype: str, worker: str, single: str) -> None:
    settings = settings_of(**options)
    assert [title_of(settings, role, 3) for role in (MASTER, PROTOTYPE, WORKER, SINGLE)] == [
        master, prototype, worker, single,
    ]  # fmt: skip
    assert title_of(settings, MULE, 3) == worker.replace("worker", "mule")


class Titles(types.ModuleType):
    """A module with the one function of setproctitle."""

    def __init__(self) -> None:
        super().__init__("setproctitle")
        self.titles: list[str] = []

    def setproctitle(self, title: str) -> None:
        self.titles.append(title)


@contextlib.contextmanager
def installed(module: types.ModuleType) -> Iterator[None]:
    """``setproctitle`` is ``module`` inside the block."""
    modules: dict[str, Any] = sys.modules
    before = modules.pop("setproctitle", None)
    modules["setproctitle"] = module
    try:
        yield
    finally:
        del modules["setproctitle"]
        if before is not None:
            modules["setproctitle"] = before


def test_the_whole_title_where_the_package_is() -> None:
    titles, said = Titles(), list[str]()
    with installed(titles):
        set_title(settings_of(), MASTER, 0, said.append)
        assert titles.titles == []
        set_title(settings_of(auto_procname=True), WORKER, 12, said.append)
    assert titles.titles == ["penstock worker 12"]
    assert said == []


@pytest.mark.skipif(sys.platform != "linux", reason="the short name is in /proc")
def test_the_short_name_without_it() -> None:
    script = """
import sys
sys.modules["setproctitle"] = None  # it is not installed
from penstock.config.assemble import from_keywords
from penstock.process.titles import set_title
said = []
for options in ({}, {"procname": "caf\\xe9 and more than that"}):
    set_title(from_keywords({"bind": [], **options}, application=True), "worker", 1, said.append)
    print(len(said), open("/proc/self/comm", "rb").read())
print(*said)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    first, second, said = done.stdout.splitlines()
    assert first.startswith("0 b'python")
    kept = "café and more than that".encode()[:15] + b"\n"
    assert second == f"1 {kept!r}"
    assert said.startswith("procname: without the package setproctitle only the short name is set (15 bytes")
