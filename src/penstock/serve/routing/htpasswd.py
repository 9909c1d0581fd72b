"""Files of users and their passwords' hashes, as ``htpasswd`` writes them, and the check of one password.

Asked by pool threads. A file is read again when it changes; what was verified is remembered as long as it
stays, so that bcrypt is paid for once and not with each request. It does not know requests.
"""

import os
import secrets
from collections.abc import Callable
from hashlib import blake2b
from time import time

from penstock.serve.routing.hashes import Check, check_of

LONGEST = 512  # octets of a password; libcrypt takes no more
REMEMBERED = 1024  # verified pairs of user and password
FRESH = 2.0  # seconds after a change in which another one may not show in the file's times
MOST = 16 << 20  # octets of a file

Warn = Callable[[str, str], None]
Stamp = tuple[int, int, int]


def said_of(error: OSError | ValueError) -> str:
    """What is wrong with a file, without its name."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


class Users:
    """What one state of a file says: replaced whole when the file changes.

    ``checks``    what to ask, by user; a name may stand there twice (uWSGI takes any of them)
    ``decoy``     a check to make for a name that is not there, so that the answer takes as long
    ``stamp``     which state it is; None for one that may have changed unseen
    ``verified``  digests of pairs that were right
    """

    __slots__ = ("checks", "decoy", "stamp", "verified")

    def __init__(self, checks: dict[bytes, tuple[Check, ...]], stamp: Stamp | None) -> None:
        self.checks = checks
        self.decoy = next(iter(checks.values()), ())
        self.stamp = stamp
        self.verified: dict[bytes, None] = {}


class Htpasswd:
    """A file of users.

    ``warn`` is called with (key, text) about lines that nobody can be checked by, and about a file that
    cannot be read: nobody is let in then, as with uWSGI.
    """

    def __init__(self, path: str, warn: Warn) -> None:
        self.path = path
        self.warn = warn
        self.key = secrets.token_bytes(32)
        self.users = Users({}, None)
        self.now()

    def now(self) -> Users:
        """What the file says now. One system call where it did not change."""
        try:
            status = os.stat(self.path)
        except (OSError, ValueError) as error:
            self.warn(f"htpasswd {self.path}", f"{self.path}: {said_of(error)}; nobody is let in by it")
            return Users({}, None)
        stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
        users = self.users
        if users.stamp == stamp:
            return users
        settled = time() - status.st_mtime > FRESH
        try:
            with open(self.path, "rb") as file:
                checks = self.read(file.read(MOST))
        except OSError as error:
            self.warn(f"htpasswd {self.path}", f"{self.path}: {said_of(error)}; nobody is let in by it")
            return Users({}, None)
        # Threads may both read it; either result is right, and is put in place whole.
        self.users = users = Users(checks, stamp if settled else None)
        return users

    def read(self, data: bytes) -> dict[bytes, tuple[Check, ...]]:
        """The checks of each user in a file's text; what stands behind a second colon is a comment."""
        found: dict[bytes, tuple[Check, ...]] = {}
        for number, line in enumerate(data.splitlines(), 1):
            name, colon, rest = line.partition(b":")
            if not line.strip() or line.startswith(b"#"):
                continue
            check = check_of(rest.partition(b":")[0].strip()) if colon else "there is no colon in it"
            if isinstance(check, str):
                text = f"{self.path}, line {number}: {check}; it lets nobody in"
                self.warn(f"htpasswd {self.path}:{number}", text)
            else:
                found[name] = (*found.get(name, ()), check)
        return found

    def admits(self, user: bytes, password: bytes) -> bool:
        """Whether this is the user's password. Takes the same time for a user that there is not."""
        if len(password) > LONGEST or b"\0" in password:
            return False
        users = self.now()
        digest = blake2b(b"%d:%b%b" % (len(user), user, password), key=self.key, digest_size=16).digest()
        if digest in users.verified:
            return True
        checks = users.checks.get(user)
        right = [check(password) for check in (users.decoy if checks is None else checks)]
        if checks is None or not any(right):
            return False
        if len(users.verified) >= REMEMBERED:
            users.verified = {}
        users.verified[digest] = None
        return True
