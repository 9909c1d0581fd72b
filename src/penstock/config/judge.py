"""What a configuration comes to: read, assembled, its paths looked at, and everything that is wrong with it.

For the verbs that look at a configuration without starting a server; runs in the command alone.
"""

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from penstock.config.assemble import assemble
from penstock.config.finding import Finding
from penstock.config.language.collect import Collected, collect
from penstock.config.paths import missing
from penstock.config.settings import Settings
from penstock.config.sources.formats import format_of
from penstock.core.errors import ConfigError


class Judged(NamedTuple):
    """``settings`` is None where an error forbids a start; ``findings`` by file and line, each once."""

    collected: Collected
    settings: Settings | None
    findings: tuple[Finding, ...]


def judge(words: Sequence[str], environ: Mapping[str, str] | None = None, name: str = "") -> Judged:
    """Look at a command line; ``environ``: the process's own without it.

    ``name``: the file that findings without a place are about.
    """
    collected = collect(words, surroundings() if environ is None else environ)
    findings = collected.findings
    try:
        settings = assemble(collected.options, findings)
    except ConfigError:
        settings = None
    findings = [placed(finding, name) for finding in (*findings, *missing(collected.options))]
    order = {file: at for at, file in enumerate(("", name, *collected.files))}
    findings.sort(key=lambda finding: (order.get(finding.file, len(order)), finding.line))
    return Judged(collected, settings, tuple(dict.fromkeys(findings)))


def placed(finding: Finding, name: str) -> Finding:
    """A finding about the whole with the name of the file that it is about."""
    return finding if finding.origin or not name else finding._replace(origin=name, file=name)


def surroundings() -> Mapping[str, str]:
    """The process's environment."""
    return os.environ


def words_for(file: str) -> list[str]:
    """The command line that reads one configuration file, whatever its name; ``-`` is standard input."""
    head, colon, section = file.rpartition(":")
    by_ending = format_of(file) or (colon and "/" not in section and format_of(head))
    return [file] if by_ending and "://" not in file else ["--ini", file]
