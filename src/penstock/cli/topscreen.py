"""The screen of ``penstock top``: drawn by rich, with keys to sort, to choose a worker and to reload it.

Runs in the command, on its only thread, which waits for keys between two looks. It does not know where the
figures come from.
"""

import os
import select
import sys
import termios
import tty
from collections.abc import Callable
from time import monotonic
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table as RichTable
from rich.text import Text

from penstock.cli import topview
from penstock.cli.topsource import Source
from penstock.cli.topview import SORTS, Cell, Table, Wish
from penstock.process.supervisor.client import NoServer, Silent

TONES = {"good": "green", "warn": "yellow", "bad": "bold red", "dim": "dim", "": ""}
UP, DOWN = ("\x1b[A", "\x1bOA", "k"), ("\x1b[B", "\x1bOB", "j")
KEYS = "q quit   s sort   ↑↓ choose a worker   r reload it   space hold"
AT_ONCE = 64  # bytes of keys


class Screen:
    """What is shown, and what was pressed. ``every`` in seconds."""

    def __init__(self, source: Source, wish: Wish, every: float) -> None:
        self.source = source
        self.wish = wish
        self.every = every
        self.view: dict[str, Any] = {}
        self.failure = ""
        self.told = ""
        self.sure = False
        self.held = False
        self.over = False
        self.keys: dict[str, Callable[[], None]] = {
            "q": self.leave,
            "s": self.sort,
            " ": self.hold,
            "r": self.reload,
            **dict.fromkeys(UP, lambda: self.choose(-1)),
            **dict.fromkeys(DOWN, lambda: self.choose(1)),
        }

    # ---- Figures ------------------------------------------------------------------------------------

    def look(self) -> None:
        """Ask anew; a server that is gone may come again."""
        if self.held:
            return
        try:
            self.view, self.failure = self.source.view(), ""
        except (NoServer, Silent) as error:
            self.failure = str(error)

    def draw(self, size: tuple[int, int]) -> RenderableType:
        """All of it, for a window of that width and height."""
        self.wish.width, self.wish.height = size
        foot = Text(f" {KEYS}{'   (held)' if self.held else ''}", style="reverse", no_wrap=True)
        foot.truncate(size[0], pad=True)
        parts: list[RenderableType] = []
        if self.view:
            self.wish.notes = [note for note in (self.failure, self.told) if note]
            parts += [line_of(line) for line in topview.head(self.view)]
            notes = (*topview.notes(self.view), *self.wish.notes)
            parts += [Text(f"! {note}", style="yellow") for note in notes]
            parts += [part for one in topview.tables(self.view, self.wish) for part in ("", rich_of(one))]
        else:
            parts.append(Text(self.failure or "asking the server …"))
        return Group(*parts, "", foot)

    # ---- Keys ---------------------------------------------------------------------------------------

    def pressed(self, text: str) -> None:
        """A key; anything but ``y`` says no to a question."""
        sure, self.sure = self.sure, False
        if sure and text == "y":
            self.replace()
            return
        self.told = ""
        call = self.keys.get(text)
        if call is not None:
            call()

    def leave(self) -> None:
        """Enough seen."""
        self.over = True

    def sort(self) -> None:
        """The next order of the paths."""
        names = list(SORTS)
        self.wish.sort = names[(names.index(self.wish.sort) + 1) % len(names)]

    def hold(self) -> None:
        """Let what is shown stand, or go on."""
        self.held = not self.held

    def choose(self, step: int) -> None:
        """The worker above or below."""
        numbers = sorted({worker["wid"] for worker in self.view.get("workers", ())})
        if numbers:
            at = numbers.index(self.wish.worker) + step if self.wish.worker in numbers else 0
            self.wish.worker = numbers[at % len(numbers)]

    def reload(self) -> None:
        """Ask whether it is meant."""
        if not self.wish.worker:
            self.told = "choose a worker with the arrows first"
        else:
            self.told = f"reload worker {self.wish.worker}? It serves until another one is ready. y: yes"
            self.sure = True

    def replace(self) -> None:
        """It is."""
        try:
            self.told = self.source.replace(self.wish.worker)
        except (NoServer, Silent) as error:
            self.told = str(error)


def watch(source: Source, wish: Wish, every: float) -> int:
    """Show it on the terminal until a key ends it; the exit status. Raises KeyboardInterrupt."""
    screen, console, keys = Screen(source, wish, every), Console(), sys.stdin.fileno()
    before = termios.tcgetattr(keys)
    try:
        tty.setcbreak(keys)
        with Live(console=console, screen=True, auto_refresh=False) as live:

            def show() -> None:
                live.update(screen.draw((console.size.width, console.size.height)), refresh=True)

            show()
            while not screen.over:
                screen.look()
                show()
                wait(screen, keys, show)
    finally:
        termios.tcsetattr(keys, termios.TCSADRAIN, before)
    return 0


def wait(screen: Screen, keys: int, show: Callable[[], None]) -> None:
    """Until it is time to look again, doing what keys say."""
    until = monotonic() + screen.every
    while not screen.over and (left := until - monotonic()) > 0:
        if select.select([keys], [], [], left)[0]:
            data = os.read(keys, AT_ONCE).decode(errors="replace")
            if not data:  # the terminal is gone
                screen.leave()
            for key in keys_of(data):
                screen.pressed(key)
            show()


def keys_of(data: str) -> list[str]:
    """What was pressed: single characters, and the sequences of the arrows."""
    found: list[str] = []
    while data:
        length = 3 if data.startswith(("\x1b[", "\x1bO")) else 1
        found.append(data[:length])
        data = data[length:]
    return found


def line_of(cells: list[Cell]) -> Text:
    """Words in a row."""
    line = Text(no_wrap=True, overflow="ellipsis")
    for cell in cells:
        line.append(cell.text, style=TONES[cell.tone])
    return line


def rich_of(one: Table) -> RichTable:
    """A table as rich draws it."""
    made = RichTable(
        title=one.title,
        title_justify="left",
        title_style="bold",
        box=None,
        padding=(0, 2, 0, 0),
        pad_edge=False,
    )
    for column in one.columns:
        made.add_column(
            column.name, justify="left" if column.left else "right", no_wrap=True, header_style="dim"
        )
    if not one.rows:
        made.add_row(Text(one.empty, style="dim"))
    for at, row in enumerate(one.rows):
        cells = [Text(cell.text, style=TONES[cell.tone]) for cell in row]
        made.add_row(*cells, style="reverse" if at == one.chosen else "")
    return made
