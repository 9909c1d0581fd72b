"""Servers that speak TLS, and clients that do. The certificates are those of ``tests/certificates``."""

import shutil
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.server import Client, Server, serving

CERTIFICATES = Path(__file__).parents[1] / "certificates"


def pair(name: str = "server") -> str:
    """The words behind an address: certificate and key."""
    return f"{CERTIFICATES / name}.pem,{CERTIFICATES / name}.key"


HTTPS = f"--https=127.0.0.1:0,{pair()}"


def trusting(
    *names: str, certificate: str = "", newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
) -> ssl.SSLContext:
    """What a client speaks TLS with that trusts these; with a ``certificate`` of its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    for name in names or ("server",):
        context.load_verify_locations(CERTIFICATES / f"{name}.pem")
    if certificate:
        context.load_cert_chain(CERTIFICATES / f"{certificate}.pem", CERTIFICATES / f"{certificate}.key")
    context.maximum_version = newest
    return context


class TlsClient(Client):
    """A client that has shaken hands; ``narrow``: with a small window, as over a real network."""

    def __init__(
        self,
        address: tuple[str, int] | str,
        context: ssl.SSLContext | None = None,
        narrow: bool = False,
        timeout: float = 10.0,
        session: ssl.SSLSession | None = None,
    ) -> None:
        plain = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        try:
            plain.settimeout(timeout)
            if narrow:
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            plain.connect(address)
            self.tls = (context or trusting()).wrap_socket(plain, suppress_ragged_eofs=False, session=session)
        except BaseException:
            plain.close()
            raise
        self.sock = self.tls
        self.rest = b""

    def __enter__(self) -> "TlsClient":
        return self

    @property
    def name(self) -> str:
        """Whose certificate the server has shown."""
        found: dict[str, Any] = self.tls.getpeercert() or {}
        return next(str(value) for ((word, value),) in found["subject"] if word == "commonName")


class Secure:
    """A running penstock, by the listener that speaks TLS. ``large``: what is in a file of it."""

    large = b""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.index = next(at for at, (scheme, _) in enumerate(server.listening) if scheme == "https")

    @property
    def name(self) -> str:
        """As the log names it."""
        return "://".join(self.server.listening[self.index])

    @property
    def address(self) -> tuple[str, int]:
        found = self.server.address(self.index)
        assert isinstance(found, tuple)
        return found

    def client(
        self, context: ssl.SSLContext | None = None, narrow: bool = False, timeout: float = 10.0
    ) -> TlsClient:
        return TlsClient(self.address, context, narrow, timeout)

    def plain(self) -> Client:
        """A client of the same port that has not begun to speak TLS."""
        return Client(self.address)

    def beside(self) -> Client:
        """A client of the listener without TLS."""
        return self.server.client(1 - self.index)


@contextmanager
def secured(
    tmp: Path, *options: str, https: str = HTTPS, plain: bool = True, count: int = 2, **more: Any
) -> Iterator[Secure]:
    """A server that speaks TLS on one address, and none on another unless ``plain`` is off; ``count`` of them
    are waited for."""
    listen = ("--http-socket", "127.0.0.1:0") if plain else ()
    with serving(tmp, https, *listen, *options, listeners=count, **more) as server:
        yield Secure(server)


def copied(tmp: Path, name: str = "server") -> str:
    """A certificate and key that can be renewed, and the words for them."""
    install(tmp, name)
    return f"{tmp}/site.pem,{tmp}/site.key"


def install(tmp: Path, name: str) -> None:
    """Put another certificate and key there, as a renewal does."""
    for end in ("pem", "key"):
        new = tmp / f"site.{end}.new"
        shutil.copy(CERTIFICATES / f"{name}.{end}", new)
        new.chmod(0o600 if end == "key" else 0o644)  # a fresh clone has no such modes
        new.rename(tmp / f"site.{end}")
