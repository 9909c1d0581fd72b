"""Actions that change the request, the reply or the process, and those that send it elsewhere."""

import os
from pathlib import Path

from tests.compat.site.cases import Group, case, request

SET = {
    "setuser": "frank",
    "sethome": "/home/x",
    "setscriptname": "/script",
    "setmethod": "PUT",
    "seturi": "/else?x=y",
    "setremoteaddr": "10.1.2.3",
    "setpathinfo": "/other/${QUERY_STRING}",
    "setdocroot": "/srv/x",
    "setscheme": "https",
}
REQUEST = (
    *(case(name, f"route = ^HERE {name}:{value}", request("HERE?q=1")) for name, value in SET.items()),
    case("setfile", "route = ^HERE setfile:/srv/file"),
    case("setuser-colon", "route = ^HERE setuser:frank:secret"),
    case("addvar", "route = ^HERE addvar:T_A=one=${QUERY_STRING}", request("HERE?q")),
    case("addvar-again", "route = ^HERE addvar:T_A=one\nroute = ^HERE addvar:T_A=two"),
    case("addvar-empty", "route = ^HERE addvar:T_A="),
    case("addvar-known", "route = ^HERE addvar:QUERY_STRING=other", request("HERE?q")),
    case("setapp", "route = ^HERE setapp:none"),
    case("fixpathinfo", "route = ^HERE setscriptname:HERE\nroute = ^HERE fixpathinfo:", request("HERE/rest")),
    case(
        "fixpathinfo-none",
        "route = ^HERE fixpathinfo:",
        request("HERE/rest"),
        silent="there is nothing to cut",
    ),
    case("setmodifier1", "route = ^HERE setmodifier1:0", silent="it is what it was"),
    case(
        "setmodifier1-30",
        "route = ^HERE setscriptname:HERE\nroute = ^HERE setmodifier1:30",
        request("HERE/rest"),
    ),
    case("setmodifier2", "route = ^HERE setmodifier2:5", silent="an application does not see it"),
    case("plus", "route = ^HERE addvar:T_N=40\nroute = ^HERE +:T_N,2"),
    case("plus-one", "route = ^HERE addvar:T_N=40\nroute = ^HERE +:T_N"),
    case("minus", "route = ^HERE addvar:T_N=40\nroute = ^HERE -:T_N,${QUERY_STRING}", request("HERE?50")),
    case("times", "route = ^HERE addvar:T_N=40\nroute = ^HERE *:T_N,3"),
    case("divide", "route = ^HERE addvar:T_N=40\nroute = ^HERE /:T_N,3"),
    case("plus-no-number", "route = ^HERE addvar:T_N=abc\nroute = ^HERE +:T_N,2"),
    case("plus-no-variable", "route = ^HERE +:T_NONE,2"),
    case(
        "chdir",
        "route = ^HERE chdir:DIR/folder",
        request("HERE", "App-Show: cwd"),
        request("/up", "App-Show: cwd"),
    ),
    case("chdir-nowhere", "route = ^HERE chdir:DIR/none"),
    case("setprocname", "route = ^HERE setprocname:short", request("HERE", "App-Show: name short")),
    case("donotoffload", "route = ^HERE donotoffload:", silent="it only decides who sends a file"),
    case("rewrite", "route = ^HERE/(.*)$ rewrite:/new/$1", request("HERE/a"), request("HERE/a?old=1")),
    case(
        "rewrite-query", "route = ^HERE/(.*)$ rewrite:/new?x=$1", request("HERE/a"), request("HERE/a?old=1")
    ),
    case("rewrite-escaped", "route = ^HERE rewrite:/a%20b/../c/./d//e#f"),
    case(
        "rewrite-goes-on",
        "route = ^HERE rewrite:/rewritten-path\nroute = ^/rewritten-path addheader:X-Ran: yes",
    ),
    case(
        "rewrite-last",
        "route = ^HERE rewrite-last:/rewritten-last?y\nroute = ^/rewritten-last addheader:X-Ran: no",
    ),
    case(
        "hash",
        "route = ^HERE hash:key=${QUERY_STRING},var=T_NODE,items=a;b;c;d;e;f;g",
        *(request(f"HERE?{word}") for word in ("one", "two", "three", "a%20b", "")),
    ),
    case(
        "hash-murmur2",
        "route = ^HERE hash:key=${QUERY_STRING},var=T_NODE,algo=murmur2,items=a;b;c;d;e;f;g",
        *(request(f"HERE?{word}") for word in ("one", "two", "three", "fours", "fivesix")),
    ),
    case(
        "hash-octets",
        "route = ^HERE/(.*)$ hash:key=$1,var=T_NODE,algo=djb33x,items=a;b;c;d;e;f;g",
        request("HERE/%c3%a4%ff"),
    ),
    case("hash-rr", "route = ^HERE hash:key=2,var=T_NODE,algo=rr,items=a;b;c", *[request()] * 4),
)
REPLY = (
    case("addheader", "route = ^HERE addheader:X-Said: ${QUERY_STRING}", request("HERE?q")),
    case("addheader-tight", "route = ^HERE addheader:X-Said:tight"),
    case(
        "addheader-twice",
        "route = ^HERE addheader:X-Said: one\nroute = ^HERE addheader:X-Said: two",
        request("HERE", "App-Fields: X-Said: app"),
    ),
    case(
        "addheader-crlf", "route = ^HERE/([\\s\\S]*)$ addheader:X-Said: $1", request("HERE/a%0d%0aX-Evil:1")
    ),
    case(
        "delheader",
        "route = ^HERE delheader:X-App",
        request("HERE", "App-Fields: X-App: 1|X-Other: 2|X-APP: 3"),
    ),
    case("remheader", "route = ^HERE remheader:x-app", request("HERE", "App-Fields: X-App: 1|X-Other: 2")),
    case("delheader-added", "route = ^HERE addheader:X-Said: one\nroute = ^HERE delheader:X-Said"),
    case(
        "delheader-late",
        "response-route = ^HERE delheader:X-App",
        request("HERE", "App-Fields: X-App: 1"),
        silent="the application's are written down by then",
    ),
    case(
        "clearheaders",
        "route = ^HERE clearheaders:404 Not Found\n"
        "route = ^HERE addheader:X-Said: yes\n"
        "route = ^HERE send:text\n"
        "route = ^HERE break:",
    ),
    case(
        "resetheaders", "route = ^HERE resetheaders:200 Fine\nroute = ^HERE send:text\nroute = ^HERE break:"
    ),
    case(
        "clearheaders-app",
        "route = ^HERE clearheaders:404 Not Found",
        silent="the application begins another reply",
    ),
    case(
        "clearheaders-late",
        "response-route = ^HERE clearheaders:404 Not Found",
        request("HERE", "App-Fields: X-App: 1"),
    ),
    case("disableheaders", "route = ^HERE disableheaders:", request("HERE", "App-Body: only this")),
    case(
        "disableheaders-send",
        "route = ^HERE disableheaders:\n"
        "route = ^HERE send:HTTP/1.1 200 Mine${QUERY_STRING}\n"
        "route = ^HERE break:",
        request("HERE?x"),
    ),
    case("send-alone", "route = ^HERE send:some ${QUERY_STRING}\nroute = ^HERE break:", request("HERE?text")),
    case("send-app", "route = ^HERE send:before ", request("HERE", "App-Body: behind")),
    case(
        "send-crnl",
        "route = ^HERE clearheaders:200 OK\n"
        "route = ^HERE send-crnl:one\n"
        "route = ^HERE send-crnl:two\n"
        "route = ^HERE break:",
    ),
    *(
        case(name, f"route = ^HERE/(.*)$ {name}:http://else.test/$1?${{QUERY_STRING}}", request("HERE/a?q=1"))
        for name in ("redirect", "redirect-302", "redirect-301", "redirect-permanent")
    ),
    case("redirect-head", "route = ^HERE redirect:/x", request(method="HEAD")),
    case("redirect-post", "route = ^HERE redirect:/x", request(method="POST", body=b"body")),
    case("redirect-fields", "route = ^HERE addheader:X-Said: yes\nroute = ^HERE redirect:/x"),
    case("redirect-injects", "route = ^HERE/([\\s\\S]*)$ redirect:/x/$1", request("HERE/a%0d%0aX-Evil:%201")),
    case(
        "redirect-https",
        "route = ^HERE redirect-permanent:https://${HTTP_HOST}${REQUEST_URI}",
        request("HERE/a%20b?c=d"),
    ),
    case("expires-value", "route = ^HERE expires:value=3600"),
    case("expires-unix", "route = ^HERE expires:unix=1000000000,value=60"),
    case("expires-file", "route = ^HERE expires:filename=DIR/aged,value=3600"),
)
LOGIN = (
    case(
        "basicauth",
        "route = ^HERE basicauth:Some Realm,frank:secret",
        *(
            request("HERE", *fields)
            for fields in (
                (),
                ("Authorization: Basic ZnJhbms6c2VjcmV0",),
                ("Authorization: Basic ZnJhbms6d3Jvbmc=",),
                ("Authorization: Basic !!!",),
                ("Authorization: Bearer x",),
                ("Authorization: basic ZnJhbms6c2VjcmV0",),
                ("Authorization: Basic ZnJhbms=",),
            )
        ),
    ),
    case(
        "basicauth-nobody",
        "route = ^HERE basicauth:Realm,",
        request("HERE", "Authorization: Basic ZnJhbms6c2VjcmV0"),
    ),
    case(
        "basicauth-file",
        "route = ^HERE basicauth:Realm,DIR/users",
        *(
            request("HERE", *fields)
            for fields in (
                (),
                ("Authorization: Basic c2hhOnNlY3JldA==",),
                ("Authorization: Basic c2hhOndyb25n",),
                ("Authorization: Basic Y3J5cHQ6c2VjcmV0",),
                ("Authorization: Basic bm9ib2R5Ong=",),
            )
        ),
    ),
    case(
        "basicauth-no-file",
        "route = ^HERE basicauth:Realm,DIR/none",
        request("HERE", "Authorization: Basic ZnJhbms6c2VjcmV0"),
    ),
    case("basicauth-known", "route = ^HERE setuser:known\nroute = ^HERE basicauth:Realm,frank:secret"),
    case(
        "basicauth-next",
        "route = ^HERE basicauth-next:Realm,frank:secret\nroute = ^HERE basicauth:Realm,bob:pass",
        *(
            request("HERE", *fields)
            for fields in (
                (),
                ("Authorization: Basic ZnJhbms6c2VjcmV0",),
                ("Authorization: Basic Ym9iOnBhc3M=",),
                ("Authorization: Basic eDp5",),
            )
        ),
    ),
    case("basicauth-quote", 'route = ^HERE basicauth:A "quoted" realm,frank:secret'),
)


def age(folder: Path) -> None:
    """A file's time that both see."""
    os.utime(folder / "aged", (1e9, 1e9))


USERS = "sha:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"
"crypt:abNANd1rDfiNc\n"
GROUPS = (
    Group("requests", REQUEST, ini="master = true", prepare=lambda folder: (folder / "folder").mkdir()),
    Group(
        "replies",
        (*REPLY, *LOGIN),
        ini="master = true",
        files={"users": USERS, "aged": "old"},
        prepare=age,
    ),
)
