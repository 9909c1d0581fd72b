"""The herd's registers: whose number a process has, and what is tried when there is nothing to try with."""

import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from penstock.config.assemble import from_keywords
from penstock.interprocess.channel import Channel, pair
from penstock.interprocess.scoreboard import Scoreboard
from penstock.logs.setup import Diary
from penstock.process.supervisor.generation import Generation, Prototype, Stage
from penstock.process.supervisor.handle import Handle, State
from penstock.process.supervisor.herd import Herd
from penstock.process.supervisor.watch import Watch
from tests.sinks import file_sink


class Pen:
    """A herd, and a prototype's end of the channel that nobody reads."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "log"
        self.diary = Diary(file_sink(str(self.log)), None)
        self.watch = Watch(pytest.fail)
        self.board = Scoreboard.create(4)
        self.herd = Herd(self.watch, self.diary, self.board)
        ours, self.theirs = pair()
        prototype = Prototype(0, ours, False, Stage.LOADED)
        settings = from_keywords({"bind": [":0"]}, "app")
        self.generation = Generation(1, settings, [], str(folder), prototype)

    def fork(self, wid: int = 1) -> tuple[Handle, Channel]:
        """A worker on order, and its end of the channel."""
        handle = self.herd.fork(wid, self.generation, 60.0)
        assert handle is not None
        ((_, fds),) = self.theirs.receive()
        return handle, Channel(socket.socket(fileno=fds[0]))

    def close(self) -> None:
        for handle in self.herd.handles():
            handle.channel.close()
        self.theirs.close()
        assert self.generation.prototype is not None
        self.generation.prototype.channel.close()
        self.watch.close()
        self.board.close()
        self.diary.close()


@pytest.fixture
def pen(tmp_path: Path) -> Iterator[Pen]:
    one = Pen(tmp_path)
    yield one
    one.close()


def test_what_is_said_to_all_is_the_first_that_whoever_is_born_hears(pen: Pen) -> None:
    _, early = pen.fork(1)
    pen.herd.tell_all({"do": "limp"})
    _, late = pen.fork(2)
    for worker in (early, late):
        assert [message for message, _ in worker.receive()] == [{"do": "limp"}]
        worker.close()


def test_a_number_that_is_no_childs_is_not_believed(pen: Pen) -> None:
    handle, worker = pen.fork()
    worker.send({"is": "hello", "pid": os.getppid()})
    pen.herd.heard(handle)
    assert handle.pid == 0
    worker.close()


def test_an_orphan_that_had_its_number_long_ago_is_not_its_death(pen: Pen) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        pen.herd.reaped(child.pid, 0)  # as if somebody had had this number before
        handle, worker = pen.fork()
        worker.send({"is": "hello", "pid": child.pid})
        pen.herd.heard(handle)
        assert handle.pid == child.pid
        assert handle.state is State.STARTING
        child.communicate(b"\n")
        worker.close()


def test_one_that_died_before_its_first_word_was_read_is_known_as_dead(pen: Pen) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
        pen.herd.reaped(child.pid, -11)
        handle, worker = pen.fork()
        worker.send({"is": "hello", "pid": child.pid})
        pen.herd.heard(handle)
        assert handle.state is State.GONE
        assert "SIGSEGV" in pen.log.read_text()
        worker.close()


def test_without_a_descriptor_there_is_none_and_nothing_breaks(pen: Pen) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) - 1, hard))
    try:
        assert pen.herd.fork(1, pen.generation, 60.0) is None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert "no channel could be made" in pen.log.read_text()


def test_one_that_leaves_is_hurried_but_never_given_more(pen: Pen) -> None:
    handle, worker = pen.fork()
    handle.move("ready")
    pen.herd.leave(handle, "a reload", 60.0)
    assert pen.herd.hurry(handle, 5.0)
    assert handle.timer is not None
    first = handle.timer.when
    assert not pen.herd.hurry(handle, 30.0)
    assert handle.timer.when == first
    said = [message["seconds"] for message, _ in worker.receive()]
    assert said == [60.0, 5.0]
    worker.close()


def test_one_that_ends_unborn_while_it_leaves_is_no_death(pen: Pen) -> None:
    """A TERM to the whole group reaches it before it has a word to say."""
    handle, worker = pen.fork()
    handle.pid = 0
    pen.herd.retract(handle, "SIGTERM", 60.0)
    worker.close()
    pen.herd.heard(handle)
    assert handle.state is State.GONE
    assert pen.herd.deaths == 0


def test_one_that_is_not_needed_may_have_begun_to_serve(pen: Pen) -> None:
    """Its ``ready`` and the word that it is not needed cross each other: what it has taken is not cut."""
    handle, worker = pen.fork()
    pen.herd.retract(handle, "not needed", 60.0)
    assert handle.timer is not None
    soon = handle.timer.when
    assert [message["do"] for message, _ in worker.receive()] == ["leave"]
    worker.send({"is": "ready"})
    pen.herd.heard(handle)
    assert handle.state is State.LEAVING
    assert handle.timer is not None
    assert handle.timer.when > soon + 30
    worker.close()


def test_the_time_to_become_ready_stands_still_while_hooks_are_carried_out(pen: Pen) -> None:
    handle, worker = pen.fork()
    for seconds in (0, "soon", 5.0):
        worker.send({"is": "clock", "seconds": seconds})
        pen.herd.heard(handle)
        assert (handle.timer is None) == (seconds != 5.0)
    assert handle.timer is not None and handle.timer.when <= monotonic() + 5.0
    handle.move("ready")
    handle.set_timer(None)
    worker.send({"is": "clock", "seconds": 5.0})
    pen.herd.heard(handle)
    assert handle.timer is None
    worker.close()
