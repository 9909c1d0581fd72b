"""Paths that a configuration names and that are not there: what would fail at a start, or is never served.

Looks at the disk and changes nothing; runs in the command alone.
"""

import os
from collections.abc import Iterator, Sequence

from penstock.config.address import parse_address
from penstock.config.finding import ERROR, MISSING_PATH, WARNING, Finding
from penstock.config.option import UNSUPPORTED, Option
from penstock.config.raw import RawOption
from penstock.config.registry import lookup
from penstock.core.errors import ConfigError

WRITTEN = (
    *("logto", "daemonize", "daemonize2", "pidfile", "pidfile2", "safe-pidfile", "safe-pidfile2"),
    "emperor-pidfile",
)
"""Files that are made: the folder must be there. They are opened before ``chdir``."""
READ = {"wsgi-file": "file", "virtualenv": "folder", "chdir2": "folder"}
"""What must be there, looked for from ``chdir``."""
AT_ONCE = dict.fromkeys(("flock", "flock-wait", "flock2", "flock-wait2"), "file")
"""The same, looked for from where the server is started."""
MAPPED = (
    *("static-map", "static-map2", "check-static", "static-safe", "mimefile", "spooler"),
    *("error-page-403", "error-page-404", "error-page-500", "fs-reload", "fs-brutal-reload"),
    *("touch-reload", "touch-workers-reload", "touch-chain-reload", "touch-mules-reload"),
    *("touch-logreopen", "touch-logrotate"),
    *("touch-exec", "hook-touch", "check-mountpoint", "emperor", "emperor-on-demand-directory"),
    *("vassals-include", "vassals-include-before", "vassals-inherit", "vassals-inherit-before"),
)
"""What nobody misses before it is used: a warning, and only that."""
BEFORE_A_BLANK = ("touch-exec", "hook-touch")
"""Those of them whose path ends at the first blank."""
FOLDERS = ("chroot", "chdir", "force-cwd")
"""Where the server goes. Below another root every other path is one of that root's, and not looked for."""
SOCKETS = ("bind", "http-socket", "http", "http-to-https", "https", "https-socket", "uwsgi-socket", "socket")


def missing(options: Sequence[RawOption]) -> Iterator[Finding]:
    """A finding for each path that is not there."""
    given = list(effective(options))
    given = [pair for pair in given if pair[0].name == "chroot" and pair[1].value] or given
    base = next((raw.value or "" for option, raw in given if option.name == "chdir"), "")
    for option, raw in given:
        if raw.value:
            yield from looked_at(option, raw, raw.value, base)


def looked_at(option: Option, raw: RawOption, value: str, base: str) -> Iterator[Finding]:
    """What is missing of one option's path; ``base`` is where ``chdir`` goes."""
    name = option.name
    if name in FOLDERS:
        if not os.path.isdir(value):
            yield gone(raw, "there is no such folder")
    elif name in WRITTEN:
        yield from unfounded(raw, value)
    elif name in AT_ONCE:
        yield from absent(raw, value, AT_ONCE[name], "")
    elif path := needed(name, value):
        yield from absent(raw, path, READ.get(name, "file"), base)
    elif name == "pythonpath":
        if not present(value, base):
            yield gone(raw, "there is no such folder, so nothing is imported from it", WARNING)
    elif name in SOCKETS:
        yield from unreachable(raw, value)
    elif (name in MAPPED and option.state != UNSUPPORTED) or (name == "mule" and value.endswith(".py")):
        yield from unserved(raw, base)


def needed(name: str, value: str) -> str:
    """The path that must be there for an option, "" where its value is none."""
    if name in READ:
        return value
    target = value.partition("=")[2] if name == "mount" else ""
    return target if target.endswith((".py", ".wsgi")) else ""


def effective(options: Sequence[RawOption]) -> Iterator[tuple[Option, RawOption]]:
    """Options with what they are; of those that keep one value, the last."""
    known = [(option, raw) for raw in options if (option := lookup(raw.key)) is not None]
    last = {option.name: raw for option, raw in known}
    for option, raw in known:
        if option.keeps_all or last[option.name] is raw:
            yield option, raw


def present(path: str, base: str) -> bool:
    """Whether a path, or a pattern of paths, is there, seen from ``base``.

    Below a folder that is missing itself nothing more is said.
    """
    if not os.path.isabs(path) and base and not os.path.isdir(base):
        return True
    whole = os.path.join(base, path)
    return os.path.exists(whole) or (any(mark in path for mark in "*?[") and found(whole))


def found(pattern: str) -> bool:
    """Whether a pattern fits any path."""
    from glob import glob

    return bool(glob(pattern))


def absent(raw: RawOption, path: str, what: str, base: str) -> Iterator[Finding]:
    """Something that must be there and is not."""
    if not present(path, base):
        relative = base and not os.path.isabs(path)
        yield gone(raw, f"there is no such {what}" + (f" in {base}" if relative else ""))


def unfounded(raw: RawOption, path: str) -> Iterator[Finding]:
    """A file that cannot be made, because its folder is missing."""
    folder = os.path.dirname(path)
    # host:port is a log over UDP in uWSGI
    if folder and not os.path.isdir(folder) and ":" not in path.rpartition("/")[2]:
        yield gone(raw, f"there is no folder {folder}")


def unserved(raw: RawOption, base: str) -> Iterator[Finding]:
    """A folder or a file that is looked at while serving."""
    text = raw.value or ""
    path = text.partition(" ")[0] if raw.key in BEFORE_A_BLANK else text.rpartition("=")[2].strip()
    for scheme in ("dir://", "glob://"):
        path = path.removeprefix(scheme)
    if "://" in path:
        return
    if path and not present(path, base):
        yield gone(raw, f"there is no {path}", WARNING)
    elif path and raw.key == "check-static" and os.path.isfile(os.path.join(base, path)):
        yield gone(raw, f"{path} is no folder, so nothing is served from it", WARNING)


def unreachable(raw: RawOption, text: str) -> Iterator[Finding]:
    """A UNIX socket in a folder that is not there."""
    try:
        address = parse_address(text.partition(",")[0])
    except ConfigError:
        return
    if address.kind == "unix":
        yield from unfounded(raw, address.path)


def gone(raw: RawOption, message: str, level: str = ERROR) -> Finding:
    """The finding."""
    return Finding(level, MISSING_PATH, message, raw.key, raw.value, raw.origin, raw.file, raw.line)
