"""Options: the rules that requests and replies are put through. Read at boot only.

Texts as written, each kind of rule in its own field; ``rules`` of ``Derived`` has all of them in their order.
"""

from dataclasses import dataclass

from penstock.config.option import SECONDS
from penstock.config.settings.declare import flag, many, number

GROUP = "Routing"


@dataclass(init=False, repr=False, eq=False, frozen=True)
class RouteOptions:
    """Rules for requests."""

    route: tuple[str, ...] = many(
        GROUP, "route", "Do this with a request if the path matches.", "REGEX ACTION"
    )
    route_host: tuple[str, ...] = many(
        GROUP, "route-host", "Do this with a request if the Host matches.", "REGEX ACTION"
    )
    route_uri: tuple[str, ...] = many(
        GROUP, "route-uri", "Do this with a request if the target matches.", "REGEX ACTION"
    )
    route_qs: tuple[str, ...] = many(
        GROUP, "route-qs", "Do this with a request if the query matches.", "REGEX ACTION"
    )
    route_remote_addr: tuple[str, ...] = many(
        GROUP, "route-remote-addr", "Do this with a request if the client's address matches.", "REGEX ACTION"
    )
    route_remote_user: tuple[str, ...] = many(
        GROUP, "route-remote-user", "Do this with a request if the user matches.", "REGEX ACTION"
    )
    route_user_agent: tuple[str, ...] = many(
        GROUP, "route-user-agent", "Do this with a request if the User-Agent matches.", "REGEX ACTION"
    )
    route_referer: tuple[str, ...] = many(
        GROUP, "route-referer", "Do this with a request if the Referer matches.", "REGEX ACTION"
    )
    route_if: tuple[str, ...] = many(
        GROUP, "route-if", "Do this with a request if a condition holds.", "CONDITION ACTION"
    )
    route_if_not: tuple[str, ...] = many(
        GROUP, "route-if-not", "Do this with a request if a condition does not hold.", "CONDITION ACTION"
    )
    route_run: tuple[str, ...] = many(GROUP, "route-run", "Do this with a request.", "ACTION")
    route_label: tuple[str, ...] = many(
        GROUP, "route-label", "Mark a place among the rules for requests, to go to.", "NAME"
    )


@dataclass(init=False, repr=False, eq=False, frozen=True)
class ResponseRouteOptions:
    """Rules for replies, when their headers are about to be sent."""

    response_route: tuple[str, ...] = many(
        GROUP, "response-route", "Do this before a reply is sent if the path matches.", "REGEX ACTION"
    )
    response_route_host: tuple[str, ...] = many(
        GROUP, "response-route-host", "Do this before a reply is sent if the Host matches.", "REGEX ACTION"
    )
    response_route_uri: tuple[str, ...] = many(
        GROUP, "response-route-uri", "Do this before a reply is sent if the target matches.", "REGEX ACTION"
    )
    response_route_qs: tuple[str, ...] = many(
        GROUP, "response-route-qs", "Do this before a reply is sent if the query matches.", "REGEX ACTION"
    )
    response_route_remote_addr: tuple[str, ...] = many(
        GROUP,
        "response-route-remote-addr",
        "Do this before a reply is sent if the client's address matches.",
        "REGEX ACTION",
    )
    response_route_remote_user: tuple[str, ...] = many(
        GROUP,
        "response-route-remote-user",
        "Do this before a reply is sent if the user matches.",
        "REGEX ACTION",
    )
    response_route_user_agent: tuple[str, ...] = many(
        GROUP,
        "response-route-user-agent",
        "Do this before a reply is sent if the User-Agent matches.",
        "REGEX ACTION",
    )
    response_route_referer: tuple[str, ...] = many(
        GROUP,
        "response-route-referer",
        "Do this before a reply is sent if the Referer matches.",
        "REGEX ACTION",
    )
    response_route_status: tuple[str, ...] = many(
        GROUP,
        "response-route-status",
        "Do this before a reply is sent if the status is this.",
        "STATUS ACTION",
    )
    response_route_if: tuple[str, ...] = many(
        GROUP, "response-route-if", "Do this before a reply is sent if a condition holds.", "CONDITION ACTION"
    )
    response_route_if_not: tuple[str, ...] = many(
        GROUP,
        "response-route-if-not",
        "Do this before a reply is sent if a condition does not hold.",
        "CONDITION ACTION",
    )
    response_route_run: tuple[str, ...] = many(
        GROUP, "response-route-run", "Do this before a reply is sent.", "ACTION"
    )
    response_route_label: tuple[str, ...] = many(
        GROUP, "response-route-label", "Mark a place among the rules for replies, to go to.", "NAME"
    )


