"""All rules of a server: four tables, one for each phase, compiled at boot and walked for each request.

Walked by pool threads, which change nothing of it. It knows the order of rules, labels and ``goto``; what a
rule asks and does is the rule's own.

Where uWSGI leaves a client without a reply there is one here: ``break:`` without a status before anything
was begun is 403, a ``goto`` that leads nowhere is 500. Rules that run while a reply is made may replace it;
by a bare ``break:`` of a response rule it loses its body, by one of an error rule nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.codecs.http1_reply import BadReply
from penstock.serve.routing.flow import BREAK, CONTINUE, ERROR, FINAL, JUMP, NEXT, REQUEST, RESPONSE
from penstock.serve.routing.rule import NUMBER, Rule, make_rule, phase_of, step_of
from penstock.serve.routing.safety import Overlong
from penstock.serve.routing.skipping import heads_of, quiet_of, runs, size_of
from penstock.serve.routing.template import constant_of
from penstock.serve.routing.tools import Act, Tools
from penstock.serve.routing.trace import Step, Trace
from penstock.serve.routing.turn import Turn

if TYPE_CHECKING:
    from penstock.serve.finish.call import FinishedCall

Environ = dict[str, Any]

WALL = "goto: can only jump forward, to a label or a rule that stands below it"
LINE = ("PATH_INFO", "REQUEST_URI", "QUERY_STRING")  # what comes in a request's first line


class RuleErrors(ValueError):
    """Rules that cannot be. ``errors``: (origin, message) of each, in the order of the rules."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{origin}: {message}" for origin, message in errors))
        self.errors = list(errors)


