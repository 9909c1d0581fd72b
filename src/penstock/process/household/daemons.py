"""The programs that a supervisor runs beside its workers: ``attach-daemon`` and its kin.

Runs in the supervisor. They are started with it, started anew when a new generation serves, and ended after
the last worker. What becomes of one is ``attached`` and ``smart``; here is who there is, and when.
"""

import os
from collections.abc import Iterator
from typing import Any

from penstock.config.household.daemons import PARSERS, Daemon
from penstock.config.settings import Settings
from penstock.process.household.attached import Attached, label_of
from penstock.process.household.keeper import Keeper
from penstock.process.household.smart import Smart
from penstock.process.identity import identity_of
from penstock.process.programs.departure import URGENT, mercy_of, urgent
from penstock.process.programs.programs import Program, shell_of
from penstock.process.supervisor.building import ANEW
from penstock.process.supervisor.touch import File
from penstock.process.supervisor.watch import Timer

LOOK = 1.0  # seconds between two looks at pidfiles and at files that may be touched

Key = tuple[str, str, int]
One = Attached | Smart


class Daemons:
    """Those of one supervisor. ``spare`` are those that outlive it."""

    def __init__(self, supervisor: Keeper) -> None:
        self.supervisor = supervisor
        self.ones: dict[Key, One] = {}
        self.files: dict[Key, list[File]] = {}
        self.new: list[Key] = []
        self.dropped: list[One] = []
        self.coming: list[One] = []
        self.carried: dict[Key, dict[str, Any]] = {}
        self.resumed = False
        self.ticking: Timer | None = None
        self.waiting = 0
        supervisor.carrying["daemons"] = self
        supervisor.on_change.append(self.sync)
        supervisor.on_generation.append(self.renew)
        supervisor.on_stop.append(self.hold)
        supervisor.on_drained.append(self.end)
        supervisor.unfinished.append(self.unfinished)

    def start(self) -> None:
        """Begin with those that the settings name, or go on with those that were taken over.

        Raises StartError for a user or a group that there is not.
        """
        if not self.resumed:
            for _, daemon in named(self.supervisor.settings):
                self.program(daemon)
        self.sync()
        self.new.clear()
        for (_, command, _), state in self.carried.items():
            self.part(command, state)
        self.carried.clear()

    # ---- Who there is -------------------------------------------------------------------------------

    def sync(self) -> None:
        """The settings may name others."""
        wanted = dict(named(self.supervisor.settings))
        for key in [key for key in self.ones if key not in wanted]:
            self.drop(key)
        self.new = [key for key in wanted if key not in self.ones]
        for key in self.new:
            self.add(key, wanted[key])
        if self.ones and self.ticking is None:
            self.ticking = self.supervisor.watch.every(LOOK, self.tick)

    def add(self, key: Key, daemon: Daemon) -> None:
        """One more."""
        house = self.supervisor
        one: One
        if daemon.pidfile:
            one = Smart(house, daemon, self.program, self.ours)
        else:
            one = Attached(house, daemon, self.program, lambda: self.fell(daemon), self.mercy)
        self.ones[key] = one
        self.files[key] = [File(os.path.abspath(path)) for path in daemon.touch]
        carried = self.carried.pop(key, None)
        if carried is not None:
            one.resume(carried)
        elif any(gone.busy for gone in self.dropped):
            # It may be the same one with other words, and two would be in each other's way.
            self.coming.append(one)
        else:
            one.start()

    def drop(self, key: Key) -> None:
        """One less."""
        one = self.ones.pop(key)
        del self.files[key]
        self.coming = [other for other in self.coming if other is not one]
        self.let_go(one)

    def let_go(self, one: One) -> None:
        """Nobody asks for it any more."""
        self.dropped = [before for before in self.dropped if before.busy or before.pids]
        self.dropped.append(one)
        one.drop(lambda: self.let_gone(one))

    def let_gone(self, one: One) -> None:
        """It has ended: those that wait for the last of them begin."""
        self.dropped.remove(one)
        if not any(other.busy for other in self.dropped):
            coming, self.coming = self.coming, []
            for following in coming:
                following.start()

    def part(self, command: str, state: dict[str, Any]) -> None:
        """End one that was taken over, and that this version does not find among its settings."""
        one: One
        if "file" in state:
            daemon = Daemon(command=command, pidfile=state["file"])
            one = Smart(self.supervisor, daemon, self.program, self.ours)
            one.resume(state)
            one.hold()
            self.dropped.append(one)
        elif "leaving" in state:
            one = Attached(self.supervisor, Daemon(command=command), self.program, lambda: False, self.mercy)
            one.held = True
            one.resume(state)
            self.let_go(one)

    def fell(self, daemon: Daemon) -> bool:
        """One has ended by itself; whether it is to be started again."""
        if self.supervisor.ending is not None:
            return False
        if daemon.control:
            self.supervisor.stop(f"{label_of(daemon)} has ended (attach-control-daemon)")
            return False
        return True

    def ours(self) -> set[int]:
        """Numbers that no pidfile can mean: ours, and of those that we have started."""
        found = {os.getpid(), *(handle.pid for handle in self.supervisor.handles())}
        for loading in self.supervisor.lineage.loadings:
            found |= set(loading.processes)
        for one in self.ones.values():
            if isinstance(one, Attached) and one.running is not None:
                found.add(one.running.pid)
        return found

    def spare(self) -> set[int]:
        """Who stays when the server ends."""
        return {pid for one in [*self.ones.values(), *self.dropped] for pid in one.pids}

    # ---- How one is run -----------------------------------------------------------------------------

    def program(self, daemon: Daemon) -> Program:
        """What is to be run. Raises StartError."""
        supervisor, settings = self.supervisor, self.supervisor.settings
        identity = None
        if daemon.uid.strip("0") or daemon.gid.strip("0"):  # 0 is none, as in uWSGI
            identity = identity_of(daemon.uid, daemon.gid, (), supervisor.diary.warning)
        return Program(
            command=daemon.command,
            label=label_of(daemon),
            environ=supervisor.environ(),
            shell=shell_of(settings.binsh),
            folder=daemon.folder,
            uid=None if identity is None else identity.uid,
            gid=None if identity is None else identity.gid,
            keep_stdin=daemon.stdin or settings.daemons_honour_stdin,
            dies_with_us=not daemon.pidfile,
            own_pid_space=daemon.own_pid_space,
            # One that outlives us would write into a pipe that nobody reads.
            output=supervisor.diary.error_sink.fd if daemon.pidfile else None,
            pidfile=os.path.abspath(daemon.pidfile) if daemon.daemonize else "",
        )

    def mercy(self) -> float:
        """Seconds that one has to end."""
        return mercy_of(self.supervisor)

    # ---- When ---------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Look at pidfiles, and at files that may have been touched."""
        if self.supervisor.ending is not None:
            return
        for key, one in list(self.ones.items()):
            if one in self.coming:
                continue
            one.tick()
            for file in self.files[key]:
                what = file.look()
                if what:
                    self.supervisor.diary.info(f"{label_of(one.daemon)}: {file.path} {what}")
                    one.touched()

    def renew(self, how: str) -> None:
        """A new generation serves: uWSGI would have ended them before it, and started them with it."""
        if how in ANEW:
            for key, one in list(self.ones.items()):
                if key not in self.new and one not in self.coming:
                    one.renew()

    def hold(self) -> None:
        """The end begins: nothing is started any more, and what runs may still be needed."""
        for one in self.ones.values():
            one.hold()

    def end(self) -> None:
        """The last worker is gone."""
        ones = list(self.ones.values())
        self.waiting = len(ones)
        if self.ticking is not None:
            self.ticking.cancel()
        for one in ones:
            one.end(self.one_less)

    def one_less(self) -> None:
        """One has ended for good."""
        self.waiting -= 1
        if not self.waiting:
            # In a moment: others may be about to hear of the last worker's end only after us.
            self.supervisor.watch.later(0.0, self.supervisor.look_whether_done)

    def unfinished(self) -> bool:
        """Asked by the supervisor at its end, from time to time."""
        left = [*self.ones.values(), *self.dropped]
        if urgent(self.supervisor):
            for one in left:
                one.hurry(URGENT)
        return any(one.busy for one in left)

    # ---- Another penstock takes over ----------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """All of them as plain data."""
        ones = [(list(key), one.state()) for key, one in self.ones.items()]
        # Under names that no settings have.
        ones += [(["", one.daemon.command, n], one.state()) for n, one in enumerate(self.dropped)]
        fds = [state["running"]["fd"] for _, state in ones if "running" in state]
        return {"ones": ones, "fds": [fd for fd in fds if fd >= 0]}  # the output of some is the log itself

    def resume(self, data: dict[str, Any]) -> None:
        """What the penstock before us had; ``start`` goes on from there."""
        self.resumed = True
        for (option, text, number), state in data["ones"]:
            self.carried[option, text, number] = state

    def figures(self) -> list[dict[str, Any]]:
        """For ``status``."""
        return [{"option": key[0], **one.figures()} for key, one in self.ones.items()]


def named(settings: Settings) -> Iterator[tuple[Key, Daemon]]:
    """Those that settings name, each option's in their order. The same twice is two."""
    for option, parse in PARSERS.items():
        seen: dict[str, int] = {}
        for text in getattr(settings, option.replace("-", "_")):
            number = seen[text] = seen.get(text, 0) + 1
            yield (option, text, number), parse(text)
