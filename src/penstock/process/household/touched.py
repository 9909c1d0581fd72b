"""What is done when files are touched, other than to reload: ``touch-exec``, ``hook-touch``, and the
commands of ``touch-logreopen`` and ``touch-logrotate``.

Runs in the supervisor, every ``check-interval``, by looking at the files, as ``supervisor.touch`` does. It
does not know what a hook or a command is, and waits for nothing.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

from penstock.config.household.hooks import parse_touch
from penstock.config.household.touches import parse_exec
from penstock.config.settings import Settings
from penstock.process.household.keeper import Keeper
from penstock.process.household.runs import Runs, label_of
from penstock.process.programs.programs import Program, shell_of
from penstock.process.supervisor.touch import File, Looking

EXEC, HOOK = "touch-exec", "hook-touch"
COMMANDS = {"touch-logreopen": "reopen-logs", "touch-logrotate": "rotate-logs"}
"""Options whose value is the file alone, and the supervisor's command that each asks for."""

Key = tuple[str, str, int]


class Touched(Looking[Keeper]):
    """All of one supervisor. ``hook(text)`` carries out a value of ``hook-touch``, ``command(name, why)``
    one of the supervisor's commands, which says ``why`` in the log."""

    def __init__(
        self, supervisor: Keeper, hook: Callable[[str], None], command: Callable[[str, str], None]
    ) -> None:
        super().__init__(supervisor)
        self.hook = hook
        self.command = command
        self.files: dict[Key, File] = {}
        self.carried: dict[Key, int | None] = {}
        self.runs = Runs(supervisor, lambda: None)
        supervisor.carrying["touched"] = self

    def read(self) -> None:
        """What the settings name, with the memory of what they named before."""
        self.settings = self.supervisor.settings
        before, self.files = self.files, {}
        for key, path in named(self.settings):
            file = before.get(key)
            if file is None:
                file = File(os.path.abspath(path))
                if key in self.carried:
                    file.time = self.carried[key]
                elif file.missing:
                    text = f"{key[0]}: {file.path} is not there; it counts when it appears"
                    self.supervisor.diary.warning(text)
            self.files[key] = file
        self.carried = {}

    def look(self) -> None:
        """Do what is to be done. One touch of a file that stands in two entries does both."""
        if self.supervisor.ending is not None:
            return
        for key, file in list(self.files.items()):
            what = file.look()
            if what:
                self.do(key[0], key[1], f"{key[0]}: {file.path} {what}")

    def do(self, option: str, text: str, why: str) -> None:
        """What one entry asks for."""
        if option in COMMANDS:
            self.command(COMMANDS[option], why)
            return
        self.supervisor.diary.info(why)
        if option == HOOK:
            self.hook(text)
        else:
            self.run(text)

    def run(self, text: str) -> None:
        """Run the command of a ``touch-exec``."""
        supervisor, settings = self.supervisor, self.supervisor.settings
        program = Program(
            command=parse_exec(text).command,
            label=label_of(EXEC, parse_exec(text).command),
            environ=supervisor.environ(),
            shell=shell_of(settings.binsh),
        )
        try:
            self.runs.start(text, program)
        except OSError as error:
            supervisor.diary.error(f"{program.label} could not be started: {error.strerror}")

    # ---- Another penstock takes over ----------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """What it must know: a touch of this moment is not to be lost."""
        runs = self.runs.state()
        times = [(list(key), file.time) for key, file in self.files.items()]
        return {"times": times, "runs": runs, "fds": [run["fd"] for run in runs]}

    def resume(self, data: dict[str, Any]) -> None:
        """The same in the new program, before ``start``."""
        self.carried = {
            (option, text, number): time for (option, text, number), time in data.get("times", ())
        }
        self.runs.resume(data.get("runs", ()))


def named(settings: Settings) -> Iterator[tuple[Key, str]]:
    """Every entry with its file."""
    entries = [(EXEC, text, parse_exec(text).file) for text in settings.touch_exec]
    entries += [(HOOK, text, parse_touch(text).file) for text in settings.hook_touch]
    entries += [(option, path, path) for option in COMMANDS for path in values(settings, option)]
    seen: dict[tuple[str, str], int] = {}
    for option, text, path in entries:
        number = seen[option, text] = seen.get((option, text), 0) + 1
        yield (option, text, number), path


def values(settings: Settings, option: str) -> tuple[str, ...]:
    """Those of an option that is a list."""
    found: tuple[str, ...] = getattr(settings, option.replace("-", "_"))
    return found
