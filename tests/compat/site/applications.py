"""Several applications in one server, and who of them is asked."""

from pathlib import Path

from tests.compat.site.cases import Group, case, request

SOURCE = (Path(__file__).with_name("app.py")).read_text()


def app(name: str) -> str:
    return SOURCE.replace('NAME = "main"', f'NAME = "{name}"')


FILES = {"one.py": app("one"), "two.py": app("two")}
PATHS = (
    "/up",
    "/",
    "/one",
    "/one/",
    "/one/x",
    "/onefold",
    "/one%2fx",
    "//one/x",
    "/two/one/x",
    "/one/two/x",
    "/ONE/x",
)
ASKS = tuple(request(path) for path in PATHS)
HOSTS = tuple(
    request("/x", f"Host: {host}")
    for host in ("one.test", "one.test:80", "ONE.test", "two.test", "else.test")
)
SET = (
    case("paths", "", *ASKS),
    case("setapp", "route = ^HERE setapp:/two", request("HERE/x"), request("HERE/one/x")),
    case("setapp-none", "route = ^HERE setapp:/none"),
    case("setscriptname", "route = ^HERE setscriptname:/two"),
    case("uwsgi-here", "route = ^HERE uwsgi:,0,0,/two"),
)
BY_PATH = "mount = /one=DIR/one.py\nmount = /two=DIR/two.py\n"
GROUPS = (
    Group("mounts", SET, f"{BY_PATH}wsgi-file = DIR/app.py", FILES, plain=False),
    Group("managed", SET, f"{BY_PATH}manage-script-name = true\nwsgi-file = DIR/app.py", FILES, plain=False),
    Group(
        "rooted",
        (case("paths", "", *ASKS),),
        "mount = /one/two=DIR/two.py\n"
        "mount = /one=DIR/one.py\n"
        "mount = /=DIR/app.py\n"
        "manage-script-name = true",
        FILES,
        plain=False,
    ),
    Group(
        "no-default",
        (case("paths", "", request("/one/x"), request("/else")),),
        f"{BY_PATH}manage-script-name = true\nno-default-app = true",
        FILES,
        plain=False,
    ),
    Group(
        "module",
        (case("paths", "", *ASKS[:6]),),
        "pythonpath = DIR\nmount = /one=one:application\nmodule = app\nmanage-script-name = true",
        FILES,
        plain=False,
    ),
    Group(
        "hosts",
        (case("asked", "", *HOSTS),),
        "vhost = true\n"
        "vhost-host = true\n"
        "mount = one.test|=DIR/one.py\n"
        "mount = two.test|=DIR/two.py\n"
        "wsgi-file = DIR/app.py",
        FILES,
        plain=False,
    ),
    Group(
        "missing",
        (case("paths", "", request("/one/x"), request("/two/x"), request("/x")),),
        "need-app = false\n"
        "mount = /one=nothere:application\n"
        "mount = /two=DIR/two.py\n"
        "manage-script-name = true\n"
        "wsgi-file = DIR/app.py",
        FILES,
        plain=False,
    ),
)
