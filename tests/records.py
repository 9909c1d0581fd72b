"""Records of requests for tests, as the request path makes them: one like most, and changes to it."""

from typing import Any

from penstock.core.record import APPLICATION, Record

PLAIN = Record(
    started=1795216000.25,
    seconds=0.0019,
    address="127.0.0.1",
    user="",
    method="GET",
    uri="/hi?a=b",
    protocol="HTTP/1.1",
    status=200,
    headers=2,
    header_bytes=58,
    body_bytes=9,
    variables=10,
    size=197,
    switches=2,
    core=0,
    via="",
    app=0,
    receive=0.0001,
    queue=0.0002,
    run=0.0015,
    write=0.0001,
    mount="",
    kind=APPLICATION,
    faults=0,
    id="",
    said=(),
    logvars=None,
    logged=True,
)

USUAL = PLAIN._replace(
    started=1_700_000_000.0,
    seconds=0.007,
    address="192.0.2.1",
    uri="/",
    header_bytes=100,
    body_bytes=400,
    variables=20,
    size=300,
    switches=1,
    receive=0.001,
    queue=0.002,
    run=0.003,
    write=0.001,
)
"""One whose figures are easily added up."""


def record(**other: Any) -> Record:
    """The plain one, but for ``other``."""
    return PLAIN._replace(**other)


def usual(**other: Any) -> Record:
    """The usual one, but for ``other``."""
    return USUAL._replace(**other)


def said_of(wanted: tuple[str, ...], **variables: str) -> tuple[str, ...]:
    """What ``said`` is of a request with these variables; ``__`` in a name stands for a dot."""
    have = {name.replace("__", "."): value for name, value in variables.items()}
    return tuple(have.get(name, "") for name in wanted)
