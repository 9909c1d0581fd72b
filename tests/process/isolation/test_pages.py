"""Memory that is locked and merged, read back from the kernel; and what is said where it is not allowed."""

import os

import pytest

from tests.process import scripted

ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root may lock all of its memory")
BEGIN = """
import os, resource, ctypes
from penstock.config.assemble import from_keywords
from penstock.process.isolation import kernel
from penstock.process.isolation.pages import advise, permit
said = []
def settings_of(**options):
    return from_keywords({"bind": [], **options}, application=True)
def locked():
    return int(open("/proc/self/status").read().partition("VmLck:")[2].split()[0])
def merged():
    return ctypes.CDLL(None).prctl(68, 0, 0, 0, 0)
"""


def ran(text: str) -> str:
    return scripted.ran(BEGIN + text)


@ROOT
def test_all_memory_is_locked_where_it_is_asked_for() -> None:
    script = """
advise(settings_of(), said.append)
before = locked()
advise(settings_of(never_swap=True), said.append)
print(before, locked() > 1000, said)
"""
    assert ran(script) == "0 True []"


@ROOT
@pytest.mark.parametrize("permitted", [True, False])
def test_after_the_rights_are_dropped_only_where_it_was_permitted(permitted: bool) -> None:
    script = f"""
settings = settings_of(never_swap=True)
permit(settings_of())
if {permitted}:
    permit(settings)
    if resource.getrlimit(resource.RLIMIT_MEMLOCK)[1] != resource.RLIM_INFINITY:
        print("no")
        raise SystemExit(0)
else:
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (65536, 65536))
kernel.library()
os.setgroups([]); os.setgid(54322); os.setuid(54321)
advise(settings, said.append)
print(locked() > 1000, *said)
"""
    refused = "False never-swap: not acted on: locked memory is limited (ulimit -l); start it as root"
    found = ran(script)
    if found == "no":
        pytest.skip("root may not raise its limits here (CAP_SYS_RESOURCE)")
    assert found == ("True" if permitted else refused)


def test_equal_pages_are_offered_where_it_is_asked_for() -> None:
    script = """
advise(settings_of(), said.append)
before = merged()
advise(settings_of(ksm=5), said.append)
print(before, merged(), *said)
"""
    before, after, *said = ran(script).split()
    if said:
        assert " ".join(said) == "ksm: the kernel does not allow it: Invalid argument"
    assert (before, after) in (("0", "1"), ("-1", "-1"), ("0", "0"))
    assert (after == "1") == (not said)
