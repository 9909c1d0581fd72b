"""What the settings work out for themselves: threads, the kernel's queue, variables."""

import os
from pathlib import Path

import pytest

from penstock.config.settings import Settings, auto_threads, cgroup_processors, somaxconn


def test_one_thread_unless_it_is_set_or_sized_by_the_short_form() -> None:
    assert Settings().thread_count == 1
    assert "1 thread, as uWSGI has" in Settings().threads_reason
    assert Settings(threads="7").thread_count == 7
    assert Settings(threads="7").threads_reason == "7 threads"
    assert Settings(threads="7", short_form=True).thread_count == 7
    for settings in (Settings(threads="auto"), Settings(short_form=True)):
        assert settings.thread_count == auto_threads()[0]
        assert settings.threads_reason == auto_threads()[1]


def test_threads_from_the_processors() -> None:
    count, reason = auto_threads()
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    assert 4 <= count <= 2 * usable + 2 or count == 4
    assert reason.startswith(f"{count} threads: 2 for each of ")
    assert f"{usable} usable" in reason


def test_what_the_cgroup_allows() -> None:
    allowed = cgroup_processors()
    assert allowed >= 0.0
    path = Path("/sys/fs/cgroup/cpu.max")
    if path.exists():
        quota = path.read_text().split()[0]
        assert (allowed == 0.0) == (quota == "max")


@pytest.mark.parametrize(("asked", "given"), [(0, somaxconn()), (1, 1), (10**9, somaxconn())])
def test_the_kernels_queue(asked: int, given: int) -> None:
    assert Settings(listen=asked).backlog == given


def test_somaxconn_is_the_kernels() -> None:
    path = Path("/proc/sys/net/core/somaxconn")
    assert somaxconn() == (int(path.read_text()) if path.exists() else 128)


def test_variables_to_set_and_to_unset() -> None:
    settings = Settings(env=("A=b", "C=d=e", "F=", "G"))
    assert settings.env_pairs == (("A", "b"), ("C", "d=e"), ("F", ""), ("G", None))


def test_settings_alone_are_the_defaults() -> None:
    settings = Settings()
    assert settings.listeners == ()
    assert settings.notices == ()
    assert not settings.short_form
    assert settings.trusted_proxies == ("127.0.0.0/8", "::1", "unix:")
