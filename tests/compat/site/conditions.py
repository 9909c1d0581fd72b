"""Every condition, where it is so and where it is not."""

import os
from pathlib import Path

from tests.compat.site.cases import Case, Group, case, request

Say = tuple[str, str]  # arguments where it is so, and where it is not
PAIRS: dict[str, Say] = {
    **dict.fromkeys(("equal", "isequal", "eq", "=="), ("${QUERY_STRING};same", "${QUERY_STRING};other")),
    "startswith": ("${QUERY_STRING};sa", "sa;${QUERY_STRING}"),
    "endswith": ("${QUERY_STRING};me", "me;${QUERY_STRING}"),
    **dict.fromkeys(("contains", "contain"), ("${QUERY_STRING};am", "${QUERY_STRING};amm")),
    **dict.fromkeys(("regexp", "re"), ("${QUERY_STRING};^s.m", "${QUERY_STRING};^a")),
    **dict.fromkeys(("ishigher", ">"), ("${HTTP_X_N};9", "${HTTP_X_N};10")),
    **dict.fromkeys(("islower", "<"), ("${HTTP_X_N};11", "${HTTP_X_N};10")),
    **dict.fromkeys(("ishigherequal", ">="), ("${HTTP_X_N};10", "${HTTP_X_N};11")),
    **dict.fromkeys(("islowerequal", "<="), ("${HTTP_X_N};10", "${HTTP_X_N};9")),
    "ipv4in": ("${HTTP_X_A};192.168.0.0/16", "${HTTP_X_A};10.0.0.0/8"),
    "ipv6in": ("${HTTP_X_B};2001:db8::/32", "${HTTP_X_B};fe80::/10"),
    "exists": ("DIR/file", "DIR/nothing"),
    "isfile": ("DIR/file", "DIR/folder"),
    "isdir": ("DIR/folder", "DIR/file"),
    "islink": ("DIR/link", "DIR/file"),
    "isexec": ("DIR/program", "DIR/file"),
    "empty": ("${HTTP_X_NOTHING}", "${QUERY_STRING}"),
    "incache": ("key=there", "key=${QUERY_STRING}"),
}
ODD = {
    "no-semicolon": "equal:${QUERY_STRING}",
    "two-semicolons": "equal:${HTTP_X_S};a;b",
    "no-number": "ishigher:abc;-1",
    "number-begins": "ishigher:5abc;4",
    "negative": "islower:-5;-4",
    "empty-in-text": "contains:${QUERY_STRING};",
    "empty-both": "equal:;",
    "starts-empty": "startswith:${QUERY_STRING};",
    "ends-longer": "endswith:e;${QUERY_STRING}",
    "address-alone": "ipv4in:192.168.1.1;192.168.1.1",
    "address-all": "ipv4in:8.8.8.8;0.0.0.0/0",
    "address-none": "ipv4in:abc;10.0.0.0/8",
    "address-host-bits": "ipv4in:10.1.2.3;10.9.9.9/8",
    "six-alone": "ipv6in:::1;::1",
    "six-odd-bits": "ipv6in:2001:db8:8000::1;2001:db8:8000::/33",
    "six-all": "ipv6in:::1;::/0",
    "file-through-link": "isfile:DIR/link",
    "folder-exists": "exists:DIR/folder",
    "link-broken": "islink:DIR/broken",
    "broken-exists": "exists:DIR/broken",
    "capture-is-none": "equal:$1;$1",
    "legion": "lord:none",
    "regexp-semicolon": "regexp:${HTTP_X_S};^a;b$",
    "variable-twice": "equal:${QUERY_STRING}${QUERY_STRING};samesame",
    "cached-elsewhere": "incache:key=there,name=default",
    "cached-nowhere": "incache:name=default,key=none",
    "unclosed": "equal:${QUERY;${QUERY",
}
ASK = request("HERE?same", "X-N: 10", "X-A: 192.168.7.1", "X-B: 2001:db8::7", "X-S: a;b")
WORDS = {"==": "is", ">": "over", "<": "under", ">=": "at-least", "<=": "at-most"}


def rules(condition: str) -> str:
    """One where it is, one where it is not: a rule that is never asked shows nothing of either."""
    lines = [
        f"route-if{way} = {condition} addheader:X-{word}: ${{PATH_INFO}}"
        for way, word in (("", "Is"), ("-not", "Is-Not"))
    ]
    return "\n".join(
        ["route-if-not = startswith:${PATH_INFO};HERE goto:HERE-past", *lines, "route-label = HERE-past"]
    )


def pair(name: str, said: Say) -> list[Case]:
    word = WORDS.get(name, name)
    return [
        case(f"{word}-so", rules(f"{name}:{said[0]}"), ASK),
        case(f"{word}-not", rules(f"{name}:{said[1]}"), ASK),
    ]


def fill(folder: Path) -> None:
    """What there is to be asked about."""
    (folder / "folder").mkdir()
    (folder / "program").write_text("#!/bin/sh\n")
    (folder / "program").chmod(0o755)
    os.symlink(folder / "file", folder / "link")
    os.symlink(folder / "nowhere", folder / "broken")


GROUPS = (
    Group(
        "conditions",
        (
            case(
                "first-of-all", "route = ^HERE cacheset:key=there,value=x", silent="it only fills the cache"
            ),
            *(one for name, said in PAIRS.items() for one in pair(name, said)),
            *(case(name, rules(condition), ASK) for name, condition in ODD.items()),
            case(
                "captures",
                "route-if = regexp:${QUERY_STRING};^HERE-(a+)(b+)$ addheader:X-Ran: $1 $2 $0",
                request("/up?HERE-aabbb"),
            ),
        ),
        ini="cache2 = name=default,items=10",
        files={"file": "here"},
        prepare=fill,
    ),
)
