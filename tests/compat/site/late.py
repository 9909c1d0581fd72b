"""Actions in the phases behind the application, where rules look at a reply and may still change it."""

from tests.compat.site.cases import Group, case, request

BAD = "App-Status: 404 Not Found"
PAGE = "<h1>gone</h1>"
CASES = (
    case(
        "response-addvar",
        "response-route = ^HERE addvar:T_A=1\nfinal-route = ^HERE log:HERE has ${T_A}",
        logs=("HERE has 1",),
    ),
    case(
        "response-log", "response-route = ^HERE log:HERE replies ${uwsgi[status]}", logs=("HERE replies 200",)
    ),
    case(
        "response-goto",
        "response-route = ^HERE goto:HERE-a\n"
        "response-route = ^HERE addheader:X-Not: no\n"
        "response-route-label = HERE-a\n"
        "response-route = ^HERE addheader:X-Said: yes",
    ),
    case("response-return", "response-route = ^HERE return:404"),
    case("response-redirect", "response-route = ^HERE redirect:/x"),
    case(
        "response-redirect-status",
        "response-route-status = 471 redirect:/x",
        request("HERE", "App-Status: 471 Odd"),
    ),
    case("response-gzip", "response-route = ^HERE gzip:", request("HERE", "App-Body: some text some text")),
    case("response-chunked", "response-route = ^HERE chunked:", request("HERE", "App-Body: some text")),
    case(
        "response-template",
        "response-route = ^HERE template:",
        request("HERE?q", "App-Body: a ${QUERY_STRING}"),
    ),
    case(
        "response-tofile",
        "response-route = ^HERE tofile:filename=DIR/late",
        request("HERE", "App-Body: some text"),
        files=("late",),
    ),
    case(
        "response-cachestore",
        "route = ^HERE cache:key=HERE\nresponse-route = ^HERE cachestore:key=HERE",
        request("HERE", "App-Body: first"),
        request("HERE", "App-Body: second"),
    ),
    case("response-expires", "response-route = ^HERE expires:unix=1000000000,value=1"),
    case("response-send", "response-route = ^HERE send:before ", request("HERE", "App-Body: behind")),
    case(
        "response-sends",
        "response-route = ^HERE send-crnl:one\n"
        "response-route = ^HERE send:two\n"
        "response-route = ^HERE addheader:X-Said: yes",
        request("HERE", "App-Body: behind"),
        request("HERE", "App-Body: behind", method="HEAD"),
    ),
    case("response-send-break", "response-route = ^HERE send:alone\nresponse-route = ^HERE break:"),
    case("response-send-redirect", "response-route = ^HERE send:before\nroute = ^HERE redirect:/x"),
    case("error-send", "error-route = ^HERE send:before", request("HERE", BAD, "App-Body: behind")),
    case("error-send-of-return", "error-route = ^HERE send:before\nroute = ^HERE return:404"),
    case(
        "response-disableheaders",
        "response-route = ^HERE disableheaders:",
        request("HERE", "App-Body: behind"),
    ),
    case("response-basicauth", "response-route = ^HERE basicauth:Realm,a:b"),
    case("response-file", "response-route = ^HERE file:filename=DIR/page.html"),
    case(
        "response-setmethod",
        "response-route = ^HERE setmethod:PUT\nfinal-route = ^HERE log:HERE by ${REQUEST_METHOD}",
        logs=("HERE by PUT",),
    ),
    case(
        "response-twice-status",
        "response-route-status = 472 addheader:X-One: yes\nresponse-route-status = 472 addheader:X-Two: yes",
        request("HERE", "App-Status: 472 Odd"),
    ),
    case("error-static", "error-route = ^HERE static:DIR/page.html", request("HERE", BAD)),
    case("error-static-of-return", "error-route = ^HERE static:DIR/page.html\nroute = ^HERE return:404"),
    case(
        "error-sendfile",
        "error-route-status = 473 sendfile:filename=DIR/page.html,status=404 Not Found",
        request("HERE", "App-Status: 473 Odd"),
    ),
    case("error-break", "error-route = ^HERE break:", request("HERE", BAD)),
    case("error-break-status", "error-route = ^HERE break:403 Forbidden", request("HERE", BAD)),
    case("error-break-of-return", "error-route = ^HERE break:503 Busy\nroute = ^HERE return:404"),
    case("error-return", "error-route = ^HERE return:503", request("HERE", BAD)),
    case(
        "error-goto",
        "error-route = ^HERE goto:HERE-a\n"
        "error-route = ^HERE addheader:X-Not: no\n"
        "error-route-label = HERE-a\n"
        "error-route = ^HERE addheader:X-Said: yes",
        request("HERE", BAD),
    ),
    case(
        "error-last",
        "error-route = ^HERE last:\nerror-route = ^HERE addheader:X-Not: no",
        request("HERE", BAD),
        silent="nothing is left to be done",
    ),
    case("error-redirect-of-break", "error-route = ^HERE redirect:/x\nroute = ^HERE break:403 Forbidden"),
    case(
        "error-then-response",
        "error-route = ^HERE redirect:/x\nresponse-route = ^HERE addheader:X-Said: yes",
        request("HERE", BAD),
    ),
    case("final-addheader", "final-route = ^HERE addheader:X-Late: no", silent="the reply is gone"),
    case(
        "final-break",
        "final-route = ^HERE break:\nfinal-route = ^HERE log:HERE goes on",
        logs=("HERE goes on",),
        silent="it stops what is not to be seen",
    ),
    case(
        "final-goto",
        "final-route = ^HERE goto:HERE-a\n"
        "final-route = ^HERE log:HERE not\n"
        "final-route-label = HERE-a\n"
        "final-route = ^HERE log:HERE this",
        logs=("HERE not", "HERE this"),
    ),
    case(
        "final-of-file",
        "final-route = ^HERE log:HERE sent ${uwsgi[status]}\nroute = ^HERE file:filename=DIR/page.html",
        logs=("HERE sent 200",),
    ),
    case(
        "final-of-return",
        "final-route = ^HERE log:HERE sent ${uwsgi[status]}\nroute = ^HERE return:410",
        logs=("HERE sent 410",),
    ),
    case(
        "final-capture",
        "final-route = ^HERE/(.*)$ log:HERE caught $1",
        request("HERE/it"),
        logs=("caught it",),
    ),
    case(
        "final-cacheset",
        "final-route = ^HERE/put cacheset:key=HERE,value=late\nroute = ^HERE/get cache:key=HERE",
        request("HERE/put"),
        request("HERE/get"),
    ),
)
NUMBERED = (
    case(
        "by-number",
        "route-if = equal:${PATH_INFO};HERE goto:2\n"
        "route-run = addheader:X-Passed: no\n"
        "route-run = addheader:X-Said: yes",
    ),
)
GROUPS = (
    Group(
        "late",
        CASES,
        "master = true\nmimefile = DIR/types\ncache2 = name=default,items=20",
        {"page.html": PAGE, "types": "text/html html\n"},
    ),
    Group("numbered", NUMBERED),
)
