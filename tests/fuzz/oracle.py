"""What must hold of every input: events or a ProtocolError, bounded memory, and no difference by splitting.

``problem`` says in words what is wrong with a codec's treatment of a case, or "". Facts are plain literals,
so that they can be compared, printed and read back from a file.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from penstock.codecs import cgi, chunked, http1, http1_reply, target, uwsgi
from penstock.codecs.decoder import END, Limits, base_environ
from penstock.core.errors import ProtocolError
from penstock.core.request import Request
from tests.fuzz.case import LIMITS, Case
from tests.fuzz.said import judge_said

BASE = base_environ(SERVER_NAME="a", SERVER_PORT="80")
BASE_AS_IT_WAS = dict(BASE)
BYTEWISE = 300  # octets up to which every input is fed byte by byte; beyond it a share of them
BODY, ENDED, KNOWN = 7, 8, 9  # places in a request's facts; what a grammar knows are the first nine

Codecs = Mapping[str, Callable[[Limits], Any]]
CODECS: Codecs = {
    "http": lambda limits: http1.Http1Decoder(BASE, limits),
    "uwsgi": lambda limits: uwsgi.UwsgiDecoder(BASE, limits),
    "chunked": chunked.ChunkedBody,
    "reply": lambda limits: uwsgi.ResponseDecoder(),
}


class Broken(AssertionError):
    """A promise of the codec's is not kept."""


def tables() -> list[dict[Any, Any] | set[Any]]:
    """Every dict and set that a module of the codecs keeps: caches among them, whatever their names."""
    kept = {}
    for module in (cgi, chunked, http1, http1_reply, target, uwsgi):
        for value in vars(module).values():
            if isinstance(value, dict | set):
                kept[id(value)] = value
    return [value for value in kept.values() if "__name__" not in value]


AS_THEY_WERE = [(table, table.copy()) for table in tables()]


def forget() -> None:
    """Put the codecs' caches back as they were: what was remembered must not change a verdict."""
    for table, before in AS_THEY_WERE:
        if len(table) != len(before):
            table.clear()
            table.update(before)


def check_status(error: ProtocolError) -> int:
    if not 400 <= error.status <= 599 or not error.reason or not isinstance(error.reason, str):
        raise Broken(f"a ProtocolError without a status or a reason: {error!r}")
    return error.status


# ---- Requests ---------------------------------------------------------------------------------------


def note(found: list[list[Any]], events: list[Any]) -> None:
    """Add events to the facts; each of them must be one, in order, and of one request."""
    for place, event in enumerate(events):
        if type(event) is bytes:
            add_body(found, event)
        elif event is END:
            if not found or found[-1][ENDED]:
                raise Broken("an END out of place")
            found[-1][ENDED] = True
        elif isinstance(event, Request) and not place and (not found or found[-1][ENDED]):
            found.append(begin(event))
        else:
            raise Broken(f"{event!r} is no event, or a request before the last one's END")


def add_body(found: list[list[Any]], piece: bytes) -> None:
    if not piece or not found or found[-1][ENDED]:
        raise Broken(f"a piece of body {piece!r} out of place")
    found[-1][BODY] += piece


def begin(request: Request) -> list[Any]:
    return [
        request.vars,
        request.content_length,
        request.keep_alive,
        request.expect,
        request.http11,
        request.is_head,
        request.trailers,
        b"",
        False,
        request.size,
        request.count,
        request,
    ]


def bound(limits: Limits) -> int:
    """Bytes that a decoder may hold besides the piece that it was given last."""
    head = max(limits.request_line + limits.header_bytes + 8, limits.packet + 4)
    return head + max(limits.chunk_line, limits.trailer_bytes) + 3


def check_memory(decoder: Any, most: int, limits: Limits) -> None:
    held = decoder.buffered
    body = decoder.body
    if body is not None:
        held += len(body.line)
        trailers = sum(len(name) + len(value) for name, value in body.trailers)
        if trailers > limits.trailer_bytes or len(body.trailers) > limits.trailer_count:
            raise Broken("more trailers than the limits allow")
    if held > most:
        raise Broken(f"{held} bytes are held, {most} are allowed")


def feed_requests(decoder: Any, pieces: Iterable[bytes], limits: Limits) -> Any:
    """What a request decoder says of some bytes, in a form that splitting must not change."""
    found: list[list[Any]] = []
    receive = decoder.receive
    room = bound(limits)
    try:
        for piece in pieces:
            events = receive(piece)
            while events:
                note(found, events)
                events = receive(b"") if events[-1] is END and decoder.buffered else ()
            check_memory(decoder, room + len(piece), limits)
    except ProtocolError as error:
        # A head whose body is refused in the same piece is never reported.
        return check_status(error), [facts for facts in map(settle, found) if facts[ENDED]]
    return 200, [settle(facts) for facts in found], decoder.idle, decoder.buffered


