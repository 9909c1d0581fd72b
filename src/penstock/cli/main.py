"""The command line: words from the shell to settings, and an exit status back.

The first thing it does is to be right as PID 1, before any import of weight.
"""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.config.settings import Settings

FAILED = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run penstock with ``argv`` (the process's own without it); returns the exit status.

    0 everything was answered; 1 wrong options or a failed start; 22 no application; 30 requests were cut.
    """
    init = os.getpid() == 1
    if init:
        from penstock.process.pid1 import become_init

        become_init()
    words = list(sys.argv[1:] if argv is None else argv)
    if told(words):
        return 0
    from penstock.core.errors import ConfigError, StartError

    try:
        settings = settings_of(words, init)
        from penstock.process.serve import serve

        return serve(settings)
    except ConfigError as error:
        for line in str(error).splitlines():
            print(f"penstock: {line}", file=sys.stderr)
        return FAILED
    except StartError as error:
        print(f"penstock: {error}", file=sys.stderr)
        return error.exit_code


def settings_of(words: list[str], init: bool = False) -> "Settings":
    """Settings from the environment and the command line; ``init``: we were started as PID 1. Raises
    ConfigError."""
    from penstock.config.assemble import assemble
    from penstock.config.sources.argv import read_argv
    from penstock.config.sources.env import read_env, take_activated

    given = read_argv(words)
    return assemble([*read_env(), *take_activated(init), *given])


def told(words: list[str]) -> bool:
    """Whether the words only asked to be told something, which is done."""
    before = ""
    for word in words:
        before, last = word, before
        if last == "--pyargv":
            continue  # the application's word, not ours
        if word == "--version":
            from penstock import __version__

            print(f"penstock {__version__}")
            return True
        if word in ("--help", "-h"):
            from shutil import get_terminal_size

            from penstock.config.show import help_text

            print(help_text(get_terminal_size().columns, everything="all" in words), end="")
            return True
    return False


if __name__ == "__main__":
    sys.exit(main())
