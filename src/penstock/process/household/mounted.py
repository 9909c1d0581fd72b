"""A program that asks file systems over and over whether they answer.

A process of its own, run by its file with nothing but the standard library: who asks a server that is gone
may wait for ever in the kernel, and the supervisor must not. Its arguments are the seconds between two
rounds, and paths. Its lines: ``ok`` after each round in which all answered, and, as the last one,
``failed NUMBER PATH`` for one that did not, with the number of the error.
"""

import os
import sys
import time


def main() -> int:
    """Ask until one fails; 1 then, 0 when nobody listens any more."""
    pause, paths = float(sys.argv[1]), sys.argv[2:]
    while True:
        for path in paths:
            try:
                os.statvfs(path)
            except OSError as error:
                return told(f"failed {error.errno} {path}", 1)
        if told("ok", 0) != 0:
            return 0
        time.sleep(pause)


def told(line: str, code: int) -> int:
    """``code``, or 1 where the line could not be said."""
    try:
        os.write(1, os.fsencode(f"{line}\n"))
    except OSError:
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
