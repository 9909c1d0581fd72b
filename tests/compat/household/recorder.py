"""A program that writes down how it was run, as one line of JSON; what hooks, daemons and crons name in the
cases. Run by path, with nothing but the standard library.

``recorder TRACE LABEL [--exit N] [--stay] [--ignore] [--say TEXT] [--pidfile FILE] [--read] [--] …``
"""

import json
import os
import signal
import sys
import time

WATCHED = ("HOUSE", "UWSGI_HOOK_CONTEXT", "UWSGI_RELOADS", "UWSGI_FILE", "EXTRA")


def write(path: str, line: dict[str, object]) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.write(fd, (json.dumps(line) + "\n").encode())
    os.close(fd)


def main(words: list[str]) -> int:
    trace, label, *rest = words
    line: dict[str, object] = {
        "label": label,
        "argv": rest,
        "cwd": os.getcwd(),
        "uid": os.getuid(),
        "gid": os.getgid(),
        "groups": sorted(os.getgroups()),
        "leader": os.getpgrp() == os.getpid() or os.getpgrp() == os.getppid(),
        "session": os.getsid(0) in (os.getpid(), os.getppid()),
        "stdin": os.readlink("/proc/self/fd/0").split(":")[0],
        "env": {name: os.environ[name] for name in WATCHED if name in os.environ},
        "nice": os.nice(0),
        "pid": os.getpid(),
    }
    if "--read" in rest:
        line["read"] = os.read(0, 4096).decode()

    def heard(number: int, frame: object) -> None:
        write(trace, {"label": label, "signal": signal.Signals(number).name, "pid": os.getpid()})
        if "--ignore" not in rest:
            os._exit(0)

    if "--stay" in rest:
        for number in (1, 2, 3, 10, 12, 15):
            signal.signal(number, heard)
    if "--pidfile" in rest:
        with open(rest[rest.index("--pidfile") + 1], "w", encoding="ascii") as file:
            file.write(f"{os.getpid()}\n")
    if "--say" in rest:
        print(rest[rest.index("--say") + 1], flush=True)
    write(trace, line)
    while "--stay" in rest:
        time.sleep(60)
    return int(rest[rest.index("--exit") + 1]) if "--exit" in rest else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
