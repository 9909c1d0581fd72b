"""Rules that can never run, told from the rules alone, before any request.

Used by the verbs and at boot. It says only what is certain: whoever reads it has made a mistake in each case.
It does not run rules.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from penstock.serve.routing.flow import REQUEST
from penstock.serve.routing.prefix import prefix_of
from penstock.serve.routing.template import constant_of

if TYPE_CHECKING:
    from penstock.serve.routing.rule import Rule
    from penstock.serve.routing.table import Rules

ENDING = frozenset(
    (
        *("last", "continue", "break", "return", "break-with-status", "rewrite-last"),
        *("redirect", "redirect-302", "redirect-permanent", "redirect-301"),
        *("static", "file", "sendfile", "fastfile"),
        *("http", "httpdumb", "proxyhttp", "uwsgi", "proxyuwsgi"),
    )
)
"""Actions behind which no rule of the phase runs, whatever the request."""

KEEPING = ENDING | frozenset(
    (
        *("log", "donotlog", "logvar", "donotoffload", "addheader", "delheader", "remheader", "clearheaders"),
        *("resetheaders", "disableheaders", "send", "send-crnl", "setprocname", "harakiri", "flush", "fixcl"),
        *("forcecl", "expires", "chunked", "gzip", "offload", "tofile", "to-file", "template", "goto"),
        *("static-next", "file-next", "sendfile-next", "fastfile-next"),
    )
)
"""Actions that leave all variables as they are, so that a condition finds what it found before."""

ALWAYS = frozenset((".*", "^", "^.*", "(.*)", "^(.*)", ""))
"""Regexes that match whatever they are shown."""

PLAIN = re.compile(r"(\^[\w/@:%=&~, -]*)(?:\(\.\*\)|\.\*)?", re.ASCII)
SETTERS = ("rewrite", "setpathinfo", "fixpathinfo")
FIRST = ("/", "*")  # what PATH_INFO begins with, unless a rule has set it

Found = tuple[str, str]
"""A rule's origin, and why it never runs."""


def never(rules: "Rules") -> list[Found]:
    """The rules that never run, with the reason, in their order by phase."""
    tables = (rules.requests, rules.responses, rules.errors, rules.finals)
    return [found for table in tables if table is not None for found in in_phase(table.rules)]


def in_phase(rules: Sequence["Rule"]) -> Iterator[Found]:
    """Those of one phase."""
    landings = landing(rules)
    before: list[Rule] = []
    path_is_set = False
    for rule in rules:
        if rule.kind == "label":
            # Whoever comes here by a jump has not met the rules above.
            before = [] if landings is None or rule.name in landings else before
            continue
        why = shadowed(rule, before) or ("" if path_is_set else impossible(rule))
        if why:
            yield rule.origin, f"{rule.option} = {rule.said}: can never run: {why}"
        before = [*(before if rule.name in KEEPING else unconditional(before)), rule]
        path_is_set = path_is_set or rule.phase != REQUEST or sets_path(rule)


def landing(rules: Iterable["Rule"]) -> frozenset[str] | None:
    """The labels that a ``goto`` may lead to; None where any may: one goes to a variable, or a number."""
    names = set()
    for rule in rules:
        if rule.name == "goto" and rule.kind != "label":
            fixed = constant_of(rule.argument)
            if fixed is None or fixed.strip()[:1].isdigit():
                return None
            names.add(fixed)
    return frozenset(names)


def shadowed(rule: "Rule", before: Iterable["Rule"]) -> str:
    """Why rules above end each walk that would come to this one; "" where none does."""
    for above in before:
        if above.name not in ENDING:
            continue
        if is_always(above):
            return f"{above.name}: at {above.origin} ends the walk before it, always"
        if rule.subject and condition(above) == condition(rule):
            return f"whatever it is for, {above.name}: at {above.origin} ends the walk before it"
        if covers(above, rule):
            return (
                f"{above.said.split(' ')[0]} at {above.origin} matches whatever it matches, and ends the walk"
            )
    return ""


def unconditional(rules: Iterable["Rule"]) -> "list[Rule]":
    """Those that need no look at variables."""
    return [rule for rule in rules if is_always(rule)]


def is_always(rule: "Rule") -> bool:
    """Whether it is a rule's turn for each request."""
    return rule.kind == "run" or (bool(rule.subject) and rule.said.partition(" ")[0] in ALWAYS)


def condition(rule: "Rule") -> tuple[str, str]:
    """What a rule asks, as written."""
    return rule.kind, rule.said.partition(" ")[0]


def covers(above: "Rule", rule: "Rule") -> bool:
    """Whether one is for whatever begins so, and the other's regex wants a longer beginning of the same."""
    plain = PLAIN.fullmatch(above.said.partition(" ")[0])
    if plain is None or not above.subject or above.subject != rule.subject:
        return False
    return bool(rule.prefix) and rule.prefix.startswith(prefix_of(plain[1]))


def sets_path(rule: "Rule") -> bool:
    """Whether an action may set PATH_INFO, to whatever."""
    return rule.name in SETTERS or "PATH_INFO" in rule.argument


def impossible(rule: "Rule") -> str:
    """Why a regex fits no path; "" where it may."""
    if rule.subject != "PATH_INFO" or not rule.prefix or rule.prefix.startswith(FIRST):
        return ""
    return f"a path begins with a slash, and {rule.said.partition(' ')[0]} with none"
