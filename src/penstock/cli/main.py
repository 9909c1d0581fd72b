"""The command line: words from the shell to settings, and an exit status back.

The first thing it does is to be right as PID 1, before any import of weight.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.config.language.collect import Collected
    from penstock.config.raw import RawOption
    from penstock.config.settings import Settings
    from penstock.process.launch import Launch

FAILED = 1
OF_ANOTHER = {
    "--stop": "stop", "--reload": "reload", "--connect-and-read": "connect-and-read",
    "--pause": "pause", "--suspend": "pause", "--resume": "pause",
}  # fmt: skip
"""Options about a server that runs, and what they are called; penstock then does nothing else."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run penstock with ``argv`` (the process's own without it); returns the exit status.

    0 everything was answered; 1 wrong options or a failed start; 22 no application; 30 requests were cut.
    """
    from penstock.config.sources.env import take_takeover

    taken = take_takeover()
    if taken:
        return of_supervisor(taken)
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


def of_supervisor(taken: str) -> int:
    """Go on in place of a supervisor, which has become this program; returns the exit status."""
    from penstock.config.raw import RawOption
    from penstock.core.errors import ConfigError, StartError
    from penstock.process.launch import Launch, Read
    from penstock.process.supervisor.resume import take_over

    def again(launch: Launch) -> Read:
        raws = [RawOption(key, value, "environment LISTEN_FDS") for key, value in launch.activated]
        return lambda: settings_of(collected_of(list(launch.words), raws))

    try:
        return take_over(taken, again)
    except (ConfigError, StartError) as error:
        print(f"penstock: {error}", file=sys.stderr)
        return FAILED


def start(words: list[str], init: bool = False) -> int:
    """Serve, or signal a server that runs; returns the exit status. Raises ConfigError and StartError."""
    from penstock.core.sweeping import unswept
    from penstock.process.pid1 import hear_of_children

    hear_of_children()  # before the configuration runs commands
    option, path = of_another(words)
    if not option:
        folder, activated = os.getcwd(), tuple(activated_of(init))
        with unswept():
            collected = collected_of(words, activated)
            if collected.code is not None:
                return collected.code
            settings = settings_of(collected)
        option, path = next(asked_of(settings), ("", ""))
    if path:
        from penstock.cli.another import another

        return another(option, path)
    if settings.nagios:
        from penstock.cli.nagios import nagios

        return nagios(settings)
    return served(settings, launch_of(words, folder, activated))


def asked_of(settings: "Settings") -> Iterator[tuple[str, str]]:
    """The same options from a file, in the order of the table."""
    for option in dict.fromkeys(OF_ANOTHER.values()):
        value = getattr(settings, option.replace("-", "_"))
        if value:
            yield option, value


def launch_of(words: list[str], folder: str, activated: "tuple[RawOption, ...]") -> "Launch":
    """How this server was started, for its reloads."""
    from penstock.process.launch import Launch

    return Launch(
        read=lambda: settings_of(collected_of(words, activated)),
        words=tuple(words),
        folder=folder,
        activated=tuple((raw.key, raw.value) for raw in activated),
    )


def served(settings: "Settings", launch: "Launch") -> int:
    """Serve. Ctrl-C and ``--stop`` during the start end us as they end any program, and while penstock itself
    is still being imported, too."""
    from penstock.core.sweeping import unswept

    try:
        with unswept():
            from penstock.process.serve import serve

        return serve(settings, launch=launch)
    except KeyboardInterrupt:
        from penstock.process.serve import interrupted

        return interrupted()


def of_another(words: Sequence[str]) -> tuple[str, str]:
    """One of ``OF_ANOTHER``, and the pidfile or address of the process that is meant; two empty ones when the
    words are about a server of our own. As in uWSGI they need no other option, and the first one counts."""
    previous = ""
    for word in words:
        if previous in OF_ANOTHER:
            return OF_ANOTHER[previous], word
        if previous == "--pyargv":
            previous = ""
            continue  # the application's word, not ours
        option, equals, path = word.partition("=")
        if equals and path and option in OF_ANOTHER:
            return OF_ANOTHER[option], path
        previous = word
    return "", ""


def activated_of(init: bool = False) -> "list[RawOption]":
    """The sockets that systemd hands over; ``init``: we were started as PID 1."""
    from penstock.config.sources.env import take_activated

    return take_activated(init)


def collected_of(words: list[str], activated: "Sequence[RawOption]" = ()) -> "Collected":
    """All that the environment, the command line and the files say, behind what is ``activated``.

    What ``print`` and ``show-config`` ask for is printed, to stderr as uWSGI does.
    """

    from penstock.config.judge import surroundings
    from penstock.config.language.collect import collect

    collected = collect(words, surroundings())
    for line in collected.prints:
        print(line, file=sys.stderr)
    if any(raw.key == "show-config" for raw in collected.options):
        print(collected.shown, end="", file=sys.stderr)
    return collected._replace(options=(*activated, *collected.options))


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
            from penstock.core.build import title

            print(title())
            return True
        if word in ("--help", "-h"):
            from shutil import get_terminal_size

            from penstock.config.show import help_text

            print(help_text(get_terminal_size().columns, everything="all" in words), end="")
            return True
    return False


if __name__ == "__main__":
    sys.exit(main())
