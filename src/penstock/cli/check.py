"""``penstock check``: everything that is wrong with configurations, all at once, for people and programs."""

from collections.abc import Iterable, Iterator, Sequence

from penstock.cli.paint import Paint
from penstock.cli.words import FAILED, Asked, Misused
from penstock.config.finding import BAD_VALUE, ERROR, WARNING, Finding, visible
from penstock.config.judge import Judged, judge, words_for
from penstock.config.settings import ListenerSpec

LINE = "command line"


def check(asked: Asked) -> int:
    """Print the findings; the exit status: 1 for errors, with ``--strict`` for warnings too."""
    subjects = list(judged(asked))
    findings = [finding for _, result in subjects for finding in result.findings]
    form = asked.flags.get("--format", "text")
    if form == "json":
        import json

        print(json.dumps([as_data(finding) for finding in findings], indent=2))
    else:
        paint = Paint()
        lines = map(workflow, findings) if form == "github" else pages(subjects, paint)
        print("".join(f"{line}\n" for line in lines), end="")
    return FAILED if findings and "--strict" in asked.flags else worst(findings)


def pages(subjects: Iterable[tuple[str, Judged]], paint: Paint) -> Iterator[str]:
    """The lines about all of them."""
    for name, result in subjects:
        yield from text(name, result, paint)


def judged(asked: Asked) -> Iterator[tuple[str, Judged]]:
    """Each file by itself, or the command line behind ``--``. Raises Misused."""
    if asked.line is not None and asked.files:
        raise Misused("either files, or a command line behind --")
    if not asked.line and not asked.files:
        raise Misused("name a configuration file, or a command line behind --")
    if asked.line:
        program = asked.line[0].rpartition("/")[2] in ("uwsgi", "penstock")
        yield LINE, tried(judge(asked.line[1:] if program else asked.line))
    for file in asked.files:
        yield file, tried(judge(words_for(file), name=file))


def tried(result: Judged) -> Judged:
    """With what shows only where it is tried what the settings say."""
    return with_certificates(with_rules(result))


def with_rules(result: Judged) -> Judged:
    """The same, with what is wrong about its rules (``route`` and its like)."""
    if result.settings is None or not result.settings.rules:
        return result
    from penstock.cli.ruled import findings

    return beside(result, findings(result.settings))


def with_certificates(result: Judged) -> Judged:
    """The same, with what is wrong about certificates and keys; they are looked for from here."""
    if result.settings is None or not any(spec.protocol == "https" for spec in result.settings.listeners):
        return result
    from penstock.process.certificates import problems

    return beside(result, [unusable(*problem) for problem in problems(result.settings)])


def unusable(spec: ListenerSpec, text: str, doubtful: bool) -> Finding:
    """A finding about a listener; only a warning where it is ``doubtful``, since others may be let in."""
    file, _, line = spec.origin.rpartition(":")
    file, number = (file, int(line)) if line.isdecimal() else ("", 0)
    level = WARNING if doubtful else ERROR
    return Finding(level, BAD_VALUE, text, spec.option, spec.address, spec.origin, file, number)


def beside(result: Judged, found: Sequence[Finding]) -> Judged:
    """The same with more findings, those of a file together."""
    order = {finding.file: at for at, finding in reversed(list(enumerate(result.findings)))}
    every = sorted((*result.findings, *found), key=lambda one: (order.get(one.file, -1), one.line))
    return result._replace(findings=tuple(dict.fromkeys(every)))


def as_data(finding: Finding) -> dict[str, str | int]:
    """A finding for programs."""
    names = ("level", "kind", "file", "line", "option", "message")
    return {name: getattr(finding, name) for name in names}


def workflow(finding: Finding) -> str:
    """A finding as GitHub's workflow command."""
    places = [f"file={escaped(finding.file, ':,')}"] if finding.file else []
    if finding.line:
        places.append(f"line={finding.line}")
    places.append(f"title={escaped(finding.kind, ':,')}")
    return f"::{finding.level} {','.join(places)}::{escaped(said(finding))}"


def escaped(text: str, more: str = "") -> str:
    """As workflow commands want their data and, with ``more``, their properties."""
    for letter in f"%\r\n{more}":
        text = text.replace(letter, f"%{ord(letter):02X}")
    return text


def text(name: str, result: Judged, paint: Paint) -> Iterator[str]:
    """A line for each finding, and a last one that counts them."""
    for finding in result.findings:
        yield line(finding, paint)
    count, name = len(result.collected.options), visible(name)
    if not result.findings:
        yield f"{name}: {paint('no problems', 'good')} ({counted(count, 'option')})"
        return
    errors = sum(finding.level == ERROR for finding in result.findings)
    warnings = len(result.findings) - errors
    yield f"{name}: {counted(errors, 'error')}, {counted(warnings, 'warning')} ({counted(count, 'option')})"


def line(finding: Finding, paint: Paint) -> str:
    """A finding for people: place, level, option, message."""
    place = f"{finding.origin}: " if finding.origin else ""
    return f"{paint(place, 'strong')}{paint(finding.level, finding.level)}: {said(finding)}"


def said(finding: Finding) -> str:
    """Option, value and message, on one line."""
    option = finding.option if finding.value is None else f"{finding.option} = {finding.value}"
    return visible(f"{option}: {finding.message}" if finding.option else finding.message)


def counted(number: int, noun: str) -> str:
    """``1 error``, ``2 errors``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def worst(findings: Iterable[Finding]) -> int:
    """The exit status that findings ask for."""
    return FAILED if any(finding.level == ERROR for finding in findings) else 0
