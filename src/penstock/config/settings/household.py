"""Options: what runs beside the workers: daemons, commands at set times, mules; alarms and watched files.

Texts as written; ``config.household`` takes them apart. Read at boot only.
"""

from penstock.config.option import SECONDS, SIZE, group
from penstock.config.settings.declare import flag, many, number

DAEMONS = (
    *("attach_daemon", "attach_control_daemon", "attach_daemon2"),
    *("smart_attach_daemon", "smart_attach_daemon2"),
)
CRONS = ("cron", "cron2", "unique_cron", "curl_cron")
"""Fields that name programs: those that run all the time, and those that run at set times."""


@group
class DaemonOptions:
    """Programs that run beside the server."""

    attach_daemon: tuple[str, ...] = many(
        "Daemons",
        "attach-daemon",
        "Run this command beside the server, and start it again when it ends.",
        "COMMAND",
    )
    attach_control_daemon: tuple[str, ...] = many(
        "Daemons",
        "attach-control-daemon",
        "Run this command beside the server, and stop when it ends.",
        "COMMAND",
    )
    attach_daemon2: tuple[str, ...] = many(
        "Daemons",
        "attach-daemon2",
        "Run a command beside the server, with options of its own.",
        "KEY=VALUE,...",
    )
    smart_attach_daemon: tuple[str, ...] = many(
        "Daemons",
        "smart-attach-daemon",
        "Look after a program that goes to the background, by its pidfile.",
        "PIDFILE COMMAND",
    )
    smart_attach_daemon2: tuple[str, ...] = many(
        "Daemons",
        "smart-attach-daemon2",
        "Look after a program by its pidfile, sent to the background for it.",
        "PIDFILE COMMAND",
    )
    daemons_honour_stdin: bool = flag(
        "Daemons", "daemons-honour-stdin", "Leave standard input of those programs as it is."
    )


@group
class CronOptions:
    """What runs at set times."""

    cron: tuple[str, ...] = many(
        "Cron", "cron", "Run a command at set times: minute hour day month weekday command.", "FIELDS COMMAND"
    )
    cron2: tuple[str, ...] = many(
        "Cron", "cron2", "Run a command at set times, with options of its own.", "KEYS COMMAND"
    )
    unique_cron: tuple[str, ...] = many(
        "Cron", "unique-cron", "Run a command at set times, unless it still runs.", "FIELDS COMMAND"
    )
    curl_cron: tuple[str, ...] = many(
        "Cron", "curl-cron", "Request a URL at set times.", "FIELDS URL", aliases=("cron-curl",)
    )
    cron_harakiri: float = number(
        SECONDS, 0.0, "Cron", "cron-harakiri", "End a command that runs longer than this.", metavar="TIME"
    )


@group
class MuleOptions:
    """Processes of the application that take no requests."""

    mule: tuple[str, ...] = many(
        "Mules, spooler and signals",
        "mule",
        "Start a process that works beside the workers.",
        "FILE",
        bare="",
    )
    mules: tuple[str, ...] = many(
        "Mules, spooler and signals", "mules", "Start this many processes that work beside the workers.", "N"
    )
    farm: tuple[str, ...] = many("Mules, spooler and signals", "farm", "Name a group of mules.", "NAME:N,...")
    mule_harakiri: float = number(
        SECONDS,
        0.0,
        "Mules, spooler and signals",
        "mule-harakiri",
        "End a mule's task that runs longer than this.",
        metavar="TIME",
    )
    mule_msg_size: int = number(
        SIZE,
        0,
        "Mules, spooler and signals",
        "mule-msg-size",
        "Set how large a message to a mule may be.",
        metavar="BYTES",
        bare="0",
    )
    mule_msg_recv_size: int = number(
        SIZE,
        65536,
        "Mules, spooler and signals",
        "mule-msg-recv-size",
        "Size the buffer for messages to mules.",
        metavar="BYTES",
    )
    mule_reload_mercy: float = number(
        SECONDS,
        60.0,
        "Reloading",
        "mule-reload-mercy",
        "Set how long a mule may take to end.",
        metavar="TIME",
    )
    touch_mules_reload: tuple[str, ...] = many(
        "Reloading", "touch-mules-reload", "Replace the mules when this file changes.", "FILE"
    )


@group
class AlarmOptions:
    """Who is told of what, and how."""

    alarm: tuple[str, ...] = many("Alarms", "alarm", "Name an alarm and what it does.", "NAME PLUGIN:ARG")
    alarm_backlog: tuple[str, ...] = many(
        "Alarms",
        "alarm-backlog",
        "Raise an alarm when the kernel's queue of connections is full.",
        "NAME",
        aliases=("backlog-alarm", "lq-alarm", "alarm-lq", "alarm-listen-queue", "listen-queue-alarm"),
    )
    alarm_fd: tuple[str, ...] = many(
        "Alarms", "alarm-fd", "Raise an alarm when a descriptor has something to read.", "NAME FD"
    )
    alarm_segfault: tuple[str, ...] = many(
        "Alarms",
        "alarm-segfault",
        "Raise an alarm when a worker crashes.",
        "NAME",
        aliases=("segfault-alarm",),
    )
    alarm_freq: float = number(
        SECONDS, 3.0, "Alarms", "alarm-freq", "Raise the same alarm at most this often.", metavar="TIME"
    )
    alarm_msg_size: int = number(
        SIZE, 8192, "Alarms", "alarm-msg-size", "Limit the size of an alarm's message.", metavar="BYTES"
    )
    log_alarm: tuple[str, ...] = many(
        "Alarms",
        "log-alarm",
        "Raise an alarm when a line of the log matches.",
        "NAME REGEX",
        aliases=("alarm-log",),
    )
    not_log_alarm: tuple[str, ...] = many(
        "Alarms",
        "not-log-alarm",
        "Raise no alarm for lines that match this.",
        "NAME REGEX",
        aliases=("not-alarm-log",),
    )


@group
class TouchOptions:
    """What is done when files change, other than to reload."""

    touch_exec: tuple[str, ...] = many(
        "Reloading", "touch-exec", "Run a command when a file changes.", "FILE COMMAND"
    )
    check_mountpoint: tuple[str, ...] = many(
        "Reloading",
        "check-mountpoint",
        "End when a mounted file system stops answering.",
        "FOLDER",
        aliases=("mountpoint-check", "check-mount", "mount-check"),
    )
