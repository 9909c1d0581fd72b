"""Crons, and alarms: what is run when, and what it is told."""

import signal
import time

from tests.compat.household.site import Site

Seen = dict[str, object]
HOW = ("argv", "cwd", "uid", "leader", "session", "stdin", "env")


def every_minute(site: Site) -> Seen:
    """At the first look already, once a minute, never when the fields do not fit."""
    now = time.localtime()
    other = (now.tm_hour + 5) % 24
    ini = f"""
cron = -1 -1 -1 -1 -1 REC all 'a b'
cron = -1 {other} -1 -1 -1 REC hour
cron = 0 0 {(now.tm_mday + 9) % 27 + 1} -1 {now.tm_wday} REC neither
cron2 = minute=-1,unique=1 REC two
cron2 = hour={other} REC never
unique-cron = -1 -1 -1 -1 -1 REC unique
cron2 = REC bare
"""
    site.start(ini)
    site.until(lambda: "all" in site.labels() and "unique" in site.labels(), "the first round")
    site.calm()
    seen: Seen = {"ran": sorted(set(site.labels()))}
    line = site.trace("all")[0]
    seen["how"] = {key: line[key] for key in HOW}
    seen["log"] = site.logged(r'running ".*recorder.*\(pid|cron ".* runs \(pid')
    site.stop()
    return seen


def either_day(site: Site) -> Seen:
    """Day of the month or day of the week: either is enough where both are given."""
    now = time.localtime()
    today, week = now.tm_mday, (now.tm_wday + 1) % 7
    other_day, other_week = today % 27 + 1, (week + 2) % 7
    ini = f"""
cron = -1 -1 {today} -1 {other_week} REC day
cron = -1 -1 {other_day} -1 {week} REC week
cron = -1 -1 {other_day} -1 {other_week} REC none
cron = -1 -1 {today} {now.tm_mon} -1 REC month
cron = -1 -1 -1 {now.tm_mon % 12 + 1} -1 REC other
cron = -1 -1 -2 -1 -1 REC even
cron = -1 -{max(2, now.tm_hour)} -1 -1 -1 REC hours
"""
    site.start(ini)
    site.until(lambda: "day" in site.labels(), "the first round")
    site.calm()
    site.stop()
    # Whether today is an even day is the same for both servers.
    return {"ran": sorted(site.labels())}


def bad_fields(site: Site) -> Seen:
    site.start("cron = 1 2 3 x\nhttp-socket = DIR/http.sock\nwsgi-file = DIR/app.py", serves=False)
    return {"code": site.end()}


def cron_harakiri(site: Site) -> Seen:
    site.start("cron-harakiri = 1\ncron = -1 -1 -1 -1 -1 REC long --stay --ignore")
    site.until(lambda: "long" in site.labels(), "it runs")
    pid = site.trace("long")[0]["pid"]
    ended = site.soon(lambda: not site.alive(pid), 6)
    site.stop()
    return {"killed": ended}


def log_alarm(site: Site) -> Seen:
    """A line of the log raises an alarm, once for the same line."""
    ini = """
master = true
alarm = tell cmd:REC told --read
alarm = say log:spoken
log-alarm = tell,say WARNWORD [0-9]+
"""
    site.write("noisy.py", "import sys\nfrom app import application as inner\n"
               "def application(e, s):\n    if e['PATH_INFO'] != '/':\n"
               "        print(e['PATH_INFO'][1:].replace('_', ' '), file=sys.stderr, flush=True)\n"
               "    return inner(e, s)\n")  # fmt: skip
    site.start(
        ini + "\npythonpath = DIR\nhttp-socket = DIR/http.sock\nwsgi-file = DIR/noisy.py", serves=False
    )
    site.until(lambda: site.get("/") == "hello", "it serves")
    for path in ("/WARNWORD_1", "/nothing", "/WARNWORD_2"):
        site.get(path)
    site.until(lambda: len(site.trace("told")) >= 2, "two alarms")
    site.calm()
    told = [line["read"].strip() for line in site.trace("told")]
    seen: Seen = {"told": sorted({one for one in told if one.startswith("WARNWORD")})}
    seen["said"] = site.logged(r"ALARM: spoken WARNWORD 1")
    site.stop()
    return seen


def segfault(site: Site) -> Seen:
    site.start("master = true\nalarm = tell cmd:REC told --read\nalarm-segfault = tell")
    site.get("/crash")
    site.until(lambda: site.trace("told"), "the alarm")
    site.calm()
    count = len(site.trace("told"))
    site.stop()
    return {"alarms": count}


def bad_alarm(site: Site) -> Seen:
    site.start("alarm = nothing\nhttp-socket = DIR/http.sock\nwsgi-file = DIR/app.py", serves=False)
    return {"code": site.end()}


def unknown_alarm(site: Site) -> Seen:
    site.start("alarm = x nosuch:y\nhttp-socket = DIR/http.sock\nwsgi-file = DIR/app.py", serves=False)
    return {"code": site.end()}


def reload_keeps_minute(site: Site) -> Seen:
    """A reload in the same minute."""
    site.start("master = true\ncron = -1 -1 -1 -1 -1 REC all")
    site.until(lambda: site.trace("all"), "the first round")
    site.send(signal.SIGHUP)
    site.calm()
    time.sleep(2.5)
    count = len(site.trace("all"))
    site.stop()
    return {"ran": count}


CASES = (
    *(every_minute, either_day, bad_fields, cron_harakiri, log_alarm, segfault, bad_alarm, unknown_alarm),
    reload_keeps_minute,
)
