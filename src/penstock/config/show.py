"""The options as people read them: help in the terminal, and the reference page in docs/options.md.

Read from the registry when somebody asks; a start never comes here.
"""

import sys
import textwrap
from collections.abc import Iterable

from penstock.config.option import ACTED_ON, HARMLESS, UNSUPPORTED, Option
from penstock.config.registry import declared, options

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
        "processes",
        "threads",
        "queue-timeout",
        "access-log",
        "trusted-proxies",
        "shutdown-timeout",
    )
)
FIRST = (
    *("Sockets", "Application", "Python", "Threads", "Processes", "Privileges", "HTTP", "Limits", "Trust"),
    *("Logging", "Reloading", "Deadlines", "Scaling", "Configuration", "Tools"),
)
"""The tasks that everybody has, in the order in which they come up; the others follow by name."""
TITLES = {"Sockets": "Listening"}
"""Headings that say more than the group's name."""
MARKDOWN = """\
# Options

Generated from the option registry by `make docs`; do not edit. Every option of uWSGI's is here, under what
it is for, with what penstock does with it:

* **acted on**: the tables of options with their defaults. An option of uWSGI's keeps its name and its meaning
  unless its line says otherwise; *own* marks penstock's. Sizes take `k`, `m`, `g`; times take `ms`, `s`, `m`,
  `h`.
* **taken**: what it asks for is always so here, or has no meaning in this design. The log says nothing of it.
* **not supported**: one warning at start says so, with the nearest way to get the effect; an error under
  `strict`.
"""
TABLES = (
    (HARMLESS, "Taken, because it is always so:", "| option | why |"),
    (UNSUPPORTED, "Not supported:", "| option | why, and what to do |"),
)


def title(group: str) -> str:
    """A group's heading."""
    return TITLES.get(group, group)


def groups(chosen: Iterable[Option]) -> dict[str, list[Option]]:
    """Options by their group, in the order of tasks."""
    found: dict[str, list[Option]] = {}
    for option in chosen:
        found.setdefault(option.group, []).append(option)
    order = {group: at for at, group in enumerate(FIRST)}
    return {group: found[group] for group in sorted(found, key=lambda name: (order.get(name, 99), name))}


def spelled(option: Option) -> str:
    """``-s, --socket ADDRESS``."""
    text = f"--{option.name}"
    if option.metavar:
        text += f"[={option.metavar}]" if option.bare is not None else f" {option.metavar}"
    return f"-{option.short}, {text}" if option.short else text


def described(option: Option) -> str:
    """The help line with aliases and default."""
    text = option.help
    if option.aliases:
        text += f" Also --{', --'.join(option.aliases)}."
    if option.default:
        text += f" [{option.default}]"
    return text


def help_text(width: int = 80, everything: bool = False) -> str:
    """The help for a terminal of ``width`` columns: the common options, or all that are acted on."""
    width = max(60, min(width, 110))
    chosen = [option for option in declared() if everything or option.name in COMMON]
    lines = ["penstock: a WSGI server for HTTP/1.1 and uwsgi", "", USAGE]
    for group, members in groups(chosen).items():
        lines.append(f"{title(group)}:")
        for option in members:
            lines += entry(option, width)
        lines.append("")
    if everything:
        lines.append("penstock options WORD searches these and uWSGI's others.")
    else:
        lines.append("--help all names every option; --version the version.")
    return "\n".join(lines).rstrip() + "\n"


def entry(option: Option, width: int) -> list[str]:
    """One option's lines."""
    head = f"  {spelled(option)}"
    body = textwrap.wrap(described(option), width - 28, break_on_hyphens=False)
    if len(head) > 26:
        return [head, *(f"{'':28}{line}" for line in body)]
    return [f"{head:28}{body[0]}", *(f"{'':28}{line}" for line in body[1:])]


# ---- The page ---------------------------------------------------------------------------------------


def markdown() -> str:
    """docs/options.md."""
    parts = [MARKDOWN]
    for group, members in groups(options()).items():
        parts.append(f"\n## {title(group)}\n")
        parts += acted_table([option for option in members if option.state == ACTED_ON])
        for state, heading, header in TABLES:
            parts += state_table([option for option in members if option.state == state], heading, header)
    return "".join(parts)


def acted_table(members: list[Option]) -> list[str]:
    """Options with what they do and their defaults."""
    lines = ["\n| option | what it does | default |\n|---|---|---|\n"] if members else []
    for option in members:
        names = f"`{spelled(option)}`" + "".join(f"<br>`--{alias}`" for alias in option.aliases)
        text = option.help + (" *own*" if option.own else "")
        lines.append(f"| {cell(names)} | {cell(text)} | {option.default} |\n")
    return lines


def state_table(members: list[Option], heading: str, header: str) -> list[str]:
    """Options that are not acted on, those of the same reason in one row."""
    reasons: dict[str, list[str]] = {}
    for option in members:
        reasons.setdefault(option.reason, []).extend(f"`{name}`" for name in option.names)
    lines = [f"\n{heading}\n\n{header}\n|---|---|\n"] if reasons else []
    return lines + [f"| {', '.join(names)} | {cell(reason)} |\n" for reason, names in reasons.items()]


def cell(text: str) -> str:
    """Text within a table."""
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(markdown())
