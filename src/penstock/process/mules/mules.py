"""The mules of a supervisor: how many there are, when they are replaced, and the doors of their messages.

Runs in the supervisor. They begin when the first generation serves, are replaced by those of the next one,
and end with the workers. What becomes of one is ``stall``, what it does itself ``mule``.
"""

import os
import signal
from collections.abc import Iterator
from time import monotonic
from typing import Any

from penstock.config.household.mules import Work, farms, parse, works
from penstock.config.settings import Settings
from penstock.interprocess.channel import Channel
from penstock.process.household.keeper import Keeper
from penstock.process.mules.doors import HEAR, Door, close_door, names_of, open_door, send, tune
from penstock.process.mules.stall import SECOND, Mule, Stall
from penstock.process.supervisor.building import ANEW, BRUTAL
from penstock.process.supervisor.touch import File
from penstock.process.supervisor.watch import Timer

LOOK = 0.25  # seconds between two looks at whether a stop has become urgent
URGENT = 2.0  # seconds that a mule has then


class Mules:
    """Those of one supervisor."""

    def __init__(self, supervisor: Keeper) -> None:
        self.supervisor = supervisor
        self.diary = supervisor.diary
        self.stalls: dict[int, Stall] = {}
        self.doors: dict[str, Door] = {}
        self.files: dict[str, File] = {}
        self.looking: Timer | None = None
        self.hurried = False
        supervisor.lineage.doors = self.doors_of
        supervisor.carrying["mules"] = self
        supervisor.on_serving.append(self.settle)
        supervisor.on_change.append(self.settle)
        supervisor.on_generation.append(self.renew)
        supervisor.on_stop.append(self.stop)
        supervisor.on_exec.append(self.forget_unborn)
        supervisor.on_stay.append(self.settle)
        supervisor.unfinished.append(self.unfinished)

    def start(self) -> None:
        """Attend from now on; mules begin when the first generation serves."""
        self.watch_files()

    @property
    def settings(self) -> Settings:
        """Those of the generation that serves."""
        return self.supervisor.settings

    # ---- Doors --------------------------------------------------------------------------------------

    def doors_of(self, settings: Settings) -> tuple[Door, ...]:
        """The doors that settings ask for, made where they are not there. Raises OSError."""
        names = door_names(settings)
        for name in names:
            if name not in self.doors:
                self.doors[name] = open_door(name, settings.mule_msg_size)
            elif settings.mule_msg_size:
                tune(self.doors[name], settings.mule_msg_size)
        return tuple(self.doors[name] for name in names)

    def close_doors(self) -> None:
        """Those that nobody reads any more; a generation that is being built may have new ones already."""
        if self.supervisor.build is not None:
            return
        wanted = set(door_names(self.settings))
        for name in [name for name in self.doors if name not in wanted]:
            close_door(self.doors.pop(name))

    def send(self, whom: int | str, message: bytes) -> bool:
        """Leave a message for a mule, 0 for any of them, or for a farm by its name; never waits. False where
        there is none, or no room."""
        try:
            return send(tuple(self.doors.values()), whom, message, self.diary.warning)
        except ValueError as error:
            self.diary.warning(f"a message is lost: {error}")
            return False

    # ---- Who is to be there -------------------------------------------------------------------------

    def settle(self) -> None:
        """The generation that serves may want others."""
        if self.supervisor.ending is not None:
            return
        mercy = self.settings.mule_reload_mercy
        self.doors_of(self.settings)
        for number in range(1, len(works_of(self.settings)) + 1):
            self.stalls.setdefault(number, Stall(self.supervisor, number, self.work))
        for stall in self.stalls.values():
            work = self.work(stall.number)
            if work is None:
                stall.calm()
                stall.leave("it is not wanted any more", mercy)
            elif stall.mule is None:
                stall.bring()
            elif stall.mule.work != work:
                stall.leave("it has other work", mercy)
        self.close_doors()
        self.watch_files()

    def work(self, number: int) -> Work | None:
        """What the settings give to a mule."""
        given = works_of(self.settings)
        return given[number - 1] if number <= len(given) else None

    def renew(self, kind: str) -> None:
        """Another generation serves: uWSGI, which starts itself anew for it, has other mules then too."""
        if kind in ANEW:
            self.reload("a new generation serves", kind == BRUTAL)

    def reload(self, why: str, brutal: bool = False) -> None:
        """Have each mule end, and another one follow it."""
        for stall in self.stalls.values():
            stall.failures = 0
            stall.leave(why, self.settings.mule_reload_mercy, brutal)
            stall.bring()  # where one was waited for

    # ---- The end ------------------------------------------------------------------------------------

    def mules(self) -> Iterator[Mule]:
        """Those that are there."""
        return (stall.mule for stall in self.stalls.values() if stall.mule is not None)

    def unfinished(self) -> bool:
        """Whether one lives."""
        return any(self.mules())

    def stop(self) -> None:
        """The server ends: mules have what ``mule-reload-mercy`` gives, and no more than workers have."""
        now = bool(self.supervisor.ending.now)
        mercy = URGENT if now else min(self.settings.mule_reload_mercy, self.settings.shutdown_timeout)
        self.hurried = now
        for stall in self.stalls.values():
            stall.calm()
            if stall.mule is not None and stall.mule.why:
                stall.expect(mercy)
            stall.leave("the server is stopping", mercy, now)
        if self.unfinished() and not now:
            self.supervisor.watch.every(LOOK, self.hurry)

    def hurry(self) -> None:
        """The stop may have become urgent."""
        if self.hurried or not self.supervisor.ending.now:
            return
        self.hurried = True
        for stall in self.stalls.values():
            stall.signal(signal.SIGTERM)
            stall.expect(URGENT)

    # ---- touch-mules-reload -------------------------------------------------------------------------

    def watch_files(self) -> None:
        """What the settings name, with the memory of what they named before."""
        before = self.files
        paths = [os.path.abspath(path) for path in self.settings.touch_mules_reload]
        self.files = {path: before.get(path) or File(path) for path in paths}
        if self.files and self.looking is None:
            self.looking = self.supervisor.watch.every(self.settings.check_interval or SECOND, self.look)

    def look(self) -> None:
        """One look at them."""
        for path, file in self.files.items():
            what = file.look()
            if what and self.supervisor.ending is None:
                self.diary.info(f"touch-mules-reload: {path} {what}: mules are replaced")
                self.reload(f"touch-mules-reload: {path} {what}")

    # ---- Logs, figures, another supervisor ----------------------------------------------------------

    def reopen(self, fds: tuple[int, ...], leave: str = "") -> None:
        """The logs were opened anew: mules are given the descriptors (see ``Supervisor.hand_out_logs``)."""
        for stall in self.stalls.values():
            if stall.mule is not None and stall.mule.pid:
                stall.mule.channel.send({"do": "reopen", "leave": leave}, fds)
                stall.signal(HEAR)

    def figures(self) -> list[dict[str, Any]]:
        """For ``status``."""
        return [
            {
                "mule": mule.number,
                "pid": mule.pid,
                "work": mule.work.text,
                "generation": mule.generation,
                "age": round(monotonic() - mule.born, 1),
                "leaving": mule.why,
            }
            for mule in self.mules()
        ]

    def forget_unborn(self) -> None:
        """Another program takes over, which would not know of them."""
        for stall in self.stalls.values():
            if stall.mule is not None and not stall.mule.pid:
                stall.part(stall.mule)

    def state(self) -> dict[str, Any]:
        """What another supervisor must know."""
        rows = [
            (m.number, m.work.text, m.generation, m.pid, m.channel.fileno(), monotonic() - m.born, m.why)
            for m in self.mules()
            if m.pid and m.channel.fileno() >= 0
        ]
        doors = list(self.doors.values())
        fds = [row[4] for row in rows] + [fd for _, *both in doors for fd in both]
        return {"mules": rows, "doors": doors, "fds": fds}

    def resume(self, data: dict[str, Any]) -> None:
        """Go on with those of the supervisor before us."""
        import socket

        for name, outside, inside in data.get("doors", ()):
            self.doors[name] = (name, outside, inside)
        for number, text, generation, pid, fd, age, why in data.get("mules", ()):
            channel = Channel(socket.socket(fileno=fd))
            mule = Mule(number, parse(text), generation, channel, pid, why, born=monotonic() - age)
            stall = self.stalls[number] = Stall(self.supervisor, number, self.work)
            stall.take(mule)
            if why:
                stall.expect(self.settings.mule_reload_mercy)


def works_of(settings: Settings) -> tuple[Work, ...]:
    """All mules of settings, number 1 first."""
    return works(settings.mule, settings.mules, settings.mules_before)


def door_names(settings: Settings) -> list[str]:
    """All doors that settings ask for."""
    return names_of(len(works_of(settings)), farms(settings.farm))
