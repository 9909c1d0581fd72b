"""Whose rights the process has: from the names that the operator wrote to a drop that cannot be undone.

Runs at start on the main thread: ``identity_of`` before anything is opened, so that a wrong name ends the
start at once, ``drop`` when everything that needs root is open. It does not know what that is.
"""

import grp
import os
import pwd
from collections.abc import Callable, Sequence
from typing import NamedTuple

from penstock.core.errors import StartError
from penstock.process.isolation import kernel

ROOT = 0
SETUID = 7  # CAP_SETUID (capabilities(7))
LONGEST = 10
"""Digits of the largest number that a user can have."""
AS_ROOT = "running as root: the application has all its rights; name a user for it with --uid"
HELD = ("CapPrm", "CapEff", "CapAmb")
"""Lines of /proc/self/status with the capabilities that a process holds or can take (capabilities(7))."""


class Identity(NamedTuple):
    """User and groups to become. ``uid`` and ``gid`` are numbers, None to stay what we are; ``groups`` are
    the supplementary groups, all of them."""

    uid: int | None
    gid: int | None
    groups: tuple[int, ...] = ()

    @property
    def owner(self) -> str:
        """The same as ``chown-socket`` says it: ``33:33``, ``33:``, ``:33``."""
        return f"{'' if self.uid is None else self.uid}:{'' if self.gid is None else self.gid}"


def identity_of(
    uid: str, gid: str, add_gid: Sequence[str], warn: Callable[[str], None], initgroups: bool = True
) -> Identity | None:
    """What uWSGI's ``uid``, ``gid`` and ``add-gid`` ask for (names or numbers, "" for none); None when
    nothing is to change. ``warn`` takes what the operator should know; without ``initgroups``
    (``no-initgroups``) the user's own supplementary groups are left out.

    Raises StartError: for root when a name does not exist, for others when a number is not their own (as
    uWSGI does).
    """
    if os.getuid() != ROOT:
        _stay(uid, gid, warn)
        return None
    if not uid and not gid:
        warn(AS_ROOT)
        return None
    return _become(uid, gid, add_gid, warn, initgroups)


def _become(
    uid: str, gid: str, add_gid: Sequence[str], warn: Callable[[str], None], initgroups: bool
) -> Identity:
    number, user = _user(uid) if uid else (None, None)
    group = _group("gid", gid) if gid else None
    if group is None and user is not None:
        # uWSGI stays in root's own groups here.
        group = user.pw_gid
    if group is None:
        warn(f"uid {uid} has no entry in the user database, and no --gid is given: the group stays root's")
    if not number:
        warn(AS_ROOT)
    return Identity(number, group, _groups(user if initgroups else None, group, add_gid))


def _groups(user: pwd.struct_passwd | None, group: int | None, add_gid: Sequence[str]) -> tuple[int, ...]:
    """Supplementary groups: exactly ``add-gid``'s where it is given, else those of the user's entry
    (initgroups); both as uWSGI."""
    if add_gid:
        return tuple(_group("add-gid", name) for name in add_gid)
    if user is None or user.pw_uid == ROOT or group is None:
        return ()
    return tuple(os.getgrouplist(user.pw_name, group))


def _user(name: str) -> tuple[int, pwd.struct_passwd | None]:
    """A user's number and entry; a number needs no entry. Raises StartError."""
    try:
        if not _decimal(name):
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry
    except KeyError as error:
        raise StartError(f"uid {name}: there is no such user") from error
    number = _number("uid", name)
    try:
        return number, pwd.getpwuid(number)
    except KeyError:
        return number, None


def _group(option: str, name: str) -> int:
    """A group's number. Raises StartError."""
    if _decimal(name):
        return _number(option, name)
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError as error:
        raise StartError(f"{option} {name}: there is no such group") from error


