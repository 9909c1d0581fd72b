"""What the tables of this package are made of: a case, and a group of cases that one server start serves.

Data only. HERE is the path that only a case's requests begin with, OWN the same
without its slash; DIR is the server's
folder, PORT its port, and BEHIND and PACKETS are those of the stand-ins behind the proxies.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ACTION = re.compile(r"([^:\s]+):")
FUNCTION = re.compile(r"\$\{(\w+)\[([^]]*)\]")
NAMING = ("wsgi-file", "mount =", "module =", "need-app = false")
"""What an ini has in it that names its application itself, or wants none."""
VALUES = ("uwsgi", "time")
"""Functions whose argument is one of a few words, each of which counts for itself."""


@dataclass(frozen=True)
class Case:
    """``rules``   lines of the ini that are this case's
    ``asks``    the raw requests, in order
    ``logs``    patterns: whether the log has them is compared, too
    ``files``   files of the folder whose content behind the last request is compared, too
    ``silent``  why uWSGI shows the same without the rules; "": it must not
    """

    name: str
    rules: str
    asks: tuple[bytes, ...]
    logs: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    silent: str = ""

    @property
    def here(self) -> str:
        return f"/{self.name}~"

    def local(self, text: str) -> str:
        """With the case's own path."""
        return text.replace("HERE", self.here).replace("OWN", self.here[1:])


@dataclass(frozen=True)
class Group:
    """``ini`` without sockets and without the cases' rules; ``files`` by name; ``prepare`` does the rest of
    the folder; ``plain``: the cases are asked of a uWSGI without their rules, too, which must show, and with
    ``without`` in place of ``ini`` where that is not None; ``socket``: the option that listens."""

    name: str
    cases: tuple[Case, ...]
    ini: str = ""
    files: dict[str, str] = field(default_factory=dict)
    prepare: Callable[[Path], None] | None = None
    plain: bool = True
    without: str | None = None
    socket: str = "http-socket"

    def text(self, rules: bool = True) -> str:
        """The ini; with the usual application where it names none."""
        ini = self.ini if rules or self.without is None else self.without
        usual = "" if any(name in ini for name in NAMING) else "wsgi-file = DIR/app.py"
        own = [case.local(case.rules) for case in self.cases] if rules else []
        return "\n".join([ini, usual, *own])


def request(target: str = "HERE", *fields: str, method: str = "GET", body: bytes = b"") -> bytes:
    """The bytes of a request; a Host among the fields replaces the usual one."""
    lines = [f"{method} {target} HTTP/1.1", *fields, "Connection: close"]
    if not any(field.lower().startswith("host:") for field in fields):
        lines.insert(1, "Host: site.test")
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def case(
    name: str,
    rules: str,
    *asks: bytes,
    logs: tuple[str, ...] = (),
    files: tuple[str, ...] = (),
    silent: str = "",
) -> Case:
    """A case; without requests it asks for HERE."""
    return Case(name, rules.strip(), asks or (request(),), logs, files, silent)


# ---- What a case has in it ----------------------------------------------------------------------------


def names_in(text: str) -> set[str]:
    """Everything that an ini's lines use: "option NAME", "action NAME", "condition NAME", "function NAME"."""
    found: set[str] = set()
    for line in text.splitlines():
        option, _, value = (part.strip() for part in line.partition("="))
        if option:
            found.add(f"option {option}")
        if "route" in option:
            found |= names_of(option, value)
    return found


def names_of(option: str, value: str) -> set[str]:
    """The same of a rule."""
    found = set()
    for name, argument in FUNCTION.findall(value):
        found.add(f"function {name}[{argument}]" if name in VALUES else f"function {name}")
    kind = option.partition("route-")[2]
    if kind == "label":
        return found
    condition, _, rest = value.partition(" ")
    if kind == "run":
        rest = value
    elif kind in ("if", "if-not"):
        found.add(f"condition {condition.partition(':')[0]}")
    action = ACTION.match(rest)
    assert action is not None, f"{option} = {value}"
    return {*found, f"action {action[1]}"}
