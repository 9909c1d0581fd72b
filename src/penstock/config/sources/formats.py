"""The formats by name: which one a file has, and one way to read them all.

Run in the starting process; every format but ini is read in a child (``isolated``), so that neither yaml nor
pyexpat, json or tomllib is loaded here, and our own part of each only where it is needed: start-up time
counts. It does not know where a text came from or what options mean.
"""

from collections.abc import Callable
from importlib import import_module

from penstock.config.sources.lines import Line, Parsed, SyntaxFault, plain

ENDINGS = {
    **{".ini": "ini", ".xml": "xml", ".yaml": "yaml", ".yml": "yaml"},
    **{".json": "json", ".js": "json", ".toml": "toml"},
}
PARSERS = {"ini": "ini", "xml": "xmlfile", "yaml": "yamlfile", "json": "jsonfile", "toml": "tomlfile"}
"""The modules that read them; each has a ``parse``."""


def format_of(name: str) -> str:
    """``ini``, ``xml``, ``yaml``, ``json`` or ``toml`` by a name's ending, in any case; "" for others."""
    name = name.lower()
    return next((kind for ending, kind in ENDINGS.items() if name.endswith(ending)), "")


def parse(kind: str, text: str, section: str, name: str = "", mode: str = "") -> Parsed:
    """The options of a text in their order.

    ``kind`` is one of ``format_of``; ``section`` "" means the usual one; ``name`` tells pyproject.toml, where
    that is ``[tool.penstock]``; ``mode`` is uWSGI's option so named, which only xml looks at. Raises
    SyntaxFault, within about a second, and KeyError for a kind that is none.
    """
    parser: Callable[..., Parsed] = import_module(f"penstock.config.sources.{PARSERS[kind]}").parse
    if kind == "ini":
        return parser(text, section)
    from penstock.config.sources.isolated import Overrun, isolated

    text = plain(text)
    if kind == "toml" and not section and name.rpartition("/")[2] == "pyproject.toml":
        section = "tool.penstock"
    try:
        answer = isolated(outcome, parser, (text, section, mode) if kind == "xml" else (text, section))
    except Overrun as overrun:
        raise SyntaxFault(f"cannot be read: {overrun.message}") from None
    return restored(answer)


def outcome(parser: Callable[..., Parsed], words: tuple[str, ...]) -> tuple[object, ...]:
    """What a parser gives or raises, as data that can leave the child."""
    try:
        parsed = parser(*words)
    except SyntaxFault as fault:
        return fault.message, fault.line
    return tuple(map(tuple, parsed.lines)), parsed.warnings


def restored(answer: object) -> Parsed:
    """The parser's result again. Raises the SyntaxFault that it raised."""
    assert isinstance(answer, tuple)
    first, second = answer
    if isinstance(first, str):
        raise SyntaxFault(first, second)
    return Parsed(tuple(Line(*line) for line in first), second)
