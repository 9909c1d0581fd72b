"""What has to be in place for a configuration to start, and what then has to answer.

Made from the options that a file names (``reading``): users, folders, virtual environments, applications
with a body of their own, files to touch; and each listener with what it speaks.
"""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from penstock.config.catalogue import by_name
from tests.compat.corpus import programs
from tests.compat.corpus.programs import Program
from tests.compat.corpus.reading import Pair

FOLDERS = ("chdir", "pythonpath", "spooler", "plugins-dir")
WITHIN = (
    "logto", "logto2", "daemonize", "daemonize2", "pidfile", "pidfile2", "safe-pidfile", "safe-pidfile2",
    "stats", "master-fifo", "log-backupname", "socket", "uwsgi-socket", "http-socket", "http-to",
    "subscribe-to", "fastrouter-subscription-server", "logger", "req-logger",
)  # fmt: skip
TOUCHED = (
    "touch-reload", "touch-chain-reload", "touch-logreopen", "touch-workers-reload", "import",
    "vassals-include", "vassals-inherit",
)  # fmt: skip
SPEAKS = {"http": "http", "http-socket": "http", "https": "https", "uwsgi-socket": "uwsgi", "socket": ""}
LOGS = {"http": "http", "http11": "http", "uwsgi": "uwsgi"}
OURS = ("http-socket", "127.0.0.1:8099")
"""Where a file that names no listener is given one."""
GIVEN = [("module", "given"), OURS]
"""What a file of ours says."""
OFF = ("false", "off", "no", "0")
STANDIN = Path(__file__).parent / "standin.py"
CERTIFICATES = Path(__file__).parents[2] / "certificates"


class Listener(NamedTuple):
    """``address`` as it is written; ``protocol`` http, https or uwsgi."""

    protocol: str
    address: str


class Ask(NamedTuple):
    """A path, the body that the application there answers with, and the Authorization that it wants."""

    path: str
    body: str
    secret: str = ""


@dataclass
class Plan:
    """One start. ``files`` by path, with text; ``given`` what the harness added since nothing named it;
    ``workers`` how many are to serve, 0 where nothing is to be asked; ``kinds`` what the master has to do
    beside serving, with the ``programs`` that it is to run and the number of its ``mules`` with a script."""

    name: str
    cwd: str
    words: list[str]
    environ: dict[str, str]
    files: dict[str, str] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    environments: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    owner: tuple[str, str] = ("", "")
    listeners: list[Listener] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)
    pidfile: str = ""
    background: bool = False
    logs: list[str] = field(default_factory=list)
    chdir: str = ""
    given: list[str] = field(default_factory=list)
    workers: int = 0
    kinds: list[str] = field(default_factory=list)
    programs: list[Program] = field(default_factory=list)
    mules: int = 0


class Applications:
    """Python files that are to be written, each with the names it has to hold and their body."""

    def __init__(self, base: str, search: str) -> None:
        self.base = base
        self.search = search
        self.held: dict[str, dict[str, str]] = {}

    def file(self, path: str, name: str, body: str) -> None:
        place = posixpath.normpath(posixpath.join(self.base, path))
        self.held.setdefault(place, {})[name] = body

    def module(self, text: str, otherwise: str, body: str) -> None:
        """``package.module:name``, with the packages that it is in."""
        dotted, _, name = text.partition(":")
        place = posixpath.join(self.search, *dotted.split("."))
        inside = any(path.startswith(place + "/") for path in self.held)
        self.file(f"{place}/__init__.py" if inside else f"{place}.py", name or otherwise, body)
        parts = dotted.split(".")[:-1]
        for count in range(1, len(parts) + 1):
            self.held.setdefault(posixpath.join(self.search, *parts[:count], "__init__.py"), {})

    def texts(self) -> dict[str, str]:
        return {path: source(names) for path, names in self.held.items()}


def source(names: dict[str, str]) -> str:
    """A module that holds an application under each name; ``name()`` is a factory."""
    text = ""
    for name, body in names.items():
        inner = "served" if name.endswith(")") else name
        text += (
            f"def {inner}(environ, start_response):\n"
            f"    start_response('200 OK', [('Content-Type', 'text/plain')])\n"
            f"    return [{body.encode()!r}]\n"
        )
        if inner != name:
            text += f"def {name.partition('(')[0]}(*args):\n    return served\n"
    return text


