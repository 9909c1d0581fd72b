"""Hooks: their phases in order, what each action does, and what a failure does."""

import os
import signal
import time
from functools import partial

from tests.compat.household.site import Site

Seen = dict[str, object]
READY = 1.5  # seconds: a worker of uWSGI's that is told to end before it accepts does not hear it
PHASES = (
    *("asap", "pre-jail", "post-jail", "in-jail", "as-root", "as-user", "pre-app", "post-app"),
    *("post-fork", "accepting", "accepting1", "accepting-once", "accepting1-once", "master-start"),
    "as-user-atexit",
)
SHELL = (
    *("asap", "pre-jail", "post-jail", "in-jail", "as-root", "as-user", "pre-app", "post-app"),
    "as-user-atexit",
)
BEFORE = ("asap", "pre-jail", "post-jail", "in-jail", "as-root", "as-user", "pre-app", "post-app")


def every_hook() -> str:
    lines = [f"hook-{phase} = appendn:DIR/trace hook-{phase}" for phase in PHASES]
    lines += [f"exec-{phase} = echo exec-{phase} >> DIR/trace" for phase in SHELL]
    return "\n".join(lines)


def split(labels: list[str]) -> tuple[list[str], list[str]]:
    """The phases of the start, and the others, whose processes run side by side."""
    early = [one for one in labels if one.partition("-")[2] in BEFORE]
    return early, sorted(one for one in labels if one not in early)


def order(early: list[str]) -> Seen:
    """In which order the phases begin, and how often each is run."""
    return {"order": list(dict.fromkeys(early)), "times": {one: early.count(one) for one in early}}


def phases_alone(site: Site) -> Seen:
    site.start(every_hook())
    site.calm()
    early, late = split(site.labels())
    code = site.stop()
    site.calm()
    return {**order(early), "others": late, "code": code, "end": site.labels()[len(early) + len(late) :]}


def phases_master(site: Site) -> Seen:
    site.start(f"master = true\nprocesses = 2\n{every_hook()}")
    site.calm()
    early, late = split(site.labels())
    before = len(site.labels())
    code = site.stop()
    site.calm()
    return {**order(early), "others": late, "code": code, "end": site.labels()[before:]}


def phases_reload(site: Site) -> Seen:
    site.start(f"master = true\nprocesses = 1\n{every_hook()}")
    site.calm()
    before = len(site.labels())
    site.send(signal.SIGHUP)
    site.until(lambda: "hook-post-fork" in site.labels()[before:], "it reloads")
    site.calm()
    early, late = split(site.labels()[before:])
    site.stop()
    return {**order(early), "others": late}


def lazy_apps(site: Site) -> Seen:
    site.start(f"master = true\nprocesses = 2\nlazy-apps = true\n{every_hook()}")
    site.calm()
    early, late = split(site.labels())
    site.stop()
    return {**order(early), "others": late}


def actions(site: Site) -> Seen:
    site.write("ended", "x")
    site.write("mode", "x")
    ini = """
hook-asap = create:DIR/created
hook-asap = write:DIR/written one two
hook-asap = writen:DIR/writtenn one two
hook-asap = append:DIR/written three
hook-asap = appendn:DIR/writtenn four
hook-asap = appendn:DIR/lone
hook-asap = mkdir:DIR/made
hook-asap = chmod:DIR/mode 640
hook-asap = sticky:DIR/made
hook-asap = unlink:DIR/ended
hook-asap = putenv:EXTRA=put there
hook-asap = exec:REC ran a 'b c'
hook-asap = print:a word
hook-as-user = writefifo:DIR/nobody text
hook-as-user = safeexec:exit 3
hook-pre-app = cd:DIR/made
"""
    site.write("nobody", "")
    site.start(ini)
    folder = site.folder
    seen: Seen = {
        name: (folder / name).read_text() if (folder / name).exists() else None
        for name in ("created", "written", "writtenn", "lone", "ended", "nobody")
    }
    seen["mode"] = oct((folder / "mode").stat().st_mode)
    seen["made"] = oct((folder / "made").stat().st_mode)
    seen["env"] = site.get("/env?EXTRA")
    seen["cwd"] = site.get("/cwd")
    seen["ran"] = [(line["argv"], line["cwd"], line["stdin"]) for line in site.trace("ran")]
    seen["said"] = site.logged("a word")
    site.stop()
    return seen


