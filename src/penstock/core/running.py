"""Which request this thread is answering, for what is said about it elsewhere: the application's own log.

Set by the pool thread that runs a request; read by whoever runs in its context. It knows only names: the
request's id, and the trace that a ``traceparent`` puts it in.
"""

from contextvars import ContextVar

NOTHING = ("", "")

REQUEST: ContextVar[tuple[str, str]] = ContextVar("penstock.request", default=NOTHING)
"""The id of the request and its ``traceparent`` as it came, both "" where there is none."""


def begin(id: str, traceparent: str = "") -> None:
    """From here on this thread is about the request ``id``, until the next one begins or ``end``."""
    REQUEST.set((id, traceparent))


def end() -> None:
    """This thread is about no request."""
    REQUEST.set(NOTHING)


def request_id() -> str:
    """The id of the request that runs here, "" where none does or it has none."""
    return REQUEST.get()[0]


def trace(traceparent: str) -> tuple[str, str, str]:
    """Trace id, span id and flags, in small hexadecimal letters, of a ``traceparent``; each "" where it is
    none (W3C Trace Context §3.2)."""
    parts = traceparent.split("-", 4)
    if len(parts) < 4 or len(parts[0]) != 2 or parts[0] == "ff" or (parts[0] == "00" and len(parts) > 4):
        return NO_TRACE
    version, trace_id, span_id, flags = parts[:4]
    whole = f"{version}{trace_id}{span_id}{flags}"
    if (len(trace_id), len(span_id), len(flags)) != (32, 16, 2) or not HEXADECIMAL.issuperset(whole):
        return NO_TRACE
    if not trace_id.strip("0") or not span_id.strip("0"):
        return NO_TRACE
    return trace_id, span_id, flags


NO_TRACE = ("", "", "")
HEXADECIMAL = frozenset("0123456789abcdef")
