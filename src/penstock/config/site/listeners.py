"""uWSGI's HTTP router by its options' texts: what it adds, where it redirects, whom it passes requests to.

Here the workers listen themselves, so that its options become particulars of a listener, or a rule of
routing. Pure; read at boot.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from penstock.config.address import Address, parse_address
from penstock.core.errors import ConfigError

OTHERS = ("bind", "http_socket", "https_socket", "uwsgi_socket", "socket")
"""Fields of what a worker of uWSGI's listens on, and ours does anyway."""
ANY = ("", "0.0.0.0", "::")
NEAR = (*ANY, "127.0.0.1", "::1", "localhost")
"""Hosts of a socket that takes connections to all addresses of the machine, and those that lead there."""


class Redirect(NamedTuple):
    """``http-to-https``: where it listens, and the port of the other side, "" for the usual one."""

    address: str
    port: str = ""


def redirect(text: str) -> Redirect:
    """A value of ``http-to-https``, ``ADDRESS`` or ``ADDRESS,PORT``. Raises ValueError with what is
    expected."""
    address, comma, port = text.partition(",")
    port = port.strip()
    if comma and not (port.isascii() and port.isdecimal() and 0 < int(port[:6]) < 1 << 16):
        raise ValueError("ADDRESS or ADDRESS,PORT is expected, the port being that of https")
    return Redirect(address.strip(), port)


class Secured(NamedTuple):
    """``https``: where it listens, the files of its certificate and key, OpenSSL's words for the ciphers (""
    for the usual ones), and the file of those who sign certificates of clients; ``required``: a client
    without one is not served."""

    address: str
    certificate: str
    key: str
    ciphers: str = ""
    authorities: str = ""
    required: bool = False

    @property
    def files(self) -> tuple[str, ...]:
        """All that are named."""
        return tuple(filter(None, (self.certificate, self.key, self.authorities)))


def secured(text: str) -> Secured:
    """A value of ``https``, ``ADDRESS,CERTIFICATE,KEY[,CIPHERS[,CLIENT-CA]]``. Raises ValueError with what is
    expected."""
    address, *words = (word.strip() for word in text.split(",", 4))
    if len(words) < 2 or not all(words[:2]):
        raise ValueError("ADDRESS,CERTIFICATE,KEY is expected, and CIPHERS and CLIENT-CA may follow")
    certificate, key, ciphers, authorities = (*words, "", "")[:4]
    return Secured(address, certificate, key, ciphers, authorities.removeprefix("!"), authorities[:1] == "!")


def variable(text: str) -> tuple[str, str]:
    """A value of ``http-var``, ``NAME=VALUE``. Raises ValueError with what is expected."""
    name, equals, value = text.partition("=")
    if not (equals and name.strip()) or name.startswith("wsgi."):
        raise ValueError("NAME=VALUE is expected")
    return name, value


def backend(text: str) -> str:
    """A value of ``http-to``: an address. Raises ValueError with what is expected."""
    try:
        parse_address(text)
    except ConfigError as error:
        raise ValueError(error.message) from error
    return text


def passed_on(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Whom ``http-to`` names beside this server's own sockets, which it serves itself."""
    own = [address for field in OTHERS for text in values.get(field, ()) for address in _parsed(text)]
    return tuple(
        text
        for text in values.get("http_to", ())
        if not any(_leads(there, here) for there in _parsed(text) for here in own)
    )


def _parsed(text: str) -> tuple[Address, ...]:
    """None of what is no address: that is said elsewhere."""
    try:
        return (parse_address(text),)
    except ConfigError:
        return ()


def _leads(there: Address, here: Address) -> bool:
    """Whether whoever connects ``there`` comes out at what is listened on ``here``."""
    if there == here:
        return True
    near = here.host in ANY and there.host in NEAR
    return there.kind == here.kind == "tcp" and there.port == here.port and near


def rules(values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """``http-to`` as the value that counts and the rule that does the same: every request goes there.

    Without effect where the workers have sockets of their own, whose requests uWSGI would not pass on.
    """
    others = passed_on(values)
    if not others or any(values.get(field) for field in OTHERS):
        return ()
    return ((others[0], f"uwsgi:{others[0]},0,0"),)


def remarks(values: Mapping[str, Any]) -> Iterator[tuple[str, str, str, bool]]:
    """What of ``http-to`` is not done: the option, the value, what is said, and that it is only doubtful."""
    others = passed_on(values)
    if others and not rules(values):
        said = "not passed on: this server has sockets that uWSGI's router knows nothing of; write route-run"
        yield "http-to", others[0], said, True
    for text in others[1:] if rules(values) else ():
        said = f"requests go to {others[0]} alone; let nginx or HAProxy balance between them"
        yield "http-to", text, said, True
