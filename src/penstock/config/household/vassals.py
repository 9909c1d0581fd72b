"""What ``emperor`` and ``vassals-set`` say, and the environment that an emperor gives its vassals.

Read at start, in the process that reads the configuration. It looks at no file: whether a place is a folder
or a pattern is the emperor's to find out.
"""

import os
import re
from collections.abc import Mapping, MutableMapping
from typing import Literal, NamedTuple

from penstock.config.household.bonds import BOND, CONFIGURATION
from penstock.config.sources.env import OWNED

ENDINGS = (".xml", ".ini", ".yml", ".yaml", ".js", ".json")
"""Files that are vassals; ``emperor-extra-extension`` adds to them."""
NOT_OURS = {
    "pg": "a PostgreSQL database", "mongodb": "a MongoDB", "amqp": "an AMQP broker", "zmq": "ZeroMQ",
    "ldap": "an LDAP directory", "zeus": "a Zeus", "zookeeper": "ZooKeeper",
}  # fmt: skip
SCHEME = re.compile(r"([a-z][a-z0-9+-]*)://", re.IGNORECASE)
OWN = re.compile(r"(UWSGI|PENSTOCK)_(EMPEROR(_|$)|EARLY_EMPEROR$|VASSALS?_(?!DIR$)|(HOOK|EXEC)_AS_EMPEROR)")
"""Variables that configured the emperor."""


class Source(NamedTuple):
    """Where vassals come from: ``place`` a path; ``kind`` "" where only the file system tells which."""

    kind: Literal["", "folder", "pattern"]
    place: str


def parse(text: str) -> Source:
    """A value of ``emperor``: a folder, a pattern of files, ``dir://FOLDER`` or ``glob://PATTERN``.

    Raises ValueError.
    """
    if not text:
        raise ValueError("a folder, or a pattern of files, is expected")
    scheme = SCHEME.match(text)
    if scheme is None:
        known = text.partition(":")[0]
        if known in NOT_OURS and ":" in text and "/" not in known:
            raise ValueError(_refused(known))
        return Source("", text)
    if scheme[1] not in ("dir", "glob"):
        raise ValueError(_refused(scheme[1]))
    place = text[scheme.end() :]
    if not place:
        raise ValueError(f"a path is expected behind {scheme[0]}")
    return Source("folder" if scheme[1] == "dir" else "pattern", place)


def _refused(scheme: str) -> str:
    what = NOT_OURS.get(scheme, f"{scheme}://")
    return f"vassals are taken from folders and patterns of files (dir://, glob://), not from {what}"


def parse_set(text: str) -> str:
    """A value of ``vassals-set``: what a vassal is given behind ``--set``. Raises ValueError."""
    name, _, _ = text.partition("=")
    if not name.strip():
        raise ValueError("NAME=VALUE is expected")
    return text


def of_vassal(more: Mapping[str, str], environ: MutableMapping[str, str] | None = None) -> None:
    """Make the environment of an emperor that of a vassal, and add ``more``.

    ``UWSGI_VASSAL_X`` becomes ``UWSGI_X``, as in uWSGI. What the emperor itself was configured by is left
    out: uWSGI passes it on, and each vassal is an emperor of the same folder. ``environ``: the process's own
    without it.
    """
    environ = os.environ if environ is None else environ
    for name in [name for name in environ if name.startswith("UWSGI_VASSAL_")]:
        environ["UWSGI_" + name.removeprefix("UWSGI_VASSAL_")] = environ.pop(name)
    for name in [name for name in environ if OWN.match(name)]:
        del environ[name]
    for name in ("UWSGI_RELOADS", "NOTIFY_SOCKET", BOND, CONFIGURATION, "UWSGI_BROODLORD_NUM", OWNED):
        environ.pop(name, None)
    environ.update(more)


def ambiguous(name: str) -> bool:
    """Whether a file's name may mean another file where a configuration is read: what is put in for
    ``%``, ``$(…)`` and ``@(…)``, or a section behind a colon."""
    return any(mark in name for mark in ("%", ":", "$(", "@("))


def put(more: Mapping[str, str]) -> None:
    """Set variables of this process."""
    os.environ.update(more)
