"""What a reply's body passes on its way."""

from tests.compat.site.cases import Group, case, request

LENGTH = "App-Length: yes"
CASES = (
    case("chunked", "route = ^HERE chunked:", request("HERE", "App-Body: some text")),
    case("chunked-length", "route = ^HERE chunked:", request("HERE", "App-Body: some text", LENGTH)),
    case("chunked-old", "route = ^HERE chunked:", b"GET HERE HTTP/1.0\r\nApp-Body: some text\r\n\r\n"),
    case("gzip", "route = ^HERE gzip:", request("HERE", "App-Body: some text some text some text")),
    case("gzip-length", "route = ^HERE gzip:", request("HERE", "App-Body: some text some text", LENGTH)),
    case(
        "gzip-asked",
        "route-if = contains:${HTTP_ACCEPT_ENCODING};gzip goto:HERE-zip\n"
        "route-run = goto:HERE-end\n"
        "route-label = HERE-zip\n"
        "route = ^HERE gzip:\n"
        "route-label = HERE-end",
        request("HERE", "Accept-Encoding: gzip", "App-Body: text"),
        request("HERE", "App-Body: text"),
    ),
    case(
        "gzip-chunked",
        "route = ^HERE gzip:\nroute = ^HERE chunked:",
        request("HERE", "App-Body: some text some text some text"),
    ),
    case(
        "tofile",
        "route = ^HERE tofile:filename=DIR/kept",
        request("HERE", "App-Body: some text"),
        files=("kept",),
    ),
    case(
        "to-file",
        "route = ^HERE/(.*)$ to-file:filename=DIR/kept-$1,mode=600",
        request("HERE/a", "App-Body: some text"),
        files=("kept-a",),
    ),
    case(
        "tofile-error",
        "route = ^HERE tofile:filename=DIR/kept-404",
        request("HERE", "App-Body: some text", "App-Status: 404 Not Found"),
        files=("kept-404",),
        silent="only good replies are kept",
    ),
    case(
        "tofile-length",
        "route = ^HERE tofile:filename=DIR/kept-length",
        request("HERE", "App-Body: some text", LENGTH),
        files=("kept-length",),
    ),
    case("template", "route = ^HERE template:", request("HERE?q", "App-Body: a ${QUERY_STRING} b ${NONE} c")),
    case("template-capture", "route = ^HERE/(.*)$ template:", request("HERE/x", "App-Body: a $1 b")),
    case(
        "template-length",
        "route = ^HERE template:",
        request("HERE?question", "App-Body: a ${QUERY_STRING} b", LENGTH),
    ),
    case(
        "offload",
        "route = ^HERE offload:",
        request("HERE", "App-Body: some text"),
        request("HERE", "App-Body: some text", LENGTH),
        silent="it only decides who sends",
    ),
    case(
        "flush",
        "route = ^HERE gzip:\nroute = ^HERE flush:",
        request("HERE", "App-Body: some text some text some text"),
    ),
    case("fixcl", "route = ^HERE fixcl:", request("HERE", "App-Body: some text")),
    case("fixcl-length", "route = ^HERE fixcl:", request("HERE", "App-Body: some text", LENGTH)),
    case("forcecl", "route = ^HERE forcecl:", request("HERE", "App-Body: some text")),
    case(
        "template-fixcl",
        "route = ^HERE template:\nroute = ^HERE fixcl:",
        request("HERE?question", "App-Body: a ${QUERY_STRING} b"),
    ),
)
GROUPS = (Group("transformations", CASES, ini="master = true\noffload-threads = 1"),)