@dataclass(init=False, repr=False, eq=False, frozen=True)
class ErrorRouteOptions:
    """Rules for replies as soon as their status is known, whatever it is, as in uWSGI."""

    error_route: tuple[str, ...] = many(
        GROUP, "error-route", "Do this when a reply gets its status if the path matches.", "REGEX ACTION"
    )
    error_route_host: tuple[str, ...] = many(
        GROUP, "error-route-host", "Do this when a reply gets its status if the Host matches.", "REGEX ACTION"
    )
    error_route_uri: tuple[str, ...] = many(
        GROUP,
        "error-route-uri",
        "Do this when a reply gets its status if the target matches.",
        "REGEX ACTION",
    )
    error_route_qs: tuple[str, ...] = many(
        GROUP, "error-route-qs", "Do this when a reply gets its status if the query matches.", "REGEX ACTION"
    )
    error_route_remote_addr: tuple[str, ...] = many(
        GROUP,
        "error-route-remote-addr",
        "Do this when a reply gets its status if the client's address matches.",
        "REGEX ACTION",
    )
    error_route_remote_user: tuple[str, ...] = many(
        GROUP,
        "error-route-remote-user",
        "Do this when a reply gets its status if the user matches.",
        "REGEX ACTION",
    )
    error_route_user_agent: tuple[str, ...] = many(
        GROUP,
        "error-route-user-agent",
        "Do this when a reply gets its status if the User-Agent matches.",
        "REGEX ACTION",
    )
    error_route_referer: tuple[str, ...] = many(
        GROUP,
        "error-route-referer",
        "Do this when a reply gets its status if the Referer matches.",
        "REGEX ACTION",
    )
    error_route_status: tuple[str, ...] = many(
        GROUP,
        "error-route-status",
        "Do this when a reply gets its status if the status is this.",
        "STATUS ACTION",
    )
    error_route_if: tuple[str, ...] = many(
        GROUP,
        "error-route-if",
        "Do this when a reply gets its status if a condition holds.",
        "CONDITION ACTION",
    )
    error_route_if_not: tuple[str, ...] = many(
        GROUP,
        "error-route-if-not",
        "Do this when a reply gets its status if a condition does not hold.",
        "CONDITION ACTION",
    )
    error_route_run: tuple[str, ...] = many(
        GROUP, "error-route-run", "Do this when a reply gets its status.", "ACTION"
    )
    error_route_label: tuple[str, ...] = many(
        GROUP, "error-route-label", "Mark a place among the rules for statuses, to go to.", "NAME"
    )


@dataclass(init=False, repr=False, eq=False, frozen=True)
class FinalRouteOptions:
    """Rules for what is to be done once a request is answered."""

    final_route: tuple[str, ...] = many(
        GROUP, "final-route", "Do this after a request if the path matches.", "REGEX ACTION"
    )
    final_route_host: tuple[str, ...] = many(
        GROUP, "final-route-host", "Do this after a request if the Host matches.", "REGEX ACTION"
    )
    final_route_uri: tuple[str, ...] = many(
        GROUP, "final-route-uri", "Do this after a request if the target matches.", "REGEX ACTION"
    )
    final_route_qs: tuple[str, ...] = many(
        GROUP, "final-route-qs", "Do this after a request if the query matches.", "REGEX ACTION"
    )
    final_route_remote_addr: tuple[str, ...] = many(
        GROUP,
        "final-route-remote-addr",
        "Do this after a request if the client's address matches.",
        "REGEX ACTION",
    )
    final_route_remote_user: tuple[str, ...] = many(
        GROUP, "final-route-remote-user", "Do this after a request if the user matches.", "REGEX ACTION"
    )
    final_route_user_agent: tuple[str, ...] = many(
        GROUP, "final-route-user-agent", "Do this after a request if the User-Agent matches.", "REGEX ACTION"
    )
    final_route_referer: tuple[str, ...] = many(
        GROUP, "final-route-referer", "Do this after a request if the Referer matches.", "REGEX ACTION"
    )
    final_route_status: tuple[str, ...] = many(
        GROUP, "final-route-status", "Do this after a request if the status is this.", "STATUS ACTION"
    )
    final_route_if: tuple[str, ...] = many(
        GROUP, "final-route-if", "Do this after a request if a condition holds.", "CONDITION ACTION"
    )
    final_route_if_not: tuple[str, ...] = many(
        GROUP,
        "final-route-if-not",
        "Do this after a request if a condition does not hold.",
        "CONDITION ACTION",
    )
    final_route_run: tuple[str, ...] = many(GROUP, "final-route-run", "Do this after a request.", "ACTION")
    final_route_label: tuple[str, ...] = many(
        GROUP, "final-route-label", "Mark a place among the rules for answered requests, to go to.", "NAME"
    )


@dataclass(init=False, repr=False, eq=False, frozen=True)
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
