"""Rules of several kinds on one request, and what the router in front of uWSGI does to replies."""

from tests.compat.site.cases import Group, case, request

FILE = "file:filename=DIR/files/a.txt"
CASES = (
    case("header-of-file", f"response-route = ^HERE addheader:X-Said: yes\nroute = ^HERE {FILE}"),
    case(
        "header-of-static",
        "response-route = ^HERE addheader:X-Said: yes\nroute = ^HERE static:DIR/files/a.txt",
    ),
    case(
        "login-then-file",
        f"route = ^HERE basicauth:Realm,a:b\nroute = ^HERE {FILE}",
        request(),
        request("HERE", "Authorization: Basic YTpi"),
    ),
    case(
        "rewrite-then-static",
        "route = ^HERE/(.*)$ rewrite:/files/$1\nroute = ^/files/(.*)$ static:DIR/files/$1",
        request("HERE/a.txt"),
        request("HERE/b.txt"),
    ),
    case(
        "rewrite-keeps-captures",
        "route = ^HERE/(.*)$ rewrite:/re~written/$1\nroute = ^/re~written/(.)(.*)$ addvar:T_A=$2$1",
        request("HERE/abc"),
    ),
    case(
        "exists-then-file",
        f"route-if = exists:DIR/files/${{QUERY_STRING}} {FILE}",
        request("/up?a.txt"),
        request("/up?none"),
    ),
    case("file-of-query", "route = ^HERE file:filename=DIR/files/${QUERY_STRING}", request("HERE?b.txt")),
    case("gzip-of-file", f"route = ^HERE gzip:\nroute = ^HERE {FILE}"),
    case(
        "template-of-file",
        "route = ^HERE template:\nroute = ^HERE file:filename=DIR/files/words.txt,no_cl=1",
        request("HERE?q"),
    ),
    case("chunked-of-redirect", "route = ^HERE chunked:\nroute = ^HERE redirect:/x"),
    case(
        "tofile-of-redirect",
        "route = ^HERE tofile:filename=DIR/redirect\nroute = ^HERE redirect:/x",
        files=("redirect",),
    ),
    case(
        "tofile-then-file",
        "route = ^HERE/put tofile:filename=DIR/kept\nroute = ^HERE/get file:filename=DIR/kept",
        request("HERE/put", "App-Body: kept text"),
        request("HERE/get"),
    ),
    case(
        "two-transformations",
        "route = ^HERE template:\nroute = ^HERE tofile:filename=DIR/both",
        request("HERE?q", "App-Body: a ${QUERY_STRING} b"),
        files=("both",),
    ),
    case(
        "two-the-other-way",
        "route = ^HERE tofile:filename=DIR/way\nroute = ^HERE template:",
        request("HERE?q", "App-Body: a ${QUERY_STRING} b"),
        files=("way",),
    ),
    case("error-of-missing", "error-route = ^HERE redirect:/missing\nroute = ^HERE return:404"),
    case("error-status", "error-route-status = 404 addheader:X-Said: 404\nroute = ^HERE return:404"),
    case("error-file", f"error-route-status = 461 {FILE}", request("HERE", "App-Status: 461 Odd")),
    case(
        "error-if",
        "error-route-if = equal:${PATH_INFO};HERE addheader:X-Said: yes",
        request("HERE", "App-Status: 404 Not Found"),
    ),
    case("error-not-200", "error-route = ^HERE addheader:X-Said: ${uwsgi[status]}"),
    case(
        "header-of-login", "response-route = ^HERE addheader:X-Said: yes\nroute = ^HERE basicauth:Realm,a:b"
    ),
    case("expires-of-file", f"route = ^HERE expires:unix=1000000000,value=1\nroute = ^HERE {FILE}"),
    case("removed-of-file", f"route = ^HERE delheader:Content-Type\nroute = ^HERE {FILE}"),
    case("removed-of-redirect", "route = ^HERE delheader:Location\nroute = ^HERE redirect:/x"),
    case(
        "removed-length",
        "route = ^HERE delheader:X-App\nroute = ^HERE delheader:Content-Type",
        request("HERE", "App-Fields: X-App: 1", "App-Length: yes"),
    ),
    case(
        "method-then-app",
        "route = ^HERE setmethod:POST\n"
        "route-if = equal:${REQUEST_METHOD};POST goto:HERE-post\n"
        "route-run = goto:HERE-past\n"
        "route-label = HERE-post\n"
        "route = ^HERE addvar:T_A=post\n"
        "route-label = HERE-past",
    ),
    case(
        "body-behind-rules",
        "route = ^HERE addvar:T_A=1",
        request("HERE", "App-Show: body", method="POST", body=b"the body"),
    ),
    case(
        "body-unread", "route = ^HERE break:403 Forbidden", request("HERE", method="POST", body=b"x" * 3000)
    ),
    case(
        "hash-then-addvar",
        "route = ^HERE hash:key=${HTTP_HOST},var=T_NODE,items=one;two;three\n"
        "route = ^HERE addvar:T_TO=node-${T_NODE}",
    ),
    case(
        "cookie-then-redirect",
        "route-if = equal:${cookie[lang]};de redirect:/de${REQUEST_URI}",
        request("HERE?x=y", "Cookie: a=b; lang=de"),
    ),
    case(
        "qs-then-header",
        "route-if = ishigher:${qs[age]};17 addheader:X-Adult: ${qs[age]}",
        request("HERE?age=18"),
    ),
    case(
        "agent",
        "route-user-agent = ^Evil-OWN break:403 Forbidden",
        request("HERE", "User-Agent: Evil-OWN 1.0"),
    ),
    case(
        "canonical-host",
        "route-host = ^www\\.(OWN\\.test)$ redirect-permanent:http://$1${REQUEST_URI}",
        request("/x?y", "Host: www.OWN.test"),
    ),
    case(
        "maintenance",
        "route-if-not = exists:DIR/files/open-${QUERY_STRING} addheader:X-Said: closed",
        request("HERE?x"),
    ),
    case("clear-then-file", f"route = ^HERE clearheaders:404 Not Found\nroute = ^HERE {FILE}"),
    case(
        "head-of-app",
        "route = ^HERE addheader:X-Said: yes",
        request("HERE", "App-Length: yes", method="HEAD"),
    ),
    case(
        "old-client",
        "route = ^HERE addheader:X-Said: yes\nroute = ^HERE return:404",
        b"GET HERE HTTP/1.0\r\n\r\n",
    ),
    case("raises", "error-route = ^HERE addheader:X-Said: yes", request("HERE", "App-Raise: yes")),
)
ZIP = "App-Fields: uWSGI-Encoding: gzip"
BIG = f"App-Body: {'some text ' * 100}end"
AGREES = "Accept-Encoding: gzip"
ROUTER = (
    case("zipped", "", request("HERE", AGREES, ZIP, BIG)),
    case("not-asked", "", request("HERE", AGREES, BIG), silent="the application has not said so"),
    case("not-agreed", "", request("HERE", ZIP, BIG), silent="the client does not take it"),
    case("encoded", "", request("HERE", AGREES, ZIP + "|Content-Encoding: x", BIG)),
    case("measured", "", request("HERE", AGREES, ZIP, BIG, "App-Length: yes"), silent="its length is said"),
)
SECURE = (
    case("plain", "", request("/x?y=z")),
    case("escaped", "", request("/a%20b/%c3%a4")),
    case("port", "", request("/", "Host: site.test:8080")),
    case("post", "", request("/x", method="POST", body=b"body")),
    case("head", "", request("/x", method="HEAD")),
)
HELD = {
    "files/a.txt": "some text\n",
    "files/b.txt": "other text\n",
    "files/words.txt": "asked ${QUERY_STRING}.",
}
GROUPS = (
    Group("together", CASES, "master = true", HELD),
    Group("router", ROUTER, "master = true\nhttp-auto-gzip = true", socket="http", without="master = true"),
    Group(
        "secure",
        SECURE,
        "master = true\nsocket = DIR/app.sock\nhttp-to = DIR/app.sock",
        socket="http-to-https",
        plain=False,
    ),
)
WANTED = ("option http-auto-gzip",)
