"""A supervisor that acts as somebody and can be root for a moment, and capabilities that prototypes keep."""

import pytest

from penstock.config.assemble import from_keywords
from penstock.process.isolation.rights import late, postponed
from tests.process.isolation.alone import ROOT, ran

RIGHTS = """
import subprocess
from penstock.process.identity import Identity
from penstock.process.isolation.rights import OURS, begin, permitted
def masks(pid="self"):
    lines = dict(line.split(":", 1) for line in open(f"/proc/{pid}/status"))
    return [int(lines[name], 16) for name in ("CapEff", "CapPrm", "CapAmb")]
"""


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, (False, False)),
        ({"drop_after_init": True}, (False, True)),
        ({"chown_socket": "1:1"}, (False, True)),
        ({"drop_after_apps": True}, (True, True)),
        ({"master_as_root": True}, (True, True)),
    ],
)
def test_when_the_jail_is_entered(options: dict[str, object], found: tuple[bool, bool]) -> None:
    settings = from_keywords({"bind": [], **options}, application=True)
    assert (postponed(settings), late(settings)) == found


@ROOT
def test_who_acts_as_another_starts_programs_as_the_other_and_prototypes_as_root() -> None:
    script = """
os.setgroups([4])
OURS.lower(Identity(54321, 54322, (54323,)))
print(os.getresuid(), os.getresgid(), os.getgroups(), masks()[0])
try:
    os.kill(1, 0)
except PermissionError:
    print("may not kill")
print(open("/proc/self/status").read().count("CapEff"))
with OURS.whole():
    print(os.getresuid(), os.getresgid(), os.getgroups())
    inside = masks()[0]
print(os.getresuid(), os.getresgid(), os.getgroups(), masks()[0], inside == masks()[1])
try:
    os.open("/etc/shadow", os.O_RDONLY)
    print("reads what is root's")
except PermissionError:
    print("reads nothing of root's")
"""
    assert ran(RIGHTS + script).splitlines() == [
        "(54321, 54321, 0) (54322, 54322, 0) [54323] 32",
        "1",
        "(0, 0, 0) (0, 0, 0) [4]",
        "(54321, 54321, 0) (54322, 54322, 0) [54323] 32 True",
        "reads nothing of root's",
    ]


@ROOT
def test_a_program_of_it_cannot_become_root() -> None:
    script = """
OURS.lower(Identity(54321, 54322, ()))
said = subprocess.run(["/bin/sh", "-c", "grep -E '^(Uid|Gid|CapEff|CapPrm):' /proc/self/status"],
                      capture_output=True, text=True).stdout.split()
print(*said)
with OURS.whole():
    said = subprocess.run(["/bin/sh", "-c", "grep -E '^(Uid|Gid):' /proc/self/status"],
                          capture_output=True, text=True).stdout.split()
print(*said)
"""
    zero = "0" * 16
    assert ran(RIGHTS + script).splitlines() == [
        f"Uid: {'54321 ' * 4}Gid: {'54322 ' * 4}CapPrm: {zero} CapEff: {zero}",
        "Uid: 0 0 0 0 Gid: 0 0 0 0",
    ]


@ROOT
def test_capabilities_are_for_prototypes_alone() -> None:
    script = """
from penstock.process.identity import drop
drop(Identity(54321, 54322, ()), (5, 10))
OURS.kept = (5, 10)
eff = "grep CapEff: /proc/self/status"
def seen():
    return int(subprocess.run(["/bin/sh", "-c", eff], capture_output=True, text=True).stdout.split()[1], 16)
print(seen(), end=" ")
with OURS.whole():
    print(seen(), end=" ")
print(seen(), masks())
"""
    assert ran(RIGHTS + script) == "0 1056 0 [1056, 1056, 0]"


@ROOT
def test_a_prototype_of_root_has_what_is_named_and_no_more() -> None:
    script = """
settings = settings_of(cap="kill,chown")
begin(settings)
print(masks(), permitted())
begin(settings_of())
print(masks())
"""
    assert ran(RIGHTS + script).splitlines() == ["[33, 33, 0] (0, 5)", "[33, 33, 0]"]


@ROOT
def test_what_cannot_be_kept_is_refused() -> None:
    script = 'kernel.set_capabilities((6, 7), (6, 7), ())\nrefused(begin, settings_of(cap="kill"))\n'
    assert ran(RIGHTS + script) == "refused: cap kill: Operation not permitted"


@ROOT
def test_who_cannot_give_the_rights_back_ends() -> None:
    script = """
OURS.lower(Identity(54321, 54322, ()))
pid = os.fork()
if pid == 0:
    OURS.take_back()
    OURS.acting = Identity(54321, 54322, (1,) * 70000)  # more groups than there can be (NGROUPS_MAX)
    OURS.give_back()
    os._exit(77)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    assert ran(RIGHTS + script) == "1"
