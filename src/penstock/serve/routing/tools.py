"""What actions and conditions are built with at boot: templates, regexes, and the rest of the house.

Made once for each worker, by whoever wires it, before requests come; read-only from then on. It does not know
which rules there are.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from penstock.serve.routing.flow import REQUEST
from penstock.serve.routing.template import compile_template, doubts
from penstock.serve.routing.turn import Turn

if TYPE_CHECKING:
    from penstock.config.settings import Settings
    from penstock.interprocess.cache.caches import Caches
    from penstock.serve.proxy.upstreams import Upstreams

Text = Callable[[Turn], str]
"""A compiled template: what it says for a request."""

Act = Callable[[Turn], int]
"""What an action does; NEXT, CONTINUE or BREAK."""

Test = Callable[[Turn], bool]
"""What a condition finds."""

Builder = Callable[[str, "Tools"], Act]
"""From the text behind ``name:`` to what runs. Raises ValueError in one line that says what is expected."""

Condition = Callable[[list[str], "Tools"], Test]
"""From the text behind ``name:``, cut at its first semicolon (one or two pieces), to what is asked; joined by
a semicolon again they are the text as written. Raises ValueError likewise."""


class Pattern(Protocol):
    """A compiled regex, of whichever engine: ``search`` looks anywhere in the text."""

    @property
    def pattern(self) -> str: ...

    @property
    def groups(self) -> int: ...

    def search(self, string: str, /) -> re.Match[str] | None: ...


def plain_regex(text: str) -> Pattern:
    """Python's own engine, with PCRE's idea of text: bytes. Raises ValueError."""
    try:
        return re.compile(text, re.ASCII)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from error


def unheard(text: str) -> None:
    """Nobody listens."""


def unwarned(key: str, text: str) -> None:
    """Nobody listens."""


def nothing() -> int:
    """Zero."""
    return 0


def short_title(text: str) -> None:
    """The process's short name, of which the kernel keeps 15 bytes (proc(5), comm)."""
    try:
        with open("/proc/self/comm", "wb") as comm:
            comm.write(text.encode("latin-1")[:15])
    except OSError:
        pass  # another system, or a sealed /proc: a name is not worth a request


@dataclass(frozen=True, slots=True)
class Tools:
    """What rules are built with.

    ``settings``   for what else the operator said
    ``regex``      compiles a regex safely; raises ValueError
    ``number``     the worker's (``${uwsgi[wid]}``), 0 where there is one process, which says 1
    ``files``      static files (a ``Files``), None without any
    ``caches``     the shared stores, None without any
    ``upstreams``  the kept connections to other servers
    ``mime``       the MIME type of a file name, "" for an unknown one
    ``backlog``    how many connections wait to be accepted (``${uwsgi[lq]}``)
    ``title``      gives the process a title (``setprocname:``)
    ``warn``       called with (key, text): a line in the log, once for each key; "" for each time
    ``info``       called with a line for the log
    ``phase``      of the rule that is being built: REQUEST, RESPONSE, ERROR or FINAL
    ``groups``     how many captures its action has, None where that is not known
    """

    settings: "Settings | None" = None
    regex: Callable[[str], Pattern] = plain_regex
    number: int = 0
    files: Any = None
    caches: "Caches | None" = None
    upstreams: "Upstreams | None" = None
    mime: Callable[[str], str] | None = None
    backlog: Callable[[], int] = nothing
    title: Callable[[str], None] = short_title
    warn: Callable[[str, str], None] = unwarned
    info: Callable[[str], None] = unheard
    phase: str = REQUEST
    groups: int | None = None

    def template(self, text: str) -> Text:
        """An action's text, compiled: ``$0`` to ``$9``, ``${VAR}``, ``${function[argument]}``.

        Raises ValueError for a function that there is not here.
        """
        compiled = compile_template(text, self)
        for doubt in doubts(text, self.groups):
            self.warn("", doubt)
        return compiled

    def words(self, text: str) -> Text:
        """The same for a condition, where ``$1`` is no capture but itself, as in uWSGI."""
        return compile_template(text, self, captures=False)

    def in_phase(self, phase: str) -> "Tools":
        """The same tools for the rules of another phase."""
        return replace(self, phase=phase)

    def of_rule(self, origin: str, rule: str) -> "Tools":
        """The same for one rule, which stands at ``origin``: what it warns of names both. ``rule`` is its
        option and value."""
        warn = self.warn

        def named(key: str, text: str) -> None:
            warn(f"{origin} {key}" if key else "", f"{origin}: {rule}: {text}")

        return replace(self, warn=named)
