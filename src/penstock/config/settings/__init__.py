"""The settings: one frozen record of everything that the operator may say, and what follows from it.

Made by ``assemble``, which reads and checks the values; plain data, so that it can cross between processes.
Read at boot only.
"""

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Literal, NamedTuple, NoReturn

from penstock.config.address import Address
from penstock.config.option import group, settings_of
from penstock.config.settings.application import ApplicationOptions, PoolOptions
from penstock.config.settings.deadlines import DeadlineOptions
from penstock.config.settings.emperor import EmperorOptions, VassalOptions
from penstock.config.settings.hooks import CommandOptions, HookOptions, WaitOptions
from penstock.config.settings.household import (
    CRONS,
    DAEMONS,
    AlarmOptions,
    CronOptions,
    DaemonOptions,
    MuleOptions,
    TouchOptions,
)
from penstock.config.settings.isolation import IsolationOptions, RightsOptions, StartOptions
from penstock.config.settings.limits import LimitOptions, TrustOptions
from penstock.config.settings.logs import RULES, LineOptions, LoggerOptions, LogOptions
from penstock.config.settings.observing import REPORTING, CarbonOptions, SightOptions, StatsOptions
from penstock.config.settings.process import PrivilegeOptions, ProcessOptions
from penstock.config.settings.recycling import RecyclingOptions, ReloadOptions
from penstock.config.settings.replies import CacheOptions, ElsewhereOptions, ReplyOptions
from penstock.config.settings.routing import (
    ErrorRouteOptions,
    FinalRouteOptions,
    ResponseRouteOptions,
    RouteOptions,
    RuleOptions,
)
from penstock.config.settings.sizing import BusynessOptions, SizingOptions
from penstock.config.settings.sockets import Sockets
from penstock.config.settings.static import FileReplyOptions, StaticOptions
from penstock.config.settings.supervision import BoundOptions, SupervisionOptions, TitleOptions
from penstock.config.settings.tls import TlsOptions


class ListenerSpec(NamedTuple):
    """One address to listen on, what it speaks, where it was asked for, and by which option: ``http`` and
    ``https`` add the variables of ``http-var``, and what comes to ``http-to-https`` is redirected. Where TLS
    is spoken the address has its certificate and key behind it."""

    address: str
    protocol: Literal["http", "https", "uwsgi"]
    origin: str
    parsed: Address
    option: str = ""


@group
class Derived:
    """What follows from the options, filled in by ``assemble``.

    ``listeners`` in the order given; ``notices`` what the log says at start, ``unacted`` those of options
    that are not acted on, each with the option and the file that it is from; ``short_form`` whether no
    uWSGI option named the application; ``spooler`` the folders of tasks that are made, and left to whoever
    runs the tasks; ``alarm_rules`` the names and values of log-alarm and not-log-alarm in their order, where
    there is one of the latter; ``mules_before`` how many of ``mule`` stand before each one of ``mules``;
    ``rules`` the option, the value and the origin of each rule of routing, in their order.
    """

    listeners: tuple[ListenerSpec, ...] = ()
    notices: tuple[str, ...] = ()
    unacted: tuple[tuple[str, str, str], ...] = ()
    short_form: bool = False
    spooler: tuple[str, ...] = ()
    alarm_rules: tuple[tuple[str, str], ...] = ()
    mules_before: tuple[int, ...] = ()
    rules: tuple[tuple[str, str, str], ...] = ()


