"""Actions that pass a request on to another server, over stand-ins that answer with what they were sent."""

from tests.compat.site.behind import SAYS
from tests.compat.site.cases import Group, case, request

TO = "127.0.0.1:BEHIND"
BODY = request("HERE/x?y=z", "X-Own: 1", "Content-Type: text/own", method="POST", body=b"a body")
PLAIN = (request("HERE/x?y=z", "X-Own: 1", "Cookie: a=b"), request("HERE", method="HEAD"), BODY)
CASES = (
    case("http", f"route = ^HERE http:{TO}\nroute = ^HERE addheader:X-Late: no", *PLAIN),
    case("httpdumb", f"route = ^HERE httpdumb:{TO}", *PLAIN),
    case("proxyhttp", f"route = ^HERE proxyhttp:{TO}", *PLAIN),
    case("http-host", f"route = ^HERE http:{TO},other.test", request()),
    case("http-uri", f"route = ^HERE/(.*)$ http:{TO},other.test,/new/$1?z", request("HERE/x?y")),
    case("http-uri-alone", f"route = ^HERE http:{TO},,/new", request("HERE/x")),
    case("http-escapes", f"route = ^HERE http:{TO}", request("HERE/a%20b%2fc?d=%20")),
    case("http-escapes-uri", f"route = ^HERE/(.*)$ http:{TO},h.test,/$1", request("HERE/a%20b")),
    case("http-named", "route = ^HERE http:127.0.0.1:${QUERY_STRING}", request("HERE?BEHIND")),
    case("http-adds", f"route = ^HERE addheader:X-Said: yes\nroute = ^HERE http:{TO}", request()),
    *(
        case(f"http-{says}", f"route = ^HERE http:{TO}", request("HERE", f"Behind-Says: {says}"))
        for says in SAYS
    ),
    case("http-refused", "route = ^HERE http:127.0.0.1:NOBODY", request()),
    case(
        "http-connection",
        f"route = ^HERE http:{TO}",
        request("HERE", "Keep-Alive: 5", "TE: trailers", "Proxy-Authorization: x"),
    ),
    case("uwsgi", "route = ^HERE uwsgi:127.0.0.1:PACKETS,0,0\nroute = ^HERE addheader:X-Late: no", *PLAIN),
    case("proxyuwsgi", "route = ^HERE proxyuwsgi:127.0.0.1:PACKETS,0,0", *PLAIN),
    case("uwsgi-modifiers", "route = ^HERE uwsgi:127.0.0.1:PACKETS,5,14", request()),
    case("uwsgi-app", "route = ^HERE uwsgi:127.0.0.1:PACKETS,0,0,named", request()),
    case(
        "uwsgi-changed",
        "route = ^HERE addvar:T_A=one\n"
        "route = ^HERE setpathinfo:/else\n"
        "route = ^HERE uwsgi:127.0.0.1:PACKETS,0,0",
        request(),
    ),
    *(
        case(
            f"uwsgi-{says}",
            "route = ^HERE uwsgi:127.0.0.1:PACKETS,0,0",
            request("HERE", f"Behind-Says: {says}"),
        )
        for says in ("nothing", "garbage", "404", "to-end", "twice")
    ),
    case("uwsgi-refused", "route = ^HERE uwsgi:127.0.0.1:NOBODY,0,0", request()),
)
GROUPS = (Group("proxies", CASES, ini="master = true\nsocket-timeout = 1"),)