def settle(facts: list[Any]) -> list[Any]:
    """Facts that are complete: trailers are there only after the END."""
    facts[6] = list(facts[11].trailers)
    return facts[:11]


# ---- The others -------------------------------------------------------------------------------------


def feed_chunked(decoder: Any, pieces: Iterable[bytes], limits: Limits) -> Any:
    body, rest = b"", b""
    room = max(limits.chunk_line, limits.trailer_bytes) + 3
    try:
        for piece in pieces:
            if decoder.done:
                rest += piece
                continue
            for part in decoder.receive(piece):
                if not part or type(part) is not bytes:
                    raise Broken(f"{part!r} is no piece of a body")
                body += part
            rest = decoder.rest
            if len(decoder.line) > room:
                raise Broken(f"{len(decoder.line)} bytes of a line are held, {room} are allowed")
    except ProtocolError as error:
        return (check_status(error),)
    if decoder.limit and len(body) > decoder.limit:
        raise Broken("more body than the limits allow")
    return 200, body, decoder.done, decoder.trailers, rest


def feed_reply(decoder: Any, pieces: Iterable[bytes], limits: Limits) -> Any:
    try:
        for piece in pieces:
            if decoder.receive(piece) != bool(decoder.status):
                raise Broken("receive() does not tell whether the head is there")
        decoder.eof()
    except ProtocolError as error:
        return (check_status(error),)
    return 200, decoder.status, decoder.reason, decoder.headers, bytes(decoder.body)


FEED: dict[str, Callable[[Any, Iterable[bytes], Limits], Any]] = {
    "http": feed_requests,
    "uwsgi": feed_requests,
    "chunked": feed_chunked,
    "reply": feed_reply,
}


# ---- The verdict ------------------------------------------------------------------------------------


def split(raw: bytes, cuts: Sequence[int]) -> list[bytes]:
    edges = sorted({0, len(raw), *(at % (len(raw) + 1) for at in cuts)})
    return [raw[a:b] for a, b in pairwise(edges)]


def splits(case: Case, thorough: bool) -> Iterable[list[bytes]]:
    """The ways to feed a case besides whole."""
    raw = case.raw
    yield split(raw, case.cuts)
    if thorough or len(raw) <= BYTEWISE or case.cuts[:1] == (1,):
        yield [raw[at : at + 1] for at in range(len(raw))]
    if thorough:
        for size in (2, 3, 5, 7):
            yield [raw[at : at + size] for at in range(0, len(raw), size)]
        for at in range(1, min(len(raw), 2000)):
            yield [raw[:at], raw[at:]]


def examine(case: Case, codecs: Codecs = CODECS, thorough: bool = False, cold: bool = False) -> Any:
    """The outcome of a case fed whole. Raises Broken for what must not be, and lets anything else through."""
    if case.kind == "said":
        return judge_said(case, forget)
    limits = LIMITS[case.limits]
    make, feed = codecs[case.kind], FEED[case.kind]
    whole = feed(make(limits), [case.raw], limits)
    if cold or thorough:
        forget()
    for pieces in splits(case, thorough):
        outcome = feed(make(limits), pieces, limits)
        if outcome != whole:
            first = [len(piece) for piece in pieces[:4]]
            raise Broken(f"whole: {whole!r}\nsplit {first}…: {outcome!r}")
    judge(case, whole)
    return whole


def judge(case: Case, outcome: Any) -> None:
    """Hold the outcome against what the case's maker knows."""
    if case.refusal and outcome[0] not in case.refusal:
        raise Broken(f"{case.origin} must be refused with {case.refusal}: {outcome!r}")
    if case.expected is not None:
        known = outcome[1:]
        if case.kind in ("http", "uwsgi"):
            known = [facts[:KNOWN] for facts in outcome[1]]
        if outcome[0] != 200 or known != case.expected:
            raise Broken(f"a legal input says {case.expected!r}\nand is read as {outcome!r}")


def problem(case: Case, codecs: Codecs = CODECS, thorough: bool = False) -> str:
    """What is wrong, or ""."""
    try:
        examine(case, codecs, thorough)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def check_base() -> None:
    """No request has written to what all share."""
    if BASE != BASE_AS_IT_WAS:
        raise Broken(f"the base has changed: {BASE!r}")
