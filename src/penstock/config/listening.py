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

Protocol = Literal["http", "https", "uwsgi"]
LISTENING: dict[str, Protocol | None] = {
    "bind": "http",
    "http-socket": "http",
    "http": "http",
    "http-to-https": "http",
    "https": "https",
    "https-socket": "https",
    "uwsgi-socket": "uwsgi",
    "socket": None,  # whatever --protocol says
    "<activated>": None,
}
WORDED = ("http", "http-to-https", "https", "https-socket")
"""Those that may carry words behind the address: ``address,key`` of uWSGI's router, ``address,port``,
``address,certificate,key``."""
SITE = (
    *("static_map", "static_map2", "check_static", "check_static_docroot", "route", "route_run"),
    "http_to",
)
"""Fields of what answers requests without an application."""
SOCKETLESS = ("emperor", *DAEMONS, *CRONS, "spooler", "setns_socket")
"""Fields of what uWSGI starts for where no socket is named."""


def socketless(values: Mapping[str, Any]) -> bool:
    """Whether there is something to do without a request, by the fields' ``values``."""
    return any(values.get(name) for name in SOCKETLESS)


def appless(values: Mapping[str, Any], sockets: Sequence[RawOption]) -> bool:
    """Whether there is something to do without an application that nobody named: what uWSGI would serve with
    these options all the same. ``need-app = true`` asks for one beside files and rules."""
    if values.get("emperor") or values.get("nagios") or (socketless(values) and not sockets):
        return True
    redirecting = bool(sockets) and all(raw.key == "http-to-https" for raw in sockets)
    return not values.get("need_app") and (redirecting or bool(answering(values)))


def answering(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields by which files, rules or another server answer requests."""
    return tuple(name for name in SITE if values.get(name))


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
        address = value.partition(",")[0] if raw.key in WORDED else value
        if value in seen and not address.endswith(":0"):
            continue  # uWSGI ignores the second one too
        seen.add(value)
        try:
            parsed = parse_address(address)
        except ConfigError as error:
            problem(raw, error.message)
            continue
        found.append(ListenerSpec(value, LISTENING.get(raw.key) or protocol, raw.origin, parsed, raw.key))
    return tuple(found)
