"""From the options that name sockets to the addresses that are listened on.

Called by ``assemble``, which knows what was given; it looks at no other option.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from penstock.config.address import parse_address
from penstock.config.raw import RawOption
from penstock.config.settings import ListenerSpec
from penstock.config.settings.household import CRONS, DAEMONS
from penstock.config.sources.env import STANDARD_INPUT
from penstock.core.errors import ConfigError

Protocol = Literal["http", "uwsgi"]
LISTENING: dict[str, Protocol | None] = {
    "bind": "http",
    "http-socket": "http",
    "http": "http",
    "uwsgi-socket": "uwsgi",
    "socket": None,  # whatever --protocol says
    "<activated>": None,
}
SOCKETLESS = ("emperor", *DAEMONS, *CRONS, "spooler", "setns_socket")
"""Fields of what uWSGI starts for where no socket is named."""


def socketless(values: Mapping[str, Any]) -> bool:
    """Whether there is something to do without a request, by the fields' ``values``."""
    return any(values.get(name) for name in SOCKETLESS)


def taken(sockets: Sequence[RawOption], skip_zero: bool) -> list[RawOption]:
    """Those that count: ``skip-zero`` leaves standard input alone."""
    return [raw for raw in sockets if not (skip_zero and raw.origin == STANDARD_INPUT)]


def specs(
    sockets: Iterable[RawOption], protocol: Protocol, problem: Callable[[RawOption, str], None]
) -> tuple[ListenerSpec, ...]:
    """Listener specifications, in order, each address once.

    ``protocol``: what a socket speaks whose option does not say it; ``problem`` is told of an address that is
    none.
    """
    found: list[ListenerSpec] = []
    seen: set[str] = set()
    for raw in sockets:
        value = raw.value or ""
        if value in seen and not value.endswith(":0"):
            continue  # uWSGI ignores the second one too
        seen.add(value)
        try:
            # --http may carry uWSGI's router words behind the address: address,key
            parsed = parse_address(value.partition(",")[0] if raw.key == "http" else value)
        except ConfigError as error:
            problem(raw, error.message)
            continue
        found.append(ListenerSpec(value, LISTENING.get(raw.key) or protocol, raw.origin, parsed))
    return tuple(found)
