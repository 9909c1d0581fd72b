"""Whose rights the process has: names looked up, a drop that holds (in processes of their own)."""

import grp
import os
import pwd
import sys

import pytest

from penstock.core.errors import StartError
from penstock.process.identity import Identity, capabilities, identity_of, immediate, unreadable
from tests.process import scripted

ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux's")
NOBODY = pwd.getpwnam("nobody")
BEGIN = """
import os, sys
import encodings.idna, grp, pathlib, pwd, traceback
from penstock.core.errors import StartError
from penstock.process.identity import Identity, drop, identity_of, verify, capabilities
said = []
"""


def ran(text: str) -> str:
    """What a script says in a process of its own; it begins as we are."""
    return scripted.ran(BEGIN + text)


def asked(uid: str = "", gid: str = "", *add: str) -> tuple[Identity | None, list[str]]:
    said: list[str] = []
    return identity_of(uid, gid, add, said.append), said


# ---- Names --------------------------------------------------------------------------------------------


@ROOT
def test_a_user_brings_its_groups() -> None:
    own = tuple(os.getgrouplist("nobody", NOBODY.pw_gid))
    expected = Identity(NOBODY.pw_uid, NOBODY.pw_gid, own)
    for name in ("nobody", str(NOBODY.pw_uid)):
        assert asked(name) == (expected, [])
    assert expected.owner == f"{NOBODY.pw_uid}:{NOBODY.pw_gid}"


@ROOT
def test_groups_by_name_and_number_and_add_gid_alone_are_the_supplementary_ones() -> None:
    daemon = grp.getgrnam("daemon").gr_gid
    found, said = asked("nobody", "daemon", "54321", "sys")
    assert found == Identity(NOBODY.pw_uid, daemon, (54321, grp.getgrnam("sys").gr_gid))
    assert said == []
    found, _ = asked("nobody", "4321")
    assert found is not None and found.gid == 4321
    assert 4321 in found.groups


@ROOT
def test_a_number_without_an_entry_is_taken() -> None:
    found, said = asked("54321", "54322")
    assert found == Identity(54321, 54322, ())
    assert said == []
    found, said = asked("54321")
    assert found == Identity(54321, None, ())
    assert found is not None and found.owner == "54321:"
    (line,) = said
    assert line.startswith("uid 54321 has no entry in the user database, and no --gid is given: ")


@ROOT
@pytest.mark.parametrize("words", [(), ("root",), ("0",), ("", "daemon")])
def test_to_stay_root_is_warned_of(words: tuple[str, ...]) -> None:
    found, said = asked(*words)
    assert [line for line in said if line.startswith("running as root: ")] == said and len(said) == 1
    assert found is None or not found.uid


@ROOT
@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("no-such-user",), "uid no-such-user: there is no such user"),
        (("nobody", "no-such-group"), "gid no-such-group: there is no such group"),
        (("nobody", "", "no-such-group"), "add-gid no-such-group: there is no such group"),
        (("4294967295",), "uid 4294967295: no number of that size can be"),
        (("nobody", "99999999999999"), "gid 99999999999999: no number of that size can be"),
        (("9" * 5000,), f"uid {'9' * 40}: no number of that size can be"),
        (("-1",), "uid -1: there is no such user"),
        (("\u00b2",), "uid \u00b2: there is no such user"),
    ],
)
def test_names_that_are_none_are_refused(words: tuple[str, ...], text: str) -> None:
    with pytest.raises(StartError) as caught:
        asked(*words)
    assert (str(caught.value), caught.value.exit_code) == (text, 1)


# ---- Not root -----------------------------------------------------------------------------------------


AS_NOBODY = f"os.setgroups([]); os.setgid({NOBODY.pw_gid}); os.setuid({NOBODY.pw_uid})\n"


