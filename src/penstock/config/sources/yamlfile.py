"""YAML as uWSGI built with libyaml reads it: every value is the text that is written, lists repeat the key.

Run in a reading child (``isolated``), where alone PyYAML is imported. What PyYAML refuses is read by the
line rules of uWSGI's embedded parser, as most installations of uWSGI do. It knows no option.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from penstock.config.sources.lines import DEEPEST, Parsed, Sheet, SyntaxFault, plain, ruler

if TYPE_CHECKING:
    from yaml import Event, ScalarEvent

BLANK = " \t\r"


def parse(text: str, section: str) -> Parsed:
    """The options of the top level's ``section`` ("" is ``uwsgi``). Raises SyntaxFault.

    Values are never None. ``key:`` with nothing behind it is dropped with a warning, as libyaml's build does.
    """
    text = plain(text)
    wanted = section or "uwsgi"
    try:
        return Walk(text, wanted).parsed()
    except SyntaxFault:
        raise
    except Exception as error:  # PyYAML raises ValueError and others besides its own for odd escapes
        number, problem = described(error, ruler(text))
    sheet = Sheet()
    sheet.warn(number, f"no YAML ({problem}): read line by line, as uWSGI's embedded parser does")
    embedded(text, wanted, sheet)
    if not sheet.lines:
        raise SyntaxFault(f"no YAML: {problem}", number)
    return sheet.parsed()


def described(error: Exception, line: Callable[[int], int]) -> tuple[int, str]:
    """Line and words of what PyYAML said."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    at = getattr(error, "position", None) if mark is None else mark.index
    return (0 if at is None else line(at)), str(problem).replace("\n", " ")


class Deep(SyntaxFault):
    """More levels than are looked into."""


class Walk:
    """One pass over a text's events: nothing is composed, so that nothing can be multiplied by aliases."""

    def __init__(self, text: str, wanted: str) -> None:
        import yaml

        self.yaml = yaml
        self.line = ruler(text)
        self.wanted = wanted
        self.sheet = Sheet()
        self.anchors: dict[str, ScalarEvent | None] = {}
        self.read = yaml.parse(text, Loader=yaml.SafeLoader)
        self.events = self.noted(self.read)

    def parsed(self) -> Parsed:
        """What stands in the wanted section of every document. Raises SyntaxFault and PyYAML's faults."""
        try:
            return self.walked()
        except Deep:
            raise
        except SyntaxFault:
            for _ in self.read:  # what PyYAML refuses further on is no YAML, and so no fault of its meaning
                pass
            raise

    def walked(self) -> Parsed:
        """What stands in the wanted section of every document."""
        for event in self.events:
            if isinstance(event, self.yaml.MappingStartEvent):
                self.top()
            else:
                self.skip(event)
        if not self.sheet.lines:
            self.sheet.warn(0, f"no section {self.wanted}:, or nothing in it")
        return self.sheet.parsed()

    def noted(self, events: "Iterator[Event]") -> "Iterator[Event]":
        """Events with aliases of single values replaced, and depth watched."""
        yaml, depth = self.yaml, 0
        for event in events:
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise Deep(f"nested deeper than {DEEPEST} levels", self.at(event))
            if isinstance(event, yaml.AliasEvent):
                yield self.resolved(event)
                continue
            if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
                self.anchors[event.anchor] = event if isinstance(event, yaml.ScalarEvent) else None
            yield event

    def resolved(self, alias: Any) -> "Event":
        """The value that an alias stands for, in the alias's place."""
        name = str(alias.anchor)
        if name not in self.anchors:
            raise self.yaml.composer.ComposerError(None, None, f"undefined alias *{name}", alias.start_mark)
        said = self.anchors[name]
        if said is None:
            raise SyntaxFault(
                f"*{name} stands for a list or a mapping: write its options out", self.at(alias)
            )
        return self.yaml.ScalarEvent(
            None, said.tag, said.implicit, said.value, alias.start_mark, alias.end_mark, said.style
        )

    def at(self, event: Any) -> int:
        """The line on which an event begins; PyYAML's own count takes other characters for line ends."""
        return self.line(event.start_mark.index)

    def pairs(self) -> "Iterator[tuple[Event, Event]]":
        """Keys and first events of values of a mapping that has begun; the caller takes the values whole."""
        for key in self.events:
            if isinstance(key, self.yaml.MappingEndEvent):
                return
            self.skip(key)
            yield key, next(self.events)

    def skip(self, event: "Event") -> None:
        """Pass over the rest of what an event begins."""
        depth = int(isinstance(event, self.yaml.CollectionStartEvent))
        while depth:
            event = next(self.events)
            depth += isinstance(event, self.yaml.CollectionStartEvent)
            depth -= isinstance(event, self.yaml.CollectionEndEvent)

    def top(self) -> None:
        for key, value in self.pairs():
            if getattr(key, "value", None) != self.wanted:
                self.skip(value)
            elif isinstance(value, self.yaml.MappingStartEvent):
                self.options()
            elif not self.nothing(value):
                raise SyntaxFault(f"{self.wanted}: a mapping of options is expected", self.at(value))

    def options(self) -> None:
        """The pairs of a mapping; the keys of mappings inside are options like those around them."""
        for key, value in self.pairs():
            number = self.at(key)
            if not isinstance(key, self.yaml.ScalarEvent):
                raise SyntaxFault("a list or a mapping is no name of an option", number)
            if key.value == "<<" and key.implicit[0]:
                raise SyntaxFault("merging (<<) is not supported: write the options out", number)
            self.value(key.value, value, number)

    def value(self, key: str, event: "Event", number: int) -> None:
        if isinstance(event, self.yaml.MappingStartEvent):
            self.sheet.warn(number, f"{key} holds a mapping: its keys are read as options, {key} is not")
            self.options()
        elif isinstance(event, self.yaml.SequenceStartEvent):
            for item in self.events:
                if isinstance(item, self.yaml.SequenceEndEvent):
                    return
                self.value(key, item, self.at(item))
        elif self.nothing(event):
            self.sheet.warn(number, f"{key} has no value and is dropped, as in uWSGI: write {key}: ''")
        elif isinstance(event, self.yaml.ScalarEvent):
            self.sheet.add(key, event.value, number)

    def nothing(self, event: "Event") -> bool:
        """Whether nothing at all is written where a value may stand."""
        return isinstance(event, self.yaml.ScalarEvent) and event.implicit[0] and event.value == ""


def embedded(text: str, wanted: str, sheet: Sheet) -> None:
    """The rules of ``pip install uwsgi``: ``key: value`` lines below ``section:``, up to one that is none.

    A ``#`` ends its line anywhere, quotes stay. Carriage returns at the end go, which uWSGI leaves.
    """
    inside = False
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.partition("#")[0]
        body = line.strip(BLANK)
        outer = line[:1] not in BLANK
        if inside and line and outer:
            return
        if not body or outer == inside:
            continue
        if not inside:
            inside = body[0] not in "-[{" and ":" in body and body.partition(":")[0] == wanted
        elif body[0] in "-[{" or not (pair := divided(line.lstrip(BLANK))):
            sheet.warn(number, f"uWSGI's embedded parser reads nothing from here on: {body}")
            return
        else:
            sheet.add(*pair, number)


def divided(line: str) -> tuple[str, str] | None:
    """Key and value around the first ``: ``, or around a colon and a tab; None where there is neither."""
    for colon in (": ", ":\t"):
        key, found, value = line.partition(colon)
        if found:
            return key.rstrip(BLANK), value.strip(BLANK)
    return None
