"""The kernel's calls, made in processes of their own and seen in what the kernel says of them."""

import errno

import pytest

from penstock.process.isolation import kernel
from tests.process.isolation.alone import ROOT, needs, ran

MOUNTS, UTS = 0x00020000, 0x04000000


def test_a_function_that_there_is_not() -> None:
    with pytest.raises(OSError, match=r"Function not implemented") as caught:
        kernel.call("no_such_function_of_the_system")
    assert caught.value.errno == errno.ENOSYS


def test_what_the_kernel_does_not_want_is_its_own_error() -> None:
    with pytest.raises(OSError, match=r"Bad file descriptor") as caught:
        kernel.setns(-1)
    assert caught.value.errno == errno.EBADF


def test_what_we_are_sent_when_our_parent_ends() -> None:
    script = (
        "from penstock.process.lasting import die_with_parent\n"
        "print(kernel.death_signal())\ndie_with_parent(15)\nprint(kernel.death_signal())\n"
        "kernel.set_death_signal(9)\nprint(kernel.death_signal())\n"
    )
    assert ran(script).split() == ["0", "15", "9"]
    assert kernel.death_signal() == 0


@ROOT
def test_capabilities_are_set_and_passed_on() -> None:
    script = """
import subprocess
kernel.set_capabilities((0, 5), (0, 5), (0, 5))
kernel.raise_ambient((5,))
lines = "grep ^Cap /proc/self/status"
mine = dict(line.split(":") for line in open("/proc/self/status") if line.startswith("Cap"))
print(*(int(mine[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")))
kernel.clear_ambient()
print(int(next(line for line in open("/proc/self/status") if line.startswith("CapAmb")).split()[1], 16))
"""
    assert ran(script).splitlines() == ["33 33 33 32", "0"]


def test_namespaces_mounts_and_their_end() -> None:
    needs(MOUNTS | UTS)
    script = """
import socket, tempfile
before = [os.readlink(f"/proc/self/ns/{name}") for name in ("uts", "mnt", "ipc")]
here = os.open("/proc/self/ns/uts", os.O_RDONLY)
kernel.unshare(0x00020000 | 0x04000000)
after = [os.readlink(f"/proc/self/ns/{name}") for name in ("uts", "mnt", "ipc")]
print([one == other for one, other in zip(before, after)])
kernel.mount("", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
folder = tempfile.mkdtemp()
kernel.mount("none", folder, "tmpfs")
open(folder + "/x", "w").close()
kernel.umount(folder)
print(os.listdir(folder))
os.rmdir(folder)
kernel.setns(here)
print(os.readlink("/proc/self/ns/uts") == before[0])
"""
    assert ran(script).splitlines() == ["[False, False, True]", "[]", "True"]
