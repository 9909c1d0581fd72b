"""The Range header: which bytes of a file are asked for, and how several are framed (RFC 9110 §14).

Pure functions, called by pool threads where ``honour-range`` is set. What asks for more than it is worth
(too many parts, or overlapping ones that come to more than the file) is joined or answered whole (§14.2).
"""

import re
from secrets import token_hex

MOST = 32  # parts of one request; with more of them it is answered whole
LONGEST = 1000  # characters of the header
GAP = 80  # bytes between two parts that cost less than the frame of another part (§15.3.7.2)

Span = tuple[int, int]
"""Where a part begins and where it ends, the byte behind its last."""

UNIT = re.compile(r"[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(.*)", re.DOTALL)
SPEC = re.compile(r"[ \t]*(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))[ \t]*", re.ASCII)


class Unsatisfiable(ValueError):
    """None of the ranges is in the file, or they are not written as ranges: 416."""


def spans_of(said: str, size: int) -> list[Span]:
    """The parts that are to be sent, in the order asked for where none touches another; an empty list: the
    file as a whole.

    Another unit than bytes is not understood, so not heeded (§14.2); bytes that are not written as
    ranges raise Unsatisfiable, as uWSGI and nginx answer them.
    """
    specs = _specs(said)
    if not 1 <= len(specs) <= MOST or size == 0:
        return []
    found = [_span(spec, size) for spec in specs if spec.strip(" \t")]
    spans = [span for span in found if span is not None]
    if not spans:
        raise Unsatisfiable(said)
    spans = joined(spans)
    whole = sum(stop - start for start, stop in spans) >= size
    return [] if whole else spans


def _specs(said: str) -> list[str]:
    """The single ranges of a Range that is in bytes and not too long; else none."""
    unit = UNIT.fullmatch(said)
    if unit is None or unit[1].lower() != "bytes" or len(said) > LONGEST:
        return []
    return unit[2].split(",")


def _span(spec: str, size: int) -> Span | None:
    """One range within ``size`` bytes; None where it begins behind them."""
    found = SPEC.fullmatch(spec)
    if found is None:
        raise Unsatisfiable(spec)
    first, last, suffix = found.groups()
    if suffix is not None:
        start, stop = max(0, size - int(suffix)), size
    else:
        start, stop = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            raise Unsatisfiable(spec)
    return (start, stop) if start < stop else None


def joined(spans: list[Span]) -> list[Span]:
    """The same with those joined that overlap or nearly touch; as they came where none does."""
    result: list[Span] = []
    for start, stop in sorted(spans):
        if result and start <= result[-1][1] + GAP:
            result[-1] = (result[-1][0], max(stop, result[-1][1]))
        else:
            result.append((start, stop))
    return spans if len(result) == len(spans) else result


def content_range(span: Span, size: int) -> str:
    """The value of Content-Range (§14.4)."""
    return f"bytes {span[0]}-{span[1] - 1}/{size}"


class Parts:
    """A multipart/byteranges body (§14.6): ``content_type`` of the whole, ``heads`` before each of ``spans``,
    ``tail`` behind the last, and the ``length`` of it all in bytes."""

    __slots__ = ("content_type", "heads", "length", "spans", "tail")

    def __init__(self, spans: list[Span], size: int, content_type: str) -> None:
        boundary = token_hex(16)  # 128 bits of chance: not in any file, and nobody can put it into one
        kind = f"Content-Type: {content_type}\r\n" if content_type else ""
        self.content_type = f"multipart/byteranges; boundary={boundary}"
        self.spans = spans
        between = ""
        self.heads = []
        for span in spans:
            head = f"{between}--{boundary}\r\n{kind}Content-Range: {content_range(span, size)}\r\n\r\n"
            self.heads.append(head.encode("latin-1"))
            between = "\r\n"
        self.tail = f"\r\n--{boundary}--\r\n".encode("ascii")
        bytes_sent = sum(stop - start for start, stop in spans)
        self.length = bytes_sent + sum(map(len, self.heads)) + len(self.tail)
