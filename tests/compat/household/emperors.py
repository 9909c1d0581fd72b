"""The emperor: how a vassal is run, when it is reloaded, stopped and tried again."""

import os
import signal

from tests.compat.household.site import Site

Seen = dict[str, object]
WRAPPER = """#!/bin/sh
echo "{\\"label\\": \\"vassal\\", \\"argv\\": \\"$*\\", \\"cwd\\": \\"$(pwd)\\", \\"uid\\": $(id -u), \
\\"fd\\": \\"${UWSGI_EMPEROR_FD:+set}\\", \\"pid\\": $$}" >> DIR/trace
[ -e DIR/fail ] && exit 1
trap 'echo "{\\"label\\": \\"vassal\\", \\"signal\\": \\"TERM\\"}" >> DIR/trace; exit 0' TERM
trap 'echo "{\\"label\\": \\"vassal\\", \\"signal\\": \\"INT\\"}" >> DIR/trace; exit 0' INT
trap 'echo "{\\"label\\": \\"vassal\\", \\"signal\\": \\"HUP\\"}" >> DIR/trace' HUP
trap 'echo "{\\"label\\": \\"vassal\\", \\"signal\\": \\"QUIT\\"}" >> DIR/trace; exit 0' QUIT
while :; do sleep 0.1; done
"""


def vassals(site: Site) -> list[dict[str, object]]:
    return [line for line in site.trace("vassal") if "argv" in line]


def throne(site: Site, ini: str, *names: str) -> None:
    """An emperor whose vassals are a script that records how it was run."""
    site.write("wrapper", WRAPPER, 0o755)
    for name in names:
        site.write(f"vassals/{name}", "[uwsgi]\n")
    (site.folder / "vassals").mkdir(exist_ok=True)
    site.start(f"{ini}\nemperor-wrapper = DIR/wrapper\nemperor-freq = 1", serves=False)


def arguments(site: Site) -> Seen:
    ini = """
emperor = DIR/vassals
vassals-include = DIR/common.ini
vassals-inherit = DIR/given.ini
vassal-set = processes=3
"""
    throne(site, ini, "one.ini", "two.xml", "three.yml", "four.yaml", "five.json", "six.txt", ".hidden.ini")
    site.until(lambda: len(vassals(site)) >= 5, "five vassals")
    site.calm()
    seen: Seen = {
        "argv": sorted(str(line["argv"]).replace("--inherit", "--inherit") for line in vassals(site)),
        "cwd": sorted({str(line["cwd"]) for line in vassals(site)}),
        "fd": sorted({str(line["fd"]) for line in vassals(site)}),
    }
    code = site.stop()
    seen["code"] = code
    return seen


def pattern(site: Site) -> Seen:
    throne(site, "emperor = DIR/vassals/*.ini", "one.ini", "two.ini", "three.xml")
    site.until(lambda: len(vassals(site)) >= 2, "two vassals")
    site.calm()
    seen: Seen = {"argv": sorted(str(line["argv"]) for line in vassals(site))}
    site.stop()
    return seen


def comes_and_goes(site: Site) -> Seen:
    """Added, touched, removed."""
    throne(site, "emperor = DIR/vassals", "one.ini")
    site.until(lambda: len(vassals(site)) >= 1, "the first vassal")
    site.write("vassals/two.ini", "[uwsgi]\n")
    site.until(lambda: len(vassals(site)) >= 2, "the second vassal")
    pid = int(str(vassals(site)[1]["pid"]))
    (site.folder / "vassals" / "two.ini").unlink()
    seen: Seen = {"removed": site.soon(lambda: not site.alive(pid), 8)}
    site.calm()
    seen["signals"] = [str(line["signal"]) for line in site.trace("vassal") if "signal" in line]
    site.stop()
    return seen


def real_vassal(site: Site) -> Seen:
    """One of the same program: it serves, is reloaded by a touch, and ends with its file."""
    served = "http-socket = DIR/http.sock\nwsgi-file = DIR/app.py\nmaster = true"
    site.write("vassals/app.ini", f"[uwsgi]\n{served}\nexec-as-user = echo vassal >> DIR/trace\n")
    site.start("emperor = DIR/vassals\nemperor-freq = 1", serves=False)
    site.until(lambda: site.get("/") == "hello", "it serves")
    before = len(site.labels())
    path = site.folder / "vassals" / "app.ini"
    os.utime(path, (2e9, 2e9))
    seen: Seen = {"reloaded": site.soon(lambda: len(site.labels()) > before, 8)}
    site.calm()
    seen["serves"] = site.get("/")
    path.unlink()
    seen["gone"] = site.soon(lambda: site.get("/") == "", 8)
    seen["code"] = site.stop()
    return seen


def fails(site: Site) -> Seen:
    """One that ends at once is tried again, not at once."""
    site.write("fail", "")
    throne(site, "emperor = DIR/vassals", "one.ini")
    again = site.soon(lambda: len(vassals(site)) >= 2, 10)
    count = len(vassals(site))
    site.stop()
    return {"again": again, "storm": count > 5}


def tyrant(site: Site) -> Seen:
    """Each as the owner of its file; root's are refused, or not."""
    site.write("wrapper", WRAPPER, 0o755)
    site.write("vassals/nobody.ini", "[uwsgi]\n")
    site.write("vassals/root.ini", "[uwsgi]\n")
    os.chown(site.folder / "vassals" / "nobody.ini", 65534, 65534)
    site.start(
        "emperor = DIR/vassals\nemperor-tyrant = true\nemperor-wrapper = DIR/wrapper\nemperor-freq = 1",
        serves=False,
    )
    site.until(lambda: any("nobody" in str(line["argv"]) for line in vassals(site)), "the one of nobody")
    site.calm()
    seen: Seen = {"uids": sorted((str(line["argv"]), line["uid"]) for line in vassals(site))}
    site.stop()
    return seen


REAL = """[uwsgi]
http-socket = DIR/{}.sock
wsgi-file = DIR/app.py
master = true
exec-post-app = REC {}
"""


def stopped(site: Site) -> Seen:
    """The vassals end with the emperor."""
    for name in ("one", "two"):
        site.write(f"vassals/{name}.ini", REAL.format(name, name))
    site.start("emperor = DIR/vassals\nemperor-freq = 1", serves=False)
    site.until(lambda: len(site.trace()) >= 2, "two vassals")
    site.calm()
    return {"code": site.stop(signal.SIGTERM), "left": site.others()}


def beside(site: Site) -> Seen:
    """An emperor beside an application."""
    site.write("vassals/one.ini", REAL.format("one", "one"))
    site.start("master = true\nemperor = DIR/vassals\nemperor-freq = 1")
    site.until(lambda: site.trace("one"), "the vassal")
    site.calm()
    return {"code": site.stop(), "left": site.others()}


CASES = (arguments, pattern, comes_and_goes, real_vassal, fails, tyrant, stopped, beside)
