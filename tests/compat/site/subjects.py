"""What rules look at: every option of the four phases, with a request that it is for."""

from tests.compat.site.cases import Case, Group, case, request

PHASES = ("", "response-", "error-", "final-")
HIT = {
    "": ("^HERE", "HERE"),
    "host": ("^OWN\\.test", "/up"),
    "uri": ("^HERE\\?", "HERE?a=b"),
    "qs": ("^mark=HERE", "/up?mark=HERE"),
    "user-agent": ("^OWN-agent", "/up"),
    "referer": ("HERE-page$", "/up"),
}
FIELDS = {"host": "Host: OWN.test", "user-agent": "User-Agent: OWN-agent", "referer": "Referer: x HERE-page"}


def act(phase: str, word: str) -> str:
    """Something that shows that the rule ran: behind the reply, only the log can."""
    return f"log:ran HERE {word}" if phase == "final-" else f"addheader:X-Ran: {word}"


def logs(phase: str) -> tuple[str, ...]:
    return ("ran HERE yes",) if phase == "final-" else ()


def plain(phase: str, subject: str) -> Case:
    """One that matches."""
    pattern, target = HIT[subject]
    option = f"{phase}route-{subject}".removesuffix("-")
    field = FIELDS.get(subject)
    asked = request(target, *([field] if field else []))
    return case(
        name(phase, subject or "path"), f"{option} = {pattern} {act(phase, 'yes')}", asked, logs=logs(phase)
    )


def name(phase: str, rest: str) -> str:
    return f"{phase}{rest}"


def of_phase(number: int, phase: str) -> list[Case]:
    """The others: each rule, and its request where that says something more."""
    option, yes = f"{phase}route", act(phase, "yes")
    rules = {
        "remote-addr": f"route = ^HERE setremoteaddr:10.9.0.{number}\n"
        f"{option}-remote-addr = ^10\\.9\\.0\\.{number}$ {yes}",
        "remote-user": f"route = ^HERE setuser:user{number}\n{option}-remote-user = ^user{number}$ {yes}",
        "if": f"{option}-if = equal:${{PATH_INFO}};HERE {yes}",
        "if-not": f"{option}-if-not = empty:${{HTTP_X_NOT_{number}}} {yes}",
        "label": f"{option} = ^HERE goto:HERE-end\n{option} = ^HERE {act(phase, 'no')}\n"
        f"{option}-label = HERE-end\n{option} = ^HERE {yes}",
        "status": f"{option}-status = {430 + number} {yes}",
    }
    asks = {
        "if-not": request("/up", f"X-Not-{number}: there"),
        "status": request("HERE", f"App-Status: {430 + number} Odd"),
    }
    if not phase:
        del rules["status"]  # there is none yet
    seen = (*logs(phase), "ran HERE no") if phase == "final-" else ()
    return [
        case(name(phase, kind), text, asks.get(kind, request()), logs=seen) for kind, text in rules.items()
    ]


MISSES = [
    case(
        "case-counts",
        "route = ^HERE addheader:X-Ran: yes\nroute = ^HERE/LOW addheader:X-Low: no",
        request("HERE/low"),
    ),
    case("anywhere", "route = HERE-in addheader:X-Ran: yes", request("/before/HERE-in/behind")),
    case("decoded", "route = ^HERE/a[[:space:]]b$ addheader:X-Ran: yes", request("HERE/a%20b")),
    case("slashes", "route = ^HERE//x$ addheader:X-Ran: yes", request("HERE//x")),
    case("octets", "route = ^HERE/\\xc3\\xa4$ addheader:X-Ran: yes", request("HERE/%c3%a4")),
    case("uri-is-raw", "route-uri = ^HERE/a\\x2520b addheader:X-Ran: yes", request("HERE/a%20b")),
    case(
        "absent-field",
        "route-if = equal:${PATH_INFO};HERE goto:HERE-a\n"
        "route-run = goto:HERE-b\n"
        "route-label = HERE-a\n"
        "route-referer = ^$ addheader:X-Ran: yes\n"
        "route-label = HERE-b",
    ),
    case(
        "greedy",
        "route = ^HERE/(.*)/(.*)$ addheader:X-Ran: $1 and $2",
        request("HERE/one/two/three"),
    ),
    case("order", "route = ^HERE addheader:X-Ran: one\nroute = ^HERE addheader:X-Ran: two"),
    case(
        "response-order",
        "response-route = ^HERE addheader:X-Ran: behind\nroute = ^HERE addheader:X-Ran: before",
    ),
    case(
        "both-of-a-reply",
        "error-route = ^HERE addheader:X-Ran: error\nresponse-route = ^HERE addheader:X-Ran: response",
        request("HERE", "App-Status: 404 Not Found"),
    ),
    case("error-of-return", "error-route = ^HERE addheader:X-Ran: error\nroute = ^HERE return:404"),
    case("error-of-break", "error-route = ^HERE addheader:X-Ran: error\nroute = ^HERE break:403 Forbidden"),
    case("error-replies", "error-route = ^HERE redirect:http://else.test/\nroute = ^HERE return:404"),
    case(
        "error-replies-app",
        "error-route-status = 452 redirect:http://else.test/",
        request("HERE", "App-Status: 452 Odd"),
    ),
    case(
        "response-of-redirect",
        "response-route = ^HERE addheader:X-Ran: yes\nroute = ^HERE redirect:http://else.test/",
    ),
    case(
        "response-variable",
        "response-route = ^HERE addheader:X-Ran: ${uwsgi[status]}",
        request("HERE", "App-Status: 453 Odd"),
    ),
]
EVERYWHERE = [
    case("run", "route-run = addvar:T_RUN=yes"),
    case("response-run", "response-route-run = addheader:X-Response: yes"),
    case("error-run", "error-route-run = addheader:X-Error: yes"),
    case("final-run", "final-route-run = log:ran ${PATH_INFO} finally", logs=("ran HERE finally",)),
]
GROUPS = (
    Group(
        "subjects",
        (
            *(plain(phase, subject) for phase in PHASES for subject in HIT),
            *(one for number, phase in enumerate(PHASES) for one in of_phase(number, phase)),
            *MISSES,
        ),
    ),
    Group("everywhere", tuple(EVERYWHERE)),
)
