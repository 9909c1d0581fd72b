"""Generations one after the other: the first, those that follow on a reload, and prototypes that died.

Runs in the supervisor. The order of a reload: the configuration is read in a child; its listeners are
opened beside those that stay; its generation is built while the old one serves; then the old one goes.
Whatever fails on the way leaves the old one as it was.
"""

import os
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any, Protocol

from penstock.config.settings import Settings
from penstock.config.sources.env import environment, reloads
from penstock.core.errors import StartError
from penstock.process import certificates, screen, stock
from penstock.process.boot import Boot
from penstock.process.diaries import Lent, direct
from penstock.process.launch import Launch
from penstock.process.mules.doors import Door
from penstock.process.standing import Standing
from penstock.process.supervisor.building import ANEW, BRUTAL, GRACEFUL, Asked, Build, Outcome
from penstock.process.supervisor.generation import Generation, back_to, folder_of, listeners_of
from penstock.process.supervisor.handle import Handle
from penstock.process.supervisor.loading import FAILED, Loading, Workshop
from penstock.process.supervisor.reread import Reread, changed
from penstock.process.supervisor.sockets import Listening, beyond, renewed
from penstock.process.supervisor.watch import Timer, Watch

SLOWEST = 60.0  # seconds between two tries to load a prototype anew


class Supervised(Protocol):
    """The supervisor, as far as its lineage knows it."""

    watch: Watch
    herd: Any
    current: Generation | None
    build: Build | None
    wanted: int
    paused: bool
    shared: dict[str, Any]

    def ensure(self) -> None: ...
    def change_over(self, asked: Asked, first: bool) -> None: ...
    def took(self, handle: Handle) -> None: ...
    def note(self, ok: bool, text: str) -> None: ...
    def reloading(self, begun: bool) -> None: ...
    def stop(self, why: str, now: bool = False, code: int = 0) -> None: ...
    def replace(self, handle: Handle, why: str) -> None: ...
    @property
    def ending(self) -> Any: ...


