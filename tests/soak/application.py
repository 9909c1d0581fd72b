"""The application under the soak: replies of every kind, each made of its request's own token.

``/kind?t=TOKEN&n=BYTES…``; the client knows from the same words what it must receive.
"""

import gc
import hashlib
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import parse_qs

Environ = dict[str, Any]
Blocks = Iterable[bytes]
SHARED = "PENSTOCK_SOAK_FILE"  # the environment's name for the file that all /shared replies are made of


def pattern(token: str, size: int) -> bytes:
    """``size`` bytes of a token, over and over."""
    word = token.encode()
    return (word * (size // len(word) + 1))[:size]


class Case:
    """One request's words."""

    def __init__(self, environ: Environ, start_response: Any) -> None:
        self.environ = environ
        self.start = start_response
        self.words = {key: found[0] for key, found in parse_qs(environ["QUERY_STRING"]).items()}
        self.token = self.words.get("t", "0" * 16)
        self.size = int(self.words.get("n", "1000"))
        self.random = random.Random(self.token)

    def begin(self, length: int = -1, status: str = "200 OK") -> Any:
        headers = [("X-Token", self.token), ("Content-Type", "text/plain")]
        if length < 0 and self.words.get("cl"):
            length = self.size
        if length >= 0:
            headers.append(("Content-Length", str(length)))
        return self.start(status, headers)

    def body(self) -> bytes:
        return pattern(self.token, self.size)


def plain(case: Case) -> Blocks:
    case.begin()
    return [case.body()]


def echo(case: Case) -> Blocks:
    source, sha, size = case.environ["wsgi.input"], hashlib.sha1(), 0
    while block := source.read(case.random.choice((1000, 8192, 65536))):
        sha.update(block)
        size += len(block)
        if case.words.get("slow"):
            time.sleep(0.002)
    case.begin()
    return [f"{case.token}:{size}:{sha.hexdigest()}".encode()]


def blocks(case: Case) -> Iterator[bytes]:
    """Many blocks of all sizes, with pauses when asked for."""
    whole, at = case.body(), 0
    case.begin()
    while at < len(whole):
        step = case.random.choice((1, 700, 16384, 65536, 100000))
        yield whole[at : at + step]
        at += step
        if case.words.get("pause") and case.random.random() < 0.2:
            time.sleep(0.003)


def sleep(case: Case) -> Blocks:
    time.sleep(float(case.words["s"]))
    return plain(case)


def fail_before(case: Case) -> Blocks:
    raise ValueError("planned, before the head")


def fail_head(case: Case) -> Blocks:
    case.begin()
    raise ValueError("planned, after the head")


def fail_middle(case: Case) -> Iterator[bytes]:
    case.begin()
    yield pattern(case.token, 5000)
    raise ValueError("planned, in mid-body")


def short(case: Case) -> Blocks:
    case.begin(9000)
    return [pattern(case.token, 5000)]


def over(case: Case) -> Blocks:
    case.begin(5000)
    return [pattern(case.token, 5000), b"Z" * 100]


def file(case: Case) -> Blocks:
    handle = tempfile.TemporaryFile()
    handle.write(case.body())
    handle.seek(0)
    case.begin()
    wrapped: Blocks = case.environ["wsgi.file_wrapper"](handle)
    return wrapped


def shared(case: Case) -> Blocks:
    handle = open(os.environ[SHARED], "rb")
    case.begin(os.fstat(handle.fileno()).st_size)
    wrapped: Blocks = case.environ["wsgi.file_wrapper"](handle)
    return wrapped


def write(case: Case) -> Blocks:
    out, whole = case.begin(), case.body()
    half = len(whole) // 2
    out(whole[: half // 2])
    out(whole[half // 2 : half])
    return [whole[half:]]


def unread(case: Case) -> Blocks:
    """Answers without a look at the body."""
    case.begin(case.size if case.random.random() < 0.5 else -1)
    return [case.body()]


def nothing(case: Case) -> Blocks:
    case.begin(status="204 No Content")
    return []


def watch(case: Case) -> Blocks:
    """Asks whether its client is still there."""
    for _ in range(20):
        if case.environ["penstock.disconnected"]():
            break
        time.sleep(0.01)
    return plain(case)


def objects(case: Case) -> Blocks:
    """How many objects of each type this process has, for the question whether something leaks."""
    gc.collect()
    counts = Counter(type(item).__name__ for item in gc.get_objects())
    case.begin()
    return ["\n".join(f"{name} {count}" for name, count in counts.most_common()).encode()]


VIEWS: dict[str, Callable[[Case], Blocks]] = {
    name.replace("_", "-"): view
    for name, view in list(globals().items())
    if callable(view) and getattr(view, "__annotations__", {}).get("case") is Case
}


def application(environ: Environ, start_response: Any) -> Blocks:
    """The path's word names the view."""
    return VIEWS[environ["PATH_INFO"].strip("/")](Case(environ, start_response))