def _decimal(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _number(option: str, text: str) -> int:
    text = text.lstrip("0") or "0"
    number = int(text[:LONGEST])
    if number >= 2**32 - 1 or len(text) > LONGEST:  # the largest is -1 for the kernel: "leave it as it is"
        raise StartError(f"{option} {text[:40]}: no number of that size can be")
    return number


def _stay(uid: str, gid: str, warn: Callable[[str], None]) -> None:
    """Not root: what is asked for can only be what we are."""
    for option, name, own in (("uid", uid, os.getuid()), ("gid", gid, os.getgid())):
        if not name:
            continue
        if _decimal(name):
            if _number(option, name) != own:
                raise StartError(f"{option} {name}: only root can become another; this process is {own}")
        elif not _is(option, name, own):
            warn(f"--{option} {name} is not acted on: only root can become another; this process is {own}")


def _is(option: str, name: str, own: int) -> bool:
    """Whether a name is of our own number."""
    try:
        return own == (pwd.getpwnam(name).pw_uid if option == "uid" else grp.getgrnam(name).gr_gid)
    except KeyError:
        return False


def immediate(uid: str, gid: str, say: Callable[[str], None]) -> None:
    """uWSGI's ``immediate-uid`` and ``immediate-gid``: become somebody before anything is opened, without
    supplementary groups; nothing for "" and "".

    Raises StartError for root's number, for a name that does not exist, and for everybody but root unless it
    is what they are (as uWSGI does).
    """
    for option, name in (("immediate-uid", uid), ("immediate-gid", gid)):
        if name and _number_of(option, name) == ROOT:
            raise StartError(f"{option} {name}: that is root's own")
    if not uid and not gid:
        return
    if os.getuid() != ROOT:
        own = (("immediate-uid", uid, os.getuid()), ("immediate-gid", gid, os.getgid()))
        for option, name, number in own:
            if name and _number_of(option, name) != number:
                raise StartError(f"{option} {name}: only root can become another; this process is {number}")
        return
    drop(_become(uid, gid, (), say, initgroups=False))
    say(f"immediate-uid, immediate-gid: uid {os.getuid()}, gid {os.getgid()}")


def _number_of(option: str, name: str) -> int:
    """The number of a user or a group by the option's last letters. Raises StartError."""
    if option.endswith("gid"):
        return _group(option, name)
    return _user(name)[0]


def drop(identity: Identity, kept: Sequence[int] = ()) -> None:
    """Become ``identity`` for good, and see that it is so. ``kept`` are the numbers of the capabilities that
    stay (``cap``): those and no other; a program that is started has none of them, as in uWSGI.

    Raises StartError; the process must not go on then, since half of it may be done.
    """
    what = "groups"
    try:
        os.setgroups(identity.groups)
        if identity.gid is not None:
            what = f"gid {identity.gid}"
            os.setgid(identity.gid)
        what = f"uid {identity.uid}"
        if kept and identity.uid:
            kernel.prctl(kernel.PR_SET_KEEPCAPS, 1)  # through the change of user alone (capabilities(7))
        if identity.uid is not None:
            os.setuid(identity.uid)
        if kept:
            what = "cap"
            kernel.set_capabilities(kept, kept, kept)
            kernel.prctl(kernel.PR_SET_KEEPCAPS, 0)
    except OSError as error:
        raise StartError(f"{what}: the system does not allow it: {error.strerror}") from error
    verify(identity, kept)


def verify(identity: Identity, kept: Sequence[int] = ()) -> None:
    """That we are ``identity`` in every respect, hold no capability but those ``kept``, and cannot go back.
    Raises StartError."""
    # Not on macOS, where setuid(2) of root changes all three as well.
    users = os.getresuid() if hasattr(os, "getresuid") else (os.getuid(), os.geteuid())
    groups = os.getresgid() if hasattr(os, "getresgid") else (os.getgid(), os.getegid())
    if identity.gid is not None and set(groups) != {identity.gid}:
        raise StartError(f"gid {identity.gid}: the process still is {groups}")
    if not identity.uid:
        return
    if set(users) != {identity.uid}:
        raise StartError(f"uid {identity.uid}: the process still is {users}")
    held = capabilities(kept)
    if held:
        raise StartError(f"uid {identity.uid}: the process still holds capabilities: {held}")
    if SETUID in kept:  # who may become anybody is trusted with that
        return
    try:
        os.seteuid(ROOT)
    except OSError:
        return
    raise StartError(f"uid {identity.uid}: the process can still become root again")


def capabilities(but: Sequence[int] = ()) -> str:
    """The capabilities that this process holds (``CapEff 0000000000000400``) beside those of the numbers
    ``but``, "" for none, and where the system has no such thing."""
    allowed = sum(1 << number for number in set(but))
    try:
        with open("/proc/self/status", encoding="utf-8") as file:
            lines = file.readlines()
    except OSError:
        return ""
    pairs = [line.split(":") for line in lines if line.startswith(HELD)]
    return ", ".join(f"{name} {mask.strip()}" for name, mask in pairs if int(mask, 16) & ~allowed)


def unreadable(folders: Sequence[str]) -> str:
    """The first of ``folders`` that this process cannot look into, or "": what lies there cannot be
    imported any more once the rights are dropped."""
    return next((folder for folder in folders if not os.access(folder, os.R_OK | os.X_OK)), "")
