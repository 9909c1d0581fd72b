"""What a start waits for, ``wait-for-*``: the values, checked as far as a text can be.

Pure. Read at boot, and again by whoever waits.
"""

from penstock.config.address import Address, parse_address
from penstock.core.errors import ConfigError


def parse_socket(text: str) -> Address:
    """The address of a server that is to listen. Raises ValueError with what is expected."""
    try:
        address = parse_address(text)
    except ConfigError as error:
        raise ValueError(error.message) from None
    if address.kind == "fd":
        raise ValueError("HOST:PORT or the path of a UNIX socket is expected; a descriptor is open already")
    if address.kind == "tcp" and not address.port:
        raise ValueError("HOST:PORT is expected, with a port other than 0")
    return address


def parse(text: str) -> str:
    """A path, or the name of a network interface. Raises ValueError."""
    if not text.strip():
        raise ValueError("a name is expected")
    return text


def parse_option(name: str, text: str) -> object:
    """A value of any of these options, by the option's name. Raises ValueError with what is expected."""
    return parse_socket(text) if name == "wait-for-socket" else parse(text)
