"""gunicorn's command line, ``GUNICORN_CMD_ARGS`` and configuration file to settings with their origins.

The order is gunicorn's: file, then the environment's words, then the command line. Runs in the command
alone; the file is read, never run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from penstock.config.finding import BAD_VALUE, ERROR, SYNTAX, UNKNOWN, WARNING, Finding
from penstock.config.migrate.gunicorn_names import NONE, SETTINGS, Setting, by_name
from penstock.config.migrate.known import Known

if TYPE_CHECKING:
    from argparse import ArgumentParser

WORDS = "GUNICORN_CMD_ARGS"


class Given(NamedTuple):
    """A setting that was given: its value, or None and the ``reason`` why it cannot be told."""

    known: Known | None
    origin: str
    reason: str = ""
    comments: tuple[str, ...] = ()


@dataclass
class Gunicorn:
    """What a configuration says. ``name`` is for the headline; ``findings`` what is wrong with it."""

    name: str
    given: dict[str, Given] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def value(self, name: str) -> Any:
        """The value of a setting where no variable is set; gunicorn's default where it cannot be told."""
        given = self.given.get(name)
        return by_name()[name].default if given is None or given.known is None else given.known.value


def read_file(gunicorn: Gunicorn, text: str, path: str) -> None:
    """Add what a configuration file says."""
    from penstock.config.migrate.pyfile import read_python

    try:
        reader = read_python(text, path)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", 0) or 0
        said = f"this is no Python file: {getattr(error, 'msg', error)}"
        gunicorn.findings.append(Finding(ERROR, SYNTAX, said, origin=f"{path}:{line}", file=path, line=line))
        return
    for name, found in reader.found.items():
        if name in by_name():
            origin = f"{path}:{found.line}"
            gunicorn.given[name] = Given(found.known, origin, found.reason, found.comments)
    for line, said in reader.unfollowed:
        finding = Finding(WARNING, SYNTAX, f"this line {said}", origin=f"{path}:{line}", file=path, line=line)
        gunicorn.findings.append(finding)


def read_words(gunicorn: Gunicorn, words: Sequence[str], origin: str) -> str:
    """Add what a command line says; the configuration file that it names, or ""."""
    try:
        parsed = vars(_parser().parse_args(list(words)))
    except _WrongWords as error:
        kind = UNKNOWN if "unrecognized" in str(error) else BAD_VALUE
        gunicorn.findings.append(Finding(ERROR, kind, str(error), origin=origin))
        return ""
    applications = parsed.pop("<application>")
    if applications:
        parsed["wsgi_app"] = applications[0]
    for name, value in parsed.items():
        if value is not None:
            gunicorn.given[name] = Given(Known(value), origin)
    config = gunicorn.given.pop("config", None)
    return str(config.known.value) if config and config.known else ""


def command_line(words: Sequence[str], environ: Mapping[str, str]) -> tuple[Gunicorn, Gunicorn, str]:
    """What the environment's words and the command line say, and the file that one of them names."""
    from shlex import split

    outer, inner = Gunicorn("gunicorn " + " ".join(words)), Gunicorn(WORDS)
    file = read_words(outer, words, "command line")
    try:
        lower = read_words(inner, split(environ.get(WORDS, "")), f"environment {WORDS}")
    except ValueError as error:
        inner.findings.append(Finding(ERROR, SYNTAX, str(error), origin=f"environment {WORDS}"))
        lower = ""
    return inner, outer, file or lower


class _WrongWords(Exception):
    """What argparse has to say."""


def _parser() -> "ArgumentParser":
    from argparse import ArgumentParser

    class Parser(ArgumentParser):
        def error(self, message: str) -> NoReturn:
            raise _WrongWords(message)

    parser = Parser(prog="gunicorn", add_help=False)
    for setting in SETTINGS:
        if setting.action != NONE:
            parser.add_argument(*setting.flags.split(), dest=setting.name, default=None, **_action(setting))
    parser.add_argument("<application>", nargs="*")
    return parser


def _octal(text: str) -> int:
    """``0o22``, ``18`` and, as gunicorn takes it, ``022``."""
    return int(text, 8 if text[:1] == "0" and text[1:2].isdecimal() else 0)


def _action(setting: Setting) -> dict[str, Any]:
    words: dict[str, dict[str, Any]] = {
        "text": {},
        "int": {"type": int},
        "octal": {"type": _octal},
        "append": {"action": "append"},
        "on": {"action": "store_true"},
        "off": {"action": "store_const", "const": False},
        "optional": {"nargs": "?", "const": "auto"},
    }
    return words[setting.action]