def leading(text: str, otherwise: int) -> int:
    """The number that a value begins with."""
    found = re.match(r"\d+", text)
    return int(found[0]) if found else otherwise


def canonical(pairs: Iterable[Pair]) -> list[Pair]:
    """The names that the catalogue has for their aliases."""
    table = by_name()
    return [(table[key].name if key in table else key, value) for key, value in pairs]


class Maker:
    """Makes one plan out of the options."""

    def __init__(self, plan: Plan, pairs: Iterable[Pair]) -> None:
        self.plan = plan
        self.pairs = canonical(pairs)
        self.made: dict[str, str] = {}

    def last(self, name: str, otherwise: str = "") -> str:
        return next((value for key, value in reversed(self.pairs) if key == name), otherwise)

    def every(self, *names: str) -> list[str]:
        return [value for key, value in self.pairs if key in names and value]

    def places(self, path: str) -> list[str]:
        """Where a path may be meant to be: it depends on when the option acts."""
        places = [posixpath.join(self.plan.cwd, path), posixpath.join(self.plan.chdir, path)]
        return list(dict.fromkeys(map(posixpath.normpath, places)))

    def make(self) -> Plan:
        plan = self.plan
        plan.chdir = posixpath.normpath(posixpath.join(plan.cwd, self.last("chdir")))
        plan.kinds, plan.programs = programs.kinds(self.pairs), list(programs.found(self.pairs))
        self.people()
        self.listeners()
        self.disk()
        self.applications()
        pidfile = self.last("pidfile") or self.last("pidfile2")
        plan.pidfile = self.places(pidfile)[0] if pidfile else ""
        plan.background = bool(self.every("daemonize", "daemonize2"))
        plan.workers = self.workers()
        plan.logs = [
            self.places(path)[0] for path in self.every("logto", "logto2", "daemonize", "daemonize2")
        ]
        return plan

    def workers(self) -> int:
        """Those that are to serve at first; 0 where one process is, where the machine decides, and for an
        emperor that serves nothing itself."""
        if self.vassals() and "an application" not in self.plan.given and not self.applied():
            return 0
        most = max(1, leading(self.last("processes", "1"), 0))
        master = self.last("master", "false").lower() not in OFF
        if self.last("processes") == "auto" or (most == 1 and not master):
            return 0
        least = leading(self.last("cheaper"), 0)
        if 0 < least < most:
            return min(most, max(least, leading(self.last("cheaper-initial"), least)))
        return most

    def people(self) -> None:
        plan = self.plan
        chowns = [value.replace(".", ":", 1).partition(":") for value in self.every("chown-socket")]
        plan.owner = (self.last("uid"), self.last("gid"))
        users = [plan.owner[0], *(user for user, _, _ in chowns), *self.every("logfile-chown")]
        groups = [plan.owner[1], *(group for _, _, group in chowns)]
        plan.users = [user for user in users if re.fullmatch(r"[A-Za-z][\w-]*", user)]
        plan.groups = [group for group in groups if re.fullmatch(r"[A-Za-z][\w-]*", group)]

    def listeners(self) -> None:
        plan, protocol = self.plan, LOGS.get(self.last("protocol", "uwsgi"), "uwsgi")
        for key, value in self.pairs:
            if key in SPEAKS and value:
                plan.listeners.append(Listener(SPEAKS[key] or protocol, value.partition(",")[0]))
        plan.listeners = list(dict.fromkeys(plan.listeners))
        if self.vassals():
            plan.given.append("a vassal")
        if plan.listeners and not self.vassals():
            return
        plan.listeners.append(Listener("http", OURS[1]))
        if not self.vassals():
            plan.words += [f"--{OURS[0]}", OURS[1]]
            plan.given.append("a listener")

    def vassals(self) -> str:
        """The folder that an emperor watches."""
        named = self.last("emperor")
        return "" if named == "true" else named

    def disk(self) -> None:
        self.folders()
        self.touched()
        # As it is written: a folder that is found by a pattern is one of the folders.
        self.plan.environments = [self.places(value)[-1] for value in self.every("virtualenv")]

    def folders(self) -> None:
        """Folders that are named, and those of files that are to be written."""
        plan = self.plan
        named = [value for value in self.every(*FOLDERS) if value != "true" and "*" not in value]
        named += [value.partition("=")[2] for value in self.every("static-map")]
        named += [posixpath.dirname(one.pidfile) for one in plan.programs if "/" in one.pidfile]
        for value in named:
            plan.folders += self.places(value)
        for value in self.every(*WITHIN):
            path = value.rpartition(" ")[2].partition("file:")[2] or value
            if "/" in path and not re.match(r"[\w.]*:", path):
                plan.folders += [posixpath.dirname(place) for place in self.places(path)]

    def touched(self) -> None:
        """Files that have only to be there."""
        paths = [value.partition(" ")[0] for value in self.every(*TOUCHED)]
        named = [path for path in paths if path.rpartition("/")[2] and path != "true"]
        for value in self.every("https"):
            for path, one in zip(value.split(",")[1:3], ("server.pem", "server.key"), strict=False):
                self.made.update(dict.fromkeys(self.places(path), (CERTIFICATES / one).read_text()))
        for path in named:
            self.made.update(dict.fromkeys(self.places(path), ""))
        for path in self.every("mule"):
            if path.endswith(".py"):
                self.plan.mules += 1
                self.made[self.places(path)[-1]] = STANDIN.read_text() + "\n\nmule()\n"

    def applications(self) -> None:
        plan = self.plan
        paths = [path for path in self.every("pythonpath") if "*" not in path]
        search = self.places(paths[0])[-1] if paths else plan.chdir
        made, otherwise = Applications(plan.chdir, search), self.last("callable", "application")
        body = f"the application of {plan.name}"
        for value in self.every("wsgi-file"):
            made.file(value, otherwise, body)
        self.mounted(made, otherwise, body)
        for value in self.every("module"):
            made.module(value.partition(" ")[0], otherwise, body)
        whole = self.applied()
        if "a vassal" in plan.given:
            self.vassal(made, body)
        if not (whole or plan.asks) and (len(plan.listeners) > 1 or "a vassal" not in plan.given):
            made.module("given", "application", body)
            plan.words += ["--module", "given"]
            plan.given.append("an application")
        if whole or not plan.asks:
            plan.asks = [Ask("/", body)]  # what is mounted beside it is not what starting means
        # What was given by name stays: it is there because nothing else can make it.
        files = {**self.made, **made.texts(), **plan.files}
        plan.files = {path: programs.every_minute(text) for path, text in files.items()}

    def applied(self) -> list[str]:
        """What names the whole application."""
        return self.every("wsgi-file", "module", "eval")

    def mounted(self, made: Applications, otherwise: str, body: str) -> None:
        """Applications at paths of their own."""
        for value in self.every("mount"):
            mountpoint, _, target = value.rpartition("=")
            answer = f"{body}, mounted at {mountpoint}"
            if re.search(r"\.\w+$", target) and "/" in target:
                made.file(target, otherwise, answer)
            else:
                made.module(target, otherwise, answer)
            self.plan.asks.append(Ask(mountpoint, answer))

    def vassal(self, made: Applications, body: str) -> None:
        """The file in an emperor's folder (or the one that its pattern finds) that starts a server."""
        place = self.places(self.vassals())[0].replace("*", "demo")
        path = place if place.endswith(".ini") else f"{place}/vassal.ini"
        self.plan.files.setdefault(path, written(path, [("chdir", self.plan.cwd), *GIVEN]))
        made.search = self.plan.cwd
        made.module("given", "application", body)


def included(missing: dict[str, str], siblings: dict[str, str], options: list[Pair]) -> dict[str, str]:
    """Files that are named and not there: the same repository's where its path fits, else made ones."""
    found = {}
    for path, section in missing.items():
        fits = (text for name, text in siblings.items() if path.endswith("/" + name) or ends(name, path))
        found[path] = next(fits, "") or written(path, options, section)
    return found


def written(path: str, options: list[Pair], section: str = "") -> str:
    """A file of these options, in the format of its name."""
    ending = path.rpartition(".")[2]
    if ending == "xml":
        return "<uwsgi>" + "".join(f"<{key}>{value}</{key}>" for key, value in options) + "</uwsgi>"
    if ending in ("yaml", "yml"):
        return "uwsgi:\n" + "".join(f"  {key}: {value}\n" for key, value in options)
    return "\n".join([f"[{section or 'uwsgi'}]", *(f"{key} = {value}" for key, value in options), ""])


def ends(name: str, path: str) -> bool:
    return ("/" + name).endswith(path)
