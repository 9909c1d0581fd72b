"""Colours for a terminal: only where there is one, and where nobody said NO_COLOR."""

import sys

from penstock.config.finding import visible
from penstock.config.judge import surroundings

CODES = {"error": "31", "warning": "33", "good": "32", "faint": "2", "strong": "1"}


class Paint:
    """Words in colour, or as they are."""

    def __init__(self) -> None:
        environ = surroundings()
        # no-color.org: any value but an empty one
        self.on = sys.stdout.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"

    def __call__(self, text: str, colour: str) -> str:
        """``text``, its control characters written out, in one of the colours of CODES."""
        text = visible(text)
        return f"\x1b[{CODES[colour]}m{text}\x1b[0m" if self.on and colour else text


def width() -> int:
    """Columns to write in: the terminal's, or 100 in a pipe."""
    from shutil import get_terminal_size

    return max(60, min(get_terminal_size((100, 24)).columns, 120)) if sys.stdout.isatty() else 100