@ROOT
def test_others_stay_what_they_are() -> None:
    group = grp.getgrgid(NOBODY.pw_gid).gr_name
    out = ran(
        AS_NOBODY + f"print(identity_of('nobody', '{group}', ['sys'], said.append))\n"
        f"print(identity_of('{NOBODY.pw_uid}', '{NOBODY.pw_gid}', [], said.append), said)\n"
        "print(identity_of('daemon', 'no-such-group', [], said.append))\n"
        "print(*said, sep='\\n')\n"
    )
    lines = out.splitlines()
    assert lines[:3] == ["None", "None []", "None"]
    mine = NOBODY.pw_uid
    assert lines[3].startswith("--uid daemon is not acted on: only root can become another; ")
    assert lines[3].endswith(f" {mine}")
    assert lines[4].startswith("--gid no-such-group is not acted on: ")
    assert len(lines) == 5


@ROOT
@pytest.mark.parametrize("words", ["'54321', ''", "'', '54321'", "'0', ''"])
def test_others_refuse_a_number_that_is_not_their_own_as_uwsgi_does(words: str) -> None:
    out = ran(
        AS_NOBODY + f"try:\n    identity_of({words}, [], said.append)\n"
        "except StartError as error:\n    print(error.exit_code, error)\n"
    )
    number = words.split("'")[1] or words.split("'")[3]
    option = "uid" if words.startswith("'5") or words.startswith("'0") else "gid"
    assert out.startswith(f"1 {option} {number}: only root can become another; this process is ")


# ---- The drop -----------------------------------------------------------------------------------------


@ROOT
def test_a_drop_is_whole() -> None:
    out = ran(
        "drop(identity_of('nobody', 'daemon', ['sys', '54321'], said.append))\n"
        "print(os.getresuid(), os.getresgid(), sorted(os.getgroups()), capabilities() or 'none')\n"
        "for back in (os.setuid, os.seteuid, os.setgid):\n"
        "    try:\n        back(0)\n        print('root again')\n    except PermissionError:\n        pass\n"
        "try:\n    os.setgroups([])\n    print('groups changed')\nexcept PermissionError:\n    pass\n"
    )
    uid, gid = NOBODY.pw_uid, grp.getgrnam("daemon").gr_gid
    groups = sorted([grp.getgrnam("sys").gr_gid, 54321])
    assert out == f"{(uid,) * 3} {(gid,) * 3} {groups} none"


@ROOT
def test_groups_that_root_had_do_not_stay() -> None:
    out = ran("os.setgroups([0, 4, 27])\ndrop(Identity(54321, 54322))\nprint(os.getgroups())\n")
    assert out == "[]"


@ROOT
@LINUX
def test_a_drop_that_keeps_capabilities_is_refused() -> None:
    """Secure bits can have setuid leave them (SECBIT_NO_SETUID_FIXUP, capabilities(7))."""
    out = ran(
        "import ctypes\nassert ctypes.CDLL(None).prctl(28, 4, 0, 0, 0) == 0\n"
        "try:\n    drop(Identity(54321, 54322))\nexcept StartError as error:\n    print(error)\n"
    )
    assert out.startswith("uid 54321: the process still holds capabilities: Cap")


@ROOT
def test_what_the_system_does_not_allow_is_said() -> None:
    out = ran(
        AS_NOBODY + "for what in (Identity(54321, 54322), ):\n"
        "    try:\n        drop(what)\n    except StartError as error:\n        print(error)\n"
    )
    assert out == "groups: the system does not allow it: Operation not permitted"


@ROOT
@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("os.setresuid(54321, 54321, 0)", "uid 54321: the process still is (54321, 54321, 0)"),
        ("os.setresuid(54321, 0, 54321)", "uid 54321: the process still is (54321, 0, 54321)"),
        ("os.setgid(0)\nos.setuid(54321)", "gid 54322: the process still is (0, 0, 0)"),
    ],
)
def test_half_a_drop_is_seen(before: str, said: str) -> None:
    gid = "" if "setgid(0)" in before else "os.setresgid(54322, 54322, 54322)\n"
    out = ran(
        f"{gid}{before}\ntry:\n    verify(Identity(54321, 54322))\n"
        "except StartError as error:\n    print(error)\n"
    )
    assert out == said


