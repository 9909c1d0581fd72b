"""The condition ``incache:key=…[,name=…]``: whether a shared cache has something.

Built at boot, asked by pool threads. It does not look at the value, whose place in the order of use stays.
"""

from typing import TYPE_CHECKING

from penstock.serve.routing.actions.cache import cache_named, octets, said
from penstock.serve.routing.turn import Turn

if TYPE_CHECKING:
    from penstock.serve.routing.tools import Condition, Test, Tools


def incache(arguments: list[str], tools: "Tools") -> "Test":
    """``incache:key=…[,name=…]``."""
    given = said("incache", ";".join(arguments), {"key": "key", "name": "name"}, tools)
    key_of, name, caches = tools.words(given["key"]), cache_named(given.get("name", ""), tools), tools.caches

    def test(turn: Turn) -> bool:
        return caches is not None and caches.exists(octets(key_of(turn)), name)

    return test


CONDITIONS: "dict[str, Condition]" = {"incache": incache}
