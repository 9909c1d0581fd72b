"""What is wrong about a configuration's rules, as findings: they are compiled as at a start, and judged."""

import re

from penstock.cli.rehearsal import compiled
from penstock.config.finding import BAD_VALUE, ERROR, WARNING, Finding
from penstock.config.settings import Settings
from penstock.core.errors import StartError

PLACED = re.compile(r"([^:]+:\d+): (.*)")


def findings(settings: Settings) -> list[Finding]:
    """Rules that cannot be are errors; those that never run, and what compiling them had to say, warnings."""
    from penstock.serve.routing.never import never
    from penstock.serve.routing.table import RuleErrors

    notes: list[str] = []
    try:
        rules, _ = compiled(settings, notes)
    except StartError as error:
        cause = error.__cause__
        if not isinstance(cause, RuleErrors):
            return [Finding(ERROR, BAD_VALUE, str(error))]
        return [found(ERROR, origin, text) for origin, text in cause.errors]
    said = [found(WARNING, origin, text) for origin, text in (never(rules) if rules is not None else ())]
    return said + [found(WARNING, "", text) for text in notes]


def found(level: str, origin: str, text: str) -> Finding:
    """A finding about the rule at ``origin``; where none is given it may stand before the text."""
    placed = PLACED.match(text) if not origin else None
    if placed:
        origin, text = placed[1], placed[2]
    file, colon, number = origin.rpartition(":")
    if not colon or not number.isdecimal():
        return Finding(level, BAD_VALUE, text, origin=origin)
    return Finding(level, BAD_VALUE, text, origin=origin, file=file, line=int(number))
