"""One input of the fuzzer, and the file that keeps it: readable, replayable, the same for regressions.

Made by the generators, judged by the oracle; knows neither.
"""

import ast
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.codecs.decoder import Limits

LIMITS = {
    "default": Limits(),
    "small": Limits(
        request_line=48,
        header_bytes=90,
        header_count=4,
        body=40,
        chunked_body=30,
        packet=120,
        trailer_bytes=30,
        trailer_count=2,
        chunk_line=16,
    ),
}
KINDS = ("http", "uwsgi", "chunked", "reply", "said")
ROW = 32


@dataclass(slots=True)
class Case:
    """Some bytes for one codec, and what is known of them beforehand.

    ``kind``      http and uwsgi (the request decoders), chunked (a body alone), reply (uwsgi's client side),
                  said (an application's status and headers)
    ``limits``    a key of LIMITS
    ``cuts``      where the bytes are split besides whole and byte by byte
    ``expected``  what a legal input says, by whoever built it: the oracle's facts; None when nobody knows
    ``refusal``   statuses of which one must be the answer; empty when nobody knows
    ``origin``    how it was made, in a word
    """

    kind: str
    raw: bytes
    limits: str = "default"
    cuts: tuple[int, ...] = ()
    expected: Any = None
    refusal: tuple[int, ...] = ()
    origin: str = ""


def dump(case: Case, problem: str, where: str) -> str:
    """The text of a case's file."""
    head = {
        "kind": case.kind,
        "limits": case.limits,
        "cuts": case.cuts,
        "refusal": case.refusal,
        "expected": case.expected,
    }
    lines = [f"# {line}" for line in (problem.splitlines() or [""])[:8]]
    lines += [f"# {where} {case.origin}", *(f"{key} = {value!r}" for key, value in head.items()), ""]
    for at in range(0, len(case.raw), ROW):
        row = case.raw[at : at + ROW]
        text = "".join(chr(octet) if 0x20 <= octet < 0x7F else "." for octet in row)
        lines.append(f"{row.hex(' '):<{ROW * 3}}| {text}")
    return "\n".join([*lines, ""])


def load(path: Path) -> Case:
    """The case that a file keeps. Raises ValueError."""
    head, _, rows = path.read_text().partition("\n\n")
    values = {}
    for line in head.splitlines():
        if not line.startswith("#"):
            key, _, value = line.partition(" = ")
            values[key] = ast.literal_eval(value)
    raw = b"".join(bytes.fromhex(row.partition("|")[0]) for row in rows.splitlines())
    return Case(raw=raw, origin=path.name, **values)


def keep(case: Case, problem: str, where: str, folder: Path) -> Path:
    """Write a case to a file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{case.kind}-{zlib.crc32(case.raw):08x}.txt"
    path.write_text(dump(case, problem, where))
    return path
