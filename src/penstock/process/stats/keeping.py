"""uWSGI's ``metrics-dir``: a file for each metric, with its value in digits.

Runs on the loop that collects metrics. A folder that cannot be written to is told of once; nothing else
suffers. It does not know what a metric is.
"""

import os
from collections.abc import Callable, Mapping

from penstock.core.errors import StartError
from penstock.services.stats.reading import number_in

FLAGS = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Kept:
    """``folder`` must be there; ``warn(text)`` is told what goes wrong."""

    def __init__(self, folder: str, warn: Callable[[str], None]) -> None:
        self.folder = os.path.abspath(folder)
        self.warn = warn
        self.failed = False

    def read(self, name: str) -> int:
        """What was kept of a metric, 0 for nothing."""
        return number_in(os.path.join(self.folder, name))

    def write(self, values: Mapping[str, int]) -> None:
        """Keep these."""
        for name, value in values.items():
            try:
                keep(os.path.join(self.folder, name), b"%d\n" % value)
            except OSError as error:
                if not self.failed:
                    self.failed = True
                    self.warn(f"metrics-dir {self.folder}: {name} could not be written: {error.strerror}")
                return
        self.failed = False


def keep(path: str, text: bytes) -> None:
    """Whoever reads meanwhile finds one value or the other on the first line. Raises OSError."""
    fd = os.open(path, FLAGS, 0o640)
    try:
        os.pwrite(fd, text, 0)
        os.ftruncate(fd, len(text))
    finally:
        os.close(fd)


def checked(folder: str) -> None:
    """Raises StartError for a folder that is none."""
    if folder and not os.path.isdir(folder):
        raise StartError(f"metrics-dir {folder}: there is no such folder")
