"""What the settings work out for themselves: threads, the kernel's queue, variables."""

import json
import marshal
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from penstock.config.address import Address
from penstock.config.assemble import assemble
from penstock.config.consistency import option_of
from penstock.config.option import settings_of
from penstock.config.raw import RawOption
from penstock.config.settings import (
    IMPLYING,
    ListenerSpec,
    Settings,
    asking,
    auto_threads,
    cgroup_processors,
    somaxconn,
)


def test_one_thread_unless_it_is_set_or_sized_by_the_short_form() -> None:
    assert Settings().thread_count == 1
    assert "1 thread, as uWSGI has" in Settings().threads_reason
    assert Settings(threads="7").thread_count == 7
    assert Settings(threads="7").threads_reason == "7 threads"
    assert Settings(threads="7", short_form=True).thread_count == 7
    for settings in (Settings(threads="auto"), Settings(short_form=True)):
        assert settings.thread_count == auto_threads()[0]
        assert settings.threads_reason == auto_threads()[1]


def test_a_server_alone_is_one_process_without_a_supervisor() -> None:
    for settings in (Settings(), Settings(short_form=True, threads="8"), Settings(processes="1")):
        assert not settings.supervised
        assert settings.processes_given == 1


@pytest.mark.parametrize(("text", "number"), [("4", 4), ("auto", None)])
def test_more_than_one_process_is_supervised(text: str, number: int | None) -> None:
    settings = Settings(processes=text)
    assert settings.supervised
    assert settings.processes_given == number


def test_a_master_supervises_one_worker_too() -> None:
    assert Settings(master=True).supervised
    assert Settings(master=True).processes_given == 1


def test_no_control_socket_asks_for_nothing() -> None:
    assert not Settings(control_socket="off").supervised
    assert not Settings(control_socket="/run/app.control").supervised


@pytest.mark.parametrize("name", IMPLYING)
def test_an_option_that_asks_for_a_supervisor(name: str) -> None:
    default = getattr(Settings(), name)
    given: Any = {bool: True, int: 7, float: 7.0, str: "/x", tuple: ("/x",)}[type(default)]
    assert Settings(**{name: given}).supervised
    assert asking({name: given}) == (name,)
    assert asking({name: default}) == ()


def test_what_uwsgi_starts_a_master_for_is_supervised() -> None:
    """Its options with the mark, as far as they are acted on."""
    assert {"cheaper", "touch_reload", "master_fifo", "idle", "cheap", "py_autoreload"} <= set(IMPLYING)
    assert {"attach_daemon", "cron2", "mule", "farm", "spooler", "alarm", "touch_exec"} <= set(IMPLYING)
    assert {"touch_logreopen", "touch_logrotate"} <= set(IMPLYING)
    assert {"logger", "req_logger", "log_encoder", "log_req_route", "log_maxsize"} <= set(IMPLYING)
    assert {"stats", "stats_push", "carbon", "metric", "enable_metrics"} <= set(IMPLYING)
    assert not {"worker_logger", "stats_http", "log_format", "memory_report", "metrics"} & set(IMPLYING)
    assert not {"lazy_apps", "threads", "min_worker_lifetime", "exit_on_reload"} & set(IMPLYING)
    assert "static_cache_paths" not in IMPLYING
    assert not {"hook_asap", "exec_as_user", "emperor", "heartbeat", "alarm_freq", "cap"} & set(IMPLYING)


def test_folders_of_tasks_ask_for_a_supervisor_by_their_options_name() -> None:
    settings = assemble([RawOption("spooler", "/srv/tasks", "x")], application=True)
    assert settings.spooler == ("/srv/tasks",)
    assert settings.supervised
    assert option_of("spooler") == "spooler"


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


def test_settings_show_what_is_not_as_by_default() -> None:
    assert repr(Settings()) == "Settings()"
    assert repr(Settings(queue=7)) == "Settings(queue=7)"
    assert repr(Settings(hook_asap=("print:x",), loop="auto")) == "Settings(hook_asap=('print:x',))"
    assert Settings() != "Settings()"


def test_settings_stay_as_they_are() -> None:
    settings = Settings(queue=7)
    with pytest.raises(AttributeError, match="queue"):
        settings.queue = 8  # type: ignore[misc]  # the point of the test
    with pytest.raises(TypeError, match=r"^no settings: frobnicate, xyzzy$"):
        Settings(xyzzy=1, queue=7, frobnicate=2)
    assert settings.but(vacuum=False) == Settings(queue=7, vacuum=False)


def test_settings_alone_are_the_defaults() -> None:
    settings = Settings()
    assert settings.listeners == ()
    assert settings.notices == ()
    assert not settings.short_form
    assert settings.trusted_proxies == ("127.0.0.0/8", "::1", "unix:")


SPECS = (
    ListenerSpec(":8000", "http", "app.ini:3", Address("tcp", port=8000), "http"),
    ListenerSpec("/run/\udcff.sock", "uwsgi", "command line", Address("unix", path="/run/\udcff.sock")),
    ListenerSpec("fd://3", "http", "environment LISTEN_FDS", Address("fd", fd=3)),
)
FULL = Settings(
    listeners=SPECS, notices=("one", "two"), short_form=True, env=("A=b",), queue=7, queue_timeout=0.5,
    chmod_socket=0o660, vacuum=False, rules=(("route", "^/a last:", "app.ini:4"),),
)  # fmt: skip


def test_settings_cross_as_plain_data() -> None:
    for settings in (Settings(), FULL):
        data = marshal.loads(marshal.dumps(settings.as_data()))
        assert Settings.from_data(data) == settings
        assert pickle.loads(pickle.dumps(settings)) == settings
    assert json.loads(json.dumps(FULL.as_data()))["listeners"][2][3] == ["fd", "", 0, "", 3]


def test_what_was_worked_out_does_not_cross() -> None:
    settings = Settings(threads="auto")
    assert settings.thread_count
    assert settings.backlog
    assert set(settings.as_data()) == set(settings_of(Settings))


def test_data_with_a_name_that_is_no_setting() -> None:
    with pytest.raises(TypeError, match="frobnicate"):
        Settings.from_data({**Settings().as_data(), "frobnicate": 1})


def test_settings_are_equal_by_what_they_say() -> None:
    assert Settings(queue=7) == Settings(queue=7)
    assert hash(Settings(queue=7)) == hash(Settings(queue=7))
    assert Settings(queue=7) != Settings(queue=8)
