"""A mule: a process of the application that takes no requests, from the fork to its end.

Runs in the mule, on its main thread, which is its script's. It begins when the supervisor says so, ends on
a signal, and knows nothing of when another one follows it.
"""

import builtins
import faulthandler
import gc
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType, ModuleType

import penstock
from penstock.config.household.mules import Work, farms, works
from penstock.config.sources.env import export
from penstock.core.errors import StartError
from penstock.core.tracebacks import traceback_of
from penstock.logs.setup import Diary
from penstock.process import application as applications
from penstock.process import diaries, root
from penstock.process.boot import Boot
from penstock.process.child import ORPHANED, Birth, bound_the_end
from penstock.process.hooks import lives
from penstock.process.hooks import start as hooks
from penstock.process.isolation.entry import loaded_by
from penstock.process.isolation.pages import advise
from penstock.process.lasting import STACKS, adopted, die_with_parent
from penstock.process.mules import doors
from penstock.process.reopening import follow
from penstock.process.titles import MULE, set_title
from penstock.serve.wsgi.loader import load_module, pick, prepare_path

CLEAN, FAILED = 0, 1
AGAIN = 0.5  # seconds between two tries to end a script that goes on
TRIES = 3
HOME = os.path.join(os.path.dirname(penstock.__file__), "")

listeners: list[Callable[[bytes], object]] = []
"""Who is given each message that a mule without a script of its own hears; also what was added before the
fork."""


def live(birth: Birth) -> int:
    """A mule's life; the exit status."""
    boot = birth.boot
    if not adopted(boot.supervisor):
        return ORPHANED
    die_with_parent(signal.SIGKILL)  # as uWSGI's: nobody else would end it
    if os.getppid() != boot.supervisor:
        return ORPHANED
    gc.enable()
    for _, fd, _ in boot.listeners:
        os.close(fd)  # it would hold an address that nobody serves any more
    mule = Mule(birth, diaries.open_diary_at(boot.errors, boot.access, boot.settings))
    faulthandler.register(STACKS, file=boot.errors[0], all_threads=True)
    birth.channel.send({"is": "hello", "pid": os.getpid()})
    if not mule.wanted():
        return ORPHANED
    set_title(boot.settings, MULE, birth.wid)
    advise(boot.settings, mule.diary.warning)  # a fork does not inherit it
    code = mule.run()
    mule.diary.flush()
    bound_the_end(code)
    return code


class Mule:
    """This process as a mule. ``leaving``: it was told to end."""

    def __init__(self, birth: Birth, diary: Diary) -> None:
        self.birth = birth
        self.number = birth.wid
        self.settings = birth.boot.settings
        self.diary = diary
        self.pid = os.getpid()
        self.began = False
        self.leaving = False
        self.done = False
        self.swallowed = 0
        self.attend()

    @property
    def work(self) -> Work:
        """What it is to do."""
        settings = self.settings
        return works(settings.mule, settings.mules, settings.mules_before)[self.number - 1]

    # ---- Signals ------------------------------------------------------------------------------------

    def attend(self) -> None:
        """HUP and TERM end it. What a terminal sends to all of us is the supervisor's to understand."""
        for number in (signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, self.leave)
        for number in (signal.SIGALRM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE, signal.SIGTSTP):
            signal.signal(number, signal.SIG_IGN)  # as uWSGI's
        signal.signal(doors.HEAR, lambda number, frame: self.hear())

    def leave(self, number: int, frame: FrameType | None) -> None:
        """Told to end: whatever runs is left by SystemExit, so that it can put its things in order."""
        if os.getpid() != self.pid:  # a process that the script has forked is not ours to end so
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        if self.leaving:
            return
        self.leaving = True
        signal.signal(signal.SIGALRM, self.insist)
        signal.setitimer(signal.ITIMER_REAL, AGAIN, AGAIN)
        raise SystemExit(CLEAN)

    def insist(self, number: int, frame: FrameType | None) -> None:
        """It still runs: it puts its things in order, or has caught what was to end it (``except:``)."""
        if self.done or os.getpid() != self.pid or isinstance(root_of(sys.exception()), SystemExit):
            return
        self.swallowed += 1
        if self.swallowed >= TRIES:
            self.diary.warning(f"mule {self.number}: its script catches SystemExit and goes on; it is ended")
            os._exit(CLEAN)
        raise SystemExit(CLEAN)

    # ---- The supervisor -----------------------------------------------------------------------------

    def wanted(self) -> bool:
        """Wait for the word to begin; False when it does not come: another one may have been ordered."""
        channel = self.birth.channel
        poll = select.poll()
        poll.register(channel.sock, select.POLLIN)
        while not self.began and not channel.ended:
            poll.poll()
            self.hear()
        return self.began

    def hear(self) -> None:
        """What the supervisor has said."""
        for message, fds in self.birth.channel.receive():
            do = message.get("do")
            if do == "run":
                self.began = True
            elif do == "reopen":
                follow(self.diary, message, fds)
            for fd in fds:
                os.close(fd)

    # ---- Work ---------------------------------------------------------------------------------------

    def run(self) -> int:
        """Do it; the exit status."""
        global here
        here = self
        try:
            self.begin()
            self.do()
        except SystemExit as error:
            return CLEAN if self.leaving else self.status(error)
        except BaseException as error:
            return CLEAN if self.leaving else self.fail(error)
        finally:
            self.done = True
            signal.setitimer(signal.ITIMER_REAL, 0)
        return CLEAN

    def fail(self, error: BaseException) -> int:
        """Say what its work, or what came before it, ended with."""
        text = str(error) if isinstance(error, StartError) and error.__cause__ is None else told(error)
        self.diary.error(f"mule {self.number}{self.work.shown}: {text}")
        return FAILED

    def status(self, error: SystemExit) -> int:
        """What a script ended with, as Python has it."""
        if error.code is None or isinstance(error.code, int):
            return error.code or CLEAN
        self.diary.error(f"mule {self.number}: {error.code}")
        return FAILED

    def begin(self) -> None:
        """Be what its script finds. Raises StartError, and whatever the import of the application does."""
        boot, settings = self.birth.boot, self.settings
        if boot.lazy and (settings.lazy_apps or settings.lazy):
            surroundings(boot, self.diary)  # without an application, as in uWSGI
        elif boot.lazy:
            applications.load(boot, self.birth.board, self.diary)
        die_with_parent(signal.SIGKILL)  # a drop of rights has cleared it (prctl(2))
        if os.getppid() != boot.supervisor:
            raise SystemExit(ORPHANED)
        hooks.run(
            settings, "as-mule", self.diary.say, {"alarm": partial(lives.alarm, self.birth.channel.send)}
        )

    def do(self) -> None:
        """Its script, its function, or hear messages until the end."""
        work = self.work
        if work.script:
            run_script(work.script)
        elif work.function:
            run_function(work.function)
        else:
            while True:
                message = self.get(self.settings.mule_msg_recv_size)
                if message is not None:
                    self.take(message)

    def take(self, message: bytes) -> None:
        """One message."""
        if not listeners:
            self.diary.info(f"mule {self.number} received a message of {len(message)} bytes")
            return
        with self.limited(self.settings.mule_harakiri):
            for listener in listeners:
                try:
                    listener(message)
                except Exception as error:
                    self.diary.error(f"mule {self.number}: {told(error)}")

    @contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        """The supervisor kills this process where the block takes longer; 0 for no limit
        (``mule-harakiri``)."""
        if seconds:
            self.birth.channel.send({"is": "busy", "seconds": seconds})
        try:
            yield
        finally:
            if seconds:
                self.birth.channel.send({"is": "idle"})

    # ---- Messages -----------------------------------------------------------------------------------

    def get(self, size: int, seconds: float | None = None, farmed: bool = True) -> bytes | None:
        """The next message for it, for any mule, or with ``farmed`` for a farm that it is in: its first
        ``size`` bytes. None when none came within ``seconds``; None of those waits for ever."""
        return doors.receive(self.ears(farmed), size, seconds)

    def ears(self, farmed: bool = True) -> list[int]:
        """The descriptors of doors that are read here."""
        names = [doors.name_of(self.number), doors.ANY]
        if farmed:
            all_farms = farms(self.settings.farm).values()
            names += [doors.name_of(farm.name) for farm in all_farms if self.number in farm.mules]
        known = {name: inside for name, _, inside in self.birth.boot.doors}
        return [known[name] for name in names if name in known]


