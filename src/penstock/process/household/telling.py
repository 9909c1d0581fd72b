"""The figures of a household as lines for people.

Runs wherever somebody reads a status. It knows figures and nothing of whose they are.
"""

from time import localtime, strftime
from typing import Any

SHOWN = 60  # characters of a command


def lines_of(household: dict[str, Any]) -> list[str]:
    """A line for each daemon, cron and mule."""
    lines = [daemon_line(one) for one in household.get("daemons", ())]
    lines += [cron_line(one) for one in household.get("cron", ())]
    return lines + [mule_line(one) for one in household.get("mules", ())]


def daemon_line(one: dict[str, Any]) -> str:
    """``daemon "redis-server": running, pid 12, started 3 times``."""
    pid = f", pid {one['pid']}" if one["pid"] else ""
    times = f", started {one['starts']} times" if one["starts"] > 1 else ""
    return f'daemon "{short(one["command"])}": {one["state"]}{pid}{times}'


def cron_line(one: dict[str, Any]) -> str:
    """``cron 0 3 -1 -1 -1 "backup": runs, pid 12; last begun 2026-01-31 03:00:00``."""
    times = " ".join(str(value) for value in one["times"])
    running = ", ".join(str(pid) for pid in one["running"])
    now = f"runs, pid {running}" if running else "waits"
    begun = strftime("%Y-%m-%d %H:%M:%S", localtime(one["last"]))
    last = f"; last begun {begun}" if one["last"] else ""
    return f'{one["option"]} {times} "{short(one["command"])}": {now}{last}'


def mule_line(one: dict[str, Any]) -> str:
    """``mule 1 (mail.py): pid 12, generation 2``."""
    work = f" ({short(one['work'])})" if one["work"] else ""
    where = f"pid {one['pid']}" if one["pid"] else "starting"
    leaving = f", leaving: {one['leaving']}" if one["leaving"] else ""
    return f"mule {one['mule']}{work}: {where}, generation {one['generation']}{leaving}"


def short(text: str) -> str:
    """The beginning of a command, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"
