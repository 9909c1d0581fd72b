"""Texts with ``$1``, ``${VAR}`` and ``${function[argument]}`` in them, compiled once at boot.

What it compiles to is called by pool threads. It knows the syntax and uWSGI's odd corners of it: a single
digit is a capture, ``$$`` stays as it is, a ``$`` at the very end of an action's text goes, what is not
closed stays. What comes out of a capture is never looked at again: uWSGI expands a ``${…}`` of a client's.
"""

from collections.abc import Callable, Iterator, Sequence

from penstock.serve.routing.functions import FUNCTIONS, Asked, Known, function_of
from penstock.serve.routing.turn import Turn

Text = Callable[[Turn], str]
Piece = str | Text


def carried(text: str) -> str:
    """A rule's text as the environ carries text: its UTF-8 bytes, one character for each."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def compile_template(text: str, known: Known, captures: bool = True) -> Text:
    """What ``text`` says for a request. ``captures``: ``$1`` means one; conditions have none.

    Raises ValueError for a function that is not offered here.
    """
    pieces = pieces_of(text, known, captures)
    if not pieces:
        return constant("")
    if len(pieces) == 1:
        only = pieces[0]
        return constant(only) if isinstance(only, str) else only

    def say(turn: Turn) -> str:
        return "".join([piece if isinstance(piece, str) else piece(turn) for piece in pieces])

    return say


def constant_of(text: str, captures: bool = True) -> str | None:
    """What a text says in any case; None where that depends on the request."""
    pieces = split(text, captures)
    if all(kind == "" for kind, _ in pieces):
        return "".join(piece for _, piece in pieces)
    return None


def doubts(text: str, groups: int | None) -> Iterator[str]:
    """What of an action's text is empty for every request. ``groups``: how many its rule's regex captures, 0
    without one, None where nobody knows."""
    said = f"{groups} is" if groups == 1 else f"{groups or 'nothing'} {'are' if groups else 'is'}"
    for kind, piece in split(text, captures=True):
        if kind == "$" and groups is not None and int(piece) > groups:
            yield f"${piece} is always empty: {said} captured here"
        name, bracket, _ = piece.partition("[")
        if kind == "{" and bracket and piece.endswith("]") and name not in FUNCTIONS:
            yield f"${{{piece}}} is looked for as a variable: there is no function {name}[…]"


def constant(text: str) -> Text:
    """Says ``text``."""
    return lambda turn: text


def pieces_of(text: str, known: Known, captures: bool) -> list[Piece]:
    """Literals, and what is asked of each request."""
    pieces: list[Piece] = []
    for kind, piece in split(text, captures):
        if kind == "$":
            pieces.append(capture(int(piece)))
        elif kind == "{":
            pieces.append(variable(piece, known, captures))
        elif piece:
            pieces.append(piece)
    return pieces


def split(text: str, captures: bool) -> list[tuple[str, str]]:
    """The text's parts: ("", literal), ("$", digit) or ("{", what is between the braces)."""
    parts: list[tuple[str, str]] = []
    at, literal = 0, ""
    while at < len(text):
        kind, piece, at = part(text, at, captures)
        if kind == "":
            literal += piece
            continue
        parts += [("", literal), (kind, piece)]
        literal = ""
    return [*parts, ("", literal)]


def part(text: str, at: int, captures: bool) -> tuple[str, str, int]:
    """The part that begins at ``at``, and where the next one does."""
    if text[at] != "$":
        end = text.find("$", at)
        end = len(text) if end < 0 else end
        return "", text[at:end], end
    after = text[at + 1 : at + 2]
    if after == "{":
        end = text.find("}", at)
        return ("", text[at:], len(text)) if end < 0 else ("{", text[at + 2 : end], end + 1)
    if captures:
        if after.isdigit():
            return "$", after, at + 2
        if not after:
            return "", "", at + 1
    return "", text[at : at + 2], at + 2


def capture(number: int) -> Piece:
    """A group of the regex that has matched; "" where there is no such group, or it took no part."""

    def say(turn: Turn) -> str:
        match = turn.match
        if match is None:
            return ""
        try:
            return match.group(number) or ""
        except IndexError:
            return ""

    return say


def variable(text: str, known: Known, captures: bool) -> Piece:
    """What is between braces: a variable, or a function with its argument."""
    name, bracket, argument = text.partition("[")
    if bracket and text.endswith("]"):
        ask = function_of(name, known)
        if ask is not None:
            return asked(ask, pieces_of(argument[:-1], known, captures))
    if "$" not in text:
        return lambda turn: turn.get(text)
    return asked(Turn.get, pieces_of(text, known, captures))


def asked(ask: Asked, pieces: Sequence[Piece]) -> Piece:
    """A function of the request, or a look at its variables; the argument may have captures in it."""
    if all(isinstance(piece, str) for piece in pieces):
        text = "".join(str(piece) for piece in pieces)
        return lambda turn: ask(turn, text)

    def say(turn: Turn) -> str:
        return ask(turn, "".join([piece if isinstance(piece, str) else piece(turn) for piece in pieces]))

    return say
