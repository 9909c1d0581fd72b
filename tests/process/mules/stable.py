"""A stable: a nursery in which one mule was ordered, with the doors of two mules and two farms."""

import os
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.interprocess.channel import pair
from penstock.process.mules import doors
from tests.process.nursery import HELLO, Forked, Nursery, nursery, reap, wait_for

NOTES = """
def note(*words):
    with open("notes", "a") as file:
        file.write(" ".join(map(str, words)) + "\\n")
"""


@dataclass
class Stable:
    """A nursery of which one worker is a mule; ``doors`` are its messages'."""

    nursery: Nursery
    doors: list[doors.Door]
    mule: Forked
    notes: Path

    def begin(self) -> int:
        """Wait for its hello, and say the word; its pid."""
        self.mule.pid = int(self.mule.until("hello")["pid"])
        self.mule.tell("run")
        return self.mule.pid

    def end(self, number: int = 0, seconds: float = 15.0) -> int:
        """Its exit status, after a signal where one is given."""
        if number:
            os.kill(self.mule.pid, number)
        status = reap(self.mule.pid, seconds)
        self.mule.pid = 0
        return status

    def until(self, text: str) -> None:
        """Wait until the log says it, or ``note`` was told it."""
        wait_for(lambda: text in self.nursery.text() + self.notes.read_text())


@contextmanager
def stable(
    folder: Path, work: str, script: str = "", code: str = HELLO, lazy: bool = False, **options: Any
) -> Iterator[Stable]:
    """A mule that was ordered, in ``folder``, where a script of its own is ``work.py``."""
    (folder / "work.py").write_text(textwrap.dedent(script))
    (folder / "notes.py").write_text(NOTES)
    (folder / "notes").touch()
    made = [doors.open_door(name, 0) for name in doors.names_of(2, ["herd", "others"])]
    words = {"mule": [work, ""], "farm": ["herd:1,2", "others:2"], "pythonpath": [str(folder)], **options}
    before = os.getcwd()
    os.chdir(folder)  # a prototype is where its supervisor is
    try:
        with nursery(folder, code, lazy=lazy, doors=tuple(made), **words) as it:
            it.ear.until("loaded")
            ours, theirs = pair()
            one = Forked(ours, wid=1)
            it.workers.append(one)
            order = {"do": "fork", "role": "mule", "wid": 1, "slot": -1}
            it.prototype.channel.send(order, [theirs.fileno()])
            theirs.close()
            yield Stable(it, made, one, folder / "notes")
    finally:
        os.chdir(before)
        for door in made:
            doors.close_door(door)
