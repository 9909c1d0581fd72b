"""Where rules lead: on, to the application, to the end, to a label; and what they leave in the log."""

from tests.compat.site.cases import Group, case, request

MARK = "route = ^HERE addheader:X-Behind: yes"
CASES = (
    case("next", f"route = ^HERE addheader:X-Ran: yes\n{MARK}"),
    case("continue", f"route = ^HERE addheader:X-Ran: yes\nroute = ^HERE continue:\n{MARK}"),
    case("last", f"route = ^HERE addheader:X-Ran: yes\nroute = ^HERE last:\n{MARK}"),
    case("break", f"route = ^HERE break:\n{MARK}"),
    case("break-status", f"route = ^HERE break:403 Go away\n{MARK}"),
    case("break-number", "route = ^HERE break:503"),
    case("break-unknown", "route = ^HERE break:299 Odd"),
    case("break-head", "route = ^HERE break:403 Forbidden", request(method="HEAD")),
    *(
        case(f"return-{code}", f"route = ^HERE return:{code}\n{MARK}")
        for code in (200, 204, 304, 400, 401, 403, 404, 405, 410, 413, 418, 500, 502, 503, 599)
    ),
    case("return-header", "route = ^HERE addheader:X-Ran: yes\nroute = ^HERE return:404"),
    case("break-with-status", f"route = ^HERE break-with-status:404\n{MARK}"),
    case("break-in-response", "response-route = ^HERE break:"),
    case("break-status-in-response", "response-route = ^HERE break:403 Forbidden"),
    case(
        "last-in-response",
        "response-route = ^HERE addheader:X-Ran: yes\n"
        "response-route = ^HERE last:\n"
        "response-route = ^HERE addheader:X-Behind: yes",
    ),
    case(
        "goto", f"route = ^HERE goto:HERE-a\n{MARK}\nroute-label = HERE-a\nroute = ^HERE addheader:X-Ran: yes"
    ),
    case(
        "goto-twice",
        "route = ^HERE goto:HERE-a\n"
        "route-label = HERE-b\n"
        "route = ^HERE addheader:X-Two: yes\n"
        "route = ^HERE last:\n"
        "route-label = HERE-a\n"
        "route = ^HERE addheader:X-One: yes\n"
        f"{MARK}",
    ),
    case("goto-backward", f"route-label = HERE-a\n{MARK}\nroute = ^HERE goto:HERE-a"),
    case("goto-nowhere", f"route = ^HERE goto:HERE-none\n{MARK}"),
    case(
        "goto-named-by-request",
        f"route = ^HERE/(.*)$ goto:HERE-$1\n{MARK}\nroute-label = HERE-a\nroute = ^HERE addheader:X-Ran: yes",
        request("HERE/a"),
    ),
    case(
        "log",
        "route = ^HERE log:HERE says ${QUERY_STRING} $1",
        request("HERE?what"),
        logs=("HERE says what",),
    ),
    case("donotlog", "route = ^HERE donotlog:", logs=("GET HERE => ",)),
    case("donotlog-of-final", "final-route = ^HERE donotlog:", logs=("GET HERE => ",)),
    case("logged", "", logs=("GET HERE => ",), silent="it has no rules: what donotlog: takes away"),
    case(
        "final-of-break",
        "final-route = ^HERE log:HERE final ${uwsgi[status]}\nroute = ^HERE break:403 Forbidden",
        logs=("HERE final 403",),
    ),
)
LOGGED = (
    case(
        "logvar",
        "route = ^HERE logvar:mark=[${QUERY_STRING}]",
        request("HERE?what"),
        logs=(r"LINE HERE\?what \[what\] END",),
    ),
    case("logvar-of-final", "final-route = ^HERE logvar:mark=late", logs=("LINE HERE late END",)),
    case(
        "final-of-break",
        "final-route = ^HERE log:HERE final ${uwsgi[status]}\nroute = ^HERE break:403 Forbidden",
        logs=("HERE final 403",),
    ),
)
GROUPS = (
    Group("flow", CASES),
    Group("logged", LOGGED, ini="log-format = LINE %(uri) %(mark) END"),
    Group(
        "harakiri",
        (
            case(
                "in-time",
                "route = ^HERE harakiri:5",
                request("HERE"),
                silent="it only matters when it is late",
            ),
            case("late", "route = ^HERE harakiri:1", request("HERE", "App-Sleep: 2.5")),
        ),
        ini="master = true",
    ),
)
