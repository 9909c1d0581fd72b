"""The pages about a site, taken apart: each complete file in them, and the requests that are made of it.

An ``ini`` block begins with its path (``; /srv/shop/site.ini``); the ``console`` blocks behind it, up to the
next one, are what is asked of that server. ``Place`` is the machine that the pages speak of, in a folder.
"""

import re
import shlex
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.e2e.server import Reply, Server
from tests.e2e.surroundings import environment

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ ", re.MULTILINE)
NAMED = re.compile(r"; (/\S+|A Django site)")
ABSOLUTE = re.compile(r"(?<![\w/*])/(etc|run|srv|var)/")
UNSAID = ("date", "content-length", "connection")
"""Fields that the pages leave out."""
OF_NOW = (
    (re.compile(r"^Expires: .*$", re.MULTILINE), "Expires: …"),
    (re.compile(r'^ETag: (?:W/)?".*"$', re.MULTILINE), 'ETag: "…"'),
    (re.compile(r"^Last-Modified: (?!.* 00:00:00 GMT).*$", re.MULTILINE), "Last-Modified: …"),
)
"""Fields whose values are others each time; a file that was just written has a weak tag."""


@dataclass
class Example:
    """``path`` and ``text`` of a file, the ``blocks`` of commands behind it, as (command, output)."""

    path: str
    text: str
    commands: list[tuple[str, str]]


def examples(page: Path) -> list[Example]:
    """What a page shows, in its order. A block that names no file is an error of the page."""
    found: list[Example] = []
    for kind, text in BLOCK.findall(page.read_text()):
        if kind == "ini":
            named = NAMED.match(text)
            assert named, f"{page.name}: an ini block does not begin with its path: {text}"
            found.append(Example(named[1], text, []))
        elif kind == "console":
            for shown in COMMAND.split(text)[1:]:
                command, _, output = shown.partition("\n")
                found[-1].commands.append((command, output.strip("\n")))
    return found


def filled(text: str, outputs: Mapping[str, list[str]]) -> str:
    """A page's text with these outputs, which stand by the path of their example in the order of its
    commands."""
    rest: Iterator[str] = iter(())

    def one(found: "re.Match[str]") -> str:
        nonlocal rest
        named = NAMED.match(found[2])
        if found[1] == "ini" and named:
            rest = iter(outputs.get(named[1], []))
        if found[1] != "console":
            return found[0]
        shown = [shown.partition("\n")[0] for shown in COMMAND.split(found[2])[1:]]
        lines = "\n\n".join(f"$ {command}\n{next(rest)}" for command in shown)
        return f"```console\n{lines}\n```"

    return BLOCK.sub(one, text)


class Place:
    """``/etc``, ``/run``, ``/srv`` and ``/var`` of the pages, in the folder ``top``."""

    def __init__(self, top: Path) -> None:
        self.top = top

    def moved(self, text: str) -> str:
        """A text of a page, for here."""
        return ABSOLUTE.sub(rf"{self.top}/\1/", text)

    def shown(self, text: str) -> str:
        """A text from here, as a page has it."""
        return text.replace(str(self.top), "")

    def put(self, example: Example) -> Path:
        """Write a file, whose ports are any."""
        path = self.top / example.path.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(re.sub(r"= :\d+", "= 127.0.0.1:0", self.moved(example.text)))
        return path

    def said(self, command: str, server: Server, ports: list[str], folder: Path) -> str:
        """What a command of a page prints, of ``server``, whose ports on the page are ``ports``."""
        words = shlex.split(command)
        if words[0] == "curl":
            return self.shown(curl(words[1:], server, ports))
        if words[0] == "grep":
            server.wait_for(words[-2].partition(".")[0])  # what is written behind a reply may come later
            (folder / words[-1]).write_text(server.text())
        else:
            assert words[0] == "penstock", command
            words[:1] = [sys.executable, "-m", "penstock"]
        done = subprocess.run(
            words, cwd=folder, env=environment(), capture_output=True, text=True, timeout=30
        )
        return self.shown(done.stdout + done.stderr).strip("\n")


def ports_of(example: Example) -> list[str]:
    """The ports that a file listens on, as it has them."""
    return re.findall(r"^[\w-]+ = :(\d+)", example.text, re.MULTILINE)


def curl(words: list[str], server: Server, ports: list[str]) -> str:
    """What ``curl -i`` or ``curl -I`` prints, without the fields that the pages leave out."""
    headers, method, url = [], "GET", ""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "-H":
            headers.append(rest.pop(0))
        elif word == "-u":
            headers.append(f"Authorization: Basic {b64encode(rest.pop(0).encode()).decode()}")
        elif word == "-X":
            method = rest.pop(0)
        elif word.startswith("-"):
            assert word in ("-i", "-I", "--path-as-is"), word
            method = "HEAD" if word == "-I" else method
        else:
            url = word
    parts = urlsplit(f"http://{url}")
    if not any(header.startswith("Host:") for header in headers):
        headers.append(f"Host: {parts.netloc}")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    head = "".join(f"{line}\r\n" for line in (f"{method} {target} HTTP/1.1", *headers, ""))
    with server.client(ports.index(str(parts.port or 80))) as client:
        client.send(head.encode())
        return printed(client.reply(head=method == "HEAD"))


def printed(reply: Reply) -> str:
    """A reply's lines."""
    kept = [line for line in reply.lines if line.partition(":")[0].lower() not in UNSAID]
    head = "\n".join(kept)
    for field, shown in OF_NOW:
        head = field.sub(shown, head)
    return f"{head}\n\n{reply.body.decode()}".strip("\n")
