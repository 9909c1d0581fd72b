"""The tables of docs/control.md, drawn anew. As a program it writes the page."""

import re
import sys
from pathlib import Path

from penstock.process.supervisor.commands import markdown

PAGE = Path(__file__).parents[3] / "docs" / "control.md"
TABLE = re.compile(r"(<!-- commands -->\n\n).*?(\n<!-- end of commands -->)", re.DOTALL)


def rendered(text: str) -> str:
    """The page with the table as it is now."""
    found, count = TABLE.subn(lambda match: match[1] + markdown() + match[2], text)
    assert count == 1, "the page has lost its marks"
    return found


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text()))
    sys.stdout.write(f"{PAGE.name} is written\n")
