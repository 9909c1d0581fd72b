"""``--nagios``: say for a monitor whether the server that listens on the first socket is ready, and end.

Runs in a process of its own, which serves nothing. Its exit statuses are those of Nagios' plugins.
"""

import errno
import socket
from typing import TYPE_CHECKING

from penstock.codecs.http1_client import request_head
from penstock.codecs.uwsgi import encode_request
from penstock.config.finding import visible

if TYPE_CHECKING:
    from penstock.config.address import Address
    from penstock.config.settings import Settings

OK, WARNING, CRITICAL, UNKNOWN = range(4)
"""Exit statuses."""
WORDS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
PATIENCE = 4.0  # seconds for each step, uWSGI's socket-timeout
READY = "/-/ready"  # what is asked for where health-ready is off: whatever answers, answers
MOST = 4096  # bytes of a reply that are looked at


def nagios(settings: "Settings") -> int:
    """Ask, and print one line; returns the exit status."""
    status, text = asked(settings)
    print(f"PENSTOCK {WORDS[status]}: {visible(text)}")
    return status


def asked(settings: "Settings") -> tuple[int, str]:
    """The exit status, and what there is to say."""
    listeners = settings.listeners
    if not listeners or listeners[0].parsed.kind == "fd":
        return UNKNOWN, "the configuration names no socket that could be asked"
    path = READY if settings.health_ready in ("", "off") else settings.health_ready
    request = packet(path) if listeners[0].protocol == "uwsgi" else text_of(path)
    try:
        with connected(listeners[0].parsed, listeners[0].protocol == "https") as sock:
            return judged(spoken(sock, request))
    except OSError as error:
        kept_out = error.errno in (errno.EPERM, errno.EACCES)
        reason = error.strerror or "it does not answer in time"
        return UNKNOWN if kept_out else CRITICAL, f"{listeners[0].address}: {reason}"


def connected(address: "Address", secure: bool) -> socket.socket:
    """A connection, by TLS where it is ``secure``. Raises OSError."""
    return secured(reached(address)) if secure else reached(address)


def secured(sock: socket.socket) -> socket.socket:
    """The same by TLS, whoever the certificate is for: this machine is asked whether it serves. Raises
    OSError."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        return context.wrap_socket(sock)
    except ssl.SSLError as error:
        sock.close()
        raise OSError(errno.EPROTO, f"no TLS: {error.reason}") from error


def reached(address: "Address") -> socket.socket:
    """A connection. Raises OSError."""
    if address.kind == "tcp":
        return socket.create_connection((address.host or "127.0.0.1", address.port), PATIENCE)
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(PATIENCE)
    try:
        sock.connect("\0" + address.path if address.kind == "abstract" else address.path)
    except BaseException:
        sock.close()
        raise
    return sock


def text_of(path: str) -> bytes:
    """A request in HTTP. Raises ProtocolError for a path that cannot be asked for."""
    return request_head("GET", path, (("Host", "localhost"), ("Connection", "close")))


def packet(path: str) -> bytes:
    """The same in the uwsgi protocol."""
    return encode_request(
        {
            "REQUEST_METHOD": "GET",
            "REQUEST_URI": path,
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "localhost",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
        }
    )


def spoken(sock: socket.socket, request: bytes) -> bytes:
    """What comes back, as far as it matters. Raises OSError."""
    sock.sendall(request)
    said = b""
    while len(said) < MOST:
        piece = sock.recv(MOST)
        if not piece:
            break
        said += piece
    return said


def judged(said: bytes) -> tuple[int, str]:
    """What a reply says of the server."""
    words = said.split(b"\r\n", 1)[0].split(b" ", 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        return CRITICAL, "what answers is no server"
    code = int(words[1])
    if code < 500:
        return OK, "armed and ready"
    body = said.partition(b"\r\n\r\n")[2].split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    return WARNING, f"{code} {body}".strip()
