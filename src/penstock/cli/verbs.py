"""The verbs of the command: what ``penstock check``, ``explain``, ``migrate`` and the others do.

Each verb is a module or a function of its own, imported when it is asked for. A verb looks at things and
prints, and ``ctl`` commands a server that runs; none of them starts one.
"""

import sys
from collections.abc import Callable, Sequence

from penstock.cli.words import MISUSED, Misused, sorted_out, unbroken


def check(words: Sequence[str]) -> int:
    """Everything that is wrong with configurations."""
    from penstock.cli.check import check

    return check(sorted_out(words, {"--strict": "", "--format": "text json github", "--": ""}))


def explain(words: Sequence[str]) -> int:
    """What a configuration comes to."""
    from penstock.cli.explain import explain

    return explain(sorted_out(words, {"--format": "text json", "--": ""}))


def migrate(words: Sequence[str]) -> int:
    """A configuration written anew."""
    from penstock.cli.migrate import migrate

    known = {"-o": "*", "--output": "*", "--force": "", "--format": "ini yaml xml", "--": ""}
    return migrate(sorted_out(words, known))


def ctl(words: Sequence[str]) -> int:
    """A command to a server that runs."""
    from penstock.cli.ctl import KNOWN, ctl

    return ctl(sorted_out(words, KNOWN))


def top(words: Sequence[str]) -> int:
    """What a server does, seen while it changes."""
    from penstock.cli.top import KNOWN, top

    return top(sorted_out(words, KNOWN))


def routes(words: Sequence[str]) -> int:
    """What the rules of a configuration make of a request."""
    from penstock.cli.routes import KNOWN, apart, routes

    rest, given = apart(words)
    return routes(sorted_out(rest, KNOWN), given["header"], given["variable"])


def options(words: Sequence[str]) -> int:
    """The options, or those that a word finds."""
    from penstock.cli.reference import options

    return options(sorted_out(words, {"--format": "text json"}))


def schema(words: Sequence[str]) -> int:
    """A JSON schema of a configuration file."""
    from penstock.cli.reference import schema

    return schema(sorted_out(words, {}))


def completion(words: Sequence[str]) -> int:
    """A shell's completion."""
    from penstock.cli.reference import completion

    return completion(sorted_out(words, {}))


def man(words: Sequence[str]) -> int:
    """The manual page."""
    from penstock.cli.reference import man

    return man(sorted_out(words, {}))


USAGE = {
    "check": "penstock check [--strict] [--format text|json|github] FILE... | -- OPTIONS...",
    "explain": "penstock explain [--format text|json] FILE... | -- OPTIONS...",
    "migrate": "penstock migrate [-o OUT [--force]] [--format ini|yaml|xml] FILE | -- [gunicorn] OPTIONS...",
    "ctl": "penstock ctl [--socket PATH | --pid N | --pidfile FILE] [--json] status | health | requests | "
    "view | stacks [--worker N] | profile [--seconds S] [--worker N] [-o FILE] | pause | "
    "reload [brutal|chain|workers|brutal-workers] | stop [--now] | workers add|remove|replace N | "
    "log reopen|rotate | upgrade",
    "top": "penstock top [--socket PATH | --pid N | --pidfile FILE | --url URL] [--once | --json] "
    "[--sort p95|share|rate|errors|queue] [--every SECONDS]",
    "routes": "penstock routes [--try 'GET /path HTTP/1.1'] [-H 'Name: value']... [--var NAME=VALUE]... "
    "[--reply STATUS] [--format text|json] FILE | -- OPTIONS...",
    "options": "penstock options [--format text|json] [NAME|WORD]",
    "schema": "penstock schema",
    "completion": "penstock completion bash|zsh|fish",
    "man": "penstock man",
}
VERBS: dict[str, Callable[[Sequence[str]], int]] = {
    "check": check,
    "explain": explain,
    "migrate": migrate,
    "ctl": ctl,
    "top": top,
    "routes": routes,
    "options": options,
    "schema": schema,
    "completion": completion,
    "man": man,
}


def run(words: Sequence[str]) -> int | None:
    """Do what a verb asks and give the exit status; None when the first word is no verb.

    0 all is well; 1 something is wrong with what was looked at, or failed; 2 the words were not understood;
    3 there is no such server.
    """
    verb = words[0] if words else ""
    if verb not in VERBS:
        return None
    if len(words) > 1 and words[1] in ("-h", "--help"):
        print(f"usage: {USAGE[verb]}")
        return 0
    unbroken()
    try:
        return VERBS[verb](words[1:])
    except Misused as error:
        print(f"penstock {verb}: {error}\nusage: {USAGE[verb]}", file=sys.stderr)
        return MISUSED
    except BrokenPipeError:
        # Whoever read the output has seen enough (| head); nothing must be written at the exit either.
        sys.stdout = None
        return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