here: Mule | None = None
"""The mule that this process is, None elsewhere."""


def get_msg(size: int = 65536, seconds: float | None = None, farmed: bool = True) -> bytes | None:
    """The next message of this mule (see ``Mule.get``). Raises ValueError in any other process."""
    if here is None:
        raise ValueError("only a mule has messages")
    return here.get(size, seconds, farmed)


def send(whom: int | str, message: bytes, say: Callable[[str], None]) -> bool:
    """Leave a message for a mule by its number, 0 for any of them, or for a farm by its name: from a worker,
    or from a mule. See ``doors.send``."""
    return doors.send(doors.known, whom, message, say)


def surroundings(boot: Boot, diary: Diary) -> None:
    """What the application would find, and the rights that it would have, without it. Raises StartError."""
    settings = boot.settings
    export(settings.env_pairs)
    sys.path[:] = boot.path
    sys.argv = ["penstock", *settings.pyargv.split()]
    prepare_path(settings.pythonpath, settings.virtualenv)
    root.change_folder("chdir2", settings.chdir2)
    loaded_by(settings, diary)


def run_script(path: str) -> None:
    """Run a file as ``__main__``, as uWSGI does: its folder is not added to ``sys.path``. Raises StartError
    where it cannot be read, and whatever it raises."""
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        raise StartError(f"{path} cannot be read: {error.strerror}") from None
    module = ModuleType("__main__")
    module.__file__ = path
    module.__dict__["__builtins__"] = builtins
    own.append(sys.modules["__main__"])
    sys.modules["__main__"] = module
    exec(compile(source, path, "exec"), module.__dict__)


def run_function(text: str) -> None:
    """Call ``module:name`` without arguments. Raises StartError where there is none, and whatever it
    raises."""
    path, _, name = text.partition(":")
    function: Callable[..., object] = pick(load_module(path), path, name)
    function()


own: list[ModuleType] = []
"""What ``__main__`` was before: its functions are still running."""


def root_of(error: BaseException | None) -> BaseException | None:
    """What an error that is being handled came from."""
    seen: set[int] = set()
    while error is not None and error.__context__ is not None and id(error) not in seen:
        seen.add(id(error))
        error = error.__context__
    return error


def told(error: BaseException) -> str:
    """An error as a traceback, without our own part of it."""
    cause = error.__cause__ if isinstance(error, StartError) and error.__cause__ is not None else error
    trace = cause.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(HOME):
        trace = trace.tb_next
    text = traceback_of(cause.with_traceback(trace))
    return text if cause is error else f"{text}\n{error}"
