"""Files of configuration, from an address to lines that know where they stand: fetched, glued with what is
injected, magic letters put in, parsed. Runs at start; it knows no option.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from penstock.config.finding import MISSING_PATH, SYNTAX
from penstock.config.language.limits import DEEPEST, MOST_FILES, MOST_TEXT, Endless
from penstock.config.language.magic import LONGEST, Magic, Overgrown
from penstock.config.sources.fetch import Document, FetchFault, fetch, split_address
from penstock.config.sources.formats import format_of, parse
from penstock.config.sources.lines import SyntaxFault


class Unreadable(Exception):
    """A file that gives nothing; ``kind`` is the finding's, ``file`` and ``line`` say where, if known."""

    def __init__(self, kind: str, message: str, file: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.kind, self.message, self.file, self.line = kind, message, file, line


class Placed(NamedTuple):
    """A key and its value with the file and the line it was written in."""

    key: str
    value: str | None
    file: str
    line: int


class Remark(NamedTuple):
    """Something worth a warning about a line of a file."""

    file: str
    line: int
    message: str


@dataclass(eq=False, repr=False)
class Files:
    """What was read so far, and what is read with every file.

    ``names``   every file that was read, in order
    ``before`` and ``after``  addresses whose text is glued to each file (``inject-before``)
    ``remarks`` what is worth a warning; whoever reads them takes them out
    ``open``    addresses of the files that are being read, one inside the other
    ``mode``    uWSGI's option so named, which only xml looks at
    """

    names: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    magic: Magic = field(default_factory=Magic)
    open: list[str] = field(default_factory=list)
    mode: str = ""
    characters: int = 0
    last: dict[str, Document] = field(default_factory=dict)

    def read(self, address: str, kind: str) -> list[Placed]:
        """The lines of a file; ``kind`` is its format, "" by its name; ``:section`` is the last file again.

        Raises Unreadable, and Endless where files include each other for ever.
        """
        if len(self.open) >= DEEPEST:
            raise Endless(f"files include each other more than {DEEPEST} deep: {' > '.join(self.open[-4:])}")
        if len(self.names) >= MOST_FILES:
            raise Endless(f"more than {MOST_FILES} files are read")
        kind = kind or format_of(split_address(address)[0])
        if not kind:
            raise Unreadable(SYNTAX, "its name does not end in a format's: .ini .xml .yaml .yml .json .toml")
        document = self.document(address, kind)
        self.names.append(document.name)
        try:
            text, places = self.text(document)
        except Overgrown:
            raise Endless(f"the text grows beyond {LONGEST >> 20} MB with its magic letters put in") from None
        return self.lines(kind, text, document, places)

    def document(self, address: str, kind: str) -> Document:
        """What stands at an address. Raises Unreadable."""
        if address.startswith(":") and kind in self.last:
            self.magic.of_section(address[1:])
            return self.last[kind]._replace(section=address[1:])
        document = fetched(address, kind)
        self.last[kind] = document
        self.magic.of_file(document.name, document.section)
        return document

    def text(self, document: Document) -> tuple[str, "Places"]:
        """A document's text with what is injected and its magic letters put in, and where each line is from.

        Raises Unreadable, Endless and Overgrown.
        """
        places = Places()
        done: list[str] = []
        line = 1
        for part in self.parts(document):
            self.characters += len(part.text)
            if self.characters > MOST_TEXT:
                raise Endless(f"more than {MOST_TEXT >> 20} MB of configuration are read")
            expanded = self.magic.expand(part.text)
            places.add(line, part.name, expanded.joined)
            for at, letter in expanded.unknown:
                self.remarks.append(Remark(part.name, at, _taken_out(letter)))
            done.append(expanded.text)
            line += expanded.text.count("\n")
        return "".join(done), places

    def parts(self, document: Document) -> Iterator[Document]:
        """A document and what is injected, one after the other, so that never more than the bound is held.

        Raises Unreadable.
        """
        yield from (fetched(address, "") for address in self.before)
        yield document
        yield from (fetched(address, "") for address in self.after)

    def lines(self, kind: str, text: str, document: Document, places: "Places") -> list[Placed]:
        """Parse. Raises Unreadable."""
        try:
            parsed = parse(kind, text, document.section, document.name, self.mode)
        except SyntaxFault as fault:
            raise Unreadable(SYNTAX, fault.message, *places.of(fault.line)) from fault
        self.remarks += [Remark(*places.of(line), message) for line, message in parsed.warnings]
        return [Placed(line.key, line.value, *places.of(line.number)) for line in parsed.lines]


def _taken_out(letter: str) -> str:
    if letter == "\n":
        return "% at the end of a line takes the end with it; write %% to keep both"
    return f"%{letter} stands for nothing and is taken out; write %%{letter} to keep it"


def fetched(address: str, kind: str) -> Document:
    """What stands at an address. Raises Unreadable."""
    try:
        return fetch(address, kind)
    except FetchFault as fault:
        raise Unreadable(MISSING_PATH, fault.message) from fault


class Places:
    """From a line of the text that is parsed to the file and line it was written in.

    The two differ where text was injected, and behind a ``%`` that took its line break with it.
    """

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.from_: list[tuple[str, int]] = []

    def add(self, line: int, name: str, joined: tuple[int, ...]) -> None:
        """A part's text begins at ``line``; behind its lines ``joined`` a break is missing."""
        self.starts.append(line)
        self.from_.append((name, 1 - line))
        for missing, at in enumerate(joined, 1):
            self.starts.append(line + at)
            self.from_.append((name, 1 - line + missing))

    def of(self, line: int) -> tuple[str, int]:
        """File and line, both of them "" and 0 where the line is not known."""
        at = bisect_right(self.starts, max(line, 1)) - 1
        name, more = self.from_[at]
        return (name, line + more) if line > 0 else (name, 0)
