"""The life of a connection as a table; ``docs/architecture.md`` draws it from here."""

from enum import Enum
from typing import Final


class Life(Enum):
    """Where a connection stands."""

    OPEN = "takes requests"
    CLOSING = "its last reply is on its way"
    LINGERING = "everything is sent; what still comes is thrown away"


OPEN: Final = Life.OPEN

LIFE: dict[Life, dict[str, Life]] = {
    Life.OPEN: {"last": Life.CLOSING},
    Life.CLOSING: {"sent": Life.LINGERING},
    Life.LINGERING: {},
}
