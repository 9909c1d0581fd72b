"""The way into a jail: its order, what is new inside, and what is said where it is not allowed."""

from pathlib import Path

from tests.process.isolation.alone import ROOT, needs, ran

MOUNTS, UTS, PID, USER = 0x00020000, 0x04000000, 0x20000000, 0x10000000
ENTER = "from penstock.process.isolation.jail import enter\n"


@ROOT
def test_without_options_only_the_hooks_of_root_are_run() -> None:
    assert ran(ENTER + "enter(settings_of(), way); print(said)") == "['<as-root>']"


def test_the_order() -> None:
    needs(MOUNTS | UTS)
    script = """
before = os.readlink("/proc/self/ns/uts"), os.readlink("/proc/self/ns/mnt")
enter(settings_of(unshare="uts", unshare2="fs", refork_post_jail=True, refork_as_root=True), way)
print(*said, sep="|")
print(before[0] != os.readlink("/proc/self/ns/uts"), before[1] != os.readlink("/proc/self/ns/mnt"))
"""
    assert ran(ENTER + script).splitlines() == [
        "unshare uts: in namespaces of our own|<post-jail>|fork for refork-post-jail|"
        "unshare2 fs: in namespaces of our own|fork for refork-as-root|<as-root>",
        "True True",
    ]


@ROOT
def test_the_hooks_after_the_jail_are_those_of_unshare_alone() -> None:
    script = 'enter(settings_of(unshare2="uts", refork_post_jail=True), way); print(*said, sep="|")'
    needs(UTS)
    assert ran(ENTER + script) == "unshare2 uts: in namespaces of our own|<as-root>"


def test_a_pid_namespace_has_a_first_process_and_its_own_proc() -> None:
    needs(PID | MOUNTS)
    script = """
from penstock.process.isolation.refork import refork
from penstock.process.isolation.jail import Way
outside = os.getpid()
way = Way(said.append, said.append, said.append, lambda option: refork(option, (), lambda: None))
enter(settings_of(unshare="pid,fs"), way)
first = open("/proc/1/comm").read()
print(os.getpid(), os.getppid(), os.readlink("/proc/self"), first, flush=True)
sys.exit(0)
"""
    pid, parent, link, first = ran(ENTER + script).split()
    assert (pid, parent, link) == ("2", "1", "2")
    assert first.startswith("python")


def test_a_pid_namespace_without_its_mounts_is_warned_of() -> None:
    needs(PID)
    script = """
from penstock.process.isolation.refork import refork
way = Way(said.append, said.append, said.append, lambda option: refork(option, (), lambda: None))
enter(settings_of(unshare2="pid"), way)
print(said[1], flush=True)
"""
    assert ran(ENTER + script).startswith("a PID namespace without one of mounts (fs): /proc still shows ")


@ROOT
def test_no_pid_namespace_where_nobody_can_fork() -> None:
    script = """
refused(enter, settings_of(unshare="pid"), way._replace(fork=None))
"""
    assert ran(ENTER + script).startswith(
        "refused: unshare pid: with drop-after-apps and master-as-root there can be no new PID namespace: "
    )


def test_a_user_namespace_without_a_map_is_the_kernels_refusal() -> None:
    needs(USER)
    assert ran(ENTER + 'refused(enter, settings_of(unshare="user"), way)') == (
        "refused: unshare user: the kernel does not allow it: Invalid argument"
    )


@ROOT
def test_others_than_root_pass_by_and_say_so() -> None:
    script = """
settings, other = settings_of(unshare="uts", cap="kill", cgroup=["/x"]), settings_of(chroot="/")
os.setgroups([]); os.setgid(54322); os.setuid(54321)
enter(settings, way)
print(*said, sep="|")
refused(enter, other, way)
"""
    assert ran(ENTER + script).splitlines() == [
        "warning: unshare is not acted on: only root can do that|"
        "warning: cgroup is not acted on: only root can do that|"
        "warning: cap is not acted on: only root can do that",
        "refused: chroot /: only root can do that",
    ]


def test_another_root_comes_between_the_namespaces(tmp_path: Path) -> None:
    needs(UTS)
    script = """
settings = settings_of(unshare="uts", unshare2="ipc", pivot_root=f"{sys.argv[1]} old")
refused(enter, settings, way)
print(*said, sep="|")
"""
    refusal, said = ran(ENTER + script, tmp_path).splitlines()
    assert refusal.startswith(f"refused: pivot-root {tmp_path}: ") and " is not in there, " in refusal
    assert said == "unshare uts: in namespaces of our own|<post-jail>"


@ROOT
def test_what_the_kernel_does_not_allow_names_the_option() -> None:
    script = """
kernel.set_capabilities((6, 7), (6, 7), ())
refused(enter, settings_of(unshare="uts"), way)
"""
    text = "refused: unshare uts: the kernel does not allow it: Operation not permitted"
    assert ran(ENTER + script) == text