class Lineage:
    """``lifeline`` is a pipe's two ends; ``stacks_signal`` makes a worker write its stacks, 0 for none."""

    def __init__(
        self, settings: Settings, standing: Standing, launch: Launch, lifeline: tuple[int, int]
    ) -> None:
        self.settings = settings
        self.standing = standing
        self.diary = standing.diary
        self.launch = launch
        self.lifeline = lifeline
        self.stacks_signal = 0
        self.number = 0
        self.loadings: list[Loading] = []
        self.reading: Reread | None = None
        self.retry: Timer | None = None
        self.pause = 1.0
        self.began = 0.0
        self.wanted_of: Callable[[Settings], int] = lambda settings: 1
        self.checked: Callable[[Settings], None] = lambda settings: None
        self.say: Callable[[Generation, dict[str, Any]], None] = lambda generation, message: None
        self.exec: Callable[[Asked], None] = lambda asked: None
        self.lent: Callable[[Settings], Lent] = lambda settings: direct(self.diary)
        self.doors: Callable[[Settings], tuple[Door, ...]] = lambda settings: ()
        self.after_first: list[Asked] = []
        self.first_failed: tuple[str, int] | None = None

    def attach(self, supervisor: Supervised) -> None:
        """Whose generations they are."""
        self.supervisor = supervisor
        self.watch = supervisor.watch
        self.shop = Workshop(
            watch=supervisor.watch,
            diary=self.diary,
            boot=self.boot,
            environ=self.environ,
            newer=self.newer,
            lost=self.rebuild,
            say=lambda generation, message: self.say(generation, message),
        )

    # ---- What a prototype is given ------------------------------------------------------------------

    def boot(self, generation: Generation, lazy: bool) -> Boot:
        """The description of one prototype."""
        return Boot(
            settings=generation.settings,
            generation=generation.number,
            lazy=lazy,
            supervisor=os.getpid(),
            listeners=listeners_of(generation),
            **self.supervisor.shared,
            lifeline=self.lifeline[0],
            **self.lent(generation.settings).parts,
            again=generation.number > 1,
            anew=generation.prototype is None,
            fresh=generation is not self.supervisor.current,
            doors=self.doors(generation.settings),
            caches=stock.fds_of(generation.caches),
            certificates=generation.certificates,
            path=self.launch.path,
            watch_files=generation.settings.py_autoreload > 0,
        )

    def environ(self, generation: Generation) -> dict[str, str]:
        """The environment of one prototype: ours, and what ``env`` sets or unsets."""
        return environment([reloads(generation.number - 1), *generation.settings.env_pairs])

    # ---- The first, and the following ---------------------------------------------------------------

    def first(self, listening: list[Listening]) -> None:
        """Begin."""
        self.number = 1
        self.began = monotonic()
        caches = stock.made(self.settings, self.diary)
        files = self.standing.certificates
        made = Generation(1, self.settings, listening, os.getcwd(), certificates=files, caches=caches)
        self.make(made, Asked("start"))

    def reload(self, asked: Asked) -> None:
        """Begin with the configuration; one that is under way already is given up for it, the first one is
        waited for."""
        if self.supervisor.current is None:
            self.after_first.append(asked)
            return
        self.give_up("a newer reload was asked for")
        self.supervisor.reloading(True)
        self.diary.info(f"{asked.why}: reloading")
        self.began = monotonic()
        read = self.launch.read
        if read is None:
            self.renew(asked, self.settings)
            return
        try:
            self.reading = Reread(self.watch, read, self.launch.folder, partial(self.read, asked))
        except OSError as error:
            self.refuse(asked, f"no process could be started: {error.strerror}")

    def read(self, asked: Asked, settings: Settings | None, text: str) -> None:
        """The configuration was read."""
        self.reading = None
        if settings is None:
            self.refuse(asked, f"the configuration is not used: {text}")
            return
        fixed = changed(self.settings, settings)
        if fixed:
            names = ", ".join(name.replace("_", "-") for name in fixed)
            self.diary.warning(f"{names}: what has changed there is taken up at a restart, not at a reload")
        self.renew(asked, settings)

    def renew(self, asked: Asked, settings: Settings) -> None:
        """Open the listeners of a new generation and build it."""
        old = self.supervisor.current
        before = [] if old is None else old.listening
        was = self.launch.folder if old is None else old.folder
        try:
            self.checked(settings)
            old_files = {} if old is None else old.certificates
            files = certificates.renewed(settings, self.launch.folder, old_files, self.diary.warning)
            folder = folder_of(settings, self.launch.folder)
            os.chdir(folder)
            with stock.following(settings, old, asked.how in ANEW, self.diary) as caches:
                listening = renewed(before, settings, (was, folder), self.standing.owner)
        except (StartError, OSError) as error:
            back_to(was)
            self.refuse(asked, str(error))
            return
        for listener in beyond(listening, before):
            self.diary.say(f"penstock: listening on {listener.name}")
        self.number += 1
        made = Generation(self.number, settings, listening, folder, certificates=files, caches=caches)
        self.make(made, asked)

    def make(self, generation: Generation, asked: Asked) -> None:
        """Build a generation."""
        old = self.supervisor.current
        wanted = self.wanted_of(generation.settings)
        if old is not None and wanted == self.wanted_of(self.settings):
            wanted = self.supervisor.wanted  # what it has become stays
        build = Build(self.supervisor.herd, self.shop, generation, asked, list(range(1, wanted + 1)))
        build.wanted_before = self.supervisor.wanted
        build.full = old is not None and not old.empty
        build.swap = self.supervisor.took
        build.finished = self.finished
        build.failed = self.failed
        self.supervisor.build = build
        self.loadings.append(build.loading)
        build.start()

    def finished(self, build: Build) -> None:
        """All of a generation is ready: it serves, and the old one goes."""
        supervisor, old, new = self.supervisor, self.supervisor.current, build.generation
        supervisor.build = None
        supervisor.current = new
        if supervisor.wanted == build.wanted_before:  # else somebody has changed it meanwhile
            supervisor.wanted = len(build.wids)
        self.settings = new.settings
        dropped = old is not None and bool(beyond(old.listening, new.listening))
        for wid, handle in build.made.items():
            if wid not in build.swapped:
                place = supervisor.herd.place(wid)
                before, place.worker = place.worker, handle
                if not supervisor.paused:
                    handle.channel.send({"do": "resume"})
                if before is not None:
                    self.dismiss(before, build.asked, dropped)
        for place in supervisor.herd.places.values():
            place.failures = 0
            place.calm()
            if place.coming is not None:
                mercy = self.settings.worker_reload_mercy
                supervisor.herd.retract(place.coming, "a new generation has its place", mercy)
                place.coming = None
        self.retire(old, new)
        supervisor.change_over(build.asked, old is None)
        self.conclude(build, old is None)

    def conclude(self, build: Build, first: bool) -> None:
        """Say it to all who asked."""
        if first:
            self.diary.info(screen.ready(build.generation, len(build.wids), monotonic() - self.began))
            build.asked.answer(Outcome(True, "serving"))
            waiting, self.after_first = self.after_first, []
            for asked in waiting:
                self.reload(asked)
            return
        text = f"generation {build.generation.number} serves after {monotonic() - self.began:.1f} s"
        self.diary.info(f"{build.asked.why}: {text}")
        self.supervisor.note(True, f"{build.asked.why}: {text}")
        self.supervisor.reloading(False)
        build.asked.answer(Outcome(True, text))

    def dismiss(self, handle: Handle, asked: Asked, final: bool) -> None:
        """A worker of the old generation."""
        herd = self.supervisor.herd
        if asked.how == BRUTAL:
            herd.halt(handle, f"{asked.why}: a brutal reload")
        else:
            herd.leave(handle, asked.why, self.settings.worker_reload_mercy, final=final)

    def retire(self, old: Generation | None, new: Generation) -> None:
        """The old generation forks no more, and what only it listened on is closed."""
        if old is None:
            return
        for listening in beyond(old.listening, new.listening):
            self.diary.info(f"no longer listening on {listening.name}")
            listening.refuse_new()
            listening.close(unlink=True)
        for loading in self.loadings:
            if loading.generation is old:
                loading.end()
        stock.close_but(new.caches, old.caches)  # its processes have them still
        self.loadings = [one for one in self.loadings if one.processes]

    # ---- What fails ---------------------------------------------------------------------------------

    def failed(self, build: Build, text: str, code: int) -> None:
        """A generation came to nothing."""
        supervisor = self.supervisor
        supervisor.build = None
        old = supervisor.current
        if old is None:
            self.first_failed = (text, code)
            for asked in self.after_first:
                asked.answer(Outcome(False, text, code))
            supervisor.stop("the start failed", now=True, code=code)
            return
        self.unopen(old, build.generation)
        for wid in build.swapped:  # a chain that broke: the old code comes back
            worker = supervisor.herd.place(wid).worker
            if worker is not None and worker.generation == build.generation.number:
                worker.asked = False
                supervisor.replace(worker, "the chain reload failed")
        supervisor.ensure()
        self.refuse(build.asked, text, code)

    def unopen(self, old: Generation, given_up: Generation) -> None:
        """What was opened for a generation is closed, and relative paths are the old one's."""
        for listening in beyond(given_up.listening, old.listening):
            listening.close(unlink=True)
        stock.close_but(old.caches, given_up.caches)
        back_to(old.folder)

    def refuse(self, asked: Asked, text: str, code: int = FAILED) -> None:
        """A reload failed; the old generation serves on."""
        self.diary.error(f"{asked.why}: the reload failed, and what ran before serves on\n{text}")
        self.supervisor.note(False, f"{asked.why}: {text}")
        self.supervisor.reloading(False)
        asked.answer(Outcome(False, text, code or FAILED))

    def give_up(self, why: str) -> None:
        """Whatever is being built is not used."""
        if self.reading is not None:
            self.reading.finish(None, why)
        build, self.supervisor.build = self.supervisor.build, None
        if build is not None:
            build.cancel()
            self.failed(build, why, FAILED)

    def newer(self, version: str) -> None:
        """A prototype is of another penstock than we are."""
        old = self.supervisor.current
        if old is None:
            return  # it changed in the middle of the start, which fails and says so
        asked = Asked(f"penstock {version} is installed", GRACEFUL)
        build, self.supervisor.build = self.supervisor.build, None
        if build is not None:
            asked.done, build.asked.done = build.asked.done, []
            build.cancel()
            self.unopen(old, build.generation)
        self.exec(asked)

    # ---- Prototypes that died -----------------------------------------------------------------------

    def rebuild(self, generation: Generation) -> None:
        """Load a generation's prototype anew; its workers serve meanwhile."""
        if generation is not self.supervisor.current or self.supervisor.ending is not None:
            return
        if self.retry is not None or any(
            not one.done and one.generation is generation for one in self.loadings
        ):
            return
        loading = Loading(self.shop, generation, self.rebuilt, self.not_rebuilt)
        self.loadings.append(loading)
        loading.start()

    def rebuilt(self) -> None:
        """It can fork again."""
        self.pause = 1.0
        self.diary.info("the prototype was started anew")
        self.supervisor.ensure()

    def not_rebuilt(self, text: str, code: int) -> None:
        """The code of the running workers cannot be loaded any more."""
        self.diary.error(
            f"the prototype could not be started anew, so no worker can be replaced; the next try is in "
            f"{self.pause:g} s\n{text}"
        )
        self.retry = self.watch.later(self.pause, self.again)
        self.pause = min(SLOWEST, self.pause * 2)

    def again(self) -> None:
        """The pause is over."""
        self.retry = None
        current = self.supervisor.current
        if current is not None and not current.able:
            self.rebuild(current)

    def reaped(self, pid: int, status: int) -> bool:
        """A child has ended; whether it was a prototype."""
        found = any(loading.reaped(pid, status) for loading in list(self.loadings))
        self.loadings = [one for one in self.loadings if one.processes or not one.done]
        return found

    # ---- The end ------------------------------------------------------------------------------------

    def cancel(self) -> None:
        """Nothing is built or rebuilt any more, and every prototype ends."""
        if self.reading is not None:
            self.reading.finish(None, "the server is stopping")
        build, self.supervisor.build = self.supervisor.build, None
        if build is not None:
            build.cancel()
            build.asked.answer(Outcome(False, "the server is stopping", FAILED))
        if self.retry is not None:
            self.retry.cancel()
        for loading in self.loadings:
            loading.end()

    def refuse_new(self) -> None:
        """Let no new connection in."""
        current = self.supervisor.current
        for listening in current.listening if current is not None else []:
            listening.refuse_new()

    def channels(self) -> list[Any]:
        """Those of prototypes that live."""
        return [p.channel for one in self.loadings for p in one.processes.values() if not p.channel.ended]
