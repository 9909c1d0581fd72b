"""An application's status and header list as a fuzz case, and what must hold of what goes out for it.

The case's octets are text in which 0x1E parts fields, 0x1F a name from its value, and 0xFE stands for a
character that no octet can carry.
"""

from collections.abc import Callable
from typing import Any

from penstock.codecs.http1_reply import KINDS, BadReply, fields, status_line
from tests.fuzz.case import Case

FIELD, PAIR = "\x1e", "\x1f"
BEYOND = "\u010a"  # its low octet is LF: cutting it down would split the reply


def said(raw: bytes) -> tuple[str, list[tuple[str, str]]]:
    """The status and the headers that a case stands for."""
    status, *rest = raw.decode("latin-1").replace("\xfe", BEYOND).split(FIELD)
    pairs = [text.partition(PAIR) for text in rest]
    return status, [(name, value) for name, _, value in pairs]


def outcome(raw: bytes) -> Any:
    """What goes out, or 500 when nothing does."""
    status, headers = said(raw)
    try:
        code, line = status_line(status)
        checked = fields(headers)
    except BadReply:
        return (500,)
    return 200, code, line, checked.lines, checked.length, checked.close, checked.dropped


def judge_said(case: Case, forget: Callable[[], None]) -> Any:
    """The outcome; it does not depend on what is remembered, and no octet of it was smuggled in."""
    first = outcome(case.raw)
    warm = outcome(case.raw)
    forget()
    cold = outcome(case.raw)
    assert first == warm == cold, (first, warm, cold)
    if case.refusal:
        assert first[0] in case.refusal, first
    if case.expected is not None:
        assert first[0] == 200, first
    if first[0] == 200:
        check_lines(case.raw, first)
    return first


def check_lines(raw: bytes, first: Any) -> None:
    """Every line that goes out is one that was said, whole, and hop-by-hop ones are not among them."""
    _, code, line, lines, length, _, _ = first
    status, headers = said(raw)
    assert 200 <= code <= 999 and line.startswith(str(code).encode()), line
    assert not set(line) & {0, 10, 13}, line
    assert status.startswith(str(code)), status
    kept = [(n, v) for n, v in headers if KINDS.get(n.lower(), 0) in (0, 1, 3)]
    assert lines == b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in kept), lines
    assert lines.count(b"\n") == lines.count(b"\r") == len(kept), lines
    sizes = [value for name, value in kept if name.lower() == "content-length"]
    assert ([str(length)] if length >= 0 else []) == [size.strip().lstrip("0") or "0" for size in sizes]
