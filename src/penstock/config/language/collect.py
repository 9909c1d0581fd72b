"""All sources of configuration into one ordered list: environment, command line, files, in uWSGI's order.

Called once at start, and by the verbs that look at a configuration. It knows the order and nothing of what
the options mean; what is wrong is collected, so that all of it is told at once.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from penstock.config.finding import MISSING_PATH, SYNTAX, UNKNOWN, WARNING, Finding
from penstock.config.language import names, passes
from penstock.config.language.entry import Entry
from penstock.config.language.files import Unreadable, fetched
from penstock.config.language.limits import Endless, Halt
from penstock.config.language.reading import Reading
from penstock.config.raw import RawOption
from penstock.config.sources.argv import APPLICATION, FILE, walk
from penstock.config.sources.env import read_env, variables

KEPT = ("strict", "show-config")
"""Words of the language that say something to those who read the settings."""
WORKERS = ("processes", "workers")
_USED = re.compile(r"%\(([^()]*)\)")


class Collected(NamedTuple):
    """A configuration, read.

    ``options``   what is set, in the order in which it takes effect: no words of the language and no
                  placeholders, values expanded; ``<application>`` and ``<port>`` stand for what has no name
    ``findings``  what is wrong or worth a warning, in the order in which it was found; the caller may add
    ``shown``     the text of uWSGI's ``--show-config``
    ``lines``     every line as it was taken, in uWSGI's order: words of the language and placeholders too
    ``prints``    what ``print`` and ``iprint`` wanted printed
    ``files``     the files that were read, each time
    ``code``      the exit status that ``exit`` asked for; None mostly
    """

    options: tuple[RawOption, ...]
    findings: list[Finding]
    shown: str
    lines: tuple[RawOption, ...]
    prints: tuple[str, ...]
    files: tuple[str, ...]
    code: int | None


def collect(words: Sequence[str], environ: Mapping[str, str]) -> Collected:
    """Read everything that ``words`` (a command line without its program) and ``environ`` name.

    Raises nothing: what cannot be read is a finding.
    """
    reading = Reading(environ, [])
    applications: list[RawOption] = []
    try:
        for raw in variables(environ):
            reading.add(raw)
        _command_line(reading, words, applications)
        _unclosed(reading)
        _expand(reading)
        reading.settle()
    except Halt:
        pass
    _unknown(reading)
    given = [*reading.ahead, *_settings(reading), *applications]
    return Collected(
        options=(*_environment(environ, given), *given),
        findings=reading.findings,
        shown=shown([*(entry.raw for entry in reading.entries), *_named(applications)]),
        lines=tuple(entry.raw for entry in reading.entries),
        prints=tuple(reading.prints),
        files=tuple(reading.files.names),
        code=reading.code,
    )


def shown(raws: Sequence[RawOption]) -> str:
    """What uWSGI's ``--show-config`` prints for options; the result can be read as an ini file."""
    lines = [f"{raw.key} = {'true' if raw.value is None else raw.value}\n" for raw in raws]
    return "".join((";uWSGI instance configuration\n[uwsgi]\n", *lines, ";end of configuration\n"))


def _command_line(reading: Reading, words: Sequence[str], applications: list[RawOption]) -> None:
    for found in walk(words, reading.declared):
        if isinstance(found, Finding):
            reading.findings.append(found)
        elif found.key == FILE:
            reading.load(found, "")
        elif found.key == APPLICATION:
            applications.append(found)
        else:
            reading.add(found)


def _environment(environ: Mapping[str, str], given: Sequence[RawOption]) -> Iterator[RawOption]:
    """What platforms set. It comes first, and a number of workers counts where nothing else names one."""
    named = any(raw.key in WORKERS for raw in given)
    for raw in read_env(environ):
        if raw.key != WORKERS[0] or not named:
            yield raw


def _unclosed(reading: Reading) -> None:
    if reading.block is not None and reading.opened is not None:
        said = "the block is never closed, so that all that follows is part of it"
        reading.wrong(reading.opened, SYNTAX, said, WARNING)


def _expand(reading: Reading) -> None:
    """The three passes, over what has not acted yet. Raises Halt where they never end."""
    at: list[Entry] = []

    def content(address: str) -> str | None:
        try:
            text = fetched(address, "").text
        except Unreadable as fault:
            reading.wrong(at[0], MISSING_PATH, f"@({address}): {fault.message}")
            return ""
        return text[:-1] if text.endswith(("\n", "\r")) else text

    budget = passes.Budget()
    lookups = (
        ("$", reading.environ.get),
        ("@", content),
        ("%", lambda name: passes.referred(name, reading.first)),
    )
    for symbol, lookup in lookups:
        for entry in reading.entries:
            if entry.done or not entry.value or f"{symbol}(" not in entry.value:
                continue
            at[:] = [entry]
            try:
                entry.value = passes.expand(entry.value, symbol, lookup, budget)
            except Endless as fault:
                reading.wrong(entry, SYNTAX, str(fault))
                if budget.spent:
                    raise Halt from None


def _settings(reading: Reading) -> Iterator[RawOption]:
    """What the entries set: known options, and what declared ones stand for."""
    for entry in reading.entries:
        if entry.became:
            yield from entry.became
        elif not entry.declared and names.known(entry.key) and _sets(entry.key):
            yield entry.raw


def _sets(key: str) -> bool:
    return key in KEPT or key not in names.WORDS


def _unknown(reading: Reading) -> None:
    """Keys that nobody knows: errors under ``strict``; else a word where one is probably a slip."""
    slips, used = names.Slips(), _used(reading.entries)
    for entry in reading.entries:
        if _is_known(reading, entry):
            continue
        # A cluster sets variables of its own for a service of our name.
        if reading.strict and not entry.origin.startswith("environment PENSTOCK_"):
            reading.wrong(entry, UNKNOWN, f"there is no such option{slips.near(entry.key)}")
        elif entry.key not in used and (near := slips.near(entry.key)):
            reading.wrong(entry, UNKNOWN, f"there is no such option, and nothing uses it{near}", WARNING)


def _is_known(reading: Reading, entry: Entry) -> bool:
    custom = entry.declared or entry.key in reading.custom or entry.key in names.ENDS
    return custom or names.known(entry.key)


def _used(entries: Sequence[Entry]) -> set[str]:
    """The names that stand in placeholders as they were written."""
    texts = (entry.written for entry in entries if "%(" in entry.written)
    return {word for text in texts for name in _USED.findall(text) for word in name.split()}


def _named(applications: Sequence[RawOption]) -> Iterator[RawOption]:
    """The short form's application by the options that mean it."""
    for raw in applications:
        file, colon, name = (raw.value or "").partition(":")
        if not file.endswith(".py"):
            yield raw._replace(key="module")
            continue
        yield raw._replace(key="wsgi-file", value=file)
        if colon:
            yield raw._replace(key="callable", value=name)
