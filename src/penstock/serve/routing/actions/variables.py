"""Actions that write the request's variables, which the rules that follow and the application read.

Built at boot, run by pool threads. They know the environ of their request, nothing of the reply.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from penstock.serve.routing.flow import NEXT
from penstock.serve.routing.turn import Turn

if TYPE_CHECKING:
    from penstock.serve.routing.tools import Act, Builder, Tools

NUMBER = re.compile(r"[ \t]*([+-]?[0-9]{1,18})")
PLAIN = ("0", "30")
"""modifier1 of a WSGI request; with 30, uWSGI split SCRIPT_NAME off PATH_INFO before Python 3."""


def number_of(text: str) -> int:
    """The number that a text begins with, 0 without one."""
    found = NUMBER.match(text)
    return int(found[1]) if found else 0


def setter(variable: str) -> "Builder":
    """``set…:text``: one variable."""

    def build(argument: str, tools: "Tools") -> "Act":
        text = tools.template(argument)

        def act(turn: Turn) -> int:
            turn.environ[variable] = text(turn)
            return NEXT

        return act

    return build


def unloaded(name: str, variable: str) -> "Builder":
    """``setfile:``, ``sethome:``: from where uWSGI would load an application that it does not have yet. Here
    all are loaded at the start, so only the variable is set, and that is said."""

    def build(argument: str, tools: "Tools") -> "Act":
        tools.warn(name, f"{name}: loads no application here, it sets {variable} alone; name it with mount")
        return setter(variable)(argument, tools)

    return build


def addvar(argument: str, tools: "Tools") -> "Act":
    """``addvar:NAME=text``."""
    name, equal, value = argument.partition("=")
    if not equal or not name:
        raise ValueError(f"addvar: takes NAME=TEXT, not {argument!r}")
    if name.startswith(("wsgi.", "penstock.")):
        hint = "; setscheme: sets it" if name == "wsgi.url_scheme" else ""
        raise ValueError(f"addvar: {name} is set by the server alone{hint}")
    return setter(name)(value, tools)


def setuser(argument: str, tools: "Tools") -> "Act":
    """``setuser:name``; what follows a colon is cut off, so that ``name:password`` will do."""
    text = tools.template(argument)

    def act(turn: Turn) -> int:
        turn.environ["REMOTE_USER"] = text(turn).partition(":")[0]
        return NEXT

    return act


def setscheme(argument: str, tools: "Tools") -> "Act":
    """``setscheme:https``: what the application takes the client's scheme to be."""
    text = tools.template(argument)

    def act(turn: Turn) -> int:
        scheme = text(turn)
        turn.environ["UWSGI_SCHEME"] = scheme
        turn.environ["wsgi.url_scheme"] = scheme
        return NEXT

    return act


def fixpathinfo(argument: str, tools: "Tools") -> "Act":
    """``fixpathinfo:``: as many characters off PATH_INFO as SCRIPT_NAME has."""

    def act(turn: Turn) -> int:
        script = turn.get("SCRIPT_NAME")
        if script:
            turn.environ["PATH_INFO"] = turn.get("PATH_INFO")[len(script) :]
        return NEXT

    return act


def setmodifier1(argument: str, tools: "Tools") -> "Act":
    """``setmodifier1:0``: which of uWSGI's plugins answers; there is one here."""
    if argument.strip() not in PLAIN:
        raise ValueError(f"setmodifier1:{argument} asks for another plugin of uWSGI's; here it is 0, or 30")
    return nothing(argument, tools)


def setmodifier2(argument: str, tools: "Tools") -> "Act":
    """``setmodifier2:n``: means nothing to a WSGI application."""
    if not argument.strip().isdecimal():
        raise ValueError(f"setmodifier2: takes a number, not {argument!r}")
    return nothing(argument, tools)


def nothing(argument: str, tools: "Tools") -> "Act":
    """Go on."""
    return lambda turn: NEXT


def add(number: int, by: int) -> int:
    """The sum."""
    return number + by


def subtract(number: int, by: int) -> int:
    """The difference."""
    return number - by


def multiply(number: int, by: int) -> int:
    """The product."""
    return number * by


def divide(number: int, by: int) -> int:
    """The quotient, cut to a whole number as in C; 0 by 0. (uWSGI 2.0 multiplies.)"""
    if not by:
        return 0
    whole = abs(number) // abs(by)
    return whole if (number < 0) == (by < 0) else -whole


def arithmetic(sign: str, reckon: Callable[[int, int], int]) -> "Builder":
    """``+:NAME,text`` and its like; by 1 without a text. What is no number is 0, and so is a variable that
    there is not; uWSGI ends the request without a reply then."""

    def build(argument: str, tools: "Tools") -> "Act":
        name, comma, value = argument.partition(",")
        if not name:
            raise ValueError(f"{sign}: takes NAME,NUMBER, not {argument!r}")
        by = tools.template(value if comma else "1")

        def act(turn: Turn) -> int:
            turn.environ[name] = str(reckon(number_of(turn.get(name)), number_of(by(turn))))
            return NEXT

        return act

    return build


ACTIONS: "dict[str, Builder]" = {
    "addvar": addvar,
    "setapp": setter("UWSGI_APPID"),
    "setuser": setuser,
    "sethome": unloaded("sethome", "UWSGI_HOME"),
    "setfile": unloaded("setfile", "UWSGI_FILE"),
    "setscriptname": setter("SCRIPT_NAME"),
    "setmethod": setter("REQUEST_METHOD"),
    "seturi": setter("REQUEST_URI"),
    "setremoteaddr": setter("REMOTE_ADDR"),
    "setpathinfo": setter("PATH_INFO"),
    "fixpathinfo": fixpathinfo,
    "setdocroot": setter("DOCUMENT_ROOT"),
    "setscheme": setscheme,
    "setmodifier1": setmodifier1,
    "setmodifier2": setmodifier2,
    "+": arithmetic("+", add),
    "-": arithmetic("-", subtract),
    "*": arithmetic("*", multiply),
    "/": arithmetic("/", divide),
}