@LINUX
def test_capabilities_of_ours() -> None:
    found = capabilities()
    assert ("CapEff" in found) == (os.getuid() == 0)


@ROOT
def test_folders_that_cannot_be_read_any_more() -> None:
    assert unreadable(["/", "/usr"]) == ""
    out = ran(
        "from penstock.process.identity import unreadable\nimport tempfile\nfolder = tempfile.mkdtemp()\n"
        "drop(Identity(54321, 54322))\nprint(unreadable(['/', folder]) == folder)\n"
    )
    assert out == "True"


# ---- Less than all, and at once -----------------------------------------------------------------------


@ROOT
@LINUX
def test_a_drop_keeps_the_capabilities_that_are_named_and_no_other() -> None:
    out = ran(
        "drop(Identity(54321, 54322), (5, 10))\nprint(os.getresuid(), capabilities())\n"
        "print(capabilities((5, 10)) or 'none beside')\n"
        "from pathlib import Path\n"
        "print(Path('/proc/self/status').read_text().partition('CapInh:')[2].split()[0])\n"
    )
    mask = f"{1 << 5 | 1 << 10:016x}"
    assert out.splitlines() == [
        f"(54321, 54321, 54321) CapPrm {mask}, CapEff {mask}",
        "none beside",
        mask,
    ]


@ROOT
@LINUX
def test_root_may_stay_with_less() -> None:
    out = ran("drop(Identity(None, None), (5,))\nprint(os.getuid(), capabilities())\n")
    assert out == f"0 CapPrm {1 << 5:016x}, CapEff {1 << 5:016x}"


@ROOT
@LINUX
def test_a_capability_that_we_do_not_have_cannot_be_kept() -> None:
    out = ran(
        "from penstock.process.isolation import kernel\n"
        "kernel.set_capabilities((6, 7), (6, 7), ())\n"
        "try:\n    drop(Identity(54321, 54322), (5,))\nexcept StartError as error:\n    print(error)\n"
    )
    assert out == "cap: the system does not allow it: Operation not permitted"


@ROOT
def test_the_users_groups_can_be_left_out() -> None:
    def groups(*add: str) -> tuple[int, ...]:
        found = identity_of("nobody", "", add, print, initgroups=False)
        assert found is not None and found.gid == NOBODY.pw_gid
        return found.groups

    assert groups() == ()
    assert groups("54321") == (54321,)


@ROOT
def test_at_once_means_without_groups() -> None:
    script = (
        "from penstock.process.identity import immediate\nos.setgroups([4])\n"
        "immediate('', '', said.append)\nprint(os.getresuid(), os.getgroups())\n"
        "immediate('nobody', 'daemon', said.append)\nprint(os.getresuid(), os.getresgid(), os.getgroups())\n"
        f"immediate('{NOBODY.pw_uid}', '', said.append)\nprint(*said)\n"
        "try:\n    immediate('daemon', '', said.append)\nexcept StartError as error:\n    print(error)\n"
    )
    gid = grp.getgrnam("daemon").gr_gid
    assert ran(script).splitlines() == [
        "(0, 0, 0) [4]",
        f"{(NOBODY.pw_uid,) * 3} {(gid,) * 3} []",
        f"immediate-uid, immediate-gid: uid {NOBODY.pw_uid}, gid {gid}",
        f"immediate-uid daemon: only root can become another; this process is {NOBODY.pw_uid}",
    ]


@ROOT
@pytest.mark.parametrize(
    ("uid", "gid", "text"),
    [
        ("root", "", "immediate-uid root: that is root's own"),
        ("nobody", "0", "immediate-gid 0: that is root's own"),
        ("no-such-user", "", "uid no-such-user: there is no such user"),
    ],
)
def test_nobody_becomes_root_at_once(uid: str, gid: str, text: str) -> None:
    with pytest.raises(StartError) as caught:
        immediate(uid, gid, print)
    assert str(caught.value) == text
    assert os.getuid() == 0
