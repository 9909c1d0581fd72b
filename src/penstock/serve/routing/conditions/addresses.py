"""Conditions on addresses: ``ipv4in:address;network/bits`` and ``ipv6in:``.

Built at boot, asked by pool threads. What is no address is in no network; a network that is none is said at
boot where it does not depend on the request.
"""

import socket
from typing import TYPE_CHECKING

from penstock.serve.routing.actions.variables import number_of
from penstock.serve.routing.conditions.texts import half
from penstock.serve.routing.template import constant_of
from penstock.serve.routing.turn import Turn

if TYPE_CHECKING:
    from penstock.serve.routing.tools import Condition, Test, Tools

Network = tuple[int, int]  # its address without the host's bits, and how many bits those are


def address_of(family: int, text: str) -> int | None:
    """An address as a number, None for what is none. IPv4 as ``inet_aton`` reads it: 127.1 is 127.0.0.1."""
    try:
        if family == socket.AF_INET:
            return int.from_bytes(socket.inet_aton(text)) if text and not text[-1].isspace() else None
        return int.from_bytes(socket.inet_pton(family, text))
    except (OSError, ValueError):
        return None


def network_of(family: int, text: str) -> Network | None:
    """A network, all of an address's bits without a slash; None for what is none."""
    whole = 32 if family == socket.AF_INET else 128
    address, slash, bits = text.partition("/")
    number = address_of(family, address)
    length = number_of(bits) if slash else whole
    if number is None or not 0 <= length <= whole:
        return None
    return number >> (whole - length), whole - length


def within(family: int) -> "Condition":
    """Whether an address is in a network."""

    def build(arguments: list[str], tools: "Tools") -> "Test":
        if len(arguments) < 2:
            return half(arguments, tools)
        address, text = tools.words(arguments[0]), tools.words(arguments[1])
        fixed = constant_of(arguments[1], captures=False)
        known = None if fixed is None else network_of(family, fixed)
        if fixed is not None and known is None:
            tools.warn("", f"{fixed!r} is no network, so nothing is in it")

        def test(turn: Turn) -> bool:
            network = known if fixed is not None else network_of(family, text(turn))
            number = address_of(family, address(turn))
            return network is not None and number is not None and number >> network[1] == network[0]

        return test

    return build


CONDITIONS: "dict[str, Condition]" = {"ipv4in": within(socket.AF_INET), "ipv6in": within(socket.AF_INET6)}
