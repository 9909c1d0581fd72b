"""Actions that end a walk, write to the log, and touch the reply: uWSGI's own, but for variables.

Built at boot, run by pool threads. They know a turn; how a reply is framed and sent is the call's.
"""

import os
import re
from typing import TYPE_CHECKING

from penstock.codecs.http1_reply import REASONS
from penstock.serve.routing.actions.before import say_before
from penstock.serve.routing.flow import BREAK, CONTINUE, ERROR, NEXT, RESPONSE
from penstock.serve.routing.template import constant_of
from penstock.serve.routing.turn import Turn, path_of
from penstock.serve.wsgi.call import visible

if TYPE_CHECKING:
    from penstock.serve.routing.tools import Act, Builder, Tools

STATUS = re.compile(r"[2-9][0-9]{2}(?: .*)?")
TEXTS = {
    **REASONS,
    203: "Non-Authoritative Information",
    205: "Reset Content",
    300: "Multiple Choices",
    305: "Use Proxy",
    402: "Payment Required",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    412: "Precondition Failed",
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    416: "Requested Range Not Satisfiable",
    418: "I'm a teapot",
    422: "Unprocessable Entity",
    425: "Too Early",
    428: "Precondition Required",
    451: "Unavailable For Legal Reasons",
    509: "Bandwidth Limit Exceeded",
    511: "Network Authentication Required",
}
"""What ``return:`` says for a status: uWSGI's words where it has some."""


# ---- Flow -----------------------------------------------------------------------------------------


def last(argument: str, tools: "Tools") -> "Act":
    """``last:``, ``continue:``: on to the application."""
    return lambda turn: CONTINUE


def broken(argument: str, tools: "Tools") -> "Act":
    """``break:``, or ``break:403 Forbidden``: the end, with that status and no body. The text is taken as it
    is; with less than a status what becomes of the request is the table's."""
    if len(argument) < 3:
        return lambda turn: BREAK
    status = checked(argument)
    return lambda turn: turn.reply(status, [("Connection", "close"), ("Content-Type", "text/plain")], b"")


def returned(argument: str, tools: "Tools") -> "Act":
    """``return:404``: the end, with that status and its text as the body."""
    status = checked(argument)
    text = TEXTS.get(int(status[:3]), "Unknown")
    line, body = f"{status[:3]} {text}", text.encode("ascii")
    headers = [("Content-Type", "text/plain")]
    return lambda turn: turn.reply(line, list(headers), body)


def checked(argument: str) -> str:
    """A status line that can be sent. Raises ValueError."""
    if STATUS.fullmatch(argument) is None:
        raise ValueError(f"a status is three digits, and a text after a space, not {argument!r}")
    if argument[4:]:
        return argument
    code = int(argument[:3])
    return f"{code} {TEXTS.get(code, 'Unknown')}"


# ---- The log --------------------------------------------------------------------------------------


def log(argument: str, tools: "Tools") -> "Act":
    """``log:text``: a line in the log, in which no client can begin another."""
    text, info = tools.template(argument), tools.info

    def act(turn: Turn) -> int:
        info(shown(text(turn)))
        return NEXT

    return act


def shown(text: str) -> str:
    """Carried text for the log: UTF-8 where it is, controls but tabs spelled out."""
    decoded = text.encode("latin-1", "backslashreplace").decode("utf-8", "backslashreplace")
    return "\t".join(map(visible, decoded.split("\t")))


def donotlog(argument: str, tools: "Tools") -> "Act":
    """``donotlog:``: no access line for this request."""

    def act(turn: Turn) -> int:
        turn.call.touches.logged = False
        return NEXT

    return act


def logvar(argument: str, tools: "Tools") -> "Act":
    """``logvar:name=text``: a word for the access line."""
    name, equal, value = argument.partition("=")
    if not equal or not name:
        raise ValueError(f"logvar: takes NAME=TEXT, not {argument!r}")
    text = tools.template(value)

    def act(turn: Turn) -> int:
        turn.call.touches.logvars[name] = text(turn)
        return NEXT

    return act


# ---- The reply ------------------------------------------------------------------------------------


