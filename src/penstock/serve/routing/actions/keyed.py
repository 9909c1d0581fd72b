"""Arguments of actions that are written ``key=value,key=value``: taken apart, and told from mistakes.

Runs at boot. A backslash takes the meaning from a comma or an equals sign, as in uWSGI; which keys there are
is said by whoever asks.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from penstock.config.household.daemons import halves, split

if TYPE_CHECKING:
    from penstock.serve.routing.tools import Tools

LEADING = re.compile(r"[ \t]*([+-]?\d{1,18})")


def keyed(argument: str, keys: Mapping[str, str], tools: "Tools") -> dict[str, str]:
    """The values by what ``keys`` calls their keys; of two the last counts. A key that is not known and an
    item without ``=``, which uWSGI passes over in silence, are said in a warning."""
    found: dict[str, str] = {}
    for item in split(argument, ","):
        key, value = halves(item)
        if key in keys and value is not None:
            found[keys[key]] = value
        elif item:
            known = ", ".join(dict.fromkeys(keys.values()))
            tools.warn("", f"{argument!r}: nothing is done with {item!r}; the keys are {known}, each with =")
    return found


def number_of(text: str) -> int:
    """The number that a text begins with, 0 without one, as C reads it."""
    found = LEADING.match(text)
    return int(found[1]) if found else 0
