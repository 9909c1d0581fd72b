"""``hash:``: one of several words for a variable, always the same one for the same key.

Built at boot, run by pool threads. The two hashes are uWSGI's, so that a key finds the node here that it
found there; what the words mean is the next rule's.
"""

from collections.abc import Callable
from itertools import count
from random import getrandbits
from typing import TYPE_CHECKING

from penstock.serve.routing.actions.keyed import keyed, number_of
from penstock.serve.routing.flow import NEXT
from penstock.serve.routing.turn import Turn

if TYPE_CHECKING:
    from penstock.serve.routing.tools import Act, Tools

WORD = 0xFFFFFFFF  # they count in 32 bits
KEYS = {"key": "key", "var": "var", "algo": "algo", "items": "items"}
Algorithm = Callable[[bytes], int]


def signed(octet: int) -> int:
    """An octet as C's ``char`` has it where uWSGI runs, in 32 bits."""
    return (octet - 256 if octet > 127 else octet) & WORD


def djb33x(key: bytes) -> int:
    """Bernstein's hash with exclusive or."""
    made = 5381
    for octet in key:
        made = (made * 33 & WORD) ^ signed(octet)
    return made


def murmur2(key: bytes) -> int:
    """MurmurHash2 with the seed 0, but for the one to three octets that are over at the end: in their stead
    uWSGI takes the first of the key, as signed ones."""
    factor, made = 0x5BD1E995, len(key) & WORD
    whole = len(key) & ~3
    for at in range(0, whole, 4):
        word = int.from_bytes(key[at : at + 4], "little") * factor & WORD
        word = (word ^ word >> 24) * factor & WORD
        made = (made * factor & WORD) ^ word
    over = key[: len(key) - whole]
    for at, octet in enumerate(over):
        made ^= signed(octet) << 8 * at & WORD
    if over:
        made = made * factor & WORD
    made = (made ^ made >> 13) * factor & WORD
    return made ^ made >> 15


def any_of_them() -> Algorithm:
    """``random``: whatever comes."""
    return lambda key: getrandbits(31)


def in_turn() -> Algorithm:
    """``rr``: 0, 1, 2 … and 0 again behind the number that the key is. A count of this process and rule."""
    turns = count()
    return lambda key: next(turns) % (max(number_of(key.decode("latin-1")), 0) + 1)


ALGORITHMS: dict[str, Callable[[], Algorithm]] = {
    "djb33x": lambda: djb33x,
    "murmur2": lambda: murmur2,
    "random": any_of_them,
    "rand": any_of_them,
    "rr": in_turn,
}


def hashed(argument: str, tools: "Tools") -> "Act":
    """``hash:key=TEXT,var=NAME,items=a;b;c,algo=djb33x``: sets the variable to an item. A semicolon behind
    the last one counts for nothing. Raises ValueError where a key is missing, or for another algorithm."""
    words = keyed(argument, KEYS, tools)
    items = words.get("items", "").removesuffix(";").split(";")
    if not (words.get("key") and words.get("var") and all(items)):
        raise ValueError("takes key=TEXT,var=NAME,items=A;B;C, and if need be algo=")
    name = words.get("algo", "djb33x")
    if name not in ALGORITHMS:
        raise ValueError(f"there is no algo={name}; there are {', '.join(ALGORITHMS)}")
    key, variable, number = tools.template(words["key"]), words["var"], ALGORITHMS[name]()

    def act(turn: Turn) -> int:
        turn.set(variable, items[number(key(turn).encode("latin-1", "replace")) % len(items)])
        return NEXT

    return act


ACTIONS = {"hash": hashed}
