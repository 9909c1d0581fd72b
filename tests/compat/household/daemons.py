"""Daemons: how they are run, what they see, when they are started again and how they are stopped."""

import os
import signal
from functools import partial

from tests.compat.household.site import Site

Seen = dict[str, object]
HOW = ("argv", "cwd", "uid", "gid", "leader", "session", "stdin", "env", "nice")


def how(site: Site, label: str) -> Seen:
    line = site.trace(label)[0]
    return {key: line[key] for key in HOW}


def pids(site: Site, label: str) -> list[int]:
    """Of every start so far."""
    return [line["pid"] for line in site.trace(label) if "argv" in line]


def started(site: Site, label: str, count: int = 1) -> None:
    site.until(lambda: len(pids(site, label)) >= count, f"{label} is started {count} times")


def attach(site: Site) -> Seen:
    site.start("attach-daemon = REC one --stay 'a b' $EXTRA\nenv = EXTRA=given\nprocesses = 2")
    started(site, "one")
    seen = how(site, "one")
    pid = pids(site, "one")[0]
    seen["code"] = site.stop()
    seen["left"] = site.alive(pid)
    seen["signals"] = [line["signal"] for line in site.trace("one") if "signal" in line]
    return seen


def attach_implies_master(site: Site) -> Seen:
    site.start("attach-daemon = REC one --stay")
    started(site, "one")
    seen: Seen = {"log": site.logged(r'spawning ".*recorder|daemon ".* is started \(pid')}
    site.stop()
    return seen


def respawn(site: Site) -> Seen:
    """One that ends is started again."""
    site.start("attach-daemon = REC one")
    started(site, "one", 3)
    site.stop()
    return {"again": True}


def ignoring(site: Site) -> Seen:
    """One that ignores TERM is killed after three seconds, or the mercy."""
    site.start("attach-daemon = REC one --stay --ignore\nreload-mercy = 1")
    started(site, "one")
    pid = pids(site, "one")[0]
    code = site.stop()
    site.soon(lambda: not site.alive(pid))
    return {"code": code, "left": site.alive(pid), "told": "one SIGTERM" in site.labels()}


def reload(site: Site) -> Seen:
    """Dumb daemons are started again, smart ones are not."""
    ini = """
master = true
attach-daemon = REC dumb --stay
smart-attach-daemon = DIR/smart.pid REC smart --stay --pidfile DIR/smart.pid
attach-daemon2 = cmd=REC two --stay,reloadsignal=12
"""
    site.start(ini)
    for label in ("dumb", "smart", "two"):
        started(site, label)
    site.send(signal.SIGHUP)
    started(site, "dumb", 2)
    started(site, "two", 2)
    site.calm()
    seen: Seen = {label: len(pids(site, label)) for label in ("dumb", "smart", "two")}
    seen["signals"] = sorted(one for one in site.labels() if " " in one)
    site.stop()
    return seen


def keys(site: Site) -> Seen:
    """``attach-daemon2`` with all its keys."""
    site.write("sub/x", "")
    site.folder.chmod(0o777)
    ini = (
        "attach-daemon2 = cmd=REC two --stay,chdir=DIR/sub,stopsignal=2,uid=65534,gid=65534,touch=DIR/touch\n"
    )
    site.write("touch", "")
    site.start(ini)
    started(site, "two")
    seen = how(site, "two")
    site.calm()
    path = site.folder / "touch"
    path.write_text("x")
    os.utime(path, (2e9, 2e9))
    seen["touched"] = site.soon(lambda: len(pids(site, "two")) >= 2, 6)
    site.stop()
    seen["signals"] = sorted({line["signal"] for line in site.trace("two") if "signal" in line})
    return seen


def smart_running(site: Site) -> Seen:
    """A pidfile of a process that lives: nothing is started, and it is left alone."""
    site.write("smart.pid", f"{os.getpid()}\n")
    site.start("smart-attach-daemon = DIR/smart.pid REC smart --stay")
    site.calm()
    seen: Seen = {"started": len(pids(site, "smart"))}
    site.stop()
    return seen


def smart_stale(site: Site) -> Seen:
    """A pidfile of nobody."""
    site.write("smart.pid", "4000000\n")
    site.start("smart-attach-daemon = DIR/smart.pid,2 REC smart --stay --pidfile DIR/smart.pid")
    started(site, "smart")
    pid = pids(site, "smart")[0]
    site.calm()
    seen = how(site, "smart")
    seen["started"] = len(pids(site, "smart"))
    site.stop()
    seen["lives on"] = site.alive(pid)
    return seen


def smart_daemonized(site: Site) -> Seen:
    """``smart-attach-daemon2``: the server writes the pidfile."""
    site.start("smart-attach-daemon2 = DIR/smart.pid REC smart --stay")
    started(site, "smart")
    pid = pids(site, "smart")[0]
    seen = how(site, "smart")
    path = site.folder / "smart.pid"
    site.soon(path.exists)
    seen["pidfile"] = path.exists() and int(path.read_text()) == pid
    site.stop()
    seen["lives on"] = site.alive(pid)
    return seen


def control(site: Site) -> Seen:
    """``attach-control-daemon``: its end is the server's."""
    site.start("attach-control-daemon = REC one; sleep 1", serves=True)
    process = site.process
    assert process is not None
    return {"ended": site.soon(lambda: process.poll() is not None, 6)}


def bad_keys(site: Site) -> Seen:
    site.start(
        "attach-daemon2 = pidfile=x\nhttp-socket = DIR/http.sock\nwsgi-file = DIR/app.py", serves=False
    )
    return {"code": site.end()}


def bad_smart(site: Site) -> Seen:
    site.start("smart-attach-daemon = x\nhttp-socket = DIR/http.sock\nwsgi-file = DIR/app.py", serves=False)
    return {"code": site.end()}


def group(site: Site) -> Seen:
    """The signal goes to the whole group of a shell."""
    site.start("attach-daemon = REC one --stay & REC two --stay & wait")
    started(site, "one")
    started(site, "two")
    found = [pids(site, "one")[0], pids(site, "two")[0]]
    site.stop()
    for pid in found:
        site.soon(partial(site.dead, pid))
    return {"left": [site.alive(pid) for pid in found]}


CASES = (
    *(attach, attach_implies_master, respawn, ignoring, reload, keys, smart_running, smart_stale),
    *(smart_daemonized, control, bad_keys, bad_smart, group),
)
