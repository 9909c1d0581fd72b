"""Records of requests for tests: one like most, and changes to it."""

from typing import Any

from penstock.core.record import APPLICATION, Record

USUAL = Record(
    started=1_700_000_000.0,
    seconds=0.007,
    address="192.0.2.1",
    user="",
    method="GET",
    uri="/",
    protocol="HTTP/1.1",
    status=200,
    headers=2,
    header_bytes=100,
    body_bytes=400,
    variables=20,
    size=300,
    switches=1,
    core=0,
    via="",
    app=0,
    receive=0.001,
    queue=0.002,
    run=0.003,
    write=0.001,
    mount="",
    kind=APPLICATION,
    faults=0,
    id="",
    said=(),
    logvars=None,
    logged=True,
)


def record(**changes: Any) -> Record:
    """The usual one with changes."""
    return USUAL._replace(**changes)
