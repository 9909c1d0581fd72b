"""h11 as the reference for HTTP verdicts: the same requests with the same framing, or a known difference.

Every request of a stream is compared, not the first alone: where one ends is what smuggling is about. The
known differences are those of ``tests/corpus/h11-differences.toml``; which of them applies is told from the
octets, by a sign that belongs to the rule, and never from our decoder's word alone.
"""

import re
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import h11

from penstock.codecs.decoder import END
from penstock.core.errors import ProtocolError
from tests.fuzz.case import LIMITS, Case
from tests.fuzz.grammar import METHODS
from tests.fuzz.oracle import BODY, CODECS, ENDED, Codecs, check_status, note, settle

KNOWN = tomllib.loads((Path(__file__).parents[1] / "corpus" / "h11-differences.toml").read_text())
MOST = 1 << 20
KEEPS = 2  # the place of keep_alive in a request's facts
BY_SIZE = (413, 414, 431)  # h11 leaves limits to its user

Theirs = list[Any]


def read_one(raw: bytes) -> tuple[str, Theirs | None, bytes]:
    """How h11 ends with the first request (whole, more, refused), what it says, and what comes after it."""
    server = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST)
    server.receive_data(raw)
    found: Theirs | None = None
    try:
        while True:
            event = server.next_event()
            if isinstance(event, h11.Request):
                found = [event.method, event.target, list(event.headers), b"", []]
            elif isinstance(event, h11.Data):
                assert found is not None
                found[3] += event.data
            elif isinstance(event, h11.EndOfMessage):
                assert found is not None
                found[4] = list(event.headers)
                return "whole", found, server.trailing_data[0]
            else:
                return "more", found, b""
    except h11.RemoteProtocolError:
        return "refused", found, b""


def ours(case: Case, codecs: Codecs) -> tuple[int, list[list[Any]]]:
    """Our decoder's status and every request that it reported, those that were refused in mid-body too."""
    decoder = codecs["http"](LIMITS[case.limits])
    found: list[list[Any]] = []
    try:
        events = decoder.receive(case.raw)
        while events:
            note(found, events)
            events = decoder.receive(b"") if events[-1] is END and decoder.buffered else ()
    except ProtocolError as error:
        return check_status(error), [settle(facts) for facts in found]
    return 200, [settle(facts) for facts in found]


def compare(case: Case, codecs: Codecs = CODECS) -> tuple[str, str]:
    """What the comparison came to (agreed, limits, or a known difference's rule), and a difference that
    nobody knows, in words, or ""."""
    status, requests = ours(case, codecs)
    rest = case.raw
    for number, mine in enumerate([*requests, None], 1):
        rest = after_empty_lines(rest)
        verdict = word(status, mine, rest)
        if not verdict:
            break
        if verdict == "limits":
            return verdict, ""
        theirs, message, after = read_one(rest)
        if mine is None or message is None or {verdict, theirs} != {"whole"}:
            return explain(verdict, theirs, rest)
        wrong = differs(mine, message)
        if wrong:
            return "", f"request {number}: {wrong}"
        rest = after if mine[KEEPS] else b""
    return "agreed", ""


def after_empty_lines(raw: bytes) -> bytes:
    """h11 takes no empty lines before a request: "1.lines", laxer."""
    while raw.startswith(b"\r\n"):
        raw = raw[2:]
    return raw


def word(status: int, mine: list[Any] | None, rest: bytes) -> str:
    """Our verdict of one request; "" for nothing, and for half a head, which nobody has to judge yet."""
    if not rest or (mine is None and status == 200):
        return ""
    if mine is not None and mine[ENDED]:
        return "whole"
    if status == 200:
        return "more"
    return "limits" if status in BY_SIZE else "refused"


def explain(verdict: str, theirs: str, rest: bytes) -> tuple[str, str]:
    """Why one of the two refuses, or how far they read differently."""
    both = {verdict, theirs}
    if len(both) == 1 or both == {"more", "refused"}:
        return "agreed", ""  # or one of them judges earlier than the other
    unknown = f"penstock: {verdict}, h11: {theirs}"
    if "refused" not in both:
        return "", unknown
    sort = "stricter" if verdict == "refused" else "laxer"
    head, _, body = rest.partition(b"\r\n\r\n")
    for rule, sign in SIGNS[sort]:
        if rule in KNOWN[sort] and sign(head, body):
            return f"{sort} {rule}", ""
    return "", unknown


def differs(mine: list[Any], theirs: Theirs) -> str:
    """What two readings of one whole request differ in."""
    variables = mine[0]
    method, target, headers, body, trailers = theirs
    if (variables["REQUEST_METHOD"].encode(), variables["REQUEST_URI"].encode()) != (method, target):
        return f"request lines: {variables!r}, {theirs!r}"
    if mine[BODY] != body:
        return f"bodies: {mine[BODY]!r}, {body!r}"
    if plain((name.encode(), value.encode("latin-1")) for name, value in mine[6]) != plain(trailers):
        return f"trailers: {mine[6]!r}, {trailers!r}"
    said = cgi(headers)
    if not target.startswith((b"/", b"*")):
        said["HTTP_HOST"] = variables.get("HTTP_HOST", "")  # the target's own
    return fields_differ(variables, said)


