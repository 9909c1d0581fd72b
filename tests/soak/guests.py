"""Clients that behave: kept connections, pipelines, half closes, uploads of every shape, slow readers."""

import socket
import threading
import time
from collections.abc import Iterator
from math import inf

from tests.soak import wire
from tests.soak.asked import Ask, Visit
from tests.soak.wire import Gone, Line, Wrong

OLD = 1.0  # seconds after which a queued request of a half-closed client may be dropped


def keep_alive(visit: Visit) -> None:
    line = visit.line()
    for _ in range(visit.chance.randint(1, 25)):
        closes = upload(visit, line) if visit.happens(0.25) else fetch(visit, line)
        if closes:
            break
        if visit.happens(0.1):
            time.sleep(visit.chance.random() * 0.3)
    line.close(visit.happens(0.1))


def fetch(visit: Visit, line: Line) -> bool:
    ask, method = visit.any_ask(), "HEAD" if visit.happens(0.05) else "GET"
    line.send(visit.bytes_of(ask, method=method))
    reply = line.reply(method)
    visit.check(ask, reply, method)
    return reply.closes


def upload(visit: Visit, line: Line) -> bool:
    chance, body = visit.chance, visit.any_body()
    ask = visit.ask("/echo" + chance.choice(("", "?slow=1")), body=body)
    if visit.happens(0.4):
        line.send(wire.request(ask.path, ask.token, b"", chunked=True))
        pieces = wire.chunks(chance, body)
        for piece in pieces if len(body) < 100_000 else [b"".join(pieces)]:
            line.send(piece)
    else:
        whole = visit.bytes_of(ask) + body
        at = chance.randint(0, len(whole)) if visit.happens(0.3) else 0
        line.send(whole[:at])
        time.sleep(0.01 if at else 0)
        line.send(whole[at:])
    reply = line.reply()
    visit.check(ask, reply)
    return reply.closes


def http_10(visit: Visit) -> None:
    with visit.line() as line:
        ask = visit.any_ask()
        line.send(visit.bytes_of(ask, version="1.0"))
        visit.check(ask, line.reply())
        line.nothing_more()


# ---- Pipelines --------------------------------------------------------------------------------------


def asks_in_a_row(visit: Visit) -> tuple[list[Ask], bytes]:
    """Several requests, and their bytes one after the other."""
    asks, out, chance = [], b"", visit.chance
    for _ in range(chance.randint(2, 14)):
        if visit.happens(0.3):
            body = chance.randbytes(chance.choice((0, 10, 5000, 40_000, 150_000)))
            ask = visit.ask("/echo", body=body)
            if visit.happens(0.5):
                out += wire.request(ask.path, ask.token, b"", chunked=True)
                out += b"".join(wire.chunks(chance, body))
            else:
                out += visit.bytes_of(ask) + body
        else:
            ask = visit.any_ask()
            out += visit.bytes_of(ask)
        asks.append(ask)
    return asks, out


class Sender(threading.Thread):
    """Sends in pieces while its client reads."""

    def __init__(self, line: Line, pieces: Iterator[bytes], half: bool) -> None:
        super().__init__(daemon=True)
        self.line, self.pieces, self.half = line, pieces, half

    def run(self) -> None:
        try:
            for piece in self.pieces:
                self.line.sock.sendall(piece)
            if self.half:
                self.line.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # what its client makes of it counts


