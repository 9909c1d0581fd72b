"""What is done when a file is touched, as uWSGI writes it: ``touch-exec``.

Pure. ``hook-touch`` is in ``hooks``, with the actions that it names.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TouchExec:
    """``file`` and the ``command`` that is run when it is touched."""

    file: str
    command: str


def parse_exec(text: str) -> TouchExec:
    """``FILE COMMAND``, behind the first space; without one the file is the command. Raises ValueError."""
    file, space, command = text.partition(" ")
    if not file or (space and not command.strip()):
        raise ValueError("FILE COMMAND is expected, or a file that is itself the command")
    return TouchExec(file, command if space else file)
