"""A folder of files and requests for them, answered into a list: what the tests of replies share."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.config.settings import Settings
from penstock.serve.static.entry import Entry
from penstock.serve.static.files import Files, make_files
from penstock.serve.wsgi.call import Call
from tests.serve.boxes import ListBox, exchange, manner

MTIME = 1_600_000_000
MODIFIED = "Sun, 13 Sep 2020 12:26:40 GMT"
LARGE = 150_000  # more than is kept in memory
WARNED: list[str] = []


@dataclass
class Got:
    """A reply taken apart, and the call that gave it."""

    status: str
    pairs: list[tuple[str, str]]
    body: bytes
    call: Call
    box: ListBox
    headers: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.headers = dict(self.pairs)
        assert len(self.headers) == len(self.pairs), "no field twice"


def put(folder: Path, name: str, content: bytes, mtime: int = MTIME) -> Path:
    """A file with that content, last changed long ago."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (mtime, mtime))
    return path


def files_of(folder: Path, **options: Any) -> Files:
    """The files of ``folder`` below /s, with these options."""
    WARNED.clear()
    files = make_files(
        Settings(static_map=(f"/s={folder}",), **options), lambda key, text: WARNED.append(text)
    )
    assert files is not None
    return files


def find(files: Files, path: str, settled: bool = True) -> Entry:
    """The entry of /s/``path``, as it is when the file has been there for some time."""
    entry = files.find({"REQUEST_METHOD": "GET", "PATH_INFO": f"/s/{path}"})
    assert entry is not None
    entry.settled = settled
    return entry


def ask(files: Files, path: str, *, ordinary: bool = False, settled: bool = True, **given: Any) -> Got:
    """The reply to GET /s/``path``. ``given``: variables in capitals, and what ``exchange`` takes."""
    variables = {name: value for name, value in given.items() if name.isupper()}
    box = ListBox()
    x = exchange(box, **{name: value for name, value in given.items() if not name.isupper()})
    x.request.ordinary = ordinary
    call = Call(x, manner())
    return answered(files, call, box, find(files, path, settled), f"/s/{path}", variables)


def answered(
    files: Files, call: Call, box: ListBox, entry: Entry, path: str, variables: dict[str, Any]
) -> Got:
    """What ``call`` sends for ``entry``."""
    environ = call.x.request.vars
    environ.update({"PATH_INFO": path.partition("?")[0], "REQUEST_URI": path, **variables})
    assert files.sender is not None
    files.sender(call, environ, entry)
    head, found, body = box.sent.partition(b"\r\n\r\n")
    assert found and call.finished
    status, *lines = head.decode("latin-1").split("\r\n")
    pairs = [(name, value) for name, _, value in (line.partition(": ") for line in lines) if name != "Date"]
    assert len(lines) - len(pairs) == bool(call.x.http), "one Date by HTTP"
    return Got(status.partition(" ")[2], pairs, body, call, box)
