"""The formats that a configuration is written in: those that hold comments, and a key more than once.

Turns kept pieces to text; runs in the command alone.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from penstock.config.language.names import LOADS, WORDS
from penstock.config.migrate.pieces import BLANK, COMMENT, FOREIGN, HEADER, OPTION, Piece
from penstock.config.migrate.tidy import Kept

PLAIN = re.compile(r"[A-Za-z0-9_/.$(:+](?:[^#:'\"\n\\]|:(?! |$))*")


class Unwritable(Exception):
    """A value that the format cannot hold."""


def as_ini(kept: Iterable[Kept]) -> str:
    """uWSGI's ini. Raises Unwritable for a value of several lines."""
    lines: list[str] = []
    for piece, notes in kept:
        # What a file said of itself once it need not say twice.
        lines += [note for note in notes if notes != tuple(lines[-len(notes) :])]
        if piece is not None:
            lines.append(ini_line(piece))
    return "\n".join(lines).strip("\n") + "\n"


def ini_line(piece: Piece) -> str:
    """One piece. Raises Unwritable."""
    if piece.kind == FOREIGN:
        return piece.raw
    if piece.kind != OPTION:
        return piece.value or ""
    value = piece.value or ""
    if "\n" in value:
        raise Unwritable(f"{piece.key}: ini has no way to write a value of several lines")
    return f"{piece.key} = {value}".rstrip()


def as_yaml(kept: Iterable[Kept]) -> str:
    """YAML, readable to uWSGI's embedded parser where no value needs quotes."""
    lines: list[str] = []
    for section, members in sectioned(kept).items():
        lines.append(f"{section}:")
        for piece, notes in members:
            lines += [f"  {note}" for note in notes]
            if piece is not None and piece.kind == COMMENT:
                lines.append(f"  # {remark(piece)}".rstrip())
            elif piece is not None:
                lines.append(f"  {piece.key}: {yaml_value(piece.value or '')}")
    return "\n".join(lines) + "\n"


def yaml_value(text: str) -> str:
    """A text as it is where it can stand so, else in double quotes."""
    if PLAIN.fullmatch(text) and text == text.strip():
        return text
    import json

    return json.dumps(text, ensure_ascii=False)


def as_xml(kept: Iterable[Kept]) -> str:
    """XML; its sections are elements with an id. Raises Unwritable."""
    from xml.sax.saxutils import quoteattr

    sections = sectioned(kept)
    lines = ["<configuration>"]
    for section, members in sections.items():
        # An element without an id is taken for any section: where there are several each has its own.
        named = f" id={quoteattr(section)}" if len(sections) > 1 or section != "uwsgi" else ""
        lines.append(f"  <uwsgi{named}>")
        for piece, notes in members:
            lines += [xml_comment(note) for note in notes]
            if piece is not None:
                lines.append(xml_comment(remark(piece)) if piece.kind == COMMENT else xml_option(piece))
        lines.append("  </uwsgi>")
    return "\n".join((*lines, "</configuration>")) + "\n"


def xml_option(piece: Piece) -> str:
    """An option as an element. Raises Unwritable."""
    from xml.sax.saxutils import escape

    if piece.key == "app" or not re.fullmatch(r"[A-Za-z_][\w.-]*", piece.key):
        raise Unwritable(f"{piece.key}: xml has no such element for an option")
    if not piece.value and piece.key not in WORDS:
        raise Unwritable(f"{piece.key}: xml has no way to write an empty value, an empty element says 1")
    return f"    <{piece.key}>{escape(piece.value or '')}</{piece.key}>"


def xml_comment(text: str) -> str:
    """A comment, which must not hold two dashes."""
    return f"    <!-- {re.sub('-(?=-)', '- ', text.removeprefix('# '))} -->"


def sectioned(kept: Iterable[Kept]) -> dict[str, list[Kept]]:
    """What is ours by sections, one of which may have been begun more than once; no blank lines."""
    found: dict[str, list[Kept]] = {}
    section = ""
    before: list[Kept] = []
    for one in kept:
        if one.piece is not None and one.piece.kind == HEADER:
            section = one.piece.section
            found.setdefault(section, []).extend(before)
            before = []
        elif one.piece is None or one.piece.kind not in (BLANK, FOREIGN):
            (found[section] if section else before).append(one)
    return found


def remark(piece: Piece) -> str:
    """The text of a comment; ``%[`` is the one magic letter that these formats do not bear there."""
    return (piece.value or "").lstrip(";# ").replace("%[", "%%[")


FORMS: dict[str, Callable[[Iterable[Kept]], str]] = {"ini": as_ini, "yaml": as_yaml, "xml": as_xml}


def renamed(kept: Iterable[Kept], form: str) -> Iterator[Kept]:
    """``yaml = :base`` as ``ini = :base`` where the file becomes ini."""
    for piece, notes in kept:
        if piece is not None and piece.key in LOADS and str(piece.value)[:1] == ":":
            piece = piece._replace(key=form)
        yield Kept(piece, notes)
