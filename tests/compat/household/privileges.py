"""Users, groups, environment and locks: what each process of a start has."""

import fcntl
import os
import signal

from tests.compat.household.site import Site
from tests.e2e.daemons import public_python

Seen = dict[str, object]
PHASES = ("asap", "pre-jail", "in-jail", "as-root", "as-user", "pre-app", "post-app")
USER = "uid = nobody\ngid = nogroup\n"


def ids(site: Site, ini: str) -> Seen:
    """Who runs each phase, a daemon, and the application."""
    hooks = "\n".join(f"exec-{phase} = REC {phase}" for phase in PHASES)
    site.folder.chmod(0o777)
    site.python = [public_python()]
    site.start(f"{ini}\n{hooks}\nmaster = true\nattach-daemon = REC daemon --stay\nchmod-socket = 666")
    site.until(lambda: site.trace("daemon"), "the daemon")
    seen: Seen = {}
    for line in site.trace():
        seen.setdefault(line["label"], [line["uid"], line["gid"], line["groups"]])
    seen["application"] = site.get("/ids")
    site.stop()
    return seen


def user(site: Site) -> Seen:
    return ids(site, USER)


def user_alone(site: Site) -> Seen:
    return ids(site, "uid = nobody")


def more_groups(site: Site) -> Seen:
    return ids(site, f"{USER}add-gid = games\nadd-gid = users")


def no_groups(site: Site) -> Seen:
    return ids(site, f"{USER}no-initgroups = true")


def after_apps(site: Site) -> Seen:
    return ids(site, f"{USER}drop-after-apps = true")


def after_init(site: Site) -> Seen:
    return ids(site, f"{USER}drop-after-init = true")


def master_as_root(site: Site) -> Seen:
    return ids(site, f"{USER}master-as-root = true")


def immediate(site: Site) -> Seen:
    return ids(site, "immediate-gid = nogroup\nimmediate-uid = nobody")


def environment(site: Site) -> Seen:
    os.makedirs(site.folder / "envdir")
    site.write("envdir/EXTRA", "from a file\n")
    site.start("envdir = DIR/envdir\nunenv = HOUSE")
    seen: Seen = {name: site.get(f"/env?{name}") for name in ("EXTRA", "HOUSE")}
    site.stop()
    return seen


def lock(site: Site) -> Seen:
    """``flock``: a lock that somebody has."""
    path = site.write("lock", "")
    with path.open("w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        site.start("flock = DIR/lock\nhttp-socket = DIR/http.sock\nwsgi-file = DIR/app.py", serves=False)
        return {"code": site.end()}


def lock_free(site: Site) -> Seen:
    site.write("lock", "")
    site.write("lock2", "")
    site.start("flock = DIR/lock\nflock2 = DIR/lock2")
    held = {}
    for name in ("lock", "lock2"):
        with (site.folder / name).open("a") as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                held[name] = False
            except BlockingIOError:
                held[name] = True
    site.stop()
    return {"held": held}


def prio(site: Site) -> Seen:
    site.start("prio = 5\nexec-post-app = REC post\nattach-daemon = REC daemon --stay\nmaster = true")
    site.until(lambda: site.trace("daemon"), "the daemon")
    seen: Seen = {line["label"]: line["nice"] for line in site.trace()}
    pid = site.process.pid if site.process is not None else 0
    seen["server"] = os.getpriority(os.PRIO_PROCESS, pid)
    site.stop()
    return seen


def unshared(site: Site) -> Seen:
    """``unshare``: a host name of its own."""
    site.start("unshare = uts\nhook-as-root = hostname:inside\nexec-as-user = uname -n > DIR/name")
    name = (site.folder / "name").read_text().strip()
    site.stop()
    return {"inside": name, "outside": os.uname().nodename != "inside"}


def exits_on_reload(site: Site) -> Seen:
    site.start("master = true\nexit-on-reload = true")
    site.send(signal.SIGHUP)
    return {"code": site.end()}


def forced_folder(site: Site) -> Seen:
    os.makedirs(site.folder / "other")
    site.start("force-cwd = DIR/other\nchdir = DIR")
    seen: Seen = {"cwd": site.get("/cwd")}
    site.stop()
    return seen


CASES = (
    *(user, user_alone, more_groups, no_groups, after_apps, after_init, master_as_root, immediate),
    *(environment, lock, lock_free, prio, unshared, exits_on_reload, forced_folder),
)
