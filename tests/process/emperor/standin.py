"""A vassal that does what its file says: what an emperor starts in the tests, in place of a server.

Each line of the file is one deed: ``say NUMBER``, ``exit STATUS``, ``deaf`` (it does not end when it is told
to), ``die SIGNAL``, ``letgo`` (of the pipe), ``record PATH`` (how it was run). Then it waits for orders, and
appends each to ``FILE.heard``.
"""

import json
import os
import signal
import sys
from pathlib import Path


def main() -> None:
    fd = int(os.environ["UWSGI_EMPEROR_FD"])
    name = Path(sys.argv[sys.argv.index("--ini") + 1].removesuffix(":zerg"))
    deaf = False
    for line in name.read_text().splitlines():
        deed, _, what = line.partition(" ")
        if deed == "say":
            os.write(fd, bytes([int(what)]))
        elif deed == "exit":
            os._exit(int(what))
        elif deed == "deaf":
            deaf = True
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        elif deed == "die":
            os.kill(os.getpid(), int(what))
        elif deed == "letgo":
            os.close(fd)
            signal.pause()
        elif deed == "record":
            Path(what).write_text(json.dumps(seen()))
    while word := os.read(fd, 1):
        with Path(f"{name}.heard").open("a") as heard:
            heard.write(f"{word[0]}\n")
        if word[0] in (0, 2) and not deaf:
            return
        os.write(fd, b"\x01")


def seen() -> dict[str, object]:
    """How this process was run."""
    descriptors = [int(fd) for fd in os.listdir("/proc/self/fd")]
    return {
        "argv": sys.argv[1:],
        "cwd": os.getcwd(),
        "uid": os.getuid(),
        "gid": os.getgid(),
        "groups": os.getgroups(),
        "session": os.getsid(0) == os.getpid(),
        "env": {name: value for name, value in os.environ.items() if name.startswith(("UWSGI_", "PEN"))},
        "open": len([fd for fd in descriptors if fd > 2 and os.path.exists(f"/proc/self/fd/{fd}")]),
        "stdin": os.readlink("/proc/self/fd/0"),
        "bounding": Path("/proc/self/status").read_text().partition("CapBnd:")[2].split()[0],
        "permitted": Path("/proc/self/status").read_text().partition("CapPrm:")[2].split()[0],
    }


if __name__ == "__main__":
    main()
