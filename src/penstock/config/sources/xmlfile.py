"""XML as uWSGI built with libxml2 reads it: the children of ``<uwsgi>`` are options, empty ones say 1.

Run in a reading child (``isolated``), where alone defusedxml is imported; entities and external files are
refused. It knows no option but the old ``<app mountpoint>``, which uWSGI turns into ``mount``.
"""

from collections.abc import Callable, Mapping
from typing import Any

from penstock.config.sources.lines import DEEPEST, Parsed, Sheet, SyntaxFault, plain, ruler


def parse(text: str, section: str, mode: str = "") -> Parsed:
    """The options of the first ``<uwsgi>`` whose id is ``section``, or that has none. Raises SyntaxFault.

    ``mode``: uWSGI's option; elements with another ``mode`` attribute are left out. Values are never None.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    octets = plain(text).encode()
    line = ruler(octets)
    target = Target(section, mode)
    # The encoding that the file declares has been undone where it was read.
    parser: Any = DefusedXMLParser(target=target, encoding="utf-8", forbid_external=True)
    expat = target.expat = parser.parser
    target.line = lambda: line(expat.CurrentByteIndex)
    expat.StartCdataSectionHandler = expat.EndCdataSectionHandler = target.cdata
    try:
        parser.feed(octets)
        parser.close()
    except ParseError as error:
        raise SyntaxFault(f"no XML: {error}".partition(": line ")[0], line(expat.ErrorByteIndex)) from None
    except DefusedXmlException as error:
        raise SyntaxFault(f"refused: {type(error).__name__}, {entity(error)}", target.line()) from None
    if not target.found:
        named = f' with id "{section}" or without one' if section else ""
        raise SyntaxFault(f"no element <uwsgi>{named}")
    return target.sheet.parsed()


def entity(error: Exception) -> str:
    """What a refusal is about, without what the file would have it say."""
    name = getattr(error, "name", None) or getattr(error, "sysid", None) or "?"
    return f'"{name}" is declared: write the text itself'


class Child:
    """An element right below ``<uwsgi>``: its first text, and that of its first element."""

    def __init__(self, tag: str, words: Mapping[str, str], number: int) -> None:
        self.tag, self.words, self.number = tag, words, number
        self.texts: list[str | None] = [None, None]
        self.done = [False, False]
        self.inner = 0

    def take(self, level: int, text: str) -> None:
        """More of the text at a level, 0 or 1, unless the first text there has ended."""
        if level < 2 and not self.done[level]:
            self.texts[level] = (self.texts[level] or "") + text

    def cut(self, level: int) -> None:
        """Something that is no text stands here: what came before it was the first text."""
        if level < 2 and self.texts[level] is not None:
            self.done[level] = True


class Target:
    """Takes the parser's events and keeps one child at a time."""

    def __init__(self, section: str, mode: str) -> None:
        self.section, self.mode = section, mode
        self.sheet = Sheet()
        self.expat: Any = None
        self.line: Callable[[], int] = int  # of the event at hand
        self.depth = 0
        self.root = 0  # depth of the <uwsgi> that is being read
        self.found = False
        self.child: Child | None = None
        self.loose: list[str] | None = None  # of a CDATA section right below <uwsgi>

    def start(self, tag: str, words: Mapping[str, str]) -> None:
        """An element begins: the one that is looked for, an option, or something inside an option."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise SyntaxFault(f"nested deeper than {DEEPEST} levels", self.line())
        name = tag.rpartition("}")[2]
        if self.child:
            self.child.cut(self.depth - self.root - 2)
            self.child.inner += 1
        elif self.root:
            self.child = Child(name, words, self.line())
        elif name == "uwsgi" and not self.found and (self.depth == 1 or self.meant(words)):
            self.found, self.root = True, self.depth

    def meant(self, words: Mapping[str, str]) -> bool:
        """Whether an element's id, if it has one, is the one that was asked for."""
        return not self.section or words.get("id", self.section) == self.section

    def end(self, _tag: str) -> None:
        """An element ends; an option is complete."""
        level = self.depth - self.root
        if self.child and level == 1:
            self.complete(self.child)
            self.child = None
        elif self.child:
            self.child.cut(level - 1)
            if level == 2:  # only the first element inside counts
                self.child.done[1] = True
        elif self.root == self.depth:
            self.root = 0
        self.depth -= 1

    def data(self, text: str) -> None:
        """Text, which expat gives in pieces."""
        if self.child:
            self.child.take(self.depth - self.root - 1, text)
        elif self.loose is not None:
            self.loose.append(text)

    def comment(self, _text: str) -> None:
        """A comment divides the text around it."""
        if self.child:
            self.child.cut(self.depth - self.root - 1)

    def pi(self, _target: str, _data: str | None = None) -> None:
        """A processing instruction divides like a comment."""
        self.comment("")

    def cdata(self) -> None:
        """A CDATA section begins or ends: a text of its own; right below ``<uwsgi>``, it is ``eval``."""
        if self.child:
            self.comment("")
        elif self.loose is not None:
            self.sheet.add("eval", "".join(self.loose), self.line())
            self.loose = None
        elif self.root == self.depth and self.root:
            self.loose = []

    def close(self) -> None:
        """The document is complete."""

    def complete(self, child: Child) -> None:
        """Turn an element into its options."""
        words, number = child.words, child.number
        if not self.meant(words) or (self.mode and words.get("mode", self.mode) != self.mode):
            return
        if child.tag == "app":
            self.application(child)
        elif child.texts[0] is not None or not child.inner:
            self.sheet.add(child.tag, "1" if child.texts[0] is None else child.texts[0], number)
        if child.inner and child.tag != "app":
            self.sheet.warn(number, f"elements inside <{child.tag}> are not read")

    def application(self, child: Child) -> None:
        """``<app mountpoint="/x"><module>m</module></app>`` is ``mount = /x=m`` and an empty ``app``."""
        own, inner = child.texts
        module = own if inner is None else inner
        if module is not None:
            point, domain = child.words.get("mountpoint"), child.words.get("domain")
            where = f"{point}=" if point is not None else f"{domain}|=" if domain is not None else ""
            self.sheet.add("mount", where + module, child.number)
        self.sheet.add("app", "", child.number)
