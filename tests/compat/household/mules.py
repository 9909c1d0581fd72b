"""Mules: what a script of one sees, how it comes again, how it ends."""

import os
import signal
import time

from tests.compat.household.site import Site

Seen = dict[str, object]
FIRST = 2.5  # seconds until uWSGI has looked at its files for the first time
SCRIPT = """
import json, os, signal, sys, time
def write(**line):
    with open("DIR/trace", "a") as file:
        file.write(json.dumps({"label": "mule", **line}) + "\\n")
write(name=__name__, argv=sys.argv, cwd=os.getcwd(), file=globals().get("__file__"), pid=os.getpid(),
      app=any("application" in vars(m) for m in list(sys.modules.values()) if m is not None),
      uid=os.getuid(), env=os.environ.get("EXTRA"))
if "END" in os.environ:
    sys.exit(int(os.environ["END"]))
while True:
    time.sleep(60)
"""


def pids(site: Site) -> list[int]:
    return [line["pid"] for line in site.trace("mule")]


def script(site: Site) -> Seen:
    site.write("mule.py", SCRIPT)
    site.start("master = true\nmule = DIR/mule.py\nenv = EXTRA=given\nprocesses = 2")
    site.until(lambda: pids(site), "the mule runs")
    line = site.trace("mule")[0]
    seen: Seen = {key: line[key] for key in ("name", "cwd", "app", "uid", "env")}
    pid = line["pid"]
    seen["spawned"] = site.logged(r"mule 1 \(pid:? \d+\)")
    os.kill(pid, signal.SIGKILL)
    seen["again"] = site.soon(lambda: len(pids(site)) >= 2, 6)
    last = pids(site)[-1]
    seen["code"] = site.stop()
    site.soon(lambda: not site.alive(last))
    seen["left"] = site.alive(last)
    return seen


def several(site: Site) -> Seen:
    site.write("mule.py", SCRIPT)
    site.start("mule = DIR/mule.py\nmule = DIR/mule.py\nmules = 1")
    site.until(lambda: len(pids(site)) >= 2, "two scripts run")
    site.calm()
    seen: Seen = {"scripts": len(pids(site)), "third": site.logged(r"mule 3 \(pid:? \d+\)")}
    site.stop()
    return seen


def reload(site: Site) -> Seen:
    """A reload of the whole ends a mule and starts it again."""
    site.write("mule.py", SCRIPT)
    site.start("master = true\nmule = DIR/mule.py")
    site.until(lambda: pids(site), "the mule runs")
    first = pids(site)[0]
    site.send(signal.SIGHUP)
    site.until(lambda: len(pids(site)) >= 2, "another one runs")
    site.calm()
    seen: Seen = {"count": len(pids(site)), "old": site.alive(first)}
    site.stop()
    return seen


def ends(site: Site) -> Seen:
    """One that ends is started again."""
    site.write("mule.py", SCRIPT)
    site.start("master = true\nmule = DIR/mule.py\nenv = END=0")
    again = site.soon(lambda: len(pids(site)) >= 3, 8)
    site.stop()
    return {"again": again}


def touched(site: Site) -> Seen:
    site.write("mule.py", SCRIPT)
    site.write("touch", "")
    site.start("master = true\nmule = DIR/mule.py\ntouch-mules-reload = DIR/touch")
    site.until(lambda: pids(site), "the mule runs")
    time.sleep(FIRST)
    os.utime(site.folder / "touch", (2e9, 2e9))
    again = site.soon(lambda: len(pids(site)) >= 2, 8)
    site.stop()
    return {"again": again}


def hook(site: Site) -> Seen:
    hooks = "hook-as-mule = appendn:DIR/trace as-mule\nhook-post-fork = appendn:DIR/trace fork"
    site.start(f"mule = true\nmules = 1\n{hooks}")
    site.calm()
    seen: Seen = {"labels": sorted(site.labels())}
    site.stop()
    return seen


def missing(site: Site) -> Seen:
    """A script that is not there."""
    site.start("master = true\nmule = DIR/none.py")
    site.calm()
    serves = site.get("/") == "hello"
    site.stop()
    return {"serves": serves}


def farm(site: Site) -> Seen:
    site.start("mules = 3\nfarm = first:1,2\nfarm = second:3")
    site.calm()
    code = site.stop()
    return {"code": code}


def farm_of_nobody(site: Site) -> Seen:
    site.start(
        "mules = 1\nfarm = first:1,7\nhttp-socket = DIR/http.sock\nwsgi-file = DIR/app.py", serves=False
    )
    return {"code": site.end()}


CASES = (script, several, reload, ends, touched, hook, missing, farm, farm_of_nobody)
