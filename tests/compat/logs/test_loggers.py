"""Loggers, encoders and routes beside a real uWSGI: which line is in which file, and what is made of it.

Both servers get the same ini and the same requests. ``differences.toml`` names the groups in which penstock
does something else on purpose; those must differ.
"""

import re
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.compat import pair
from tests.compat.logs.listed import listed
from tests.compat.site.site import UP, Site
from tests.compat.wire import ask

pytestmark = [pytest.mark.compat, pytest.mark.timeout(120)]
HERE = Path(__file__).parent
ASKED = ("/say/one", "/say/error-two", "/print/three", "/quote/four", "/say/five")
OURS = re.compile(r"said|printed|GET /(say|print|quote)/")
REQUEST = re.compile(r"\[pid: .*? (GET /\S+) => .*? switches on core \d+\)")
NUMBERS = ((r"\d{16}", "MICROS"), (r"\d{13}", "MILLIS"), (r"\d{10}", "UNIX"), (r"\d\d:\d\d:\d\d", "TIME"))
LAST = 5.0  # seconds in which the last line comes


class Group(NamedTuple):
    """The ini's lines, and the files that are looked at."""

    name: str
    ini: str
    files: tuple[str, ...]


def group(name: str, *lines: str, files: str = "log") -> Group:
    return Group(name, "\n".join(lines), tuple(files.split()))


A, B = "logger = file:DIR/a", "logger = file:DIR/b"
NAMED = "logger = named file:DIR/a"
GROUPS = (
    group("file", A, files="log a"),
    group("two", A, B, files="log a b"),
    group("keyval", "logger = file:logfile=DIR/a,maxsize=100000", files="log a"),
    group("stdio", A, "logger = stdio", files="log a"),
    group("id-without-route", NAMED, files="log a"),
    group("route", NAMED, "log-route = named error", files="log a"),
    group("route-and-rest", NAMED, B, "log-route = named error", files="log a b"),
    group("route-of-requests", NAMED, B, "log-route = named => generated", files="log a b"),
    group("route-unknown", "log-route = named error"),
    group("route-twice", NAMED, "log-route = named error", "log-route = named two$", files="log a"),
    group("route-end", NAMED, "log-route = named five\\n$", files="log a"),
    group("req-logger", "req-logger = file:DIR/a", files="log a"),
    group("req-logger-and-logger", A, "req-logger = file:DIR/b", files="log a b"),
    group("req-route", "req-logger = named file:DIR/a", "log-req-route = named /say/", files="log a"),
    group(
        "req-route-and-rest",
        "req-logger = named file:DIR/a",
        "req-logger = file:DIR/b",
        "log-req-route = named /say/",
        files="log a b",
    ),
    group("req-route-to-logger", NAMED, "req-logger = file:DIR/b", "log-req-route = named /say/",
          files="log a b"),
    group("worker-logger", "worker-logger = file:DIR/a", files="log a"),
    group("drain", "log-drain = error", "log-drain = three"),
    group("filter", "log-filter = said", "log-filter = ^printed"),
    group("filter-drain", "log-filter = said", "log-drain = five"),
    group("drain-req", "req-logger = file:DIR/a", "log-drain = /say/", files="log a"),
    group("prefix", "log-encoder = prefix [web] "),
    group("suffix", "log-encoder = suffix END"),
    group("nl", "log-encoder = nl"),
    group("chain", "log-encoder = prefix one", "log-encoder = prefix two"),
    group("format", "log-encoder = format <${msg}|${msgnl}>", "log-encoder = nl"),
    group("format-time", "log-encoder = format ${unix} ${millis} ${micros} ${strftime:%%H:%%M:%%S} ${msgnl}"),
    group("json", 'log-encoder = json {"u":${unix},"m":"${msg}","n":"${msgnl}"}', "log-encoder = nl"),
    group("encoder-of-one", A, NAMED.replace("/a", "/b"), "log-encoder = prefix:named >",
          "log-route = named error", files="log a b"),
    group("req-encoder", "req-logger = file:DIR/a", "log-req-encoder = prefix R", "log-encoder = prefix LOG",
          files="log a"),
    group("req-encoder-alone", "log-req-encoder = prefix REQ "),
    group("logto", "logto = DIR/a", files="a"),
    group("logto-and-logger", "logto = DIR/a", B, files="a b"),
    group("log-master", "log-master = true"),
)  # fmt: skip
DIFFERENT = {name: entry["reason"] for entry in listed("loggers") for name in entry["groups"]}