def fields_differ(variables: dict[str, Any], said: dict[str, str]) -> str:
    heard = {key: value for key, value in variables.items() if key in said or key.startswith("HTTP_")}
    if "HTTP_TRANSFER_ENCODING" in heard:
        heard["HTTP_TRANSFER_ENCODING"] = heard["HTTP_TRANSFER_ENCODING"].lower()  # as h11 reports it
    return "" if heard == said else f"fields: {heard!r}, {said!r}"


def plain(trailers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Trailers without those that h11 writes in its own way."""
    lower = [(name.lower(), value) for name, value in trailers]
    return [pair for pair in lower if pair[0] not in (b"content-length", b"transfer-encoding")]


def cgi(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """h11's fields in CGI words, by RFC 3875 and our one policy: no underscores, no Proxy."""
    found: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode(), raw_value.decode("latin-1")
        if "_" in name or name == "proxy":
            continue
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_LENGTH", "CONTENT_TYPE") else "HTTP_" + key
        if key in found:
            value = f"{found[key]}{'; ' if name == 'cookie' else ', '}{value}"
        found[key] = value
    return found


# ---- Known differences, by a sign in the octets -------------------------------------------------------

Sign = Callable[[bytes, bytes], bool]


def head_has(pattern: bytes) -> Sign:
    found = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    return lambda head, body: found.search(head) is not None


def body_has(pattern: bytes) -> Sign:
    found = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    return lambda head, body: found.search(body) is not None


def field_twice(head: bytes, body: bytes) -> bool:
    return any(len(re.findall(rb"\n" + name + rb"[ \t]*:", head, re.I)) > 1 for name in SINGLE)


def coding_and_length(head: bytes, body: bytes) -> bool:
    return b"\ntransfer-encoding:" in head.lower() and b"\ncontent-length:" in head.lower()


def target_is_odd(head: bytes, body: bytes) -> bool:
    """A target in no form that is served: RFC 9112 §3.2."""
    method, _, after = head.partition(b"\n")[0].partition(b" ")
    target = after.partition(b" ")[0]
    if method == b"CONNECT" or (target == b"*" and method != b"OPTIONS"):
        return True
    if b"#" in target or re.search(rb"%(?![0-9a-f]{2})|%00", target.partition(b"?")[0], re.I):
        return True
    return target != b"*" and re.match(rb"/|https?://[^/?@]+(?:[/?]|$)", target, re.I) is None


def host_is_odd(head: bytes, body: bytes) -> bool:
    """A Host or an absolute target's authority that is none: anything but the common characters."""
    found = re.findall(rb"\nhost:[ \t]*([^\r\n]*)", head, re.I) + re.findall(
        rb"^\S+ https?://([^/? ]*)", head, re.I
    )
    return any(re.fullmatch(rb"[a-z0-9.-]+(?::[0-9]{1,4})?[ \t]*", host, re.I) is None for host in found)


def method_is_odd(head: bytes, body: bytes) -> bool:
    return head.partition(b" ")[0].decode("latin-1") not in METHODS


SINGLE = (b"content-length", b"content-type", b"transfer-encoding", b"host")
STRICTER: list[tuple[str, Sign]] = [
    ("1.lines", head_has(rb"(?<!\r)\n|\r(?!\n)")),
    ("1.lines", body_has(rb"(?<!\r)\n")),
    ("1.2", head_has(rb" HTTP/1\.0\r\n.*\ntransfer-encoding:")),
    ("1.3", coding_and_length),
    ("2.repeat", field_twice),
    ("2.value", head_has(rb"\r\n[ \t]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")),
    ("1.1", head_has(rb"^[^\n]* (?!HTTP/1\.[01](?:\r|$))[^ \r\n]*(?:\r|$)")),
    ("1.9", head_has(rb"^[^\n]*[\x80-\xff]")),
    ("1.9", method_is_odd),
    ("1.5", target_is_odd),
    ("1.4", host_is_odd),
    ("5.length", head_has(rb"\ncontent-length:[ \t]*(?:[0-9]+[ \t]*,|[0-9]{19})")),
    ("3.expect", head_has(rb"\nexpect:")),
    ("5.chunk-size", body_has(rb"(?:^|\n)[0-9a-f]+[ \t]+\r\n|(?:^|\n)[0-9a-f]{17,20}(?:\r|;)")),
    ("5.chunk-lines", body_has(rb"(?:^|\n)[0-9a-f]+[ \t]*;")),
    ("1.6", body_has(rb"(?:^|\n)0+[ \t]*[\r;]")),
]
LAXER: list[tuple[str, Sign]] = [
    ("5.chunk-size", body_has(rb"(?:^|\n)[0-9a-f]+[ \t]+;")),
    ("1.6", body_has(rb"\n(?:transfer-encoding|content-length):")),
]
SIGNS = {"stricter": STRICTER, "laxer": LAXER}
