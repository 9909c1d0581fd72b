"""``gzip:``, ``chunked:``, ``tofile:``, ``template:``: what a reply's body passes on its way.

Built at boot; an object for each reply, used by one pool thread. Framing is the call's: where uWSGI leaves
the length of the untouched body in the head there is the right one here, or none.
"""

import os
import re
from tempfile import mkstemp
from typing import TYPE_CHECKING, Any

from penstock.serve.finish.coders import Coder, coder_of
from penstock.serve.finish.compression import untouchable, vary, weaken
from penstock.serve.finish.touches import Transformation
from penstock.serve.routing.actions.keyed import keyed
from penstock.serve.routing.actions.places import place_of
from penstock.serve.routing.flow import NEXT
from penstock.serve.routing.template import compile_template
from penstock.serve.routing.turn import Turn, path_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from penstock.serve.routing.tools import Act, Builder, Tools

TOFILE_KEYS = {"filename": "filename", "name": "filename", "mode": "mode"}
MOST = 16 << 20  # octets of a body that template: gathers
OCTAL = re.compile(r"[0-7]{1,4}")


class Chunked:
    """Takes the length out of the head: on HTTP/1.1 the body is then in chunks."""

    def start(self, call: Any) -> bool:
        """For each reply."""
        return True

    def feed(self, data: bytes) -> bytes:
        """As it is."""
        return data

    def finish(self) -> bytes:
        """Nothing more."""
        return b""

    def failed(self) -> None:
        """Nothing is held."""


class Gzipped:
    """Compresses, whatever the client says it takes: the rule's condition is there to ask. Not what is
    encoded already, is a part of something, says ``no-transform`` or is known to be empty."""

    def __init__(self) -> None:
        self.coder: Coder | None = None

    def start(self, call: Any) -> bool:
        """Have the head say so."""
        if untouchable(call) or call.declared == 0:
            return False
        self.coder = coder_of("gzip")()
        call.remove(("content-encoding", "accept-ranges"))
        weaken(call.pairs)
        call.pairs.append(("Content-Encoding", "gzip"))
        vary(call.pairs)
        return True

    def feed(self, data: bytes) -> bytes:
        """A block, all of it: the application may take long for the next one (PEP 3333)."""
        assert self.coder is not None
        return self.coder.feed(data) + self.coder.flush()

    def finish(self) -> bytes:
        """The end."""
        assert self.coder is not None
        return self.coder.finish()

    def failed(self) -> None:
        """Nothing is held but memory."""
        self.coder = None


class ToFile:
    """Writes the body of a 200 to a file, too, which appears when it is complete, and replaces another."""

    def __init__(self, path: str, mode: int, tools: "Tools") -> None:
        self.path = path
        self.mode = mode
        self.tools = tools
        self.part = ""
        self.fd = -1
        self.stores = False

    def start(self, call: Any) -> bool:
        """For good replies; the body is the same, so its length is."""
        self.stores = call.code == 200
        if self.stores and call.declared >= 0:
            call.pairs.append(("Content-Length", str(call.declared)))
        return self.stores

    def feed(self, data: bytes) -> bytes:
        """A block; the client's is not held up by a disk that is full."""
        try:
            if self.stores and self.fd < 0:
                self.fd, self.part = mkstemp(
                    ".part", f".{os.path.basename(self.path)[:60]}.", os.path.dirname(self.path)
                )
            rest = memoryview(data) if self.stores else memoryview(b"")
            while rest:
                rest = rest[os.write(self.fd, rest) :]
        except OSError as error:
            self.give_up(error)
        return data

    def finish(self) -> bytes:
        """It is complete; an empty one is not stored."""
        if self.fd >= 0:
            try:
                os.fchmod(self.fd, self.mode)
                os.replace(self.part, self.path)
                self.part = ""
            except OSError as error:
                self.give_up(error)
            self.failed()
        return b""

    def failed(self) -> None:
        """What there is of it goes."""
        fd, self.fd, part, self.part, self.stores = self.fd, -1, self.part, "", False
        if fd >= 0:
            os.close(fd)
        if part:
            try:
                os.unlink(part)
            except OSError:
                pass  # whoever took it away has done the same

    def give_up(self, error: OSError) -> None:
        """No file this time."""
        self.failed()
        self.tools.warn(f"tofile {error.strerror}", f"tofile: {self.path}: {error.strerror or error}")


class Templated:
    """Reads the body as a rule's text: ``${VAR}`` and ``$1`` in it become what they are for this request.

    It has to have all of it first; of a body beyond 16 MB nothing is replaced, with a warning.
    """

    def __init__(self, match: re.Match[str] | None, tools: "Tools") -> None:
        self.match = match
        self.tools = tools
        self.turn: Turn | None = None
        self.gathered = bytearray()
        self.passes = False

    def start(self, call: Any) -> bool:
        """For each reply that is no part and not encoded: ``$`` in those is no text."""
        if untouchable(call):
            return False
        self.turn = Turn(call, call.environ)
        self.turn.match = self.match
        weaken(call.pairs)
        call.remove(("accept-ranges",))
        return True

    def feed(self, data: bytes) -> bytes:
        """Kept back."""
        if self.passes:
            return data
        self.gathered += data
        if len(self.gathered) <= MOST:
            return b""
        self.tools.warn("template", f"template: a body of more than {MOST >> 20} MB is sent as it is")
        self.passes = True
        return self.rest()

    def finish(self) -> bytes:
        """The body as it reads now."""
        turn, said = self.turn, self.rest()
        self.turn = None
        if turn is None or self.passes:
            return said
        try:
            return compile_template(said.decode("latin-1"), self.tools)(turn).encode("latin-1", "replace")
        except ValueError as error:
            self.tools.warn(f"template {error}", f"template: {turn.call.line()}: {error}; sent as it is")
            return said

    def failed(self) -> None:
        """Nothing is held but memory."""
        self.turn = None
        self.passes = False
        self.rest()

    def rest(self) -> bytes:
        """What was gathered, and is no more."""
        said = bytes(self.gathered)
        self.gathered.clear()
        return said


def simple(make: "Callable[[], Transformation]") -> "Builder":
    """An action that has the body pass something, whatever its argument says."""

    def build(argument: str, tools: "Tools") -> "Act":
        def act(turn: Turn) -> int:
            turn.call.touches.transformations.append(make())
            return NEXT

        return act

    return build


def tofile(argument: str, tools: "Tools") -> "Act":
    """``tofile:filename=PATH,mode=644``. What a request brings into the path cannot lead upwards: such a
    reply is not stored."""
    words = keyed(argument, TOFILE_KEYS, tools)
    mode = words.get("mode", "644")
    if not words.get("filename") or OCTAL.fullmatch(mode) is None:
        raise ValueError("takes filename=PATH, and if need be mode=644")
    path, bits = place_of(words["filename"], tools), int(mode, 8) & 0o777

    def act(turn: Turn) -> int:
        name = path(turn)
        if name is not None:
            turn.call.touches.transformations.append(ToFile(path_of(name), bits, tools))
        return NEXT

    return act


def template(argument: str, tools: "Tools") -> "Act":
    """``template:``."""

    def act(turn: Turn) -> int:
        turn.call.touches.transformations.append(Templated(turn.match, tools))
        return NEXT

    return act


ACTIONS = {
    "chunked": simple(Chunked),
    "gzip": simple(Gzipped),
    "tofile": tofile,
    "to-file": tofile,
    "template": template,
}
