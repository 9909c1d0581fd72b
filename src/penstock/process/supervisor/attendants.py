"""Who attends to a supervisor: commands, files and memory that are watched, the number of workers.

Runs in the supervisor. Each looks for one cause and asks for what follows; none knows another.
"""

import signal
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.config.settings import Settings
from penstock.config.sources.env import environment
from penstock.core.errors import StartError
from penstock.process.lasting import STACKS
from penstock.process.sights import accesslog
from penstock.process.supervisor.autoreload import Autoreload
from penstock.process.supervisor.beside import Beside
from penstock.process.supervisor.cheaper.rules import check
from penstock.process.supervisor.cheaper.scaling import Scaling, first_wanted
from penstock.process.supervisor.commands import Commands
from penstock.process.supervisor.control import Control
from penstock.process.supervisor.evil import Evil
from penstock.process.supervisor.fifo import Fifo
from penstock.process.supervisor.lameduck import LameDuck
from penstock.process.supervisor.sizing import processes_of
from penstock.process.supervisor.supervisor import Supervisor
from penstock.process.supervisor.touch import Touch
from penstock.process.supervisor.vassal import Fealty
from penstock.process.titles import MASTER, set_title


def most(settings: Settings) -> int:
    """What ``processes`` comes to."""
    return processes_of(settings)[0]


def wanted_of(settings: Settings) -> int:
    """Workers to begin with."""
    return first_wanted(settings, most(settings))


def checked(settings: Settings) -> None:
    """What only the machine can tell of settings. Raises StartError."""
    wrong = check(settings, most(settings))
    if wrong:
        raise StartError("; ".join(wrong))


class Attendants:
    """Those of one supervisor."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self.commands = Commands(supervisor)
        self.fifo = Fifo(supervisor.settings.master_fifo, self.commands)
        self.control = Control(self.commands)
        self.touch = Touch(supervisor)
        self.evil = Evil(supervisor)
        self.scaling = Scaling(supervisor, self.sockets, most)
        self.autoreload = Autoreload(supervisor, self.environ)
        self.fealty = Fealty(supervisor)
        self.beside = Beside(supervisor, self.commands)
        self.lame_duck = LameDuck(supervisor)
        supervisor.lineage.wanted_of = wanted_of
        supervisor.lineage.checked = self.checked
        supervisor.reinforce = self.fealty.reinforce
        supervisor.lineage.stacks_signal = STACKS
        supervisor.lineage.say = lambda generation, message: self.autoreload.heard(message)
        supervisor.on_message.append(lambda handle, message: self.autoreload.heard(message))
        supervisor.on_serving.append(self.scaling.start)
        supervisor.on_change += [self.scaling.start, self.take_signals, self.begin_lines]
        supervisor.on_stop += [self.scaling.stop, self.autoreload.close]
        supervisor.on_exec += [self.scaling.stop, self.control.close]
        supervisor.on_stay += [self.scaling.start, self.open_control]
        supervisor.make_cheap = self.scaling.cheap

    def begin(self) -> None:
        """Attend from now on. Raises StartError."""
        supervisor = self.supervisor
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        supervisor.take_up()
        self.take_signals()
        self.fifo.open(supervisor.watch)
        self.open_control()
        self.touch.start()
        self.evil.start()
        self.beside.start()
        self.fealty.start()
        set_title(supervisor.settings, MASTER, 0, supervisor.diary.warning)

    def checked(self, settings: Settings) -> None:
        """Settings of a reload: whether they can be, and whoever attends to what is new in them. Raises
        StartError."""
        checked(settings)
        self.beside.meet(settings)

    def open_control(self) -> None:
        """The control socket. Raises StartError."""
        self.control.open(self.supervisor.watch, self.supervisor.settings.control_socket)

    def take_signals(self) -> None:
        """The commands' signals, whose meaning an option may change."""
        self.commands.install(self.supervisor.watch)

    def begin_lines(self) -> None:
        """What the supervisor's own lines begin with."""
        accesslog.begin_lines(self.supervisor.diary, self.supervisor.settings)

    def end(self) -> None:
        """After the last worker."""
        self.control.close()
        self.fifo.close()
        self.beside.end()

    def sockets(self) -> Sequence[Any]:
        """What is listened on now."""
        current = self.supervisor.current
        return [one.sock for one in current.listening] if current is not None else []

    def environ(self) -> Mapping[str, str]:
        """Of programs that we start."""
        return environment()
