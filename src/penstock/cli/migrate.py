"""``penstock migrate``: a uWSGI or gunicorn configuration written anew for penstock."""

import os
import sys

from penstock.cli.check import line, worst
from penstock.cli.paint import Paint
from penstock.cli.words import FAILED, Asked, Misused, unbroken
from penstock.config.finding import visible
from penstock.config.judge import surroundings
from penstock.config.migrate.written import Written


def migrate(asked: Asked) -> int:
    """Write the configuration to standard output or a file, and the notes to standard error."""
    out = asked.flags.get("-o") or asked.flags.get("--output") or ""
    if out and os.path.exists(out) and "--force" not in asked.flags:
        print(f"penstock migrate: {out} is there already; --force writes over it", file=sys.stderr)
        return FAILED
    written = read(asked, asked.flags.get("--format", ""), out)
    paint = Paint()
    paint.on = paint.on and sys.stderr.isatty()
    for finding in written.findings:
        print(line(finding, paint), file=sys.stderr)
    if worst(written.findings):
        return FAILED
    if not out:
        unbroken("surrogateescape")  # a comment's bytes come out as they are
        print(shown(written.text) if sys.stdout.isatty() else written.text, end="")
        return 0
    try:
        with open(out, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(written.text)
    except OSError as error:
        print(f"penstock migrate: {out}: {error.strerror}", file=sys.stderr)
        return FAILED
    return 0


def shown(text: str) -> str:
    """For a terminal: what is redirected is left as it is."""
    return "".join(f"{visible(line)}\n" for line in text.replace("\t", "    ").split("\n")[:-1])


def read(asked: Asked, form: str, out: str) -> Written:
    """The configuration that was named. Raises Misused."""
    if asked.line is not None:
        return of_line(asked, form)
    if len(asked.files) != 1:
        raise Misused("name one configuration file, or a command line behind --")
    file = asked.files[0]
    if file.endswith(".py"):
        if form not in ("", "ini"):
            raise Misused("a gunicorn configuration becomes ini")
        from penstock.config.migrate.gunicorn import read_gunicorn_file

        return read_gunicorn_file(file)
    from penstock.config.migrate.uwsgi import tidy_file

    return tidy_file(file, form, out)


def of_line(asked: Asked, form: str) -> Written:
    """A command line: its first word says whose. Raises Misused."""
    words = asked.line or ()
    if asked.files or not words:
        raise Misused("either a file, or a command line behind --")
    program = words[0].rpartition("/")[2]
    if program == "gunicorn":
        from penstock.config.migrate.gunicorn import read_gunicorn

        return read_gunicorn(words[1:], surroundings())
    from penstock.config.migrate.uwsgi import tidy_words

    return tidy_words(words[1:] if program in ("uwsgi", "penstock") else words, form)
