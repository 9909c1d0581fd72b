"""``penstock routes``: the rules of a configuration, and what they make of one request, without a server."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from penstock.cli.check import judged, line
from penstock.cli.paint import Paint
from penstock.cli.words import FAILED, Asked, Misused, following
from penstock.config.finding import ERROR
from penstock.config.settings import Settings
from penstock.core.errors import ProtocolError, StartError

if TYPE_CHECKING:
    from penstock.cli.rehearsal import Rehearsal
    from penstock.serve.routing.table import Rules
    from penstock.serve.routing.trace import Step

KNOWN = {"--try": "*", "--reply": "*", "--format": "text json", "--": ""}
REPEATED = {"-H": "header", "--header": "header", "--var": "variable"}
ORDER = ("request", "error", "response", "final")
BY = {
    "rules": "answered by the rules",
    "file": "answered with the file",
    "other server": "answered by the other server",
    "application": "answered by the application",
    "refused": "refused before any rule",
}


def apart(words: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """The words without the flags that may be there more than once, and what those say. Raises Misused."""
    found: dict[str, list[str]] = {"header": [], "variable": []}
    kept: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return [*kept, word, *rest], found
        name, equals, value = word.partition("=")
        if name in REPEATED:
            found[REPEATED[name]].append(value if equals else following(name, rest))
            continue
        kept.append(word)
        if name in KNOWN and not equals and rest:
            kept.append(rest.pop(0))
    return kept, found


def routes(asked: Asked, headers: Sequence[str] = (), variables: Sequence[str] = ()) -> int:
    """Show the rules, or with ``--try`` what they make of a request; the exit status: 1 where the
    configuration is wrong, or the request is refused before any rule. Raises Misused."""
    subjects = list(judged(asked))
    if len(subjects) != 1:
        raise Misused("one configuration is expected")
    paint = Paint()
    settings = subjects[0][1].settings
    if settings is None:
        for finding in subjects[0][1].findings:
            if finding.level == ERROR:
                print(line(finding, paint))
        return FAILED
    as_json = asked.flags.get("--format") == "json"
    try:
        if "--try" in asked.flags:
            return tried(settings, asked, (headers, variables), as_json)
        return listed(settings, as_json)
    except StartError as error:
        print("\n".join(paint(text, "error") for text in str(error).splitlines()))
        return FAILED


def listed(settings: Settings, as_json: bool) -> int:
    """The rules of each phase, and which of them can never run."""
    from penstock.cli.rehearsal import compiled
    from penstock.serve.routing.never import never

    notes: list[str] = []
    rules, _ = compiled(settings, notes)
    if rules is None:
        print("[]" if as_json else "no rules")
        return 0
    if as_json:
        import json

        print(json.dumps([dict(zip(NAMES, row, strict=True)) for row in rows(rules)], indent=2))
        return 0
    paint = Paint()
    for phase, number, origin, option, said in rows(rules):
        print(f"{paint(f'{phase:8} {number:3}', 'faint')}  {origin}: {paint(f'{option} = {said}', 'strong')}")
    for origin, text in never(rules):
        print(paint(f"{origin}: {text}", "warning"))
    for text in notes:
        print(paint(text, "warning"))
    return 0


NAMES = ("phase", "number", "origin", "option", "value")


def rows(rules: "Rules") -> Iterator[tuple[str, int, str, str, str]]:
    """Each rule, by phase."""
    for table in (rules.requests, rules.responses, rules.errors, rules.finals):
        for rule in () if table is None else table.rules:
            yield rule.phase, rule.number, rule.origin, rule.option, rule.said


def tried(settings: Settings, asked: Asked, given: tuple[Sequence[str], Sequence[str]], as_json: bool) -> int:
    """One request's way."""
    from penstock.cli.rehearsal import Rehearsal, rehearse, request_of

    reply = asked.flags.get("--reply", "200")
    if not (reply.isdecimal() and 200 <= int(reply) <= 999):
        raise Misused("--reply is the status of the application's reply: 200 to 999")
    said = asked.flags["--try"]
    try:
        request = request_of(said, *given)
        played = rehearse(settings, request, int(reply))
    except ProtocolError as error:
        played = Rehearsal(by="refused", status=str(error.status), notes=[error.reason])
    if as_json:
        import json

        print(json.dumps(as_data(played), indent=2))
    else:
        print("\n".join(page(said, played, Paint())))
    return FAILED if played.by == "refused" else 0


def as_data(played: "Rehearsal") -> dict[str, Any]:
    """The outcome for programs."""
    return {
        "by": played.by,
        "status": played.status,
        "headers": [list(pair) for pair in played.headers],
        "length": len(played.body),
        "steps": [{name: getattr(step, name) for name in step.__slots__} for step in played.steps.steps],
        "notes": played.notes,
        "environ": {name: value for name, value in played.environ.items() if isinstance(value, str)},
    }


def page(said: str, played: "Rehearsal", paint: Paint) -> Iterator[str]:
    """The outcome for people."""
    yield paint(said, "strong")
    phase = ""
    # A reply's rules run inside the action that replies; they are told behind the request's.
    for step in sorted(played.steps.steps, key=lambda step: ORDER.index(step.table)):
        if step.table != phase:
            phase = step.table
            yield f"{phase} rules:"
        yield from walked(step, paint)
    yield from (f"note: {paint(text, 'faint')}" for text in played.notes)
    yield f"{BY[played.by]}: {paint(played.status or 'no head', 'strong')}" + asked_for(played)
    yield from (f"    {paint(f'{name}: {value}', '')}" for name, value in played.headers if name != "Date")
    if played.body:
        yield f"    ({len(played.body)} octets of body)"


def asked_for(played: "Rehearsal") -> str:
    """What the application is asked, where it is."""
    if played.by != "application":
        return ""
    environ = played.environ
    names = ("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING")
    told = " ".join(f"{name}={environ.get(name, '')!r}" for name in names)
    return f" is supposed; it is asked {told}"


def walked(step: "Step", paint: Paint) -> Iterator[str]:
    """One rule's turn."""
    yield f"  {paint(f'{step.origin}:', 'faint')} {paint(f'{step.option} = {step.said}', '')}"
    if not step.matched:
        yield f"      {paint('no match', 'faint')}"
        return
    caught = "".join(f" ${at}={text!r}" for at, text in enumerate(step.groups) if at)
    yield f"      {paint('matched', 'good')}{caught}: {step.flow}"
    for name, value in step.changed:
        yield f"      {name} = {value!r}"
