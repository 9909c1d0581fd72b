"""Cases: files that are served (uWSGI's ``static-*`` options and their kin), of the files in ``tree``.

A rule that can be is its own case's; what holds for a whole server (``honour-range``, ``static-index``) has a
group of its own, whose cases then show what it changes.
"""

from dataclasses import replace

from tests.compat.site.cases import Case, Group, case, request
from tests.compat.site.packets import packet
from tests.compat.site.tree import plant, plant_and_wait

OPTIONS = (
    *("static-map", "static-map2", "check-static", "static-check", "check-static-docroot", "static-index"),
    *("static-skip-ext", "static-safe", "static-cache-paths", "static-cache-paths-name", "mimefile"),
    *("mime-file", "static-expires", "static-expires-mtime", "static-expires-type", "honour-range"),
    *("static-expires-type-mtime", "static-expires-uri", "static-expires-uri-mtime", "disable-sendfile"),
    *("static-expires-path-info", "static-expires-path-info-mtime", "static-gzip", "static-gzip-all"),
    *("static-gzip-dir", "static-gzip-prefix", "static-gzip-ext", "static-gzip-suffix", "add-header"),
    *("offload-threads", "offload-thread", "file-serve-mode", "fileserve-mode"),
)
"""Every option of uWSGI about static files: each is in the ini of a group."""
TYPES = (
    "text/x-kept kept\ntext/x-kept-mtime keptm\ntext/plain txt\ntext/css css\ntext/html html htm\n"
    "text/javascript js\n"
)
MAP = "static-map = HERE=DIR/st"
NONE = "the application answers with and without it"


def asks(*targets: str, method: str = "GET") -> tuple[bytes, ...]:
    """Requests for paths below the case's own."""
    return tuple(request(f"HERE{target}", method=method) for target in targets)


def fields(target: str, *rows: str) -> tuple[bytes, ...]:
    """Requests for one path, each with one more field."""
    return tuple(request(f"HERE{target}", row) for row in rows)


# ---- Which file -----------------------------------------------------------------------------------------

