"""The options as people read them: help in the terminal, and the reference page in docs/options.md."""

import sys
import textwrap
from collections.abc import Iterable

from penstock.config.option import ACTED_ON, Option
from penstock.config.registry import options

USAGE = """\
penstock [OPTION ...] MODULE:CALLABLE
    serve on http://127.0.0.1:8000, or $PORT, or --bind
penstock [uWSGI's OPTIONS ...]
    serve as uWSGI would: --http-socket :8000 --wsgi-file app.py
"""
COMMON = frozenset(
    (
        "bind",
        "http-socket",
        "uwsgi-socket",
        "module",
        "wsgi-file",
        "callable",
        "chdir",
        "virtualenv",
        "threads",
        "queue-timeout",
        "access-log",
        "trusted-proxies",
        "shutdown-timeout",
    )
)


def groups(chosen: Iterable[Option]) -> dict[str, list[Option]]:
    """Options by their heading, in order."""
    found: dict[str, list[Option]] = {}
    for option in chosen:
        found.setdefault(option.group, []).append(option)
    return found


def spelled(option: Option) -> str:
    """``-s, --socket ADDRESS``."""
    text = f"--{option.name}"
    if option.metavar:
        text += f"[={option.metavar}]" if option.bare is not None else f" {option.metavar}"
    return f"-{option.short}, {text}" if option.short else text


def described(option: Option) -> str:
    """The help line with aliases and default."""
    text = option.help
    if option.state != ACTED_ON:
        text = f"({option.state}) {text}"
    if option.aliases:
        text += f" Also --{', --'.join(option.aliases)}."
    if option.default:
        text += f" [{option.default}]"
    return text


def help_text(width: int = 80, everything: bool = False) -> str:
    """The help for a terminal of ``width`` columns: the common options, or all of them."""
    width = max(60, min(width, 110))
    chosen = [option for option in options() if everything or option.name in COMMON]
    lines = ["penstock: a WSGI server for HTTP/1.1 and uwsgi", "", USAGE]
    for group, members in groups(chosen).items():
        lines.append(f"{group}:")
        for option in members:
            lines += entry(option, width)
        lines.append("")
    if not everything:
        lines.append("--help all names every option; --version the version.")
    return "\n".join(lines).rstrip() + "\n"


def entry(option: Option, width: int) -> list[str]:
    """One option's lines."""
    head = f"  {spelled(option)}"
    body = textwrap.wrap(described(option), width - 28, break_on_hyphens=False)
    if len(head) > 26:
        return [head, *(f"{'':28}{line}" for line in body)]
    return [f"{head:28}{body[0]}", *(f"{'':28}{line}" for line in body[1:])]


def markdown() -> str:
    """docs/options.md."""
    lines = [
        "# Options",
        "",
        "Generated from the option registry by `make docs`; do not edit. An option of uWSGI's keeps its name",
        "and its meaning unless its line says otherwise; *own* marks penstock's. Sizes take `k`, `m`, `g`;",
        "times take `ms`, `s`, `m`, `h`.",
    ]
    for group, members in groups(options()).items():
        lines += ["", f"## {group}", "", "| option | what it does | default |", "|---|---|---|"]
        for option in members:
            names = f"`{spelled(option)}`" + "".join(f"<br>`--{alias}`" for alias in option.aliases)
            text = option.help.replace("|", "\\|")
            if option.own:
                text += " *own*"
            if option.state != ACTED_ON:
                text = f"**{option.state}**: {text}"
            lines.append(f"| {names.replace('|', chr(92) + '|')} | {text} | {option.default} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(markdown())
