"""``penstock explain``: what a configuration comes to, option by option, with what each one does here."""

from collections.abc import Iterator
from typing import NamedTuple

from penstock.cli.check import counted, judged, line, worst
from penstock.cli.paint import Paint, width
from penstock.cli.words import Asked
from penstock.config.assemble import PLUGINS, meant
from penstock.config.finding import visible
from penstock.config.judge import Judged
from penstock.config.option import ACTED_ON, HARMLESS, UNSUPPORTED, Option
from penstock.config.raw import RawOption
from penstock.config.reading import asks
from penstock.config.registry import lookup

UNKNOWN = "unknown"
SAID = {ACTED_ON: "", HARMLESS: "harmless: ", UNSUPPORTED: "not supported: ", UNKNOWN: ""}
COLOURS = {ACTED_ON: "good", HARMLESS: "faint", UNSUPPORTED: "warning", UNKNOWN: "warning"}
INTERNAL = {"<application>": "module", "<port>": "port", "<activated>": "socket"}


class Explained(NamedTuple):
    """One option: ``name`` is the first of its names; ``does`` what it does here, ``note`` what to mind;
    ``overridden`` where the line is that counts instead, "" where this one does."""

    option: str
    name: str
    value: str
    origin: str
    file: str
    line: int
    state: str
    does: str
    note: str
    overridden: str


def explain(asked: Asked) -> int:
    """Print what each configuration comes to; the exit status: 1 where it cannot start a server."""
    subjects = list(judged(asked))
    if asked.flags.get("--format") == "json":
        import json

        data = [item._asdict() for _, result in subjects for item in items(result)]
        print(json.dumps(data, indent=2))
    else:
        paint = Paint()
        for at, (name, result) in enumerate(subjects):
            print("\n" * (at > 0) + "\n".join(page(name, result, paint)))
    return max(worst(result.findings) for _, result in subjects)


def items(result: Judged) -> list[Explained]:
    """The options in their order, with what becomes of each."""
    options = result.collected.options
    last = {}
    for raw in options:
        option = lookup(meant(raw))
        if option is not None and not option.keeps_all:
            last[option.name] = raw
    return [item(raw, last) for raw in options]


def item(raw: RawOption, last: dict[str, RawOption]) -> Explained:
    """One option; ``last`` has the line that counts, for those of which one does."""
    name, state, does, note = what(raw)
    counts = last.get(name, raw)
    overridden = "" if counts is raw else counts.origin
    value = "true" if raw.value in (None, "") else str(raw.value)
    key = INTERNAL.get(raw.key, raw.key)
    return Explained(key, name, value, raw.origin, raw.file, raw.line, state, does, note, overridden)


def what(raw: RawOption) -> tuple[str, str, str, str]:
    """First name, state, what it does here, and what to mind."""
    key = INTERNAL.get(raw.key)
    if key is not None:
        return key, ACTED_ON, "Names the application." if key == "module" else "An address to serve.", ""
    option = lookup(meant(raw))
    if option is None:
        return raw.key, UNKNOWN, "No option has this name, and nothing is done with it.", ""
    if option.name in PLUGINS:
        from penstock.config.plugins import reason

        missing = reason(raw.value or "")
        return option.name, UNSUPPORTED if missing else HARMLESS, missing or option.reason, option.note
    if option.state == ACTED_ON:
        return option.name, ACTED_ON, option.help, option.note
    if option.state == UNSUPPORTED and not wanted(option, raw):
        return option.name, HARMLESS, "with this value it asks for nothing that is missing", option.note
    return option.name, option.state, option.reason, option.note


def wanted(option: Option, raw: RawOption) -> bool:
    """Whether an option that is not acted on asks for anything; one whose value cannot be read may."""
    try:
        return asks(option, raw.value)
    except ValueError:
        return True


def page(name: str, result: Judged, paint: Paint) -> Iterator[str]:
    """Everything about one configuration."""
    explained = items(result)
    yield f"{paint(name, 'strong')}: {summary(explained)}"
    yield ""
    columns = width()
    for one in explained:
        yield from entry(one, columns, paint)
    said = list(outcome(result)) if result.settings is not None else []
    if said:
        yield from ("", *said)
    # What is not supported stands with its option already.
    told = [finding for finding in result.findings if finding.kind != UNSUPPORTED]
    if told:
        yield from ("", *(line(finding, paint) for finding in told))


def summary(explained: list[Explained]) -> str:
    """``12 options: 8 acted on, 3 harmless, 1 not supported``."""
    words = {ACTED_ON: "acted on", HARMLESS: "harmless", UNSUPPORTED: "not supported", UNKNOWN: "unknown"}
    counts = {state: sum(one.state == state for one in explained) for state in words}
    parts = [f"{count} {words[state]}" for state, count in counts.items() if count]
    return f"{counted(len(explained), 'option')}: {', '.join(parts)}" if parts else "no options"


def entry(one: Explained, columns: int, paint: Paint) -> Iterator[str]:
    """The lines of one option: itself with its origin at the right, and what becomes of it."""
    from textwrap import wrap

    written = visible(f"{one.option} = {one.value}")
    space = columns - len(written) - len(one.origin)
    yield f"{paint(written, 'strong')}{' ' * max(space, 2)}{paint(one.origin, 'faint')}"
    body = f"{SAID[one.state]}{one.does}"
    if one.name != one.option:
        body = f"({one.name}) {body}"
    colour = COLOURS[one.state]
    if one.overridden:
        body, colour = f"overridden by {one.overridden}", "faint"
    for text in wrap(body, columns - 4, break_on_hyphens=False):
        yield f"    {paint(text, colour)}"
    if one.note and not one.overridden:
        for text in wrap(f"warning: {one.note}", columns - 4, break_on_hyphens=False):
            yield f"    {paint(text, 'warning')}"


def outcome(result: Judged) -> Iterator[str]:
    """What follows from all of it: where it listens, and with how many threads."""
    settings = result.settings
    assert settings is not None
    for listener in settings.listeners:
        yield visible(f"serves {listener.protocol} on {listener.address} ({listener.origin})")
    if settings.listeners or not settings.emperor:  # else nothing is served but by vassals
        yield f"threads: {settings.threads_reason}"
