"""Conditions on numbers: ``ishigher:5;3`` and its like.

Built at boot, asked by pool threads. A text is the number that it begins with, and 0 without one, as in C.
"""

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING

from penstock.serve.routing.actions.variables import number_of
from penstock.serve.routing.conditions.texts import compared

if TYPE_CHECKING:
    from penstock.serve.routing.tools import Condition


def measured(compare: Callable[[int, int], bool]) -> "Condition":
    """A comparison of two numbers."""
    return compared(lambda one, other: compare(number_of(one), number_of(other)))


CONDITIONS: "dict[str, Condition]" = {
    "ishigher": measured(operator.gt),
    ">": measured(operator.gt),
    "islower": measured(operator.lt),
    "<": measured(operator.lt),
    "ishigherequal": measured(operator.ge),
    ">=": measured(operator.ge),
    "islowerequal": measured(operator.le),
    "<=": measured(operator.le),
}
