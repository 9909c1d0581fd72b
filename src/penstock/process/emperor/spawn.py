"""How a vassal comes to be: the pipe, the fork, and what the new process does before it is the vassal.

Runs in the emperor, and behind the fork in the vassal, which never returns from here. It knows neither why
a vassal is started nor what becomes of it.
"""

import os
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from penstock.config.household.bonds import BOND
from penstock.config.household.isolation import CAPABILITIES, capabilities
from penstock.config.household.vassals import of_vassal
from penstock.config.settings import Settings
from penstock.config.sources.env import OWNED, environment
from penstock.process.emperor.rites import rite
from penstock.process.emperor.vassal import Vassal
from penstock.process.identity import Identity, drop
from penstock.process.isolation import kernel
from penstock.process.isolation.rights import permitted
from penstock.process.lasting import die_with_parent
from penstock.process.programs.becoming import NOT_RUN, default_signals, forked
from penstock.process.supervisor.generation import interpreter_flags, program
from penstock.process.supervisor.reaper import how

EXILE = 26  # exit status of a vassal that could not become one (uWSGI's)
REFUSED = 1
PR_CAPBSET_DROP = 24  # prctl(2)
SETPCAP = CAPABILITIES.index("setpcap")
FORMATS = {".xml": "--xml", ".ini": "--ini", ".yml": "--yaml", ".yaml": "--yaml", ".js": "--json",
           ".json": "--json"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Errand:
    """What a new process must know: ``words`` for its command line, ``number`` of a helper or 0."""

    settings: Settings
    name: str
    folder: str
    words: tuple[str, ...]
    uid: int
    gid: int
    number: int
    listening: int


def spawn(settings: Settings, vassal: Vassal) -> tuple[int, socket.socket]:
    """Start a vassal: its number, and our end of the pipe. Raises OSError when the system gives no process.

    The pipe is a pair of stream sockets, as between uWSGI and its vassals: either side may be one.
    """
    errand = errand_of(settings, vassal)
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    parent = os.getpid()
    try:
        pid = forked(lambda: become(errand, theirs.fileno(), parent))
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    return pid, ours


def errand_of(settings: Settings, vassal: Vassal) -> Errand:
    """What the process of a vassal is told."""
    return Errand(
        settings,
        vassal.name,
        vassal.realm.folder,
        tuple(words_of(settings, vassal)),
        vassal.found.uid,
        vassal.found.gid,
        vassal.helper,
        -1 if vassal.listening is None else vassal.listening.fileno(),
    )


def words_of(settings: Settings, vassal: Vassal) -> list[str]:
    """The command line behind the program, in uWSGI's order."""
    words = []
    for option, values in (
        ("--inherit", settings.vassals_inherit_before),
        ("--include", settings.vassals_include_before),
        ("--set", settings.vassals_set),
    ):
        words += [word for value in values for word in (option, value)]
    words += [option_of(settings, vassal.found.name), address_of(settings, vassal)]
    for option, values in (("--inherit", settings.vassals_inherit), ("--include", settings.vassals_include)):
        words += [word for value in values for word in (option, value)]
    return words


def option_of(settings: Settings, name: str) -> str:
    """The option that reads a file of this name."""
    if name.endswith(settings.emperor_extra_extension):
        return "--config"
    return FORMATS.get(os.path.splitext(name)[1], "--inherit")


def address_of(settings: Settings, vassal: Vassal) -> str:
    """What that option is given: ``emperor-magic-exec`` runs a file that is a program."""
    path = vassal.realm.path(vassal.found.name)
    # Whose program a link leads to may be another matter when it is run than when it was looked at.
    program = not (settings.emperor_tyrant and os.path.islink(path))
    if settings.emperor_magic_exec and program and os.access(path, os.R_OK | os.X_OK):
        # A path without a folder would be looked for in PATH.
        return f"exec://{vassal.name if '/' in vassal.name else f'./{vassal.name}'}"
    return vassal.name


# ---- In the new process -------------------------------------------------------------------------------


def become(errand: Errand, bond: int, parent: int) -> NoReturn:
    """Be the vassal. What fails is said to the log."""
    try:
        default_signals()
        os.chdir(errand.folder)
        os.setsid()  # a terminal's Ctrl-C is the emperor's to hear
        rite(errand.settings, "as-emperor-before-vassal", say)
        rite(errand.settings, "as-vassal-before-drop", say)
        change_rights(errand)
        die_with_parent(signal.SIGKILL)  # after the change of user, which clears it (prctl(2))
        if os.getppid() != parent:
            os._exit(EXILE)
        standard_input(errand.listening)
        close_beyond(bond)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        of_vassal(more_environ(errand, bond))
        start_hook(errand)
        rite(errand.settings, "as-vassal", say)
        execute(errand)
    except BaseException as error:
        say(f"penstock: vassal {errand.name}: {error}")
    os._exit(REFUSED)


def say(text: str) -> None:
    """A line to the log, which standard error is."""
    with suppress(OSError):
        os.write(2, f"{text}\n".encode("utf-8", "backslashreplace"))


def change_rights(errand: Errand) -> None:
    """``emperor-cap`` and ``emperor-tyrant``. Raises OSError and StartError."""
    settings = errand.settings
    if settings.emperor_cap:
        keep = {SETPCAP, *capabilities(settings.emperor_cap)}
        for number in range(last_capability() + 1):
            if number not in keep:
                kernel.prctl(PR_CAPBSET_DROP, number)
        held = permitted()
        kernel.set_capabilities(held, held, ())  # what root inherits is not bounded by that (capabilities(7))
    if settings.emperor_tyrant:
        drop(Identity(errand.uid, errand.gid, groups_of(errand)))


def last_capability() -> int:
    """The highest number that this kernel knows. Raises OSError."""
    with open("/proc/sys/kernel/cap_last_cap", encoding="ascii") as file:
        return int(file.read())


def groups_of(errand: Errand) -> tuple[int, ...]:
    """No groups but its own, unless ``emperor-tyrant-initgroups`` gives a vassal those of its user."""
    if not errand.settings.emperor_tyrant_initgroups:
        return ()
    import pwd

    try:
        entry = pwd.getpwuid(errand.uid)
    except KeyError:
        return ()
    return tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))


