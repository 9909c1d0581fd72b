"""The programs that a configuration has run beside its application, and what is to be seen of each.

Stand-ins take their places (``standin``): they record how they were run, and behave as the real ones do to
whoever runs them: some stay, some go to the background and leave a pidfile, some end at once.
"""

import posixpath
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.compat.corpus.reading import Pair

KINDS = ("hooks", "daemons", "cron", "mules", "emperor")
"""What a file can have its master do, by the word of the report."""
FOLDER = "/usr/local/sbin"
"""The first of PATH: where a program that is named alone is found."""
STAYS, LEAVES, ENDS = "stays", "leaves", "ends"
TERMS = re.compile(r"unix_signal:(2|3|15) gracefully_kill_them_all")
CRON = re.compile(r"^(\s*(?:unique-)?cron2?\s*=\s*)(.*)$", re.MULTILINE)
EVERY_MINUTE = "-1 -1 -1 -1 -1"
FIELDS = re.compile(r"(?:-?\d+\s+){5}")
HOOK = re.compile(r"(hook|exec)-")


@dataclass(frozen=True)
class Program:
    """``argv`` as it is run, the first word as it is found; ``path`` where its stand-in is.

    ``behaviour``  it stays, leaves for the background, or ends at once
    ``environ``    what its command line sets for it
    ``pidfile``    where its number has to stand, "" for nowhere
    """

    kind: str
    path: str
    argv: tuple[str, ...]
    behaviour: str
    environ: tuple[tuple[str, str], ...] = ()
    pidfile: str = ""


def found(pairs: Iterable[Pair]) -> Iterator[Program]:
    """The programs of a configuration, one for each time that it is to run."""
    for key, value in pairs:
        if key in ("attach-daemon", "attach-control-daemon"):
            yield made("daemons", value, STAYS)
        elif key in ("smart-attach-daemon", "smart-attach-daemon2"):
            pidfile, _, command = value.partition(" ")
            yield made("daemons", command, STAYS if key[-1] == "2" else LEAVES, pidfile.partition(",")[0])
        elif key == "attach-daemon2":
            yield from daemon(value)
        elif key in ("cron", "unique-cron"):
            yield made("cron", FIELDS.sub("", value, count=1), ENDS)
        elif key == "cron2":
            yield made("cron", value.partition(" ")[2], ENDS)
        elif HOOK.match(key):
            yield from hook(key, value)


def daemon(value: str) -> Iterator[Program]:
    """``key=value,...``."""
    said = dict(part.partition("=")[::2] for part in value.split(","))
    command = said.get("cmd") or said.get("command") or said.get("exec") or ""
    pidfile = said.get("pidfile", "")
    leaves = pidfile and "daemonize" not in said
    yield made("daemons", command, LEAVES if leaves else STAYS, pidfile)


def hook(key: str, value: str) -> Iterator[Program]:
    """Hooks that run a program."""
    action, _, argument = value.partition(":")
    if key.startswith("exec-"):
        yield made("hooks", value, ENDS)
    elif action.strip() in ("exec", "safeexec"):
        yield made("hooks", argument, ENDS)


def made(kind: str, command: str, behaviour: str, pidfile: str = "") -> Program:
    """A command as a shell takes it: variables first, then the program and its words."""
    words = shlex.split(re.sub(r"\$\(\w+\)|\$\{?\w+\}?", "", command))
    environ = []
    while words and re.match(r"\w+=", words[0]):
        name, _, value = words.pop(0).partition("=")
        environ.append((name, value))
    path = words[0] if "/" in words[0] else posixpath.join(FOLDER, words[0])
    return Program(kind, path, tuple(words), behaviour, tuple(environ), pidfile)


def kinds(pairs: Iterable[Pair]) -> list[str]:
    """Which kinds a configuration has, in their order."""
    named = {one.kind for one in found(pairs)}
    for key, value in pairs:
        if key == "mule" or (key == "emperor" and value != "true"):
            named.add("mules" if key == "mule" else key)
        elif HOOK.match(key) and TERMS.match(value):
            named.add("hooks")
    return [kind for kind in KINDS if kind in named]


def every_minute(text: str) -> str:
    """A file whose commands run every minute: nobody waits for three at night."""

    def sooner(line: re.Match[str]) -> str:
        if FIELDS.match(line[2]):
            return line[1] + FIELDS.sub(EVERY_MINUTE + " ", line[2], count=1)
        return line[1] + re.sub(r"^(minute|hour|day|month|week)=-?\d+(,\w+=-?\d+)*", "minute=-1", line[2])

    return CRON.sub(sooner, text)
