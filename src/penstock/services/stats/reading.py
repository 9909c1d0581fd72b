"""A number in a file, as uWSGI's file collector reads one.

Runs on the thread that collects metrics, which must not wait: what is no plain file is not waited for.
"""

import os
import re

MOST = 4096  # bytes that are looked at
NUMBER = re.compile(rb"[+-]?[0-9]{1,18}")


def number_in(path: str, word: int = 0) -> int:
    """The number that the word of a file begins with, words counted from 0; 0 for none."""
    if not path:
        return 0
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return 0
    try:
        words = os.read(fd, MOST).replace(b"\0", b" ").split()
    except OSError:
        return 0
    finally:
        os.close(fd)
    match = NUMBER.match(words[word]) if 0 <= word < len(words) else None
    return int(match[0]) if match is not None else 0
