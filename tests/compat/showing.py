"""The real uWSGI's ``--show-config``, had without starting a server. Used by test_show_config.

It shows its configuration and then ends at a clock that does not exist, before any socket, pidfile or
application.
"""

import os
import resource
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.compat.pair import UWSGI

BEFORE = ("--show-config", "--clock", "nonesuch", "--daemonize2", os.devnull)
"""Put before all words. A log of the configuration's own would hide what is shown: with daemonize2 it is
set up later, and daemonize and logto are left alone by what takes itself for a reload (UWSGI_RELOADS)."""
HEAD, END = b"\n;uWSGI instance configuration\n", b";end of configuration"
PATIENCE = 20.0  # seconds


class Refused(Exception):
    """uWSGI ended, or did not end, without showing anything; the message is what it said."""


def _bounded() -> None:
    """What never ends in uWSGI ends at half a gigabyte, at 4 MB of log or after two seconds of its time."""
    resource.setrlimit(resource.RLIMIT_CPU, (2, 2))
    resource.setrlimit(resource.RLIMIT_AS, (512 << 20, 512 << 20))
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, 4 << 20))


def theirs(folder: Path, words: Sequence[str], environ: Mapping[str, str]) -> str:
    """What uWSGI shows for BEFORE and ``words`` in the working directory ``folder``. Raises Refused."""
    with tempfile.TemporaryFile() as output:
        try:
            subprocess.run(
                [str(UWSGI), *BEFORE, *words],
                cwd=folder,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=PATIENCE,
                preexec_fn=_bounded,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Refused("it does not end") from error
        output.seek(0)
        said = output.read()
    at = said.find(HEAD)
    if at < 0:
        raise Refused(said[-2000:].decode(errors="replace"))
    # With log-date every piece of output begins with a date: it is what stands before the first one.
    prefix = said[said.rfind(b"\n", 0, at) + 1 : at]
    lines = [line.removeprefix(prefix) for line in said[at + 1 :].split(b"\n")]
    return b"\n".join([*lines[: lines.index(END) + 1], b""]).decode("utf-8", "surrogateescape")
