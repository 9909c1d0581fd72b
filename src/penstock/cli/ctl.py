"""``penstock ctl``: commands to a server that runs, and what it answers.

Runs in the command alone. Which commands there are says the supervisor's table.
"""

import json
import re
import sys
from typing import Any

from penstock.cli.words import FAILED, Asked, Misused
from penstock.config.finding import visible
from penstock.config.judge import surroundings
from penstock.core.errors import StartError
from penstock.process.pidfile import number_in
from penstock.process.supervisor import client
from penstock.process.supervisor.client import Call, NoServer, Silent
from penstock.process.supervisor.commands import COMMANDS, MOST, Command, by_verb
from penstock.process.supervisor.figures import lines_of, requests_lines, stacks_lines
from penstock.process.supervisor.looking import LONGEST
from penstock.process.supervisor.places import running

NO_SERVER = 3
ADDRESSES = ("--socket", "--pid", "--pidfile")
KNOWN = {
    **{"--socket": "*", "--pid": "*", "--pidfile": "*", "--json": "", "--now": ""},
    **{"--seconds": "*", "--worker": "*", "-o": "*"},
}
OF = {"profile": ("--seconds", "--worker", "-o"), "stacks": ("--worker",)}
"""Flags of single commands."""


def ctl(asked: Asked) -> int:
    """Do a command; the exit status: 0 done, 1 not, 3 there is no such server. Raises Misused."""
    command, count = meant(asked)
    more = extra(command, asked)
    try:
        with Call(address(asked)) as call:
            reply = done(command, {"count": count, **more}, call)
            if command.name.startswith("stop") and reply.get("ok"):
                client.wait_until_gone(call.pid, call)
                reply["text"] = "the server has ended"
            if command.name == "profile" and reply.get("ok"):
                keep(reply, asked, call.pid)
    except (NoServer, StartError) as error:
        reply = {"ok": False, "code": NO_SERVER, "text": str(error)}
    except Silent as error:
        reply = {"ok": False, "code": FAILED, "text": str(error)}
    except KeyboardInterrupt:
        reply = {"ok": False, "code": FAILED, "text": "not waited for; the server goes on with it"}
    return told(reply, "--json" in asked.flags)


def done(command: Command, more: dict[str, Any], call: Call) -> dict[str, Any]:
    """Ask, and wait for the end. Raises Silent."""
    if command.name == "upgrade":
        return client.upgraded(call)
    return call.ask({"command": command.name, **more})


def keep(reply: dict[str, Any], asked: Asked, pid: int) -> None:
    """Write a profile's files; as JSON only where somebody names them. The reply says how that went."""
    where = asked.flags.get("-o", "")
    if "--json" in asked.flags and not where:
        return
    from penstock.cli.profile import written

    try:
        reply["text"] = written(reply.get("profile") or [], where, pid)
    except OSError as error:
        reply |= {"ok": False, "code": FAILED, "text": f"{error.filename}: {error.strerror}"}


# ---- What is meant --------------------------------------------------------------------------------------


def meant(asked: Asked) -> tuple[Command, int]:
    """The command that the words are, and its number. Raises Misused."""
    words, count = list(asked.files), 1
    if words[:1] == ["workers"] and len(words) == 3:
        count = number(words[2])
        words[2] = "N"
    if "--now" in asked.flags:
        words.append("--now")
    command = by_verb(" ".join(words))
    if command is None:
        known = ", ".join(one.verb for one in COMMANDS if one.verb)
        raise Misused(f"{' '.join(words) or 'no command'}: one of these is expected: {known}")
    return command, count


def extra(command: Command, asked: Asked) -> dict[str, Any]:
    """What flags add to a command. Raises Misused for one that it does not have."""
    flags = asked.flags
    for flag in (flag for flag in flags if flag in ("--seconds", "--worker", "-o")):
        if flag not in OF.get(command.name, ()):
            raise Misused(f"{flag}: {command.verb} has no such option")
    more: dict[str, Any] = {}
    if "--seconds" in flags:
        more["seconds"] = seconds(flags["--seconds"])
    if "--worker" in flags:
        more["worker"] = number(flags["--worker"])
    return more


def seconds(text: str) -> float:
    """A time. Raises Misused."""
    if re.fullmatch(r"\d{1,4}(\.\d{1,3})?", text, re.ASCII) and 0 < float(text) <= LONGEST:
        return float(text)
    raise Misused(f"--seconds: a number up to {LONGEST:g} is expected, not {text}")


def number(text: str) -> int:
    """A number of workers. Raises Misused."""
    if not (text.isascii() and text.isdecimal() and len(text) < 5 and 1 <= int(text) <= MOST):
        raise Misused(f"workers: a number from 1 to {MOST} is expected, not {text}")
    return int(text)


def address(asked: Asked) -> str:
    """The path of the control socket that is meant. Raises Misused, NoServer and StartError."""
    given = [(flag, asked.flags[flag]) for flag in ADDRESSES if flag in asked.flags]
    if len(given) > 1:
        raise Misused(f"{' and '.join(flag for flag, _ in given)} exclude each other")
    if not given:
        return client.the_only_one(running(surroundings()))
    flag, value = given[0]
    if flag == "--socket":
        return value
    if flag == "--pidfile":
        return client.of_process(number_in("pidfile", value), surroundings())
    if not (value.isascii() and value.isdecimal() and len(value) < 10):
        raise Misused(f"--pid: a number is expected, not {value}")
    return client.of_process(int(value), surroundings())


# ---- What is said ---------------------------------------------------------------------------------------


def told(reply: dict[str, Any], as_json: bool) -> int:
    """Print how a command ended; the exit status."""
    ok, code = bool(reply.get("ok")), reply.get("code")
    if as_json:
        reply.pop("is", None)
        print(json.dumps(reply, indent=2))
    else:
        for line in shown(reply):
            print(visible(line), file=sys.stdout if ok else sys.stderr)
    if ok:
        return 0
    return NO_SERVER if code == NO_SERVER else FAILED


def shown(reply: dict[str, Any]) -> list[str]:
    """A reply for people."""
    if isinstance(reply.get("status"), dict) and not reply.get("text"):
        return lines_of(reply["status"])
    if isinstance(reply.get("view"), dict):
        from penstock.cli import topview

        return topview.lines_of(reply["view"], topview.Wish(width=1000, height=100))
    if isinstance(reply.get("requests"), list):
        return requests_lines(reply["requests"])
    if isinstance(reply.get("stacks"), list):
        return stacks_lines(reply["stacks"])
    lines = str(reply.get("text", "")).splitlines()
    if reply.get("ok"):
        return lines
    first, *more = lines or ["it failed"]
    return [f"penstock: {first}", *more]