class Table:
    """The rules of one phase.

    ``walk(turn)`` gives CONTINUE, also behind the last rule, or BREAK. ``rules`` are there to be looked at.
    """

    def __init__(self, rules: Sequence[Rule], tools: Tools) -> None:
        self.rules = tuple(rules)
        self.tools = tools
        self.labels: dict[str, int] = {}
        for rule in rules:
            if rule.kind == "label":
                self.labels.setdefault(rule.name, rule.number)
        self.acts = [self.act_of(rule) for rule in rules]
        self.where: list[int] = []
        self.steps: list[Act] = []
        self.arrange()

    # ---- At boot ----------------------------------------------------------------------------------

    def arrange(self) -> None:
        """Put down the steps: each rule's, and before a run of rules the look that may skip it."""
        ends = dict(runs(self.rules))
        for rule, act in zip(self.rules, self.acts, strict=True):
            end = ends.get(rule.number)
            if end is not None:
                self.steps.append(self.gate(self.rules[rule.number : end]))
            self.where.append(len(self.steps))
            if act is not None:
                self.steps.append(step_of(rule, act))
        self.where.append(len(self.steps))

    def gate(self, rules: Sequence[Rule]) -> Act:
        """Past all of ``rules`` at once where their subject begins as none of them wants it to."""
        subject = rules[0].subject
        heads = heads_of(rules)
        size, cut = size_of(heads)
        past = JUMP + len(self.steps) + 1 + sum(rule.kind != "label" for rule in rules)

        def look(turn: Turn) -> int:
            text = turn.get(subject)
            return NEXT if text[:size] in cut and text.startswith(heads) else past

        return look

    def act_of(self, rule: Rule) -> Act | None:
        """What a rule does; None for a label."""
        if rule.kind == "label":
            return None
        return rule.act if rule.act is not None else self.jump(rule)

    def jump(self, rule: Rule) -> Act:
        """``goto``: to a label, or else to the rule of that number, below."""
        label, warn = self.tools.template(rule.argument), self.tools.warn
        fixed = constant_of(rule.argument)
        if fixed is not None and self.target(fixed, rule.argument) <= rule.number:
            warn("", f"{rule.origin}: {rule.option} = {rule.said}: {WALL}; there is no {fixed!r}")

        def leap(turn: Turn) -> int:
            target = self.target(label(turn), rule.argument)
            if target > rule.number:
                return JUMP + self.where[min(target, len(self.rules))]
            warn(f"goto {rule.origin}", f"{rule.origin}: {WALL}: {label(turn)!r}")
            return self.stranded(turn)

        return leap

    def target(self, label: str, argument: str) -> int:
        """The number of the rule that is meant."""
        number = NUMBER.match(argument)
        return self.labels.get(label, int(number[1]) if number else 0)

    def stranded(self, turn: Turn) -> int:
        """A walk that cannot go on."""
        return turn.page(500) if self.tools.phase == REQUEST else BREAK

    # ---- For each request -------------------------------------------------------------------------

    def walk(self, turn: Turn) -> int:
        """Run the rules. What a request made impossible to send is answered 400; what is longer than a regex
        may be asked about 414, or 431 for a field."""
        try:
            return self.run(turn) if turn.trace is None else self.run_watched(turn, turn.trace)
        except BadReply as error:
            return self.refuse(turn, 400, f"a rule's reply is not sent: {error}")
        except Overlong as error:
            long = any(len(turn.get(name)) > error.limit for name in LINE)
            return self.refuse(turn, 414 if long else 431, f"too long for a rule's regex: {error}")

    def refuse(self, turn: Turn, code: int, why: str) -> int:
        """The request is at fault."""
        self.tools.warn("", f"{turn.call.line()}: {why}")
        return BREAK if self.tools.phase == FINAL else turn.page(code)

    def run(self, turn: Turn) -> int:
        """The walk as it is in service."""
        steps, at = self.steps, 0
        end = len(steps)
        while at < end:
            flow = steps[at](turn)
            if flow == NEXT:
                at += 1
            elif flow < JUMP:
                return flow
            else:
                at = flow - JUMP
        return CONTINUE

    def run_watched(self, turn: Turn, trace: Trace) -> int:
        """The same, rule by rule, with what happens noted."""
        at = 0
        while at < len(self.rules):
            rule, act = self.rules[at], self.acts[at]
            at += 1
            if act is None:
                continue
            turn.match = None
            if rule.test is not None and not rule.test(turn):
                trace.note(self.noted(rule, turn, False, "", {}))
                continue
            before = dict(turn.environ)
            flow = act(turn)
            if flow >= JUMP:
                at = self.where.index(flow - JUMP)
                trace.note(self.noted(rule, turn, True, f"goto {at}", before))
                continue
            trace.note(self.noted(rule, turn, True, ("next", "continue", "break")[flow], before))
            if flow != NEXT:
                return flow
        return CONTINUE

    def noted(self, rule: Rule, turn: Turn, matched: bool, flow: str, before: Environ) -> Step:
        """A step of the trace."""
        match, changed = turn.match, []
        for name, value in turn.environ.items() if matched else ():
            if isinstance(value, str) and before.get(name) != value:
                changed.append((name, value))
        groups = (match[0], *(text or "" for text in match.groups())) if match is not None else ()
        return Step(
            rule.phase,
            rule.number,
            rule.origin,
            rule.option,
            rule.said,
            matched,
            groups,
            flow,
            tuple(changed),
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """The tables of a server; None for a phase without rules.

    ``debug``  called with a line for each rule of each request; None in ordinary service
    ``quiet``  whether none of the rules for requests can be for the request with this environ: such a request
               needs no walk, nor a call that rules could touch. None where only a walk can tell
    """

    requests: Table | None = None
    responses: Table | None = None
    errors: Table | None = None
    finals: Table | None = None
    debug: Callable[[str], None] | None = None
    quiet: Callable[[Environ], bool] | None = None

    def request(self, call: "FinishedCall", environ: Environ, trace: Trace | None = None) -> int:
        """Before the application: CONTINUE, or BREAK when the request has been answered.

        Raises what an action raises: Disconnected, OSError, BodyError.
        """
        if self.requests is None:
            return CONTINUE
        flow = self.walk(self.requests, call, environ, trace)
        if flow == BREAK and not call.finished:
            if call.fields is None and not call.sent_head:
                call.page(403)
            else:
                call.end()
        return flow

    def respond(self, call: "FinishedCall", trace: Trace | None = None) -> None:
        """When a reply's head is made: rules edit it, or reply themselves instead."""
        if self.responses is None:
            return
        if self.walk(self.responses, call, call.environ, trace) == BREAK and not call.sent_head:
            # What uWSGI does: the head goes out, the body does not. Its declared length may not, either.
            kept = [pair for pair in call.pairs if pair[0].lower() != "content-length"]
            call.erring = True  # the error rules have seen this head
            call.begin(call.status.decode("latin-1"), kept)
            call.whole(b"")

    def erred(self, call: "FinishedCall", code: int, trace: Trace | None = None) -> bool:
        """When a reply has its status: whether rules have replied instead.

        uWSGI asks them at every status, the application's and that of a 200 too, not at errors alone. The
        status is ``call.status_code`` already; ``code`` says the same.
        """
        if self.errors is None:
            return False
        self.walk(self.errors, call, call.environ, trace)
        return call.sent_head

    def final(self, call: "FinishedCall", trace: Trace | None = None) -> None:
        """Behind the reply, before its log line. Raises nothing: there is nobody to hear of it."""
        if self.finals is None:
            return
        try:
            self.walk(self.finals, call, call.environ, trace)
        except Exception as error:
            self.finals.tools.warn("", f"{call.line()}: a final-route rule failed: {error!r}")

    def walk(self, table: Table, call: "FinishedCall", environ: Environ, trace: Trace | None) -> int:
        """One table; what happens is said where that is asked for."""
        if self.debug is None or trace is not None:
            return table.walk(Turn(call, environ, trace))
        seen = Trace()
        try:
            return table.walk(Turn(call, environ, seen))
        finally:
            for step in seen.steps:
                self.debug(f"{call.line()}: {step}")


def compile_rules(
    rules: Sequence[tuple[str, str, str]], tools: Tools, debug: Callable[[str], None] | None = None
) -> Rules:
    """The tables of (option, value, origin) in file order. Raises RuleErrors with all that is wrong."""
    made: dict[str, list[Rule]] = {REQUEST: [], RESPONSE: [], ERROR: [], FINAL: []}
    errors: list[tuple[str, str]] = []
    for option, said, origin in rules:
        try:
            phase = phase_of(option)[0]
            beside = made[phase]
            of_rule = tools.in_phase(phase).of_rule(origin, f"{option} = {said}")
            beside.append(make_rule(option, said, origin, len(beside), of_rule))
        except ValueError as error:
            errors.append((origin, f"{option} = {said}: {error}"))
    if errors:
        raise RuleErrors(errors)
    requests, responses, failures, finals = (
        Table(each, tools.in_phase(phase)) if each else None for phase, each in made.items()
    )
    return Rules(
        requests, responses, failures, finals, debug, quiet_of(made[REQUEST]) if debug is None else None
    )
