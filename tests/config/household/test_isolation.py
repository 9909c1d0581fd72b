"""Texts of the isolation options: names become numbers, and what is none is refused with what is expected."""

from typing import Any

import pytest

from penstock.config.household import isolation as texts


def test_namespaces_by_every_name_that_uwsgi_has() -> None:
    assert texts.namespaces("") == 0
    assert texts.namespaces("fs,pid") == texts.NEW_MOUNTS | texts.NEW_PID
    assert {texts.namespaces(name) for name in ("fs", "mnt", "mount", "ns")} == {0x20000}
    assert texts.namespaces(" uts , ipc,,net") == 0x04000000 | 0x08000000 | 0x40000000
    with pytest.raises(ValueError, match=r"^namespaces, of .*\bpid\b.*, not 'pids'$"):
        texts.namespaces("fs,pids")


def test_capabilities_by_name_and_number() -> None:
    assert texts.capabilities("") == ()
    assert texts.capabilities("chown, kill,net_bind_service") == (0, 5, 10)
    assert texts.capabilities("21,sys_admin,40") == (21, 40)
    assert texts.capabilities("checkpoint_restore") == (40,)
    for text in ("root", "64", "-1", "\u00b2", "chown,cap_kill"):
        with pytest.raises(ValueError, match=r"^capabilities \(setgid, "):
            texts.capabilities(text)
    with pytest.raises(ValueError, match=r"^at least one capability$"):
        texts.capabilities(" , ")


def test_the_old_root_is_below_the_new_one() -> None:
    assert texts.pivot("/srv/root old") == ("/srv/root", "old")
    assert texts.pivot("/srv/root /mnt/old ") == ("/srv/root", "mnt/old")
    for text in ("", "/srv/root", "/srv/root /"):
        with pytest.raises(ValueError, match=r"^the new root, a blank, "):
            texts.pivot(text)


def test_values_of_a_cgroup() -> None:
    assert texts.cgroup_option("memory.max=1G") == ("memory.max", "1G")
    assert texts.cgroup_option("cpu.weight:50") == ("cpu.weight", "50")
    assert texts.cgroup_option("devices.allow=c 1:3 r") == ("devices.allow", "c 1:3 r")
    for text in ("memory.max", "=1", "../tasks=1"):
        with pytest.raises(ValueError, match=r"^FILE=VALUE, "):
            texts.cgroup_option(text)


def test_a_root_of_its_own_and_what_is_kept_there() -> None:
    assert texts.own_root("/srv/jail/") == ("/srv/jail", "")
    assert texts.own_root("/:web1") == ("/", "web1")
    cases: list[tuple[Any, Any]] = [
        (("/usr", "/srv/jail"), ("/usr", "/usr")),
        (("/opt/site:/app", "/srv/jail"), ("/opt/site", "/app")),
        (("/srv/jail/data", "/srv/jail"), ("/srv/jail/data", "/data")),
        (("/srv/jailed", "/srv/jail"), ("/srv/jailed", "/srv/jailed")),
        (("/dev", "/"), ("/dev", "/dev")),
    ]
    for given, found in cases:
        assert texts.kept_mount(*given) == found
    with pytest.raises(ValueError, match=r"^an absolute folder, "):
        texts.own_root("jail")
    for text in ("usr", "/usr:usr"):
        with pytest.raises(ValueError, match=r"^an absolute folder, "):
            texts.kept_mount(text, "/")
