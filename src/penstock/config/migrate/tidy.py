"""A uWSGI configuration written anew: the same settings, comments kept, dead options turned into notes.

Works on what is written, not on what it comes to: conditions, placeholders and includes stay what they are.
Runs in the command alone.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from penstock.config import plugins
from penstock.config.assemble import PLUGINS, meant
from penstock.config.finding import UNKNOWN, UNSUPPORTED, WARNING, Finding
from penstock.config.language.names import ENDS, LOADS, WORDS, Slips
from penstock.config.migrate.pieces import BLANK, FOREIGN, HEADER, OPTION, Piece, references
from penstock.config.migrate.written import comment
from penstock.config.option import ACTED_ON, COUNTED, FLAG, HARMLESS, NUMBERS, Option
from penstock.config.option import UNSUPPORTED as UNSUPPORTED_STATE
from penstock.config.raw import RawOption
from penstock.config.reading import asks, read
from penstock.config.registry import lookup

REFERENCE = re.compile(r"%\(([^()]*)\)")
TAIL = re.compile(r"(\S+)\s+[;#]\s*(.*)")


class Kept(NamedTuple):
    """A piece as it is to be written: ``notes`` are lines of comment above it; without a piece they stand
    in its place."""

    piece: Piece | None
    notes: tuple[str, ...] = ()


class Tidy:
    """One file. ``findings`` are about what was dropped, or kept without effect."""

    def __init__(self, pieces: Sequence[Piece], wanted: str, name: str) -> None:
        self.pieces = pieces
        self.name = name
        self.slips = Slips()
        self.findings: list[Finding] = []
        self.sections = self.reached(wanted or "uwsgi")
        options = [piece for piece in pieces if piece.kind == OPTION and piece.section in self.sections]
        self.referred = set(referred(options))
        self.declared = {
            str(piece.value).partition("=")[0] for piece in options if piece.key.startswith("declare-option")
        }
        words = {piece.key for piece in options}
        self.open = any(piece.key in (*LOADS, "inherit") and str(piece.value)[:1] != ":" for piece in options)
        """Whether other files are read, which may refer to what this one sets."""
        straight = not words & (WORDS.keys() | set(ENDS) - {"strict", "show-config"})
        self.last = self.latest(options) if straight and not self.declared else {}

    def reached(self, wanted: str) -> set[str]:
        """The sections that are read: all others are somebody else's."""
        found: set[str] = set()
        waiting = [wanted]
        while waiting:
            section = waiting.pop()
            if section not in found:
                found.add(section)
                own = [piece for piece in self.pieces if piece.section == section and piece.kind == OPTION]
                waiting += references(own)
        return found

    def latest(self, options: Sequence[Piece]) -> dict[tuple[str, str], Piece]:
        """The last line of each option that keeps one value, by section and name."""
        found = {}
        for piece in options:
            option = option_of(piece)
            if option is not None and not option.keeps_all:
                found[piece.section, option.name] = piece
        return found

    # ---- Piece by piece -------------------------------------------------------------------------------

    def kept(self) -> Iterator[Kept]:
        """The pieces that are written, with their notes."""
        blank = True
        for piece in self.pieces:
            if piece.section not in self.sections and piece.section:
                # Somebody else's section, which may have rules of its own: not a blank is changed.
                yield Kept(piece._replace(kind=FOREIGN))
                continue
            if piece.kind == BLANK and blank:
                continue  # one blank line is enough
            blank = piece.kind in (BLANK, HEADER)
            if piece.kind != OPTION:
                yield Kept(piece)
            else:
                yield self.option(piece)

    def option(self, piece: Piece) -> Kept:
        """An option, or the note in its place."""
        option = option_of(piece)
        if option is None:
            return self.unknown(piece)
        if option.language or piece.key in WORDS or piece.key in self.declared:
            return Kept(piece)
        return self.setting(piece, option)

    def setting(self, piece: Piece, option: Option) -> Kept:
        """An option that sets something, now or one day."""
        reason, stays = verdict(option, piece)
        harmless = not wanting(option, piece)
        used = not self.referred.isdisjoint(option.names)
        later = self.last.get((piece.section, option.name), piece)
        if not used and later is not piece:
            return self.dropped(piece, f"line {later.number} says it again, and counts")
        if not (used or stays):
            return self.dropped(piece, reason, "" if harmless else UNSUPPORTED)
        if harmless or not reason:
            return self.spelled(piece, option, (), used)
        self.say(piece, f"kept, not acted on: {reason}", UNSUPPORTED)
        return self.spelled(piece, option, comment(f"not acted on: {reason}"), used)

    def spelled(self, piece: Piece, option: Option, notes: tuple[str, ...], used: bool) -> Kept:
        """An option under its first name, its value without what is no part of it."""
        value = piece.value
        if not value and option.kind == FLAG:
            value = "true"
        tail = TAIL.fullmatch(value or "")
        if tail and number(option, tail[1]) and number(option, tail[1]) == number(option, value or ""):
            notes = (*comment(tail[2]), *notes)
            value = tail[1]
        renamed = piece.key != option.name and not used and lookup(option.name) is option
        return Kept(piece._replace(key=option.name if renamed else piece.key, value=value), notes)

    def unknown(self, piece: Piece) -> Kept:
        """A key that is no option: a placeholder, a word for the application, or a slip."""
        if piece.key == "app" and not piece.value:
            return Kept(None)  # what the old <app mountpoint> leaves behind beside its mount
        if piece.key in self.declared or piece.key in self.referred or piece.key in ENDS:
            return Kept(piece)
        near = self.slips.near(piece.key)
        if near and not self.open:
            return self.dropped(piece, f"there is no such option{near}", UNKNOWN)
        return Kept(piece)

    def dropped(self, piece: Piece, reason: str, kind: str = "") -> Kept:
        """The note in the place of an option; a finding where something was asked for that is not done."""
        value = "" if piece.value is None else f" = {piece.value}"
        if kind:
            self.say(piece, f"dropped: {reason}", kind)
        return Kept(None, comment(f"dropped: {piece.key}{value} ({reason})".replace("\n", " ")))

    def say(self, piece: Piece, text: str, kind: str) -> None:
        """Add a finding about a line."""
        at, file = piece.number, self.name if piece.number else ""
        place = f"{self.name}:{at}" if at else self.name
        self.findings.append(Finding(WARNING, kind, text, piece.key, piece.value, place, file, at))