def in_pieces(visit: Visit, data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        step = visit.chance.choice((7, 1000, len(data)))
        yield data[at : at + step]
        at += step
        if visit.happens(0.2):
            time.sleep(0.003)


def pipeline(visit: Visit) -> None:
    asks, out = asks_in_a_row(visit)
    half, vanishes = visit.happens(0.3), visit.happens(0.2)
    line = visit.line()
    begun = time.monotonic()
    pieces = list(in_pieces(visit, out))  # the dice are this thread's alone
    sender = Sender(line, iter(pieces), half)
    sender.start()
    try:
        for ask in asks:
            if vanishes and visit.happens(0.3):
                break
            if not next_of_pipeline(visit, line, ask, begun if half else inf):
                break
        else:
            if half:
                line.nothing_more()
    finally:
        line.close(vanishes)
        sender.join(30)


def next_of_pipeline(visit: Visit, line: Line, ask: Ask, begun: float) -> bool:
    """Whether more is to come; ``begun`` is when a half-closed client began, never for another."""
    try:
        reply = line.reply()
    except Gone as gone:
        if time.monotonic() - begun < OLD:
            raise Gone(f"{gone}, where {ask.path} was to be answered") from None
        visit.counts["dropped as half-closed and old"] += 1
        return False
    visit.check(ask, reply)
    if reply.closes and reply.status != 503:
        raise Wrong(f"{ask.path} closes the pipeline: {reply.status}")
    return not reply.closes


def half_close(visit: Visit) -> None:
    with visit.line() as line:
        begun = time.monotonic()
        if visit.happens(0.5):
            ask = visit.ask("/echo", body=visit.any_body())
            if visit.happens(0.5):
                line.send(visit.bytes_of(ask) + (ask.body or b""))
            else:
                line.send(wire.request(ask.path, ask.token, b"", chunked=True))
                line.send(b"".join(wire.chunks(visit.chance, ask.body or b"")))
        else:
            ask = visit.any_ask()
            line.send(visit.bytes_of(ask))
        line.end_sending()
        last_of_half(visit, line, ask, begun)


def last_of_half(visit: Visit, line: Line, ask: Ask, begun: float) -> None:
    try:
        visit.check(ask, line.reply())
        line.nothing_more()
    except Gone:
        if time.monotonic() - begun < OLD:
            raise
        visit.counts["dropped as half-closed and old"] += 1


# ---- Uploads ----------------------------------------------------------------------------------------


def expect(visit: Visit) -> None:
    """Waits for 100 Continue before it sends; may find that the answer was given without it."""
    body, chunked = visit.any_body(), visit.happens(0.6)
    ask = visit.ask(visit.chance.choice(("/echo", "/echo", "/unread?n=700")), 700, body)
    with visit.line() as line:
        said = b"" if chunked else body
        line.send(wire.request(ask.path, ask.token, said, "Expect: 100-continue", chunked=chunked))
        if visit.happens(0.15):
            time.sleep(visit.chance.random() * 0.5)
            return
        head = line.until(b"\r\n\r\n")
        if head.split()[1] != b"100":
            line.rest[:0] = head + b"\r\n\r\n"
            reply = line.reply()
            if ask.kind == "/echo" and body and reply.status != 503:
                raise Wrong(f"{reply.status} before 100 on {ask.path}")
            visit.check(ask, reply)
            return
        line.send(b"".join(wire.chunks(visit.chance, body)) if chunked else body)
        visit.check(ask, line.reply())


def unread(visit: Visit) -> None:
    """Its body is not read; the answer must come whole all the same."""
    size = visit.chance.choice((10, 1000, 200_000))
    body = visit.chance.randbytes(visit.chance.choice((100, 30_000, 800_000)))
    ask = visit.ask(f"/unread?n={size}", size, body)
    with visit.line() as line:
        line.send(visit.bytes_of(ask))
        sender = Sender(line, iter([body]), False)
        sender.start()
        try:
            reply = line.reply()
            visit.check(ask, reply)
        finally:
            sender.join(30)
        if not reply.closes:
            fetch(visit, line)


def slow(visit: Visit) -> None:
    """Reads a large reply in small pieces, and then goes on."""
    with visit.line(window=8192, timeout=60) as line:
        line.pace = visit.chance.choice((0.001, 0.003, 0.01))
        size = visit.chance.choice((300_000, 700_000))
        kind = visit.chance.choice(("/blocks", "/file", "/plain", "/write"))
        ask = visit.ask(f"{kind}?n={size}", size)
        line.send(visit.bytes_of(ask))
        reply = line.reply()
        visit.check(ask, reply)
        line.pace = 0
        if visit.place.protocol == "http" and not reply.closes:
            fetch(visit, line)


def packet(visit: Visit) -> None:
    """One uwsgi request, as a front server asks it."""
    upload = visit.happens(0.4)
    ask = visit.ask("/echo", body=visit.any_body()) if upload else visit.any_ask()
    with visit.line() as line:
        begun = time.monotonic()
        line.send(visit.bytes_of(ask))
        half = upload and visit.happens(0.2)
        if half:
            line.end_sending()
        last_of_half(visit, line, ask, begun if half else inf)
