"""What a worker knows of its siblings: who else takes connections, how many each has, whether it has room.

Runs in a worker, on its loop or on the thread at its door; reads the others' cells of the scoreboard, writes
its own. It does not know what anybody makes of it.
"""

from time import monotonic_ns

from penstock.interprocess.scoreboard import ACCEPTING, BEAT, GATE, STATE, Scoreboard

LIFELESS = 1_000_000_000  # nanoseconds without a tick (four are due in them): it hangs, or is dead


class Siblings:
    """The other slots of a board; ``own`` are the words of this worker's."""

    def __init__(self, board: Scoreboard, slot: int) -> None:
        self.own = board.cell(slot).words
        self.others = [board.cell(other).words for other in range(board.slots) if other != slot]

    def accepting(self) -> "list[memoryview[int]]":
        """The words of those that take connections and live."""
        then = monotonic_ns() - LIFELESS
        return [words for words in self.others if words[STATE] == ACCEPTING and not 0 < words[BEAT] < then]

    def open(self) -> "list[memoryview[int]]":
        """Those of them that have room."""
        then = monotonic_ns() - LIFELESS
        # The gate first: it is shut in a slot that is nobody's.
        return [
            words
            for words in self.others
            if words[GATE] and words[STATE] == ACCEPTING and not 0 < words[BEAT] < then
        ]

    def room_elsewhere(self) -> bool:
        """Whether one of them has room."""
        return bool(self.open())
