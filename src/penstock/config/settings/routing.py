"""Options: the rules that requests and replies are put through. Read at boot only.

Texts as written, each kind of rule in its own field; ``rules`` of ``Derived`` has all of them in their order.
"""

from typing import Any

from penstock.config.option import SECONDS, group
from penstock.config.settings.declare import flag, many, number

GROUP = "Routing"
PHASES = {
    "": ("with a request", "requests"),
    "response": ("before a reply is sent", "replies"),
    "error": ("when a reply gets its status", "statuses"),
    "final": ("after a request", "answered requests"),
}
"""By what stands before ``route``: when a rule's action is done, and what its table is for."""
KINDS = {
    "": ("REGEX ", " if the path matches"),
    "host": ("REGEX ", " if the Host matches"),
    "uri": ("REGEX ", " if the target matches"),
    "qs": ("REGEX ", " if the query matches"),
    "remote-addr": ("REGEX ", " if the client's address matches"),
    "remote-user": ("REGEX ", " if the user matches"),
    "user-agent": ("REGEX ", " if the User-Agent matches"),
    "referer": ("REGEX ", " if the Referer matches"),
    "status": ("STATUS ", " if the status is this"),
    "if": ("CONDITION ", " if a condition holds"),
    "if-not": ("CONDITION ", " if a condition does not hold"),
    "run": ("", ""),
}
"""By what stands behind it: what the value begins with, and on what condition its action is done."""


def rule(name: str) -> Any:
    """The option of that name, whose help follows from it."""
    phase, _, kind = name.rpartition("route")
    when, what = PHASES[phase.rstrip("-")]
    kind = kind.lstrip("-")
    if kind == "label":
        return many(GROUP, name, f"Mark a place among the rules for {what}, to go to.", "NAME")
    value, condition = KINDS[kind]
    return many(GROUP, name, f"Do this {when}{condition}.", f"{value}ACTION")


@group
class RouteOptions:
    """Rules for requests."""

    route: tuple[str, ...] = rule("route")
    route_host: tuple[str, ...] = rule("route-host")
    route_uri: tuple[str, ...] = rule("route-uri")
    route_qs: tuple[str, ...] = rule("route-qs")
    route_remote_addr: tuple[str, ...] = rule("route-remote-addr")
    route_remote_user: tuple[str, ...] = rule("route-remote-user")
    route_user_agent: tuple[str, ...] = rule("route-user-agent")
    route_referer: tuple[str, ...] = rule("route-referer")
    route_if: tuple[str, ...] = rule("route-if")
    route_if_not: tuple[str, ...] = rule("route-if-not")
    route_run: tuple[str, ...] = rule("route-run")
    route_label: tuple[str, ...] = rule("route-label")


@group
class ResponseRouteOptions:
    """Rules for replies, when their headers are about to be sent."""

    response_route: tuple[str, ...] = rule("response-route")
    response_route_host: tuple[str, ...] = rule("response-route-host")
    response_route_uri: tuple[str, ...] = rule("response-route-uri")
    response_route_qs: tuple[str, ...] = rule("response-route-qs")
    response_route_remote_addr: tuple[str, ...] = rule("response-route-remote-addr")
    response_route_remote_user: tuple[str, ...] = rule("response-route-remote-user")
    response_route_user_agent: tuple[str, ...] = rule("response-route-user-agent")
    response_route_referer: tuple[str, ...] = rule("response-route-referer")
    response_route_status: tuple[str, ...] = rule("response-route-status")
    response_route_if: tuple[str, ...] = rule("response-route-if")
    response_route_if_not: tuple[str, ...] = rule("response-route-if-not")
    response_route_run: tuple[str, ...] = rule("response-route-run")
    response_route_label: tuple[str, ...] = rule("response-route-label")


@group
class ErrorRouteOptions:
    """Rules for replies as soon as their status is known, whatever it is, as in uWSGI."""

    error_route: tuple[str, ...] = rule("error-route")
    error_route_host: tuple[str, ...] = rule("error-route-host")
    error_route_uri: tuple[str, ...] = rule("error-route-uri")
    error_route_qs: tuple[str, ...] = rule("error-route-qs")
    error_route_remote_addr: tuple[str, ...] = rule("error-route-remote-addr")
    error_route_remote_user: tuple[str, ...] = rule("error-route-remote-user")
    error_route_user_agent: tuple[str, ...] = rule("error-route-user-agent")
    error_route_referer: tuple[str, ...] = rule("error-route-referer")
    error_route_status: tuple[str, ...] = rule("error-route-status")
    error_route_if: tuple[str, ...] = rule("error-route-if")
    error_route_if_not: tuple[str, ...] = rule("error-route-if-not")
    error_route_run: tuple[str, ...] = rule("error-route-run")
    error_route_label: tuple[str, ...] = rule("error-route-label")


@group
class FinalRouteOptions:
    """Rules for what is to be done once a request is answered."""

    final_route: tuple[str, ...] = rule("final-route")
    final_route_host: tuple[str, ...] = rule("final-route-host")
    final_route_uri: tuple[str, ...] = rule("final-route-uri")
    final_route_qs: tuple[str, ...] = rule("final-route-qs")
    final_route_remote_addr: tuple[str, ...] = rule("final-route-remote-addr")
    final_route_remote_user: tuple[str, ...] = rule("final-route-remote-user")
    final_route_user_agent: tuple[str, ...] = rule("final-route-user-agent")
    final_route_referer: tuple[str, ...] = rule("final-route-referer")
    final_route_status: tuple[str, ...] = rule("final-route-status")
    final_route_if: tuple[str, ...] = rule("final-route-if")
    final_route_if_not: tuple[str, ...] = rule("final-route-if-not")
    final_route_run: tuple[str, ...] = rule("final-route-run")
    final_route_label: tuple[str, ...] = rule("final-route-label")


@group
class RuleOptions:
    """What holds for all rules."""

    proxy_timeout: float = number(
        SECONDS,
        60.0,
        GROUP,
        "proxy-timeout",
        "Longest silence of a server that a rule passes a request to; then 504.",
        own=True,
        metavar="TIME",
    )
    proxy_connect_timeout: float = number(
        SECONDS,
        5.0,
        GROUP,
        "proxy-connect-timeout",
        "For such a server to take a connection; then 502.",
        own=True,
        metavar="TIME",
    )
    trace_routes: bool = flag(
        GROUP, "trace-routes", "Say in the log what each rule did to each request.", own=True
    )
    router_list: bool = flag(
        GROUP,
        "router-list",
        "Say in the log at start which actions and conditions rules may have.",
        aliases=("routers-list",),
    )