def addheader(argument: str, tools: "Tools") -> "Act":
    """``addheader:Name: value``: into whatever reply comes. One that cannot be sent is left out there."""
    fixed = constant_of(argument)
    if fixed is not None and not fixed.partition(":")[0].strip():
        raise ValueError(f"addheader: takes NAME: VALUE, not {argument!r}")
    if fixed is not None and ":" not in fixed:
        raise ValueError(f"addheader: takes NAME: VALUE, not {argument!r}")
    text = tools.template(argument)

    def act(turn: Turn) -> int:
        name, _, value = text(turn).partition(":")
        turn.call.touches.added.append((name.strip(), value.strip(" \t")))
        return NEXT

    return act


def delheader(argument: str, tools: "Tools") -> "Act":
    """``delheader:Name``: not out of the application's reply, nor another's."""
    text = tools.template(argument)

    def act(turn: Turn) -> int:
        turn.call.touches.removed.add(text(turn).lower())
        return NEXT

    return act


def clearheaders(argument: str, tools: "Tools") -> "Act":
    """``clearheaders:404 Not Found``: begin a reply, without fields; the application may begin another."""
    text = tools.template(argument)

    def act(turn: Turn) -> int:
        turn.call.begin(text(turn), [])
        return NEXT

    return act


def disableheaders(argument: str, tools: "Tools") -> "Act":
    """``disableheaders:``: no head is sent, only the body."""

    def act(turn: Turn) -> int:
        turn.call.touches.headers_off = True
        return NEXT

    return act


def sender(end: str) -> "Builder":
    """``send:``, ``send-crnl:``: body bytes, now. uWSGI sends them without any head where none was begun;
    here 200 goes before them. The application's own head is lost behind them, as there. Where a reply has
    begun they come between its head and its body."""

    def build(argument: str, tools: "Tools") -> "Act":
        text = tools.template(argument)
        within = tools.phase in (RESPONSE, ERROR)

        def act(turn: Turn) -> int:
            call = turn.call
            if within:
                if not call.sent_head:
                    say_before(call, (text(turn) + end).encode("latin-1"))
                return NEXT
            if call.fields is None:
                call.begin("200 OK", [])
            call.block((text(turn) + end).encode("latin-1"))
            return NEXT

        return act

    return build


# ---- The process ----------------------------------------------------------------------------------


def chdir(argument: str, tools: "Tools") -> "Act":
    """``chdir:folder``: for the whole process, all its threads, and from then on; 500 where it fails."""
    text = tools.template(argument)

    def act(turn: Turn) -> int:
        folder = path_of(text(turn))
        try:
            os.chdir(folder)
        except (OSError, ValueError) as error:
            tools.warn("", f"chdir:{folder!r}: {error}")
            return turn.page(500)
        return NEXT

    return act


def setprocname(argument: str, tools: "Tools") -> "Act":
    """``setprocname:text``: the process's title."""
    text = tools.template(argument)

    def act(turn: Turn) -> int:
        tools.title(text(turn))
        return NEXT

    return act


def harakiri(argument: str, tools: "Tools") -> "Act":
    """``harakiri:seconds``: from now on, for this request; 0 changes nothing."""
    if not argument.strip().isdecimal():
        raise ValueError(f"harakiri: takes seconds, not {argument!r}")
    seconds = int(argument)

    def act(turn: Turn) -> int:
        if seconds:
            turn.call.x.set_deadline(seconds)
        return NEXT

    return act


ACTIONS: "dict[str, Builder]" = {
    "last": last,
    "continue": last,
    "break": broken,
    "return": returned,
    "break-with-status": returned,
    "log": log,
    "donotlog": donotlog,
    "logvar": logvar,
    "addheader": addheader,
    "delheader": delheader,
    "remheader": delheader,
    "clearheaders": clearheaders,
    "resetheaders": clearheaders,
    "disableheaders": disableheaders,
    "send": sender(""),
    "send-crnl": sender("\r\n"),
    "chdir": chdir,
    "setprocname": setprocname,
    "harakiri": harakiri,
}