SEEN = (
    *(name for name in RULES if not name.startswith("worker_")),  # these are for servers without a master
    *("log_master", "log_maxsize", *REPORTING),
)
"""Those of the next that a process which is alone does as well: one that was given an application."""
IMPLYING = (
    *("cheap", "cheaper", "cheaper_initial", "cheaper_algo", "cheaper_step", "cheaper_overload"),
    *("cheaper_idle", "cheaper_rss_limit_soft", "cheaper_rss_limit_hard", "idle"),
    *("master_fifo", "check_interval", "forkbomb_delay", "py_autoreload", "py_auto_reload_ignore"),
    *("touch_reload", "touch_workers_reload", "touch_chain_reload", "fs_reload", "fs_brutal_reload"),
    *("reload_on_fd", "brutal_reload_on_fd", "evil_reload_on_as", "evil_reload_on_rss"),
    *("max_requests", "max_worker_lifetime", "reload_on_as", "reload_on_rss", "reload_on_pss"),
    *("reload_on_uss", "reload_on_exception", "reload_on_exception_type", "reload_on_exception_value"),
    *("reload_on_exception_repr", "harakiri", "warmup"),
    *(*DAEMONS, "daemons_honour_stdin", *CRONS),
    *("mule", "mules", "farm", "mule_msg_size", "mule_msg_recv_size", "touch_mules_reload"),
    *("touch_exec", "hook_touch", "touch_logreopen", "touch_logrotate", "check_mountpoint"),
    *("alarm", "alarm_backlog", "alarm_fd", "alarm_segfault", "log_alarm", "setns_socket", "spooler"),
    *SEEN,
)
"""Fields that ask for a supervisor where they are not as by default. uWSGI starts its master for the first
three lines, for what watches and for the last five lines; the others end a worker there, which without a
master ends the server. ``static-cache-paths`` is left out, for which uWSGI starts one because of its cache:
here every worker remembers paths by itself. So are options that say how something is done which another one
asks for, such as ``stats-http``."""
NOT_ASKING = {"processes": "1"}
"""Values that ask for nothing either."""


@group
class Settings(
    Sockets,
    TlsOptions,
    ApplicationOptions,
    PoolOptions,
    ProcessOptions,
    SupervisionOptions,
    TitleOptions,
    PrivilegeOptions,
    BoundOptions,
    SizingOptions,
    BusynessOptions,
    ReloadOptions,
    RecyclingOptions,
    DeadlineOptions,
    LimitOptions,
    TrustOptions,
    StaticOptions,
    FileReplyOptions,
    RouteOptions,
    ResponseRouteOptions,
    ErrorRouteOptions,
    FinalRouteOptions,
    RuleOptions,
    ReplyOptions,
    ElsewhereOptions,
    CacheOptions,
    LogOptions,
    LineOptions,
    LoggerOptions,
    SightOptions,
    StatsOptions,
    CarbonOptions,
    StartOptions,
    RightsOptions,
    IsolationOptions,
    HookOptions,
    CommandOptions,
    WaitOptions,
    DaemonOptions,
    CronOptions,
    MuleOptions,
    TouchOptions,
    AlarmOptions,
    EmperorOptions,
    VassalOptions,
    Derived,
):
    """Everything, typed and checked.

    What a dataclass has made for it is written out: functions of 300 names, compiled at each start, would
    take longer than all else about it.
    """

    def __init__(self, **values: Any) -> None:
        """Values by the fields' names; the others are as by default. Raises TypeError for any other name."""
        known = settings_of(Settings)
        if not known.keys() >= values.keys():
            raise TypeError(f"no settings: {', '.join(sorted(values.keys() - known.keys()))}")
        # Past what keeps a field from being set.
        vars(self).update({name: setting.default for name, setting in known.items()}, **values)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Settings do not change. Raises AttributeError."""
        raise AttributeError(f"settings do not change: {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        """Settings do not change. Raises AttributeError."""
        raise AttributeError(f"settings do not change: {name!r}")

    def __eq__(self, other: object) -> bool:
        """Whether two say the same."""
        return self._said == other._said if isinstance(other, Settings) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._said)

    def __repr__(self) -> str:
        """What is not as by default."""
        pairs = zip(settings_of(Settings).values(), self._said, strict=True)
        given = (f"{setting.name}={value!r}" for setting, value in pairs if value != setting.default)
        return f"Settings({', '.join(given)})"

    @property
    def _said(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in settings_of(Settings))

    def as_data(self) -> dict[str, Any]:
        """The same as plain data (text, numbers, tuples) for ``marshal``, ``json`` or another process."""
        data = {name: getattr(self, name) for name in settings_of(Settings)}
        data["listeners"] = tuple((*spec[:3], tuple(spec.parsed), spec.option) for spec in self.listeners)
        return data

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> "Settings":
        """Settings from what ``as_data`` gave. Raises TypeError for a name that is no setting."""
        specs = tuple(
            ListenerSpec(address, protocol, origin, Address(*parsed), option)
            for address, protocol, origin, parsed, option in data["listeners"]
        )
        return cls(**{**data, "listeners": specs})

    def but(self, **values: Any) -> "Settings":
        """The same with other values. Raises TypeError for a name that is no setting."""
        return Settings(**{name: getattr(self, name) for name in settings_of(Settings)} | values)

    def any_of(self, fields: Iterable[str]) -> bool:
        """Whether one of these fields is given, and is neither empty nor 0."""
        return any(getattr(self, name) for name in fields)

    @cached_property
    def thread_count(self) -> int:
        """Threads of the pool."""
        if self.threads == "auto" or (not self.threads and self.short_form):
            return auto_threads()[0]
        return int(self.threads or 1)

    @cached_property
    def threads_reason(self) -> str:
        """The same, for the first lines of the log."""
        if self.threads == "auto" or (not self.threads and self.short_form):
            return auto_threads()[1]
        if not self.threads:
            return "1 thread, as uWSGI has unless --threads says more"
        return f"{self.threads} threads"

    @cached_property
    def supervised(self) -> bool:
        """Whether a supervisor looks after worker processes; else one process serves, and is all there is."""
        return self.master or bool(asking(vars(self)))

    @cached_property
    def processes_given(self) -> int | None:
        """Worker processes by number, 1 where nothing says it; None for ``auto``."""
        return None if self.processes == "auto" else int(self.processes or 1)

    @cached_property
    def backlog(self) -> int:
        """Length of the kernel's queue."""
        most = somaxconn()
        return min(self.listen, most) if self.listen else most

    @cached_property
    def env_pairs(self) -> tuple[tuple[str, str | None], ...]:
        """Environment variables to set, or to unset where the value is None."""
        pairs = []
        for entry in self.env:
            name, equals, value = entry.partition("=")
            pairs.append((name, value if equals else None))
        return tuple(pairs)


