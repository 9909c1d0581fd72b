"""Requests by the uwsgi protocol, for what only a front server says (DOCUMENT_ROOT).

Written down as text, so that a case's paths can be put in; made a packet of just before it is sent.
"""

import struct

MARK = b"UWSGI\n"
USUAL = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "QUERY_STRING": "",
    "REQUEST_URI": "/",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "SERVER_NAME": "site.test",
    "SERVER_PORT": "80",
    "HTTP_HOST": "site.test",
}


def packet(**variables: str) -> bytes:
    """A request with these beside the usual ones."""
    lines = [f"{name}={value}" for name, value in {**USUAL, **variables}.items()]
    return MARK + "\n".join(lines).encode("latin-1")


def packed(data: bytes) -> bytes:
    """The octets of what ``packet`` wrote down."""
    block = b""
    for line in data.removeprefix(MARK).split(b"\n"):
        name, _, value = line.partition(b"=")
        for text in (name, value):
            block += struct.pack("<H", len(text)) + text
    return struct.pack("<BHB", 0, len(block), 0) + block
