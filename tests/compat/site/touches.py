"""Options that touch every reply, and the server's own pages."""

from tests.compat.site.cases import Group, case, request

FIELDS = "App-Fields: X-Gone: 1|X-Noted: one|X-Pulled: two|X-Other: 3|X-Left: 4"
ASK = request("HERE", FIELDS)
CASES = (
    case("fields", "", ASK),
    case(
        "noted",
        "final-route = ^HERE log:HERE noted [${T_NOTED}] pulled [${T_PULLED}] same [${T_SAME}]",
        ASK,
        logs=(r"HERE noted \[one\] pulled \[two\] same \[4\]",),
    ),
    case("of-redirect", "route = ^HERE redirect:/x", ASK),
    case("of-page", "route = ^HERE return:404", ASK),
    case("of-break", "route = ^HERE break:403 Forbidden", ASK),
    case("of-error", "", request("HERE", FIELDS, "App-Status: 500 Internal Server Error")),
    case("twice", "", request("HERE", "App-Fields: X-Noted: one|X-Noted: two|X-Gone: 1|x-gone: 2")),
    case("names", "", request("HERE", "App-Fields: x-pulled: low|X-NOTED: up")),
)
OPTIONS = (
    "add-header = X-Added: yes\n"
    "add-header = X-Second: and more\n"
    "rem-header = X-Gone\ndel-header = X-Unknown\n"
    "collect-header = X-Noted T_NOTED\n"
    "response-header-collect = X-Left T_SAME\n"
    "pull-header = X-Pulled T_PULLED"
)
PAGES = (
    case(
        "application",
        "",
        request("HERE", "App-Status: 404 Not Found", "App-Body: own"),
        silent="its own replies stay as they are",
    ),
    case("return", "route = ^HERE return:404"),
    case("return-500", "route = ^HERE return:500"),
    case("break-403", "route = ^HERE break:403 Forbidden"),
)
SAME = "wsgi-file = DIR/app.py"
HTML = "".join(f"error-page-{code} = DIR/{code}.html\n" for code in (403, 404, 500))
NONE = "master = true\nneed-app = false\n"
BROKEN = (
    case("no-application", "route = ^HERE addheader:X-Said: yes"),
    case("no-application-head", "", request(method="HEAD")),
)
GROUPS = (
    Group("touches", CASES, f"{OPTIONS}\n{SAME}", without=SAME),
    Group("pages", PAGES, f"{HTML}{SAME}", {f"{code}.html": f"<h1>{code}</h1>" for code in (403, 404, 500)}),
    Group("unloaded", BROKEN, NONE, plain=False),
    Group("unloaded-page", BROKEN, f"{HTML}{NONE}", {"500.html": "<h1>500</h1>"}, plain=False),
)