def standard_input(listening: int) -> None:
    """Nothing, or the socket that woke it (as in inetd). Raises OSError."""
    fd = listening if listening >= 0 else os.open(os.devnull, os.O_RDONLY)
    os.dup2(fd, 0, inheritable=True)


def close_beyond(bond: int) -> None:
    """Keep nothing of the emperor's but the log and the pipe."""
    os.set_inheritable(bond, True)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) != bond:
            with suppress(OSError):  # the folder's own is closed by now
                os.close(int(name))


def more_environ(errand: Errand, bond: int) -> dict[str, str]:
    """Variables that a vassal has beside its emperor's."""
    more = {BOND: str(bond), "UWSGI_VASSALS_DIR": errand.folder}
    if errand.number:
        more["UWSGI_BROODLORD_NUM"] = str(errand.number)
    if guarded(errand.settings):
        more[OWNED] = errand.name
    return more


def guarded(settings: Settings) -> bool:
    """Whether a vassal reads its file only where that belongs to its user still: a link that leads from one
    user's file to another's between the look and the reading gives nobody another one's rights. Where links
    are looked at themselves, their owners answer for what they lead to."""
    links = settings.emperor_nofollow or settings.emperor_tyrant_nofollow
    return settings.emperor_tyrant and not links


def start_hook(errand: Errand) -> None:
    """``vassals-start-hook``: a program that is given the vassal's name. It may fail, as in uWSGI."""
    hook = errand.settings.vassals_start_hook
    if hook:
        status = waited_for([hook, errand.name])
        say(f"penstock: vassal {errand.name}: vassals-start-hook {hook}: {how(status)}")


def waited_for(words: list[str]) -> int:
    """Run a program and wait for it; its status as ``reaper`` has them."""
    try:
        pid = os.posix_spawnp(words[0], words, environment())
    except OSError as error:
        say(f"penstock: {words[0]}: {error.strerror}")
        return NOT_RUN
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def execute(errand: Errand) -> None:
    """Be the program: a wrapper that is to be tried before, ours or the one in its place, one that is to be
    tried behind it. Returns, by raising OSError, only where none can be."""
    settings = errand.settings
    usual = [settings.emperor_wrapper] if settings.emperor_wrapper else []
    ours = [] if usual else [[sys.executable, *interpreter_flags(), *program("penstock")]]
    lines = [[name] for name in (*settings.emperor_wrapper_override, *usual)] + ours
    lines += [[name] for name in settings.emperor_wrapper_fallback]
    for line in lines:
        try:
            os.execvpe(line[0], [*line, *errand.words], environment())
        except OSError as error:
            say(f"penstock: vassal {errand.name}: {line[0]}: {error.strerror}")
    os._exit(EXILE)
