"""The harness's own reader of configurations: what a file names, told without asking penstock.

Plain on purpose: it knows what real files hold and little more, so that it can be checked by eye. A world
(path to text) stands for the disk.
"""

import fnmatch
import json
import posixpath
import re
from collections.abc import Callable, Iterator
from xml.etree import ElementTree

Pair = tuple[str, str]
World = dict[str, str | None]
"""Files by absolute path, with their text; a folder has None."""

FORMATS = {"ini": "ini", "yaml": "yaml", "yml": "yaml", "xml": "xml", "json": "json", "js": "json"}
NESTED = {"ini", "include", "yaml", "xml", "xmlconfig", "json"}
BLOCK = re.compile(r"(if|for)-|^for$")
END = {"end", "endif", "end-if", "endfor", "end-for"}
FORM = {"yaml": "yaml", "xml": "xml", "xmlconfig": "xml", "json": "json"}


def split(address: str) -> tuple[str, str]:
    """``file:section`` taken apart."""
    name, colon, section = address.rpartition(":")
    return (name, section) if colon and "/" not in section else (address, "")


def magic(text: str, path: str, section: str, cwd: str) -> str:
    """``%c`` in a file's text."""
    folder, base = posixpath.split(path)
    stem, _, ending = base.rpartition(".")
    known = {
        "%": "%",
        "(": "%(",
        "d": folder.rstrip("/") + "/",
        "p": path,
        "s": base,
        "n": stem or base,
        "e": ending,
        "c": posixpath.basename(folder),
        "x": section,
        "v": cwd,
        "k": "2",
    }
    return re.sub(r"%(.)", lambda found: known.get(found[1], known.get(found[1].lower(), "")), text)


# ---- Formats ----------------------------------------------------------------------------------------


def ini(text: str, section: str) -> Iterator[Pair]:
    inside = False
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            inside = line[1:-1] == (section or "uwsgi")
        elif inside and line and line[0] not in "#;":
            key, _, value = line.partition("=")
            yield key.strip(), value.strip()


def yaml(text: str, section: str) -> Iterator[Pair]:
    inside, last = False, ""
    for line, bare in ((line, re.sub(r"(^|\s)#.*", "", line).strip()) for line in text.splitlines()):
        if bare and not line[0].isspace():
            inside = bare.rstrip(": ") == (section or "uwsgi")
        elif bare and inside:
            key, value = entry(bare)
            last = key or last
            if value or last in END:
                yield last, unquoted(value)


def entry(bare: str) -> Pair:
    """A line's key and value; an item of a list has no key."""
    if bare.startswith("- "):
        return "", bare[2:]
    key, _, value = (part.strip() for part in re.split(r"(\s*:(?=\s|$))", bare, maxsplit=1))
    return key, value


def unquoted(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def xml(text: str, section: str) -> Iterator[Pair]:
    root = ElementTree.fromstring(text)
    for element in root if root.tag == "uwsgi" else root.iterfind("uwsgi/*"):
        yield element.tag, (element.text or "1").strip()


def json_(text: str, section: str) -> Iterator[Pair]:
    for key, value in json.loads(text)[section or "uwsgi"].items():
        for item in value if isinstance(value, list) else [value]:
            yield key, str(item).lower() if isinstance(item, bool) else str(item)


PARSERS: dict[str, Callable[[str, str], Iterator[Pair]]] = {
    "ini": ini,
    "yaml": yaml,
    "xml": xml,
    "json": json_,
}


def variables(text: str) -> dict[str, str]:
    """An env file."""
    lines = (line for line in text.splitlines() if "=" in line)
    return {key.strip(): value for key, _, value in (line.partition("=") for line in lines)}


# ---- Options in their order ---------------------------------------------------------------------------


class Reader:
    """Collects pairs; ``missing`` are files that are named and not in the world, with the section."""

    def __init__(self, world: World, environ: dict[str, str], cwd: str) -> None:
        self.world = world
        self.environ = environ
        self.cwd = cwd
        self.pairs: list[Pair] = []
        self.missing: dict[str, str] = {}

    def take(self, key: str, value: str, within: str = "") -> None:
        """One option, a nested file in its place."""
        if key in ("set", "set-placeholder", "set-ph"):
            name, _, value = value.partition("=")
            self.pairs.append((name, value))
        elif key in NESTED:
            self.file(within + value if value.startswith(":") else value, FORM.get(key, ""))
        else:
            self.pairs.append((key, value))

    def file(self, address: str, form: str = "") -> None:
        """One file's options."""
        name, section = split(self.resolved(address))
        path = posixpath.normpath(posixpath.join(self.cwd, name))
        text = self.world.get(path)
        if text is None:
            self.missing[path] = section
            return
        form = FORMATS.get(path.rpartition(".")[2], form or "ini")
        parsed = list(PARSERS[form](magic(text, path, section, self.cwd), section))
        for key, value in self.unrolled(parsed):
            self.take(key, value, path)

    def unrolled(self, pairs: list[Pair]) -> Iterator[Pair]:
        """Blocks decided and repeated."""
        block: list[Pair] = []
        turns: list[str] | None = None
        for key, value in pairs:
            if key in END:
                for turn in turns or []:
                    yield from ((name, text.replace("%(_)", turn)) for name, text in block)
                block, turns = [], None
            elif turns is not None:
                block.append((key, value))
            elif BLOCK.match(key):
                turns = self.turns(key, value)
            else:
                yield key, value

    def turns(self, key: str, value: str) -> list[str]:
        """How often a block counts, and with what."""
        if key == "for-glob":
            return [path for path in sorted(self.world) if fnmatch.fnmatch(path, value)]
        if key == "for-readline":
            return (self.world.get(value) or "").splitlines()
        if key == "for":
            return value.split()
        if key.endswith("env"):
            met = value in self.environ
            turn = self.environ.get(value, "")
        else:
            met, turn = value in self.world, value
        return [turn] if met != key.startswith("if-not") else []

    def resolved(self, text: str) -> str:
        """``$(NAME)`` and ``%(name)`` filled in; the first definition counts. What is unknown stays."""
        for _ in range(8):
            before = text
            text = re.sub(r"\$\((\w+)\)", lambda found: self.environ.get(found[1], found[0]), text)
            text = re.sub(r"%\(([\w-]+)\)", lambda found: self.first(found[1], found[0]), text)
            if text == before:
                break
        return text

    def first(self, name: str, otherwise: str) -> str:
        return next((value for key, value in self.pairs if key == name), otherwise)

    def all(self) -> list[Pair]:
        """Everything, expanded."""
        return [(key, self.resolved(value)) for key, value in self.pairs]