NAMES = (
    *("/a.txt", "a.txt", "//a.txt", "/./a.txt", "/a.txt?x=1", "/%61.txt", "/a%2etxt", "/with%20blank.txt"),
    *(
        "/100%25.txt",
        "/plus+.txt",
        "/semi;colon.txt",
        "/empty.txt",
        "/noending",
        "/sub/c.txt",
        "/sub%2fc.txt",
    ),
    *("/sub//c.txt", "/none.txt", "/none/a.txt", "/a.txt/", "/a.txt/x", "", "/", "/sub", "/sub/"),
    *("/bare/", f"/{'n' * 200}.txt", f"/{'n' * 300}", "/big.bin", "/A.TXT", "/.well-known/acme.txt"),
)
FOUND = (
    case("map", MAP, *asks(*NAMES)),
    case("map-head", MAP, *asks("/a.txt", "/empty.txt", "/big.bin", method="HEAD")),
    *(case(f"map-{word.lower()}", MAP, *asks("/a.txt", method=word), silent=NONE)
      for word in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH")),
    case("map-twice", "static-map = HERE=DIR/st\nstatic-map = HERE=DIR/st2", *asks("/a.txt", "/only.txt")),
    case("map-inner", "static-map = HERE=DIR/st\nstatic-map = HERE/sub=DIR/st2",
         *asks("/sub/a.txt", "/sub/c.txt", "/sub/only.txt")),
    case("map-file", "static-map = HERE=DIR/st/a.txt", *asks("", "/", "/anything/at/all", "x")),
    case("map-gone", "static-map = HERE=DIR/none\nstatic-map = HERE=DIR/st", *asks("/a.txt")),
    case("map-link", "static-map = HERE=DIR/current", *asks("/a.txt", "/sub/c.txt")),
    case("map-slash", "static-map = HERE/=DIR/st/", *asks("/a.txt", "a.txt", "//a.txt")),
    case("map-relative", "static-map = HERE=st", *asks("/a.txt")),
    case("map-all", "static-map = =DIR/any", request("/anywhere.txt"), request("//anywhere.txt")),
    case("map2", "static-map2 = HERE=DIR/whole", *asks("/a.txt", "/none.txt")),
    case("map2-file", "static-map2 = HERE=DIR/st/a.txt", *asks("", "/x")),
    case("check", "check-static = DIR/check",
         request("/checked.txt"), request("/checked.txt", method="POST")),
    case("check-gone", "check-static = DIR/none\nstatic-check = DIR/check2", request("/also.txt")),
    case("first", "static-map2 = /first=DIR/whole\nstatic-map = /first=DIR/map/first",
         request("/first/x.txt"), request("/first/y.txt"), request("/first/z.txt")),
    case("links", MAP, *asks("/to_a.txt", "/to_sub/c.txt", "/chain.txt", "/absolute.txt", "/round.txt",
                             "/to_none.txt", "/loop.txt", "/loop.txt/x")),
    case("links-out", MAP, *asks("/out.txt", "/out/secret.txt", "/null"),
         logs=("(?i)(security error|static files): .*DIR/secret.txt is not (under|below) ",)),
    case("links-evil", MAP, *asks("/evil.txt", "/evil/x.txt")),
    case("safe", f"static-safe = DIR/safe\n{MAP}", *asks("/to_safe.txt", "/to_safe/s.txt")),
    case("safe-evil", MAP, *asks("/to_safe_evil.txt")),
    case("fifo", MAP, *asks("/fifo"), silent=NONE),
    case("dots", MAP, *asks("/sub/../a.txt", "/sub/%2e%2e/a.txt", "/sub/..%2fa.txt")),
    case("dots-out", MAP, *asks("/%2e%2e/secret.txt", "/sub/..%2f..%2fsecret.txt"), silent=NONE),
    case("dots-asked", MAP, *asks("/../a.txt", "/a.txt/."), silent=NONE),
    case("hidden", MAP, *asks("/.hidden.txt", "/.folder/x.txt")),
    case("backslash", MAP, *asks("/back%5cslash.txt", "/back\\slash.txt")),
    case("nul", MAP, *asks("/a.txt%00", "/a.txt%00.css")),
    case("no-index", MAP, *asks("/sub/"), silent=NONE),
)  # fmt: skip
INDEX = (
    case("index", f"static-index = index.html\nstatic-index = default.htm\n{MAP}",
         *asks("/sub", "/sub/", "/sub//", "/other/", "/other", "/strange/", "/to_sub/", "/sub/c.txt?x=1")),
    case("index-none", MAP, *asks("/bare/", "/none/"), silent=NONE),
    case("index-head", MAP, *asks("/sub/", method="HEAD")),
    case("index-post", MAP, *asks("/sub/", method="POST")),
    case("index-away", MAP, *asks("/away/")),
    case("index-rule", f"{MAP}\nroute = ^HERE/sub/index.html$ addheader:X-Ran: yes", *asks("/sub/")),
    case("index-rule-before", f"{MAP}\nroute = ^HERE/sub/$ addheader:X-Ran: yes", *asks("/sub/")),
    case("index-expires", f"{MAP}\nstatic-expires-path-info = ^HERE/sub/index 600", *asks("/sub/")),
    case("skip", f"static-skip-ext = .php\nstatic-skip-ext = inc\n{MAP}",
         *asks("/code.php", "/code.inc", "/plain.txt", "/a.txt"), silent=""),
    case("skip-index", "static-index = index.php\nstatic-map = HERE=DIR/st", *asks("/skipped/")),
)  # fmt: skip

# ---- What is said of it ---------------------------------------------------------------------------------

SINCE = "If-Modified-Since"
BEFORE, THEN, LATER, LONG_AFTER = (
    *("Sun, 06 Nov 1994 08:49:36 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:38 GMT"),
    "Fri, 01 Jan 2021 00:00:00 GMT",
)
ENDINGS = (*("css", "txt", "one", "two", "both", "odd-one", "gz", "none", "commented", "tail", "alone"),)
ONE = (
    "# comment\ntext/x-one\tone both odd-one\n\ntext/x-css css\n  text/x-blank blank\n"
    "text/x-tail tail # comment\n"
)
TWO = "#text/x-commented commented\ntext/x-two two both;\ntext/x-alone\nalone\ntext/x-crlf crlf\r\n"
TYPED = (
    case("types", "mimefile = DIR/one\nmime-file = DIR/two\nstatic-map = HERE=DIR/endings",
         *asks(*(f"/x.{ending}" for ending in ENDINGS), "/two.css.none", "/css", "/x.", "/none.css/x")),
    case("types-odd", "static-map = HERE=DIR/endings", *asks("/x.blank", "/x.crlf", "/x.comment")),
    case("types-of-capitals", "static-map = HERE=DIR/st", *asks("/UPPER.CSS")),
    case("types-of-link", "static-map = HERE=DIR/endings", *asks("/link.txt")),
)  # fmt: skip
TOLD = (
    case("since", MAP, *fields("/a.txt", f"{SINCE}: {THEN}",
                               f"{SINCE}: {LATER}", f"{SINCE}: {BEFORE}", f"{SINCE}: {LONG_AFTER}",
                               f"{SINCE}: never", f"{SINCE}: 0")),
    case("since-head", MAP, request("HERE/a.txt", f"{SINCE}: {THEN}", method="HEAD")),
    case("since-old-forms", MAP, *fields("/a.txt", f"{SINCE}: Sunday, 06-Nov-94 08:49:37 GMT",
                                         f"{SINCE}: Sun Nov  6 08:49:37 1994")),
    case("tags", MAP, *fields("/a.txt", "If-None-Match: *", 'If-Match: "no"',
                              f"If-Unmodified-Since: {BEFORE}")),
    case("tags-first", MAP, request("HERE/a.txt", 'If-None-Match: "no"', f"{SINCE}: {LONG_AFTER}")),
    case("tags-unsaid", MAP, *fields("/a.txt", 'If-None-Match: "no"', "If-Match: *",
                                     f"If-Unmodified-Since: {THEN}")),
    case("no-ranges", MAP, *fields("/a.txt", "Range: bytes=0-1", "Range: bytes=99-")),
    case("routed", f"{MAP}\nroute = ^HERE/a addheader:X-Ran: yes\n"
         "response-route = ^HERE/a addheader:X-Behind: yes",
         *asks("/a.txt", "/b.txt", "/a.none")),
    case("routed-away", f"{MAP}\nroute = ^HERE/a break:403 Forbidden", *asks("/a.txt", "/a.none", "/b.txt")),
    case("routed-by-path", f"{MAP}\nroute = ^HERE/a setpathinfo:HERE/b.txt", *asks("/a.txt", "/a.none")),
    case("routed-last", f"{MAP}\nroute = ^HERE last:\nroute = ^HERE addheader:X-Ran: no", *asks("/a.txt")),
    case("routed-send", f"{MAP}\nroute = ^HERE redirect-permanent:http://else.test$1", *asks("/a.txt")),
    case("routed-remove", f"{MAP}\nroute = ^HERE delheader:Last-Modified", *asks("/a.txt")),
)  # fmt: skip
TOUCHED = (
    case("touched", "add-header = X-Site: yes\nadd-header = X-Two: 2\nstatic-map = HERE=DIR/st",
         *asks("/a.txt", "/none"), request("HERE/a.txt", f"{SINCE}: {THEN}")),
)  # fmt: skip
RANGES = (
    *(
        "0-1",
        "0-0",
        "2-",
        "-2",
        "5-5",
        "0-5",
        "0-",
        "-6",
        "3-99",
        "0-99",
        "6-",
        "6-9",
        "99-",
        "4-2",
        "-0",
        "",
        "-",
    ),
    *("a-b", "1", "01-02"),
)
FILE_RANGES = (
    case("range", f"honour-range = true\n{MAP}",
         *fields("/a.txt", *(f"Range: bytes={said}" for said in RANGES))),
    case("range-odd", MAP, *fields("/a.txt", "Range: bytes=1-2x", "Range: bytes=1-2 ", "Range: bytes=0-1,x")),
    case("range-unanswered", MAP, *fields("/a.txt", "Range: bytes=-99", "Range: bytes= 1-2")),
    case("range-unit", MAP, *fields("/a.txt", *(f"Range:{said}" for said in (
        " lines=0-1", " 0-1", " bytes 0-1", "")))),
    case("range-unit-letters", MAP, *fields("/a.txt", "Range: Bytes=0-1", "range: bytes=0-1")),
    case("range-several", MAP, *fields("/a.txt", "Range: bytes=0-0,4-4", "Range: bytes=0-0,5-5")),
    case("range-several-one", MAP, *fields("/a.txt", "Range: bytes=0-0, 99-")),
    case("range-several-big", MAP, *fields("/big.bin", "Range: bytes=0-0,1000-1001")),
    case("range-several-joined", MAP, *fields("/big.bin", "Range: bytes=0-0,1-1", "Range: bytes=5-9,0-4")),
    case("range-big", MAP, *fields("/big.bin", *(f"Range: bytes={said}" for said in (
        "1000-200999", "299990-", "-7")))),
    case("range-empty", MAP, *fields("/empty.txt", "Range: bytes=0-1")),
    case("range-empty-end", MAP, *fields("/empty.txt", "Range: bytes=-1")),
    case("range-head", MAP, request("HERE/a.txt", "Range: bytes=0-1", method="HEAD")),
    case("range-head-bad", MAP, request("HERE/a.txt", "Range: bytes=99-", method="HEAD")),
    case("range-since", MAP, request("HERE/a.txt", "Range: bytes=0-1", f"{SINCE}: {THEN}")),
    case("range-if", MAP, request("HERE/a.txt", "Range: bytes=0-1", f"If-Range: {BEFORE}")),
    case("range-if-same", MAP, request("HERE/a.txt", "Range: bytes=0-1", f"If-Range: {THEN}")),
    case("range-if-tag", MAP, request("HERE/a.txt", "Range: bytes=0-1", 'If-Range: "no"')),
    case("range-app", "", request("HERE", "Range: bytes=0-1", "App-Body: abcdef", "App-Length: yes"),
         silent="what an application says is its own in both"),
)  # fmt: skip


def kept(name: str, option: str, first: str, rows: tuple[str, ...] = ()) -> Case:
    """An option of the ``static-expires`` family: the first that matches counts."""
    rules = "\n".join(f"{option} = {row}" for row in (first, *rows))
    return case(name, f"{rules}\n{MAP}", *asks("/style.css", "/a.txt", "/code.js?v=1", "/none", "/to_a.txt"))


def kept_by_name(name: str, option: str, folder: str, *rows: str) -> Case:
    """The same of those that look at the file's real name."""
    rules = "\n".join(f"{option} = /{folder}/{row}" for row in rows)
    return case(name, f"{rules}\nstatic-map = HERE=DIR/{folder}", *asks("/x.css", "/y.foo", "/to.css"))


KEPT = (
    kept_by_name("expires-name", "static-expires", "tw", "x.css$ 3600", "x 60", ".*foo$ 120"),
    kept_by_name("expires-name-mtime", "static-expires-mtime", "tw-two", "x.css$ 3600", "x 60"),
    kept("expires-uri", "static-expires-uri", "^HERE/.*v=1$ 7200", ("^HERE/a 60",)),
    kept("expires-uri-mtime", "static-expires-uri-mtime", "^HERE/a.txt$ 7200"),
    kept("expires-path", "static-expires-path-info", "^HERE/a.txt$ 1800", ("^HERE/a 60",)),
    kept("expires-path-mtime", "static-expires-path-info-mtime", "^HERE/a.txt$ 1800"),
    case("expires-type", "static-expires-type = text/x-kept=5400\nstatic-map = HERE=DIR/endings",
         *asks("/x.kept", "/x.css")),
    case("expires-type-mtime", "static-expires-type-mtime = text/x-kept-mtime=5400\n"
         "static-map = HERE=DIR/endings", *asks("/x.keptm")),
    case("expires-now-first", "static-expires-path-info-mtime = ^HERE/a 60\n"
         f"static-expires-path-info = ^HERE/a 600\n{MAP}", *asks("/a.txt")),
    case("expires-since", f"static-expires-path-info = ^HERE/a 600\n{MAP}",
         request("HERE/a.txt", f"{SINCE}: {THEN}")),
    case("routed-status", f"{MAP}\nresponse-route-status = 304 addheader:X-Ran: yes",
         request("HERE/a.txt", f"{SINCE}: {THEN}")),
    case("expires-two", "static-expires-path-info = ^HERE/a 600\nstatic-expires-uri = ^HERE/a 6000\n"
         f"{MAP}", *asks("/a.txt")),
)  # fmt: skip
ACCEPTED = (
    *("gzip", "br", "gzip, br", "br, gzip", "deflate", "gzip;q=1.0, deflate;q=0.5", "deflate, gzip;q=0.5"),
    *("identity", "", "gzip,deflate,br", "compress, br;q=0.1", "x-gzip"),
)
TASTES = (
    "gzip;q=0",
    "br;q=0, gzip",
    "br;q=0.1, gzip;q=0.9",
    "*",
    "GZIP",
    "notgzip",
    "bra",
    "identity, gzip;q=0.5",
)


def accepting(target: str, *wanted: str) -> tuple[bytes, ...]:
    return fields(target, *(f"Accept-Encoding: {said}" for said in wanted))


TWINS = (
    case("twin", "static-gzip = /st/(style|code|page|late)\nstatic-map = HERE=DIR/st",
         *accepting("/style.css", *ACCEPTED), *asks("/style.css")),
    case("twin-one", MAP, *accepting("/code.js", *ACCEPTED)),
    case("twin-none", MAP, *accepting("/quiet.css", "br"), *accepting("/a.txt", "br", "gzip")),
    case("twin-taste", MAP, *accepting("/style.css", *TASTES)),
    case("twin-head", MAP, request("HERE/style.css", "Accept-Encoding: gzip", method="HEAD")),
    case("twin-itself", MAP, *accepting("/style.css.gz", "gzip")),
    case("twin-since", MAP, request("HERE/style.css", "Accept-Encoding: gzip", f"{SINCE}: {THEN}")),
    case("twin-range", MAP, request("HERE/style.css", "Accept-Encoding: br", "Range: bytes=0-3")),
    case("twin-link", "static-map = HERE=DIR/tw", *accepting("/to.css", "gzip")),
    case("twin-dir", "static-gzip-dir = DIR/tw/x\nstatic-map = HERE=DIR/tw",
         *accepting("/x.css", "br", "gzip", "deflate"), *accepting("/z-re.bar", "gzip")),
    case("twin-prefix", "static-gzip-prefix = DIR/tw-two\nstatic-map = HERE=DIR/tw-two",
         *accepting("/x.css", "br", "gzip")),
    case("twin-ext", "static-gzip-ext = .foo\nstatic-map = HERE=DIR/tw", *accepting("/y.foo", "br", "gzip")),
    case("twin-suffix", "static-gzip-suffix = -re.bar\nstatic-map = HERE=DIR/tw",
         *accepting("/z-re.bar", "br", "gzip")),
    case("twin-expires", "static-expires = /st/page[.]html$ 600\nstatic-map = HERE=DIR/st",
         *accepting("/page.html", "gzip", "deflate")),
    case("twin-expires-twin", "static-expires = /st/late.css.gz$ 600\nstatic-map = HERE=DIR/st",
         *accepting("/late.css", "gzip", "deflate")),
)  # fmt: skip

# ---- Who sends it, and from where -----------------------------------------------------------------------

ALL = (
    case("all", f"static-gzip-all = true\n{MAP}",
         *accepting("/style.css", *ACCEPTED), *accepting("/quiet.css", "gzip")),
    case("plainly", f"disable-sendfile = true\n{MAP}",
         *asks("/big.bin", "/a.txt"), *fields("/big.bin", "Range: bytes=5-200000")),
    case("cached", "static-cache-paths = 30\nstatic-cache-paths-name = paths\ncache2 = name=paths,items=100\n"
         "static-map = HERE=DIR/linked",
         *asks("/link.txt"), request("/relink"), *asks("/link.txt", "/one.txt")),
    case("relinked", "static-map = HERE=DIR/current",
         *asks("/a.txt"), request("/relink-root"), *asks("/a.txt", "/only.txt")),
    case("cached-absent", MAP, *asks("/none.txt", "/none.txt"), silent=NONE),
)  # fmt: skip
RELINK = """
import os, time
from app import application as shown
def application(environ, start_response):
    for path, link, target in (("/relink", "linked/link.txt", "two.txt"), ("/relink-root", "current", "st2")):
        if environ["PATH_INFO"] == path:
            os.symlink(target, link + ".new")
            os.replace(link + ".new", link)
            time.sleep(0.2)
    return shown(environ, start_response)
"""
OFFLOADED = (
    case("offloaded", f"offload-threads = 2\n{MAP}",
         *asks("/big.bin", "/a.txt", "/none"), *fields("/big.bin", "Range: bytes=9-")),
    case("not-offloaded", f"{MAP}\nroute = ^HERE donotoffload:", *asks("/big.bin")),
)  # fmt: skip
HANDED = (*asks("/a.txt", "/style.css", "/to_a.txt", "/with%20blank.txt", "/none"),
    request("HERE/a.txt", method="HEAD"),
    request("HERE/a.txt", f"{SINCE}: {THEN}"),
    request("HERE/style.css", "Accept-Encoding: gzip"),
)  # fmt: skip
MODES = ("nginx", "x-accel-redirect", "xaccelredirect", "x-sendfile", "XSENDFILE", "apache")
MOUNTED = (
    case("mounted", "mount = /mounted=app.py\nmanage-script-name = true\nstatic-map = /files=DIR/st\n"
         "check-static = DIR/check", request("/mounted/files/a.txt"), request("/mounted/checked.txt"),
         request("/files/a.txt"), request("/mounted/none"), request("/elsewhere/a.txt")),
)  # fmt: skip
ST = "DIR/st"
DOCROOT = (
    case("docroot", "check-static-docroot = true", *(packet(PATH_INFO=path, DOCUMENT_ROOT=ST) for path in (
        "/a.txt", "/none.txt", "/sub/c.txt", "/sub/", "/out.txt", "/", "//a.txt", "a.txt"))),
    case("docroot-evil", "", packet(PATH_INFO="/evil/x.txt", DOCUMENT_ROOT=ST)),
    case("docroot-others", "", packet(PATH_INFO="/a.txt", DOCUMENT_ROOT="DIR/current"),
         packet(PATH_INFO="/a.txt", DOCUMENT_ROOT="DIR/st2/"),
         packet(PATH_INFO="/only.txt", DOCUMENT_ROOT=ST)),
    case("docroot-unsaid", "", packet(PATH_INFO="/a.txt"), packet(PATH_INFO="/a.txt", DOCUMENT_ROOT="")),
    case("docroot-gone", "", packet(PATH_INFO="/a.txt", DOCUMENT_ROOT="DIR/none")),
    case("docroot-relative", "", packet(PATH_INFO="/a.txt", DOCUMENT_ROOT="st")),
    case("docroot-dots", "", packet(PATH_INFO="/../secret.txt", DOCUMENT_ROOT=ST)),
    case("docroot-dots-within", "", packet(PATH_INFO="/sub/../a.txt", DOCUMENT_ROOT=ST)),
    case("docroot-post", "", packet(PATH_INFO="/a.txt", DOCUMENT_ROOT=ST, REQUEST_METHOD="POST")),
    case("docroot-since", "", packet(PATH_INFO="/a.txt", DOCUMENT_ROOT=ST, HTTP_IF_MODIFIED_SINCE=THEN)),
    case("docroot-map", "static-map = /mapped=DIR/st2", packet(PATH_INFO="/mapped/a.txt", DOCUMENT_ROOT=ST),
         packet(PATH_INFO="/mapped/none", DOCUMENT_ROOT=ST)),
)  # fmt: skip


def group(
    name: str, cases: tuple[Case, ...], ini: str = "mimefile = DIR/types", files: dict[str, str] | None = None
) -> Group:
    """With the files of ``tree``."""
    return Group(f"static-{name}", cases, ini, {"types": TYPES, **(files or {})}, plant)


USUAL = "mimefile = DIR/types\n"
SYSTEM = (case("types-of-system", MAP, *asks("/style.css", "/page.html", "/code.js", "/two.tar.gz")),)
GROUPS = (
    group("found", FOUND),
    group("index", INDEX),
    group("told", TOLD),
    group("touched", TOUCHED),
    group("types", TYPED, "", {"one": ONE, "two": TWO}),
    group("system", SYSTEM, ""),
    replace(group("ranges", FILE_RANGES), prepare=plant_and_wait),
    group("kept", KEPT),
    group("twins", TWINS),
    group("all", ALL, f"{USUAL}master = true\nwsgi-file = DIR/relink.py", {"relink.py": RELINK}),
    group("offloaded", OFFLOADED),
    group("offloaded-by-one", OFFLOADED[1:], f"{USUAL}offload-thread = 1"),
    *(group(f"handed-{mode.lower()}", (case("handed", MAP, *HANDED),), f"{USUAL}file-serve-mode = {mode}")
      for mode in MODES[1:]),
    group("handed", (case("handed", MAP, *HANDED),), f"{USUAL}fileserve-mode = nginx"),
    group("mounted", MOUNTED),
    replace(group("docroot", DOCROOT, f"{USUAL}uwsgi-socket = 127.0.0.1:SECOND"), plain=False),
)  # fmt: skip
WANTED = tuple(f"option {name}" for name in OPTIONS)
