"""Transformations for tests, finished calls over an outbox that is a list, and a client by the letter."""

from collections.abc import Callable
from typing import Any, NamedTuple

from penstock.handoff.lease import CLOSE, KEEP
from penstock.serve.finish.call import FinishedCall
from penstock.serve.finish.finish import Finish
from tests.serve.boxes import ListBox, exchange, manner


class Each:
    """Changes each block by itself; ``said`` has what was asked of it."""

    def __init__(self, change: Callable[[bytes], bytes], tail: bytes = b"") -> None:
        self.change = change
        self.tail = tail
        self.said: list[str] = []

    def start(self, call: FinishedCall) -> bool:
        self.said.append("start")
        return True

    def feed(self, data: bytes) -> bytes:
        assert data
        return self.change(data)

    def finish(self) -> bytes:
        self.said.append("finish")
        return self.tail

    def failed(self) -> None:
        self.said.append("failed")


class Kept(Each):
    """Keeps all of it back until the end, and says its length where that is known."""

    def __init__(self, twice: bool = False) -> None:
        super().__init__(self.keep)
        self.kept = b""
        self.times = 2 if twice else 1

    def start(self, call: FinishedCall) -> bool:
        self.kept = b""
        if call.declared >= 0:
            call.pairs.append(("Content-Length", str(call.declared * self.times)))
        return super().start(call)

    def keep(self, data: bytes) -> bytes:
        self.kept += data
        return b""

    def finish(self) -> bytes:
        super().finish()
        return self.kept * self.times


class Refusing(Each):
    """Is for no reply."""

    def __init__(self) -> None:
        super().__init__(lambda data: b"wrong")

    def start(self, call: FinishedCall) -> bool:
        super().start(call)
        return False


MAKERS: dict[str, tuple[Callable[[], Each], Callable[[bytes], bytes]]] = {
    "same": (lambda: Each(lambda data: data), lambda body: body),
    "twice": (
        lambda: Each(lambda data: b"".join(bytes((c, c)) for c in data)),
        lambda body: b"".join(bytes((c, c)) for c in body),
    ),
    "nothing": (lambda: Each(lambda data: b""), lambda body: b""),
    "tail": (lambda: Each(lambda data: data, b"tail"), lambda body: body + b"tail"),
    "kept": (Kept, lambda body: body),
    "kept twice": (lambda: Kept(twice=True), lambda body: body * 2),
    "refusing": (Refusing, lambda body: body),
}
"""By name: what makes a transformation, and what it is to make of a body."""


def made(finish: Finish | None = None, *transformations: Any, **request: Any) -> tuple[FinishedCall, ListBox]:
    """A finished call whose reply meets these."""
    box = ListBox()
    call = FinishedCall(exchange(box, **request), manner(), finish or Finish())
    call.touches.transformations += transformations
    return call, box


class Received(NamedTuple):
    """What a client makes of the bytes. ``complete``: it knows that it has all of them."""

    status: int
    headers: dict[str, str]
    body: bytes
    complete: bool


def received(box: ListBox, *, head: bool = False, http: bool = True) -> Received:
    """One reply, read by the letter of RFC 9112 §6.3; whatever is not by it fails the test."""
    sent = box.sent
    text, blank, rest = sent.partition(b"\r\n\r\n")
    assert blank, f"no head: {sent!r}"
    first, *lines = text.decode("latin-1").split("\r\n")
    status = int(first.split(" ")[1])
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(": ")
        assert colon and name.lower() not in headers, f"{line!r} is no field, or there twice"
        headers[name.lower()] = value
    fates = [then for _, then in box.puts if then]
    assert len(fates) + len(box.abandoned) == 1, "ended once, and only once"
    ended, kept = bool(fates), fates == [KEEP]
    assert not (kept and headers.get("connection") == "close")
    length = headers.get("content-length")
    if head or status in (204, 304):
        assert rest == b"" and "transfer-encoding" not in headers
        assert status != 204 or length is None
        return Received(status, headers, rest, ended)
    if "transfer-encoding" in headers:
        assert headers["transfer-encoding"] == "chunked" and length is None and http
        assert first.startswith("HTTP/1.1")
        body, complete = chunks(rest)
        assert complete == ended
        return Received(status, headers, body, complete)
    if length is not None:
        assert len(rest) <= int(length), "what is beyond it is taken for the next reply"
        assert ended == (len(rest) == int(length))
        return Received(status, headers, rest, ended)
    assert fates == [CLOSE] or box.abandoned == [True], "only a reset tells that something is missing"
    return Received(status, headers, rest, ended)


def chunks(data: bytes) -> tuple[bytes, bool]:
    """The body of chunks, and whether the last one came."""
    body = b""
    while data:
        size, crlf, data = data.partition(b"\r\n")
        assert crlf
        count = int(size, 16)
        assert data[count : count + 2] == b"\r\n"
        body, data = body + data[:count], data[count + 2 :]
        if not count:
            assert data == b""
            return body, True
    return body, False


def app(*headers: tuple[str, str], status: str = "200 OK", body: Any = (b"body",)) -> Any:
    def application(environ: Any, start_response: Any) -> Any:
        start_response(status, list(headers))
        return list(body) if isinstance(body, tuple) else body

    return application


def ask(finish: Finish, application: Any, **request: Any) -> Received:
    call, box = made(finish, **request)
    call.run(application, call.environ)
    return received(box, head=request.get("head", False))


def ways(body: bytes) -> list[Any]:
    """An application's ways to give a body."""
    return [(body,), (body[:2], body[2:]), iter([body]), iter([body[:1], body[1:]])]


def replying(call: FinishedCall) -> None:
    """What a rule replies."""
    call.begin("302 Found", [("Location", "/there")])
    call.whole(b"moved")
