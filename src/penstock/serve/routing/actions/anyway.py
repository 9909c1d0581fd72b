"""Actions for what is so here anyway: ``flush:``, ``offload:`` and ``donotoffload:`` have nothing to do.

Built at boot; nothing of them is left when requests come but a step that goes on.
"""

from typing import TYPE_CHECKING

from penstock.serve.routing.flow import NEXT

if TYPE_CHECKING:
    from penstock.serve.routing.tools import Act, Builder, Tools


def nothing(argument: str, tools: "Tools") -> "Act":
    """Each block of a body goes out at once unless a transformation keeps it (``flush:``), and a reply that a
    client takes slowly holds no thread, whether it is to (``donotoffload:``) or not (``offload:BYTES``)."""
    return lambda turn: NEXT


ACTIONS: "dict[str, Builder]" = {"flush": nothing, "offload": nothing, "donotoffload": nothing}