def option_of(piece: Piece) -> Option | None:
    """The option that a key means."""
    return lookup(meant(RawOption(piece.key, piece.value, "", "file", piece.number)))


def referred(options: Sequence[Piece]) -> Iterator[str]:
    """The names that values refer to."""
    for piece in options:
        for words in REFERENCE.findall(piece.value or ""):
            yield from words.split()
        if piece.key in ("if-opt", "if-not-opt"):
            yield str(piece.value).partition("=")[0]


def verdict(option: Option, piece: Piece) -> tuple[str, bool]:
    """Why an option has no effect, "" where it has one; and whether it stays for what is to come."""
    if option.name in PLUGINS:
        return plugins.reason(piece.value or "") or option.reason, False
    if option.state == ACTED_ON:
        return "", True
    return option.reason, bool(option.later)


def wanting(option: Option, piece: Piece) -> bool:
    """Whether an option asks for anything, as far as can be told before placeholders are filled in."""
    if option.name in PLUGINS or option.state != UNSUPPORTED_STATE:
        return option.state != HARMLESS
    try:
        return asks(option, piece.value)
    except ValueError:
        return True


def number(option: Option, text: str) -> object:
    """The value of a number's text; None where it is no number, or not one."""
    if option.kind not in NUMBERS and option.name not in COUNTED:
        return None
    try:
        return str(read(option, text)[0])
    except ValueError:
        return None
