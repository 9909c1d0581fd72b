"""The other side of a takeover: a supervisor that goes on from what another one knew.

Called by ``cli`` in the first lines of a program that was started by ``takeover``, on the main thread.
"""

import os
from collections.abc import Callable
from time import monotonic
from typing import Any

from penstock import __version__
from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.interprocess.channel import Channel
from penstock.interprocess.scoreboard import Scoreboard
from penstock.logs.setup import Diary
from penstock.logs.sinks import Sink
from penstock.process import diaries, stock
from penstock.process.emperor.bond import governing
from penstock.process.launch import Launch, Read
from penstock.process.pidfile import PidFile
from penstock.process.sights.accesslog import begin_lines
from penstock.process.standing import Standing
from penstock.process.supervisor.building import Asked
from penstock.process.supervisor.generation import Generation, Prototype, Stage
from penstock.process.supervisor.handle import Handle, State
from penstock.process.supervisor.lineage import Lineage
from penstock.process.supervisor.loading import Loading
from penstock.process.supervisor.sockets import regained
from penstock.process.supervisor.start import run
from penstock.process.supervisor.supervisor import Supervisor
from penstock.process.supervisor.takeover import PROBE, read, settings_from
from penstock.process.supervisor.watch import Watch


def take_over(value: str, again: Callable[[Launch], Read]) -> int:
    """Go on from what the variable names, or only try; returns the exit status. Raises StartError.

    ``again``: how to read the configuration of a launch.
    """
    probing = value.startswith(PROBE)
    fd = int(value.removeprefix(PROBE))
    os.set_inheritable(fd, False)
    state = read(fd)
    os.close(fd)
    settings = settings_from(state["settings"])
    words, folder, activated, path = state["launch"]
    launch = Launch(None, tuple(words), folder, tuple(activated), tuple(path))
    if probing:
        os.chdir(folder)
        again(launch)()
        return 0
    launch = governing(Launch(again(launch), launch.words, launch.folder, launch.activated, launch.path))
    return go_on(state, settings, launch)


def go_on(state: dict[str, Any], settings: Settings, launch: Launch) -> int:
    """Be the supervisor."""
    for fd in state["descriptors"]:
        if fd > 2:
            os.set_inheritable(fd, False)
    sinks = [Sink(fd, path) for fd, path in state["sinks"]]
    if len(sinks) > 1 and sinks[1].fd == sinks[0].fd:
        sinks[1] = sinks[0]
    diary = Diary(sinks[0], sinks[1] if len(sinks) > 1 else None)
    diaries.go_on_finishing(diary, settings)
    begin_lines(diary, settings)
    standing = Standing(settings, diary)
    standing.stdio.taken = bool(state["stdio"])
    for path, fd in state["pidfiles"]:
        file = PidFile(path)
        file.fd = fd
        standing.pidfiles.append(file)
    watch = Watch(diary.error)
    lineage = Lineage(settings, standing, launch, tuple(state["lifeline"]))
    supervisor = Supervisor(watch, diary, Scoreboard.attach(state["board"]), lineage)
    generation = regain(supervisor, state, settings)
    diary.info(f"penstock {__version__} goes on in place of {state['version']}")
    asked = Asked(f"penstock {__version__} took over")
    try:
        return run(supervisor, generation.listening, lambda: resume(supervisor, asked))
    finally:
        standing.end()
        diary.flush()


def resume(supervisor: Supervisor, asked: Asked) -> None:
    """Take up all that follows the start of a server, and load the application anew."""
    for call in supervisor.on_serving:
        call()
    supervisor.ensure()  # what was about to be tried again when the other one ended
    supervisor.lineage.reload(asked)


def regain(supervisor: Supervisor, state: dict[str, Any], settings: Settings) -> Generation:
    """The generation that serves, its prototype and its workers."""
    lineage = supervisor.lineage
    specs = settings.listeners
    listening = [regained(specs[index], fd, path) for index, fd, path in state["listeners"]]
    generation = Generation(state["generation"], settings, listening, state["folder"], lazy=state["lazy"])
    generation.certificates = state.get("certificates", {})
    generation.caches = stock.regained(settings, state.get("caches", ()), supervisor.diary)
    lineage.number = generation.number
    supervisor.current = generation
    supervisor.wanted = state["wanted"]
    supervisor.paused = state["paused"]
    supervisor.since = state["since"]
    supervisor.elders = set(state.get("elders", ()))
    supervisor.carried = state.get("carried", {})
    if state["prototype"] is not None:
        pid, fd, lazy = state["prototype"]
        loading = Loading(lineage.shop, generation, lineage.rebuilt, lineage.not_rebuilt)
        loading.adopt(Prototype(pid, channel_of(fd), lazy, Stage.LOADED))
        lineage.loadings.append(loading)
    for worker in state["workers"]:
        regain_worker(supervisor, worker)
    return generation


def regain_worker(supervisor: Supervisor, worker: tuple[int, int, int, int, str, int, float]) -> None:
    """One worker, as it stood."""
    wid, slot, generation, pid, state, fd, age = worker
    herd = supervisor.herd
    handle = Handle(wid, slot, generation, channel_of(fd), supervisor.board.cell(slot), pid)
    handle.state = State[state]
    handle.born = monotonic() - age
    if handle.state is not State.STARTING:
        handle.ready_at = handle.born
    herd.take(handle)
    if handle.state is State.LEAVING:
        handle.why = "a reload"
        herd.expect(handle, supervisor.settings.worker_reload_mercy)
    elif handle.state is State.SERVING:
        herd.place(wid).worker = handle
    else:
        mercy = supervisor.settings.worker_reload_mercy
        herd.retract(handle, "another penstock took over while it started", mercy)


def channel_of(fd: int) -> Channel:
    """A channel over a descriptor that came through an exec. Raises StartError."""
    import socket

    try:
        return Channel(socket.socket(fileno=fd))
    except OSError as error:
        raise StartError(f"descriptor {fd} is no channel: {error.strerror}") from error
