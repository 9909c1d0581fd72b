"""What is noted of each rule, for one who looks on."""

from penstock.serve.routing.table import compile_rules
from penstock.serve.routing.tools import Tools
from penstock.serve.routing.trace import Trace
from tests.serve.routing.ground import ENVIRON, Ground

RULES = """
route = ^/x last:
route = ^/(a)(z)? addvar:NAME=$1
route-run = goto:end
route-run = addvar:NEVER=1
route-label = end
route-if = equal:${NAME};a last:
"""


def test_each_rule_says_whether_it_matched_and_what_it_did() -> None:
    ground = Ground(RULES)
    ground.call = ground.fresh({})
    trace = Trace()
    ground.rules.request(ground.call, ground.environ, trace)
    assert [str(step) for step in trace.steps] == [
        "[request 0] route = ^/x last: (x.ini:1): no match",
        "[request 1] route = ^/(a)(z)? addvar:NAME=$1 (x.ini:2): matched $1='a' $2='', next NAME='a'",
        "[request 2] route-run = goto:end (x.ini:3): matched, goto 4",
        "[request 5] route-if = equal:${NAME};a last: (x.ini:6): matched, continue",
    ]
    assert trace.steps[1].groups == ("/a", "a", "")


def test_looking_on_changes_nothing() -> None:
    seen, unseen = Ground(RULES), Ground(RULES).walk()
    seen.call = seen.fresh({})
    assert seen.rules.request(seen.call, seen.environ, Trace()) == unseen.flow
    assert seen.environ == unseen.environ


def test_every_phase_is_noted() -> None:
    rules = "route-run = log:\nresponse-route-run = log:\nerror-route-run = log:\nfinal-route-run = log:"
    ground = Ground(rules)
    call, trace = ground.fresh({}), Trace()
    ground.rules.request(call, call.environ, trace)
    call.begin("200 OK", [])
    ground.rules.erred(call, 200, trace)
    ground.rules.respond(call, trace)
    ground.rules.final(call, trace)
    assert [step.table for step in trace.steps] == ["request", "error", "response", "final"]


def test_a_line_for_each_rule_of_each_request() -> None:
    lines: list[str] = []
    said = [("route", "^/x last:", "x.ini:1"), ("route-run", "last:", "x.ini:2")]
    rules = compile_rules(said, Tools(), lines.append)
    call = Ground("").fresh({})
    rules.request(call, call.environ)
    line = f"GET {ENVIRON['REQUEST_URI']}: "
    assert lines == [
        f"{line}[request 0] route = ^/x last: (x.ini:1): no match",
        f"{line}[request 1] route-run = last: (x.ini:2): matched, continue",
    ]
    assert rules.quiet is None
