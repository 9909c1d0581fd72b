"""What is put into a rule's text: captures, variables, functions."""

from tests.compat.site.cases import Group, case, request

COOKIES = "Cookie: one=1; two=t=2;three=3; empty=; one=again"
CASES = (
    case("capture", "route = ^HERE/([a-z]+)/([0-9]+)$ addheader:X-Said: $2,$1.", request("HERE/ab/12")),
    case(
        "nine",
        "route = ^HERE/(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)$ addheader:X-Said: $9$8 $10",
        request("HERE/abcdefghij"),
    ),
    case("whole", "route = ^HERE/(x) addheader:X-Said: [$0]", request("HERE/xyz")),
    case("no-such-group", "route = ^HERE/(x) addheader:X-Said: [$5]", request("HERE/xyz")),
    case("no-part", "route = ^HERE/(x)?y addheader:X-Said: [$1]", request("HERE/y"), request("HERE/xy")),
    case("dollars", "route = ^HERE/(x) addheader:X-Said: a$$1 $b $ c$", request("HERE/x")),
    case("backslash", "route = ^HERE/(x) addheader:X-Said: \\${QUERY_STRING} \\$1", request("HERE/x?q")),
    case(
        "variable",
        "route = ^HERE addheader:X-Said: ${REQUEST_METHOD} ${HTTP_HOST} ${QUERY_STRING}.",
        request("HERE?q=1"),
    ),
    case("unknown-variable", "route = ^HERE addheader:X-Said: [${NO_SUCH}]"),
    case("unclosed", "route = ^HERE addheader:X-Said: [${QUERY_STRING", request("HERE?q")),
    case("empty-name", "route = ^HERE addheader:X-Said: [${}]"),
    case(
        "capture-in-name",
        "route = ^HERE/(.*)$ addheader:X-Said: [${HTTP_X_$1}]",
        request("HERE/A", "X-A: one"),
    ),
    case(
        "of-an-earlier-rule",
        "route = ^HERE addvar:T_A=one\n"
        "route = ^HERE addvar:T_B=${T_A} two\n"
        "route = ^HERE addheader:X-Said: ${T_B}",
    ),
    case(
        "captures-are-the-rules",
        "route = ^HERE/(a) addvar:T_A=$1\nroute = ^HERE/a(b) addvar:T_B=$1",
        request("HERE/ab"),
    ),
    case(
        "no-captures-in-run",
        "route = ^HERE/(a) goto:HERE-on\n"
        "route-run = goto:HERE-off\n"
        "route-label = HERE-on\n"
        "route-run = addheader:X-Said: [$1]\n"
        "route-label = HERE-off",
        request("HERE/a"),
    ),
    case("of-a-client", "route = ^HERE/(.*)$ addvar:T_A=$1", request("HERE/%24%7BHTTP_HOST%7D")),
    case("escaped", "route = ^HERE/(.*)$ addvar:T_A=[$1]", request("HERE/a%20b%3fc+d")),
    case("utf-8", "route = ^HERE/(.*)$ addvar:T_A=$1 \u00e4", request("HERE/%c3%a4")),
    case(
        "cookie",
        "route = ^HERE addheader:X-Said: ${cookie[one]},${cookie[two]},${cookie[three]},"
        "${cookie[empty]},${cookie[none]}.",
        request("HERE", COOKIES),
    ),
    case(
        "qs",
        "route = ^HERE addheader:X-Said: ${qs[a]},${qs[b]},${qs[c]},${qs[none]}.",
        request("HERE?a=1&b=%20x+y&c&a=2&=z"),
    ),
    case(
        "mime",
        "route = ^HERE addheader:X-Said: ${mime[PATH_INFO]}.",
        request("HERE/a.png"),
        request("HERE/b.tar.gz"),
        request("HERE/c.unknown"),
        request("HERE/d"),
    ),
    case(
        "base64",
        "route = ^HERE addheader:X-Said: ${base64[QUERY_STRING]}.",
        request("HERE?some~text"),
        request("HERE"),
    ),
    case(
        "hex",
        "route = ^HERE addheader:X-Said: ${hex[QUERY_STRING]}.",
        request("HERE?some~text"),
        request("HERE"),
    ),
    case("upper", "route = ^HERE addheader:X-Said: ${upper[HTTP_X_A]}.", request("HERE", "X-A: aB\u00e4c")),
    case("lower", "route = ^HERE addheader:X-Said: ${lower[HTTP_X_A]}.", request("HERE", "X-A: AbC")),
    case("wid", "route = ^HERE addheader:X-Said: ${uwsgi[wid]}"),
    case("pid", "route = ^HERE addheader:X-Shape: ${uwsgi[pid]}"),
    case("uuid", "route = ^HERE addheader:X-Shape: ${uwsgi[uuid]}"),
    case(
        "status",
        "response-route = ^HERE addheader:X-Said: ${uwsgi[status]}",
        request("HERE", "App-Status: 418 Tea"),
    ),
    case("status-before", "route = ^HERE addheader:X-Said: ${uwsgi[status]}"),
    case("rtime", "final-route = ^HERE log:HERE took ${uwsgi[rtime]} us", logs=("HERE took [0-9]+ us",)),
    case("lq", "route = ^HERE addheader:X-Said: ${uwsgi[lq]}"),
    case(
        "rsize",
        "final-route = ^HERE log:HERE sent ${uwsgi[rsize]} octets",
        request("HERE", "App-Body: 12345"),
        logs=("HERE sent 5 octets",),
    ),
    case("sor", "route = ^HERE addheader:X-Shape: ${uwsgi[sor]}"),
    case("uwsgi-nothing", "route = ^HERE addheader:X-Said: [${uwsgi[none]}]"),
    case("unix", "route = ^HERE addheader:X-Shape: ${time[unix]}"),
    case("micros", "route = ^HERE addheader:X-Shape: ${time[micros]}"),
    case("httptime", "route = ^HERE addheader:X-Shape: ${httptime[100]}"),
    case("httptime-now", "route = ^HERE addheader:X-Shape: ${httptime[]}"),
    case("no-function", "route = ^HERE addheader:X-Said: [${nothing[x]}]"),
    case("function-of-capture", "route = ^HERE/(.*)$ addheader:X-Said: ${qs[$1]}", request("HERE/b?a=1&b=2")),
)
CRASH = (case("whole-without-groups", "route = ^HERE addheader:X-Said: [$0]"),)
GROUPS = (
    Group(
        "templates",
        CASES,
        ini="master = true\nmimefile = DIR/types",
        files={"types": "image/png png\napplication/gzip gz\n"},
    ),
    Group("crash", CRASH, ini="master = true"),
)