GROUPS: tuple[Any, ...] = tuple(each for each in Settings.__bases__ if each is not Derived)
"""The groups of options, in the order in which people read them."""


def asking(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields among ``values`` that ask for a supervisor; more than one process does too."""
    return tuple(
        name
        for name in ("processes", *IMPLYING)
        if name in values and values[name] not in (getattr(Settings, name), NOT_ASKING.get(name))
    )


def somaxconn() -> int:
    """The longest queue that the kernel gives (net.core.somaxconn); 128 where it does not say."""
    try:
        return int(_contents("/proc/sys/net/core/somaxconn"))
    except (OSError, ValueError):
        return 128


def auto_threads() -> tuple[int, str]:
    """Threads from the processors that this process may use, and how they were counted."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cgroup_processors()
    processors = min(usable, quota) if quota else float(usable)
    count = max(4, int(2 * processors) + 2)
    limit = f", the cgroup allows {quota:g}" if quota and quota < usable else ""
    return count, f"{count} threads: 2 for each of {processors:g} processors and 2 ({usable} usable{limit})"


def cgroup_processors() -> float:
    """Processors that the cgroup's quota allows, 0.0 without one (cpu.max; cpu.cfs_quota_us in v1)."""
    try:
        quota, period = _contents("/sys/fs/cgroup/cpu.max").split()
        return 0.0 if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        pass
    try:
        folder = "/sys/fs/cgroup/cpu"
        allowed = int(_contents(f"{folder}/cpu.cfs_quota_us"))
        return allowed / int(_contents(f"{folder}/cpu.cfs_period_us")) if allowed > 0 else 0.0
    except (OSError, ValueError):
        return 0.0


def _contents(path: str) -> str:
    # Not pathlib, which would be the dearest import of a start.
    with open(path, encoding="utf-8") as file:
        return file.read()
