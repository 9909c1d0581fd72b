"""A folder of variables, as daemontools have it: a file's name is the variable's, what is in it the value.

Read at start, and again at a reload, by the process that reads the configuration, with the rights and the
root that it has then; whoever is started gets the values.
"""

import os
from collections.abc import Iterator

LARGEST = 1 << 20
"""Octets of a value; the kernel gives no program more."""


def variables(folder: str) -> Iterator[tuple[str, str | None]]:
    """Names with their values, None where the variable is to be unset: its file is empty.

    By name; hidden files, and what is no file, are left out. As in uWSGI only the end of a value is trimmed,
    and a NUL stands for a line's end. Raises OSError for what cannot be read, ValueError for what can be no
    variable.
    """
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if name.startswith(".") or not os.path.isfile(path):
            continue
        if "=" in name:
            raise ValueError(f"{path}: the name of a variable has no =")
        with open(path, "rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise ValueError(f"{path}: at most {LARGEST >> 20} MB are expected")
        text = content.rstrip(b"\n\r\t ").replace(b"\0", b"\n")
        yield name, os.fsdecode(text) if content else None


def entries(folder: str) -> list[str]:
    """The same as ``env`` has them: ``NAME=VALUE``, and ``NAME`` alone to unset it.

    Raises ValueError, also for what cannot be read.
    """
    try:
        found = list(variables(folder))
    except OSError as error:
        raise ValueError(f"{error.filename or folder}: {error.strerror}") from error
    return [name if value is None else f"{name}={value}" for name, value in found]