def played(site: Site, case: Group) -> dict[str, list[str]]:
    """What is in the files."""
    shutil.copy(HERE / "speaking.py", site.folder / "speaking.py")
    ini = "master = true\nhttp-socket = 127.0.0.1:PORT\nwsgi-file = speaking.py\nneed-app = true\n"
    with site.running(f"[uwsgi]\n{ini}{case.ini}\n"):
        time.sleep(0.3)
        site.begun = site.log.stat().st_size
        for path in ASKED:
            ask(site.port, f"GET {path} HTTP/1.0\r\n\r\n".encode(), head=False, to_end=True)
            if site.name == "penstock":
                time.sleep(0.27)  # lines of requests are written four times a second
        ask(site.port, UP, head=False, to_end=True)
        time.sleep(0.2)  # uWSGI's master leaves without a look at what is in its pipe
    return {name: lines_of(site, name) for name in case.files}


def lines_of(site: Site, name: str) -> list[str]:
    """Those of the requests, without what is of the moment."""
    text = site.content(name) or ""
    if name == "log":
        text = site.normal(site.log.read_bytes()[site.begun :].decode("latin-1"))
    text = REQUEST.sub(r"\1", text)
    for pattern, word in NUMBERS:
        text = re.sub(pattern, word, text)
    return [line for line in text.split("\n") if OURS.search(line)]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    if not pair.UWSGI.exists():
        pytest.skip(pair.MISSING)
    made = Path(tempfile.mkdtemp(prefix="loggers-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.parametrize("case", GROUPS, ids=lambda case: case.name)
def test_the_same_lines_are_in_the_same_files(folder: Path, case: Group) -> None:
    theirs, ours = (
        played(Site(name, folder / f"{case.name}-{name}", {}), case) for name in ("uwsgi", "penstock")
    )
    assert any(theirs.values())
    if case.name in DIFFERENT:
        assert theirs != ours, f"it is not different any more: {DIFFERENT[case.name]}"
    else:
        assert ours == theirs


def test_every_entry_names_groups() -> None:
    assert DIFFERENT.keys() <= {case.name for case in GROUPS}


def gather(there: socket.socket, messages: list[bytes]) -> None:
    """Until it is shut."""
    while message := there.recv(1 << 16):
        messages.append(message)


@pytest.mark.parametrize(
    ("logger", "shape"),
    [
        ("socket:DIR/there", rb"said one\n"),
        ("socket:DIR/there,web ", rb"webs?said one\n|web said one\n"),
        ("rsyslog:DIR/there,site", rb"<29>\w{3} [ \d]\d \d\d:\d\d:\d\d site: said one"),
        ("rsyslog:DIR/there,site,14", rb"<14>\w{3} [ \d]\d \d\d:\d\d:\d\d site: said one"),
    ],
)
def test_the_same_messages_are_sent(folder: Path, logger: str, shape: bytes) -> None:
    found = []
    for name in ("uwsgi", "penstock"):
        site = Site(name, Path(tempfile.mkdtemp(dir=folder)) / name, {})
        shutil.copy(HERE / "speaking.py", site.folder / "speaking.py")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
            there.bind(str(site.folder / "there"))
            messages = list[bytes]()
            # uWSGI's rsyslog loses what a socket's short queue does not hold, and its start has many lines.
            reader = threading.Thread(target=gather, args=(there, messages))
            reader.start()
            ini = "master = true\nhttp-socket = 127.0.0.1:PORT\nwsgi-file = speaking.py\n"
            try:
                with site.running(f"[uwsgi]\n{ini}logger = {logger}\n"):
                    ask(site.port, b"GET /say/one HTTP/1.0\r\n\r\n", head=False, to_end=True)
                    until = time.monotonic() + LAST
                    while not any(b"said" in message for message in messages) and time.monotonic() < until:
                        time.sleep(0.02)
            finally:
                there.shutdown(socket.SHUT_RD)
                reader.join()
        (message,) = (message for message in messages if b"said" in message)
        assert re.fullmatch(shape, message), message
        found.append(re.sub(rb"\w{3} [ \d]\d \d\d:\d\d:\d\d", b"TIME", message))
    assert found[0] == found[1]
