"""The settings: one frozen model of everything that the operator may say."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from penstock.config.address import Address
from penstock.config.settings.application import ApplicationOptions, PoolOptions
from penstock.config.settings.limits import LimitOptions, TrustOptions
from penstock.config.settings.logs import LogOptions
from penstock.config.settings.sockets import Sockets


@dataclass(frozen=True, slots=True)
class ListenerSpec:
    """One address to listen on, what it speaks, and where it was asked for."""

    address: str
    protocol: Literal["http", "uwsgi"]
    origin: str
    parsed: Address


class Derived(BaseModel):
    """What follows from the options, filled in by ``assemble``.

    ``listeners`` in the order given; ``notices`` what the log says at start; ``short_form`` whether no
    uWSGI option named the application.
    """

    listeners: tuple[ListenerSpec, ...] = ()
    notices: tuple[str, ...] = ()
    short_form: bool = False


class Settings(
    Sockets, ApplicationOptions, PoolOptions, LimitOptions, TrustOptions, LogOptions, Derived, BaseModel
):
    """Everything, typed and checked. Read at boot only."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

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


def somaxconn() -> int:
    """The longest queue that the kernel gives (net.core.somaxconn); 128 where it does not say."""
    try:
        return int(Path("/proc/sys/net/core/somaxconn").read_text())
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
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return 0.0 if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        pass
    try:
        folder = Path("/sys/fs/cgroup/cpu")
        allowed = int((folder / "cpu.cfs_quota_us").read_text())
        return allowed / int((folder / "cpu.cfs_period_us").read_text()) if allowed > 0 else 0.0
    except (OSError, ValueError):
        return 0.0
