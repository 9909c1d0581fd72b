"""What stands in for a program, and for the script of a mule: it writes down how it was run, and behaves.

Copied into the sandbox, where nothing else of ours can be imported; run as the programs of a configuration.
"""

import json
import os
import sys
import time
from typing import Any

PLANNED, RECORDS = "/penstock-corpus.programs", "/penstock-corpus.ran"


def record(argv: list[str]) -> None:
    """One line of what is known about this process."""
    said = {
        "argv": argv,
        "cwd": os.getcwd(),
        "uid": os.getuid(),
        "gid": os.getgid(),
        "environ": dict(os.environ),
        "pid": os.getpid(),
    }
    with open(RECORDS, "a", encoding="utf-8") as file:
        file.write(json.dumps(said) + "\n")


def planned(argv: list[str]) -> dict[str, Any]:
    """How the program of these words is to behave."""
    with open(PLANNED, encoding="utf-8") as file:
        programs: list[dict[str, Any]] = json.load(file)
    names = [os.path.basename(argv[0]), *argv[1:]]
    for program in programs:
        if [os.path.basename(program["argv"][0]), *program["argv"][1:]] == names:
            return program
    return {"behaviour": "ends", "pidfile": ""}


def leave(pidfile: str) -> None:
    """Go to the background, and leave the number in the pidfile, in the parent's time."""
    if os.fork():
        os._exit(0)
    os.setsid()
    with open(pidfile, "w", encoding="ascii") as file:
        file.write(f"{os.getpid()}\n")


def stay() -> None:
    """Until a signal ends it."""
    while True:
        time.sleep(1)


def main() -> None:
    behaviour = planned(sys.argv)
    if behaviour["behaviour"] == "leaves":
        leave(behaviour["pidfile"])
    record(sys.argv)
    if behaviour["behaviour"] != "ends":
        stay()


def mule() -> None:
    """What a mule's script does."""
    record(["mule"])
    stay()
