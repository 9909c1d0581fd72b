"""The examples of docs/check-explain-migrate.md, run anew. As a program it writes the page."""

import contextlib
import io
import os
import re
import shlex
import sys
import tempfile
from pathlib import Path

from penstock.cli.verbs import run

PAGE = Path(__file__).parents[2] / "docs" / "check-explain-migrate.md"
FILE = re.compile(r"`([\w.]+\.\w+)`:\n\n```\w*\n(.*?)```", re.DOTALL)
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
UNSET = ("PORT", "WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS", "GUNICORN_CMD_ARGS")


def shown(command: str) -> str:
    """What a command prints, standard error first."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        run(shlex.split(command)[1:])
    return err.getvalue() + out.getvalue()


def rerun(block: re.Match[str]) -> str:
    """A block of commands with what they print now."""
    commands = [line for line in block[1].splitlines() if line.startswith("$ ")]
    return "```console\n" + "".join(f"{line}\n{shown(line[2:])}" for line in commands) + "```"


def rendered(text: str) -> str:
    """The page as its examples come out now; its files are written to the current folder."""
    for name, content in FILE.findall(text):
        Path(name).write_text(content)
    return CONSOLE.sub(rerun, text)


if __name__ == "__main__":
    for name in [name for name in os.environ if name in UNSET or name.startswith(("UWSGI_", "PENSTOCK_"))]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        PAGE.write_text(rendered(PAGE.read_text()))
    sys.stdout.write(f"{PAGE.name} is written\n")
