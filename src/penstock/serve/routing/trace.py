"""What became of each rule for one request, for whoever looks on.

Filled by a table on a pool thread, or by ``penstock routes`` without any server; read when the walk is over.
It does not know what the rules do.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Step:
    """One rule's turn: ``table`` is its phase, ``number`` its place there, ``origin`` its file and line;
    ``said`` the value as written behind ``option``; ``matched``; ``groups`` the captures, the whole match
    first (() without a regex, or where it did not match); ``flow`` is "next", "continue", "break", "goto N",
    or "" where it did not match; ``changed`` the variables that it set."""

    table: str
    number: int
    origin: str
    option: str
    said: str
    matched: bool
    groups: tuple[str, ...]
    flow: str
    changed: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        head = f"[{self.table} {self.number}] {self.option} = {self.said} ({self.origin})"
        if not self.matched:
            return f"{head}: no match"
        caught = "".join(f" ${at}={text!r}" for at, text in enumerate(self.groups) if at)
        changed = "".join(f" {name}={value!r}" for name, value in self.changed)
        return f"{head}: matched{caught}, {self.flow}{changed}"


@dataclass(slots=True)
class Trace:
    """The steps of one request, in order, over all phases."""

    steps: list[Step] = field(default_factory=list)

    def note(self, step: Step) -> None:
        """One more."""
        self.steps.append(step)
