"""uWSGI's files and command lines to a penstock configuration, in the same format where it can hold comments.

Reads one file, never those that it includes; runs in the command alone.
"""

import os.path
import re
from collections.abc import Sequence

from penstock.config.finding import BAD_VALUE, ERROR, MISSING_PATH, SYNTAX, WARNING, Finding
from penstock.config.migrate.forms import FORMS, Unwritable, renamed
from penstock.config.migrate.pieces import HEADER, OPTION, Piece, sections
from penstock.config.migrate.tidy import Tidy
from penstock.config.migrate.written import Written
from penstock.config.sources.argv import FILE, walk
from penstock.config.sources.fetch import FetchFault, fetch
from penstock.config.sources.formats import format_of
from penstock.config.sources.lines import SyntaxFault

BLANKS = " \t\r"
OF_NAME, OF_STEM, OF_ENDING, OF_FOLDER = "opsijOPSIJ", "nN", "eE", "dcDC0123456789"
"""Magic letters by the part of the file's path that they stand for."""


def tidy_file(name: str, form: str = "", out: str = "") -> Written:
    """``name`` is a path, or ``path:section``; ``form`` ini, yaml or xml, "" for ini, which uWSGI's own users
    have; ``out`` is where the text will stand, "" where nobody knows."""
    kind = format_of(name) or format_of(name.rpartition(":")[0]) or "ini"
    form = form or "ini"
    try:
        document = fetch(name, kind)
        pieces = sections(kind, document.text, document.section, document.name)
    except FetchFault as fault:
        return failed(MISSING_PATH, str(fault), name)
    except SyntaxFault as fault:
        return failed(SYNTAX, fault.message, name, fault.line)
    return finished(Tidy(pieces, document.section, name), kind, form, out)


def tidy_words(words: Sequence[str], form: str = "") -> Written:
    """A command line of uWSGI's."""
    pieces = [Piece(HEADER, "", "[uwsgi]", "uwsgi", 0)]
    findings = []
    for found in walk(words):
        if isinstance(found, Finding):
            findings.append(found)
            continue
        key = (format_of(found.value or "") or "ini") if found.key == FILE else found.key
        key = "module" if key == "<application>" else key
        pieces.append(Piece(OPTION, key, found.value, "uwsgi", 0))
    text, more = finished(Tidy(pieces, "", "command line"), "ini", form or "ini", "")
    return Written(text, (*findings, *more))


def finished(tidy: Tidy, kind: str, form: str, out: str) -> Written:
    """The text, and what to mind."""
    kept = list(tidy.kept())
    if kind != form:
        kept = list(renamed(kept, form))
    try:
        text = FORMS[form](kept)
    except Unwritable as error:
        return failed(SYNTAX, str(error), tidy.name)
    findings = list(tidy.findings)
    if form == "ini":
        pieces = [piece for piece, _ in kept if piece is not None]
        findings += [blanks_lost(piece, tidy.name) for piece in pieces if around(piece)]
    if moved := letters(text, tidy.name, out, kind != form):
        said = f"{', '.join(moved)} stand for parts of the file's own path, and the path changes"
        findings.append(Finding(WARNING, SYNTAX, said, origin=tidy.name, file=tidy.name))
    return Written(text, tuple(findings))


def around(piece: Piece) -> bool:
    """Whether an option's value has blanks around it."""
    value = piece.value or ""
    return piece.kind == OPTION and value != value.strip(BLANKS)


def blanks_lost(piece: Piece, name: str) -> Finding:
    """What becomes of such a value."""
    said = "ini drops the blanks around a value; write it as yaml or xml to keep them"
    return Finding(WARNING, BAD_VALUE, said, piece.key, piece.value, name, name)


def failed(kind: str, message: str, name: str, line: int = 0) -> Written:
    """Nothing can be written."""
    origin = f"{name}:{line}" if line else name
    return Written("", (Finding(ERROR, kind, message, origin=origin, file=name, line=line),))


def letters(text: str, name: str, out: str, reformed: bool) -> list[str]:
    """The magic letters in a text that stand for something else in a file of another path."""
    before, after = os.path.abspath(name), os.path.abspath(out or name)
    (stem, _), (new, _) = os.path.splitext(before), os.path.splitext(after)
    changed = "".join(
        (
            (OF_NAME + OF_ENDING) * (reformed or before != after),
            OF_FOLDER * (os.path.dirname(before) != os.path.dirname(after)),
            OF_STEM * (stem != new),
        )
    )
    values = "\n".join(line for line in text.splitlines() if line.lstrip()[:1] not in ("#", ";"))
    found = re.findall(r"%(.)", values.replace("%%", ""))
    return [f"%{letter}" for letter in dict.fromkeys(found) if letter in changed]
