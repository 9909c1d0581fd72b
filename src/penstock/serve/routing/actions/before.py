"""What rules send before the body of a reply that has begun: ``send:`` in a response or error rule.

An object a reply, used by one pool thread. It knows blocks of a body; the head, whose length it changes, is
the call's.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.serve.finish.call import FinishedCall


class Before:
    """A text first, then the body as it comes."""

    __slots__ = ("text",)

    first = True

    def __init__(self) -> None:
        self.text = b""

    def start(self, call: "FinishedCall") -> bool:
        """For each reply."""
        return True

    def feed(self, data: bytes) -> bytes:
        """With the text, before the first block."""
        text, self.text = self.text, b""
        return text + data

    def finish(self) -> bytes:
        """The text of a reply that had no body."""
        return self.feed(b"")

    def failed(self) -> None:
        """Nothing is held but memory."""
        self.text = b""


def say_before(call: "FinishedCall", text: bytes) -> None:
    """Have ``text`` sent before the body of whatever reply comes, behind what was said so before."""
    wanted = call.touches.transformations
    if not (wanted and isinstance(wanted[-1], Before)):
        wanted.append(Before())
    said = wanted[-1]
    assert isinstance(said, Before)
    said.text += text
