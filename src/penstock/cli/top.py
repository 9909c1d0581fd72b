"""``penstock top``: a server's workers, queue, slowest paths and running requests, seen while they change.

Runs in the command alone. The screen needs ``rich`` (the extra ``top``); ``--once``, and what goes through a
pipe, is plain text and needs nothing.
"""

import json
import sys
from collections.abc import Callable

from penstock.cli.ctl import ADDRESSES, NO_SERVER, address
from penstock.cli.topsource import ControlSocket, Source, StatusUrl
from penstock.cli.topview import SORTS, Wish, lines_of
from penstock.cli.words import FAILED, Asked, Misused
from penstock.core.errors import StartError
from penstock.process.supervisor.client import NoServer, Silent

KNOWN = {
    **dict.fromkeys(ADDRESSES, "*"),
    **{"--url": "*", "--once": "", "--json": "", "--sort": " ".join(SORTS), "--every": "*"},
}
LONGEST = 3600.0  # seconds between two looks
SETTLED = 1.2  # seconds in which a server that was not watched has something to tell
MISSING = "the screen needs rich: pip install 'penstock[top]' (or say --once for plain text)"


def top(asked: Asked) -> int:
    """Show it; the exit status: 0, 1 for a server that does not answer, 3 for none. Raises Misused."""
    if asked.files or asked.line:
        raise Misused(f"{(asked.files or asked.line or ('',))[0]}: only options are expected")
    wish, every = Wish(sort=asked.flags.get("--sort", "p95")), seconds_of(asked.flags.get("--every", "2"))
    try:
        return shown(source_of(asked), asked, wish, every)
    except (NoServer, StartError) as error:
        return said(error, NO_SERVER)
    except Silent as error:
        return said(error, FAILED)
    except KeyboardInterrupt:
        return 0


def shown(source: Source, asked: Asked, wish: Wish, every: float) -> int:
    """Show it as it is asked for, and as what it is written to allows; the exit status. Raises NoServer and
    Silent."""
    if "--json" in asked.flags:
        print(json.dumps(source.view(), indent=2))
    elif "--once" in asked.flags or not (sys.stdin.isatty() and sys.stdout.isatty()):
        once(source, wish)
    else:
        return watched(source, wish, every)
    return 0


def source_of(asked: Asked) -> Source:
    """Who is asked. Raises Misused, NoServer and StartError."""
    url = asked.flags.get("--url")
    if url is None:
        return ControlSocket(address(asked))
    if any(flag in asked.flags for flag in ADDRESSES):
        raise Misused("--url excludes --socket, --pid and --pidfile")
    return StatusUrl(url)


def seconds_of(text: str) -> float:
    """A time between two looks. Raises Misused."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.2 <= seconds <= LONGEST:
        raise Misused(f"--every: seconds from 0.2 to {LONGEST:g} are expected, not {text}")
    return seconds


def once(source: Source, wish: Wish) -> None:
    """Plain text, once. A server that nobody has watched has no paths to tell of, so it is asked twice."""
    from shutil import get_terminal_size
    from time import sleep

    view = source.view()
    if view["window"] < SETTLED:
        sleep(SETTLED)
        view = source.view()
    wish.width = get_terminal_size((1000, 40)).columns if sys.stdout.isatty() else 1000
    wish.height = 100
    for line in lines_of(view, wish):
        print(line)


def watched(source: Source, wish: Wish, every: float) -> int:
    """On the screen, until somebody has seen enough."""
    try:
        from penstock.cli.topscreen import watch
    except ImportError:
        print(f"penstock top: {MISSING}", file=sys.stderr)
        return FAILED
    show: Callable[[Source, Wish, float], int] = watch
    return show(source, wish, every)


def said(error: Exception, code: int) -> int:
    """Why it cannot be shown."""
    print(f"penstock: {error}", file=sys.stderr)
    return code
