"""Actions over the shared caches, and those that answer with a file."""

from tests.compat.site.cases import Group, case, request

FULL = "no_cl=1,content_type=text/x-own,content_encoding=own"
CACHE = (
    case(
        "cacheset",
        "route = ^HERE/set cacheset:key=HERE,value=${QUERY_STRING}\nroute = ^HERE/get cache:key=HERE",
        request("HERE/get"),
        request("HERE/set?one"),
        request("HERE/get"),
    ),
    case(
        "cacheset-named",
        "route = ^HERE/set cacheset:key=HERE,value=one,name=two,expires=100\n"
        "route = ^HERE/get cache:key=HERE,name=two\n"
        "route = ^HERE/other cache:key=HERE",
        request("HERE/set"),
        request("HERE/get"),
        request("HERE/other"),
    ),
    case(
        "cache",
        "route = ^HERE/set cacheset:key=HERE,value=text\n"
        f"route = ^HERE/typed cache:key=HERE,{FULL}\n"
        "route = ^HERE/mime.png cache:key=HERE,mime=1\n"
        "route = ^HERE/get cache:key=HERE\n"
        "route = ^HERE addheader:X-Behind: yes",
        request("HERE/set"),
        request("HERE/typed"),
        request("HERE/mime.png"),
        request("HERE/get", method="HEAD"),
        request("HERE/get"),
    ),
    case(
        "cache-expires",
        "route = ^HERE/set cacheset:key=HERE,value=text,expires=1000\nroute = ^HERE/get cache:key=HERE",
        request("HERE/set"),
        request("HERE/get"),
    ),
    case(
        "cache-header",
        "route = ^HERE/set cacheset:key=HERE,value=text\n"
        "route = ^HERE/get addheader:X-Said: yes\n"
        "route = ^HERE/get cache:key=HERE",
        request("HERE/set"),
        request("HERE/get"),
    ),
    case(
        "cache-continue",
        "route = ^HERE/set cacheset:key=HERE,value=text\n"
        "route = ^HERE/get cache-continue:key=HERE\n"
        "route = ^HERE/get break:",
        request("HERE/set"),
        request("HERE/get"),
    ),
    case(
        "cachevar",
        "route = ^HERE cacheset:key=HERE,value=text\n"
        "route = ^HERE cachevar:key=HERE,var=T_VALUE\n"
        "route = ^HERE cachevar:key=none,var=T_NONE",
    ),
    case(
        "cacheinc",
        "route = ^HERE cacheinc:key=HERE\n"
        "route = ^HERE cacheinc:key=HERE,value=4\n"
        "route = ^HERE cachevar:key=HERE,var=T_N,num=1",
    ),
    case(
        "cachedec",
        "route = ^HERE cacheinc:key=HERE,value=10\n"
        "route = ^HERE cachedec:key=HERE,value=3\n"
        "route = ^HERE cachedec:key=HERE\n"
        "route = ^HERE cachevar:key=HERE,var=T_N,as_num=1",
    ),
    case(
        "cachemul",
        "route = ^HERE cacheinc:key=HERE,value=10\n"
        "route = ^HERE cachemul:key=HERE\n"
        "route = ^HERE cachemul:key=HERE,value=3\n"
        "route = ^HERE cachevar:key=HERE,var=T_N,num=1",
    ),
    case(
        "cachediv",
        "route = ^HERE cacheinc:key=HERE,value=100\n"
        "route = ^HERE cachediv:key=HERE\n"
        "route = ^HERE cachediv:key=HERE,value=7\n"
        "route = ^HERE cachevar:key=HERE,var=T_N,num=1",
    ),
    case(
        "cachestore",
        "route = ^HERE cache:key=HERE\nroute = ^HERE cachestore:key=HERE,expires=100",
        request("HERE", "App-Body: first"),
        request("HERE", "App-Body: second"),
    ),
    case(
        "cache-store",
        "route = ^HERE cache:key=HERE\nroute = ^HERE cache-store:key=HERE,name=default",
        request("HERE", "App-Body: first"),
        request("HERE", "App-Body: second"),
    ),
    case(
        "cachestore-status",
        "route = ^HERE cache:key=HERE\nroute = ^HERE cachestore:key=HERE",
        request("HERE", "App-Body: first", "App-Status: 404 Not Found"),
        request("HERE", "App-Body: second"),
        request("HERE", "App-Body: third"),
    ),
    case(
        "cachestore-other",
        "route = ^HERE cache:key=HERE\nroute = ^HERE cachestore:key=HERE,status=404",
        request("HERE", "App-Body: first", "App-Status: 404 Not Found"),
        request("HERE", "App-Body: second"),
    ),
    case(
        "cachestore-gzip",
        "route = ^HERE/zip cache:key=HERE-gz,content_encoding=gzip\n"
        "route = ^HERE/put cachestore:key=HERE,gzip=HERE-gz",
        request("HERE/put", "App-Body: first"),
        request("HERE/zip"),
    ),
    case(
        "cachestore-length",
        "route = ^HERE cache:key=HERE\nroute = ^HERE cachestore:key=HERE",
        request("HERE", "App-Body: first", "App-Length: yes"),
        request("HERE", "App-Body: second"),
    ),
    case(
        "cachestore-there",
        "route = ^HERE cachestore:key=HERE",
        request("HERE", "App-Body: first"),
        request("HERE", "App-Body: second"),
        silent="it only fills the cache",
    ),
    case(
        "cacheset-there",
        "route = ^HERE/a cacheset:key=HERE,value=one\n"
        "route = ^HERE/b cacheset:key=HERE,value=two\n"
        "route = ^HERE/get cache:key=HERE",
        request("HERE/a"),
        request("HERE/b"),
        request("HERE/get"),
    ),
    case(
        "cacheset-variable",
        "route = ^HERE/(.*)$ cacheset:key=HERE-$1,value=${QUERY_STRING}\n"
        "route = ^HERE/(.*)$ cachevar:key=HERE-$1,var=T_VALUE",
        request("HERE/a?one"),
        request("HERE/b?two"),
    ),
)
WAYS = ("file", "sendfile", "fastfile")
FILES = (
    case(
        "static",
        "route = ^HERE/(.*)$ static:DIR/files/$1",
        request("HERE/a.txt"),
        request("HERE/b.png"),
        request("HERE/c"),
        request("HERE/a.txt", method="HEAD"),
    ),
    case("static-missing", "route = ^HERE static:DIR/files/none.txt"),
    case("static-folder", "route = ^HERE static:DIR/files"),
    case("static-post", "route = ^HERE static:DIR/files/a.txt", request(method="POST", body=b"x")),
    case("static-header", "route = ^HERE addheader:X-Said: yes\nroute = ^HERE static:DIR/files/a.txt"),
    case(
        "static-not-modified",
        "route = ^HERE static:DIR/files/a.txt",
        request("HERE", "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT"),
    ),
    case(
        "static-next", "route = ^HERE static-next:DIR/files/none.txt\nroute = ^HERE addheader:X-Behind: yes"
    ),
    case("static-next-there", "route = ^HERE static-next:DIR/files/a.txt\nroute = ^HERE break:"),
    *(
        case(
            way,
            f"route = ^HERE/(.*)$ {way}:filename=DIR/files/$1",
            request("HERE/a.txt"),
            request("HERE/a.txt", method="HEAD"),
            request("HERE/a.txt", method="POST", body=b"x"),
        )
        for way in WAYS
    ),
    *(
        case(f"{way}-full", f"route = ^HERE {way}:filename=DIR/files/b.png,status=404 Not Found,mime=1")
        for way in WAYS
    ),
    *(
        case(f"{way}-type", f"route = ^HERE {way}:filename=DIR/files/b.png,content_type=text/own,no_cl=1")
        for way in WAYS
    ),
    *(case(f"{way}-bare", f"route = ^HERE {way}:filename=DIR/files/whole,no_headers=1") for way in WAYS),
    *(case(f"{way}-missing", f"route = ^HERE {way}:filename=DIR/files/none") for way in WAYS),
    *(
        case(
            f"{way}-next",
            f"route = ^HERE {way}-next:filename=DIR/files/none\nroute = ^HERE addheader:X-Behind: yes",
        )
        for way in WAYS
    ),
    *(
        case(f"{way}-next-there", f"route = ^HERE {way}-next:filename=DIR/files/a.txt\nroute = ^HERE break:")
        for way in WAYS
    ),
)
HELD = {
    "files/a.txt": "some text\n",
    "files/b.png": "no picture",
    "files/c": "no name",
    "files/whole": "HTTP/1.1 200 Mine\r\nX-Own: yes\r\n\r\nbody",
    "types": "image/png png\ntext/plain txt\n",
}
GROUPS = (
    Group(
        "cache",
        CACHE,
        ini="master = true\n"
        "cache2 = name=default,items=100\n"
        "cache2 = name=two,items=10\n"
        "mimefile = DIR/types",
        files=HELD,
    ),
    Group("files", FILES, ini="master = true\nmimefile = DIR/types", files=HELD),
)
