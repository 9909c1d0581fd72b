"""The command line: words from the shell to settings, and an exit status back.

The first thing it does is to be right as PID 1, before any import of weight.
"""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.config.language.collect import Collected
    from penstock.config.settings import Settings

FAILED = 1
SIGNALLING = ("--stop", "--reload")


def main(argv: Sequence[str] | None = None) -> int:
    """Run penstock with ``argv`` (the process's own without it); returns the exit status.

    0 everything was answered; 1 wrong options or a failed start; 22 no application; 30 requests were cut.
    """
    init = os.getpid() == 1
    if init:
        from penstock.process.pid1 import become_init

        become_init()
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0].isalpha():
        from penstock.cli.verbs import run

        code = run(words)
        if code is not None:
            return code
    if told(words):
        return 0
    from penstock.core.errors import ConfigError, StartError

    try:
        return start(words, init)
    except ConfigError as error:
        for line in str(error).splitlines():
            print(f"penstock: {line}", file=sys.stderr)
        return FAILED
    except StartError as error:
        print(f"penstock: {error}", file=sys.stderr)
        return error.exit_code


def start(words: list[str], init: bool = False) -> int:
    """Serve, or signal a server that runs; returns the exit status. Raises ConfigError and StartError."""
    option, path = of_another(words)
    if not option:
        collected = collected_of(words, init)
        if collected.code is not None:
            return collected.code
        settings = settings_of(collected)
        option, path = "stop", settings.stop
    if path:
        from penstock.process.pidfile import signal_process

        signal_process(option, path)
        return 0
    return served(settings)


def served(settings: "Settings") -> int:
    """Serve. Ctrl-C and ``--stop`` during the start end us as they end any program."""
    from penstock.process.serve import interrupted, serve

    try:
        return serve(settings)
    except KeyboardInterrupt:
        return interrupted()


def of_another(words: Sequence[str]) -> tuple[str, str]:
    """``stop`` or ``reload``, and the pidfile of the process that is meant; two empty ones when the words
    are about a server of our own. As in uWSGI they need no other option, and the first one counts."""
    previous = ""
    for word in words:
        if previous in SIGNALLING:
            return previous[2:], word
        if previous == "--pyargv":
            previous = ""
            continue  # the application's word, not ours
        option, equals, path = word.partition("=")
        if equals and path and option in SIGNALLING:
            return option[2:], path
        previous = word
    return "", ""


def collected_of(words: list[str], init: bool = False) -> "Collected":
    """All that the environment, the command line and the files say; ``init``: we were started as PID 1.

    What ``print`` and ``show-config`` ask for is printed, to stderr as uWSGI does.
    """
    from dataclasses import replace

    from penstock.config.judge import surroundings
    from penstock.config.language.collect import collect
    from penstock.config.sources.env import take_activated

    activated = take_activated(init)
    collected = collect(words, surroundings())
    for line in collected.prints:
        print(line, file=sys.stderr)
    if any(raw.key == "show-config" for raw in collected.options):
        print(collected.shown, end="", file=sys.stderr)
    return replace(collected, options=(*activated, *collected.options))


def settings_of(collected: "Collected") -> "Settings":
    """The settings that were collected. Raises ConfigError with all that is wrong."""
    from penstock.config.assemble import assemble

    return assemble(collected.options, collected.findings)


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
