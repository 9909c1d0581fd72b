"""One rule as it was written, taken apart: whose turn it is, on what condition, and what it does.

Made at boot from one option and its value; the closures that it is compiled to run on pool threads. It knows
the syntax of rules; which rule follows which is the table's.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from penstock.serve.routing.actions.names import builder_of, condition_of
from penstock.serve.routing.flow import ERROR, FINAL, NEXT, REQUEST, RESPONSE
from penstock.serve.routing.prefix import prefix_of
from penstock.serve.routing.template import carried
from penstock.serve.routing.tools import Act, Test, Tools
from penstock.serve.routing.turn import Turn

PHASES = {"response-": RESPONSE, "error-": ERROR, "final-": FINAL}
SUBJECTS = {
    "": "PATH_INFO",
    "host": "HTTP_HOST",
    "uri": "REQUEST_URI",
    "qs": "QUERY_STRING",
    "remote-addr": "REMOTE_ADDR",
    "user-agent": "HTTP_USER_AGENT",
    "referer": "HTTP_REFERER",
    "remote-user": "REMOTE_USER",
}
"""By the end of the option's name: the variable that the regex looks at."""

Search = Callable[[str], re.Match[str] | None]
OTHER_KINDS = ("if", "if-not", "status", "run", "label")
NUMBER = re.compile(r"\s*([+-]?\d+)")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule.

    ``kind``     what ends the option's name: one of SUBJECTS, or of OTHER_KINDS
    ``subject``  the variable that its regex looks at, "" without a regex
    ``prefix``   what that must begin with to match, "" where nothing is known of it
    ``search``   its regex's, None without one
    ``test``     whether it is the rule's turn, asked with no match in ``turn``; sets one. None: always
    ``act``      what it does; None for a label, and for ``goto``
    ``name``, ``argument``  its action's, as written; a label's own name for a label
    """

    phase: str
    number: int
    option: str
    said: str
    origin: str
    kind: str
    subject: str = ""
    prefix: str = ""
    search: Search | None = None
    test: Test | None = None
    act: Act | None = None
    name: str = ""
    argument: str = ""


def phase_of(option: str) -> tuple[str, str]:
    """The phase and the kind of a rule, by its option's name. Raises ValueError for another option."""
    for start, phase in PHASES.items():
        if option.startswith(start):
            return phase, kind_of(option, option.removeprefix(start))
    return REQUEST, kind_of(option, option)


def kind_of(option: str, rest: str) -> str:
    """What follows ``route-``."""
    head, _, kind = rest.partition("-")
    if head != "route" or (kind not in SUBJECTS and kind not in OTHER_KINDS):
        raise ValueError(f"{option} is no option of rules")
    return kind


def make_rule(option: str, said: str, origin: str, number: int, tools: Tools) -> Rule:
    """Compile a rule; ``tools`` are those of its phase. Raises ValueError in one line."""
    phase, kind = phase_of(option)
    if kind == "label":
        return Rule(phase, number, option, said, origin, kind, name=carried(said))
    text = carried(said)
    condition = ""
    if kind != "run":
        condition, space, text = text.partition(" ")
        if not space:
            raise ValueError(
                f"{option} takes {EXPECTED.get(kind, 'REGEX')} and, after a space, ACTION:ARGUMENTS"
            )
    name, colon, argument = text.partition(":")
    if not colon:
        raise ValueError(f"an action is NAME:ARGUMENTS, with its colon, not {text!r}")
    subject = SUBJECTS.get(kind, "")
    test, search, groups = None, None, 0
    if kind in SUBJECTS:
        regex = tools.regex(condition)
        search, groups = regex.search, regex.groups
        test = regex_test(search, subject)
    elif kind != "run":
        test = status_test(condition) if kind == "status" else condition_test(condition, kind, tools)
    known = None if condition.startswith("regexp:") else groups
    act = None if name == "goto" else builder_of(name)(argument, replace(tools, groups=known))
    prefix = prefix_of(condition) if subject else ""
    return Rule(phase, number, option, said, origin, kind, subject, prefix, search, test, act, name, argument)


EXPECTED = {"if": "CONDITION:ARGUMENTS", "if-not": "CONDITION:ARGUMENTS", "status": "STATUS"}


def regex_test(search: Search, subject: str) -> Test:
    """Whether a variable matches; one that there is not is empty."""

    def test(turn: Turn) -> bool:
        turn.match = match = search(turn.get(subject))
        return match is not None

    return test


def status_test(text: str) -> Test:
    """Whether the reply has that status (a number; what follows it is not looked at, as in C)."""
    found = NUMBER.match(text)
    if found is None:
        raise ValueError(f"a status is a number, not {text!r}")
    status = int(found[1])
    return lambda turn: turn.call.status_code == status


def condition_test(text: str, kind: str, tools: Tools) -> Test:
    """A condition, or its opposite."""
    name, colon, arguments = text.partition(":")
    if not colon:
        raise ValueError(f"a condition is NAME:ARGUMENTS, with its colon, not {text!r}")
    found = condition_of(name)(arguments.split(";", 1), tools)
    return found if kind == "if" else lambda turn: not found(turn)


def step_of(rule: Rule, act: Act) -> Act:
    """The whole rule as one function, which is what ordinary service calls."""
    test = rule.test
    if rule.search is not None and rule.phase == REQUEST:
        return regex_step(rule.search, rule.subject, act)

    def step(turn: Turn) -> int:
        turn.match = None  # captures of an earlier rule are not this one's
        return act(turn) if test is None or test(turn) else NEXT

    return step


def regex_step(search: Search, subject: str, act: Act) -> Act:
    """The same with a regex, in one piece: most rules are such, and most do not match. Before the application
    has had the environ: what stands there is text."""

    def step(turn: Turn) -> int:
        match = search(turn.environ.get(subject, ""))
        if match is None:
            return NEXT
        turn.match = match
        return act(turn)

    return step