def failing(site: Site, ini: str) -> Seen:
    """How a start ends where something fails."""
    site.start(
        f"{ini}\nhttp-socket = DIR/http.sock\nwsgi-file = DIR/app.py\nmaster = true\ndie-on-term = true",
        serves=False,
    )
    process = site.process
    assert process is not None
    ended = site.soon(lambda: process.poll() is not None, 4)
    served = site.get("/") == "hello" if not ended else False
    code = process.poll() if ended else None
    if not ended:
        site.stop()
    return {"ended": ended, "failed": bool(code), "served": served}


def failing_early(site: Site) -> Seen:
    return failing(site, "hook-asap = exec:exit 3")


def failing_as_user(site: Site) -> Seen:
    return failing(site, "hook-as-user = exec:exit 3")


def failing_pre_app(site: Site) -> Seen:
    return failing(site, "hook-pre-app = exec:exit 3")


def failing_post_app(site: Site) -> Seen:
    return failing(site, "hook-post-app = exec:exit 3")


def failing_post_fork(site: Site) -> Seen:
    return failing(site, "hook-post-fork = exec:exit 3")


def failing_exec(site: Site) -> Seen:
    return failing(site, "exec-as-user = exit 3")


def failing_exec_pre_app(site: Site) -> Seen:
    return failing(site, "exec-pre-app = exit 3")


def failing_atexit(site: Site) -> Seen:
    site.start("master = true\nhook-as-user-atexit = exec:exit 3\nexec-as-user-atexit = exit 4")
    return {"code": site.stop()}


def unknown(site: Site) -> Seen:
    return failing(site, "hook-asap = no_such_action:x")


def no_colon(site: Site) -> Seen:
    return failing(site, "hook-asap = just words")


def exits(site: Site) -> Seen:
    site.start("hook-asap = exit:7\nhttp-socket = DIR/http.sock\nwsgi-file = DIR/app.py", serves=False)
    return {"code": site.end()}


def gracefully(site: Site) -> Seen:
    """The line that hundreds of projects have."""
    site.start("master = true\nprocesses = 2\nhook-master-start = unix_signal:15 gracefully_kill_them_all")
    time.sleep(READY)
    return {"code": site.stop(signal.SIGTERM)}


def other_signal(site: Site) -> Seen:
    site.start("master = true\nhook-master-start = unix_signal:34 kill_them_all")
    return {"code": site.stop(34)}


def touched(site: Site) -> Seen:
    """``hook-touch`` and ``touch-exec``."""
    site.write("one", "")
    site.write("two", "")
    site.start(
        "master = true\nhook-touch = DIR/one appendn:DIR/trace hook\ntouch-exec = DIR/two REC exec 'a b'"
    )
    site.calm()
    first = site.labels()
    for name, label in (("one", "hook"), ("two", "exec")):
        site.write(name, "changed")
        path = site.folder / name
        found = path.stat()
        os.utime(path, (found.st_atime + 5, found.st_mtime + 5))
        site.until(partial(site.ran, label), f"{label} ran")
    site.calm()
    line = site.trace("exec")[0]
    seen: Seen = {"before": first, "after": site.labels()}
    seen["exec"] = {key: line[key] for key in ("argv", "cwd", "stdin")}
    site.stop()
    return seen


def environment(site: Site) -> Seen:
    """What the programs of hooks see."""
    site.start(
        "env = EXTRA=given\nexec-as-user = REC user\nexec-pre-app = REC app\nchdir = DIR\nmaster = true"
    )
    site.calm()
    site.stop()
    keys = ("argv", "cwd", "env", "uid", "stdin", "nice")
    return {line["label"]: {key: line[key] for key in keys} for line in site.trace()}


def file_write(site: Site) -> Seen:
    site.start("file-write = DIR/noted=some text")
    noted = site.folder / "noted"
    site.stop()
    return {"noted": noted.read_text() if noted.exists() else None}


def waits(site: Site) -> Seen:
    """``wait-for-fs``: what is there already, and what never comes."""
    site.start("wait-for-file = DIR/app.py\nwait-for-dir = DIR")
    code = site.stop()
    return {"there": code}


def waits_in_vain(site: Site) -> Seen:
    return failing(site, "wait-for-fs = DIR/never\nwait-for-fs-timeout = 1")


CASES = (
    *(phases_alone, phases_master, phases_reload, lazy_apps, actions, failing_early, failing_as_user),
    *(failing_pre_app, failing_post_app, failing_post_fork, failing_exec, failing_exec_pre_app),
    *(failing_atexit, unknown, no_colon, exits, gracefully, other_signal, touched, environment, file_write),
    *(waits, waits_in_vain),
)
