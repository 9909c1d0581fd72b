"""Clients that do not behave: they leave anywhere, stall, drip, and send what is no request."""

import time

from tests.soak import wire
from tests.soak.asked import Visit
from tests.soak.wire import Gone, Wrong

REPLIES = (
    "/blocks?n=2000000", "/blocks?n=6000000&pause=1", "/plain?n=524288", "/file?n=3000000", "/shared",
    "/sleep?s=.2&n=10", "/watch?n=100", "/write?n=3000000",
)  # fmt: skip


def leaves_in_request(visit: Visit) -> None:
    chance = visit.chance
    ask = visit.ask("/echo", body=chance.randbytes(300_000))
    body = ask.body or b""
    if visit.place.protocol == "uwsgi":
        whole = visit.bytes_of(ask)
    else:
        chunked = wire.request(ask.path, ask.token, b"", chunked=True) + b"".join(wire.chunks(chance, body))
        whole = chance.choice((visit.bytes_of(visit.ask("/plain")), visit.bytes_of(ask) + body, chunked))
    line = visit.line(timeout=5)
    line.try_send(whole[: chance.randint(1, len(whole) if visit.happens(0.5) else min(len(whole), 400))])
    if visit.happens(0.5):
        time.sleep(chance.random() * 0.2)
    line.close(visit.happens(0.5))


def leaves_in_reply(visit: Visit) -> None:
    chance = visit.chance
    line = visit.line(window=chance.choice((0, 4096)))
    ask = visit.ask(chance.choice(REPLIES))
    for _ in range(1 if line.uwsgi else chance.choice((1, 1, 3))):
        line.send(visit.bytes_of(ask))
    small = ask.kind in ("/sleep", "/watch")
    wanted = chance.choice((0, 1, 100) if small else (0, 1, 100, 100_000))
    while len(line.rest) < wanted and line.more():
        pass
    head = bytes(line.rest[:1000])
    if len(head) == 1000 and f"X-Token: {ask.token}".encode() not in head and b" 503 " not in head[:20]:
        raise Wrong(f"another's reply: {head[:300]!r}")
    if visit.happens(0.5):
        time.sleep(chance.random() * 0.3)
    line.close(visit.happens(0.5))


def connects(visit: Visit) -> None:
    visit.line().close(visit.happens(0.5))


def stops_reading(visit: Visit) -> None:
    """It must be cut by ``write-timeout``."""
    with visit.line(window=4096, timeout=60) as line:
        ask = visit.ask("/blocks?n=12000000")
        line.send(visit.bytes_of(ask))
        time.sleep(visit.chance.choice((1, 10)))
        try:
            while line.sock.recv(1 << 20):
                pass
        except ConnectionResetError:
            pass
        except TimeoutError:
            raise Wrong("a client that stopped reading is neither served nor cut") from None


def stops_sending(visit: Visit) -> None:
    size = visit.chance.choice((9000, 300_000))
    ask = visit.ask("/echo", body=b"x" * size)
    with visit.line() as line:
        line.send(visit.bytes_of(ask) + b"x" * (size // 2))
        visit.counts[f"stopped sending: {one_of(line.reply().status, 408, 400, 503)}"] += 1


def drips_a_head(visit: Visit) -> None:
    with visit.line() as line:
        line.send(b"GET /plain HTTP/1.1\r\nHost: x\r\nX-A: ")
        one_of(line.reply().status, 408)


def one_of(status: int, *allowed: int) -> int:
    if status not in allowed:
        raise Wrong(f"{status} instead of {' or '.join(map(str, allowed))}")
    return status


def stays_idle(visit: Visit) -> None:
    with visit.line() as line:
        if visit.happens(0.5):
            ask = visit.ask("/plain")
            line.send(visit.bytes_of(ask))
            visit.check(ask, line.reply())
        line.nothing_more()


def no_request(visit: Visit) -> None:
    chance = visit.chance
    bad = chance.choice(
        (
            chance.randbytes(300) + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
            b"GET /plain HTTP/1.1\r\n\r\n",
            b"\x16\x03\x01\x02\x00" + chance.randbytes(500) + b"\r\n\r\n",
            b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"A" * 70_000,
        )
    )
    before = visit.ask("/sleep?s=0.02&n=50", 50) if visit.happens(0.4) else None
    with visit.line(timeout=20) as line:
        try:
            line.send((visit.bytes_of(before) if before else b"") + bad)
        except Gone:
            return
        if before:
            visit.check(before, line.reply())
        try:
            status = line.reply().status
        except Gone:
            return
        if status < 400:
            raise Wrong(f"{status} for what is no request")


def cut_short(visit: Visit) -> None:
    """A reply that the application does not complete must not look whole, where that can be told."""
    ask = visit.ask(visit.chance.choice(("/fail-middle", "/short")))
    old = visit.happens(0.3)
    with visit.line() as line:
        line.send(visit.bytes_of(ask, version="1.0" if old else "1.1"))
        try:
            reply = line.reply()
        except Gone:
            return
        # Where the end of the connection is the end of the body, only a reset tells, and UNIX has none.
        if reply.status != 503 and not (ask.kind == "/fail-middle" and line.local and (old or line.uwsgi)):
            raise Wrong(f"a reply that was cut looked whole: {ask.path} 1.0={old} uwsgi={line.uwsgi}")
