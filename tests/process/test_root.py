"""chroot, in processes of their own: what must be inside, and that nothing outside is left in reach."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.core.errors import StartError
from penstock.process.root import change_root, inside, needed
from tests.e2e.surroundings import environment
from tests.process.isolation.alone import needs

ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root can change the root")
MOUNTS = 0x00020000
BEGIN = """
import os, sys
from penstock.core.errors import StartError
from penstock.process.root import change_root, needed
folder = sys.argv[1]
said = []
"""


def silent(text: str) -> None:
    """Nobody is told."""


def ran(text: str, folder: Path | str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + text, str(folder)],
        env=environment(), capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_without_the_option_nothing_happens() -> None:
    before = Path.cwd()
    change_root("", silent)
    assert Path.cwd() == before


def test_where_things_are_before_and_after() -> None:
    assert inside("/srv/jail", "/usr/bin/python3") == "/srv/jail/usr/bin/python3"
    assert inside("jail", "/tmp") == "jail/tmp"
    assert all(os.path.isabs(path) and os.path.exists(path) for path in needed())


@ROOT
def test_a_root_with_all_that_is_needed(tmp_path: Path) -> None:
    for path in needed():
        Path(inside(str(tmp_path), path)).mkdir(parents=True, exist_ok=True)
    (tmp_path / "here").write_text("inside")
    script = """
os.chdir("/usr")
change_root(folder, said.append)
print(os.getcwd(), open("/here").read(), os.path.exists("../../../etc/passwd"))
print(*said)
"""
    where, said = ran(script, tmp_path).splitlines()
    assert where == "/ inside False"
    # The interpreter itself may lie below /tmp.
    assert said.startswith(f"chroot {tmp_path}: it has no /proc/self, /dev/null")
    assert said.endswith(", which penstock and most applications use")


@ROOT
def test_the_root_that_is_one_already() -> None:
    assert ran('change_root(folder, said.append); print(os.path.isdir("/proc/self"), said)', "/") == "True []"


@ROOT
def test_a_folder_without_python_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartError) as found:
        change_root(str(tmp_path), silent)
    text = str(found.value)
    assert text.startswith(f"chroot {tmp_path}: {needed()[0]}, ")
    assert "install Python, penstock and the application into the folder, or use a container" in text
    shutil.rmtree(tmp_path)
    with pytest.raises(StartError, match=r": No such file or directory$"):
        change_root(str(tmp_path), silent)


@ROOT
def test_only_root_can() -> None:
    script = """
os.setuid(65534)
try:
    change_root(folder, said.append)
except StartError as error:
    print(error)
"""
    assert ran(script, "/") == "chroot /: only root can do that"


def test_the_root_of_the_mounts_is_exchanged(tmp_path: Path) -> None:
    needs(MOUNTS)
    script = """
from penstock.process.isolation import kernel
from penstock.process.root import pivot
pivot("")
kernel.unshare(0x00020000)
kernel.mount("", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
kernel.mount("none", folder, "tmpfs")
os.mkdir(folder + "/old")
try:
    pivot(folder + " old")
except StartError as error:
    print(str(error).partition(" is not in there")[1])
for path in needed():
    os.makedirs(folder + path, exist_ok=True)
try:
    pivot(folder + " gone")
except StartError as error:
    print(error)
pivot(folder + " /old")
print(os.getcwd(), "old" in os.listdir("/"), os.path.isdir("/old" + folder), "etc" in os.listdir("/old"))
"""
    assert ran(script, tmp_path).splitlines() == [
        "is not in there",
        f"pivot-root {tmp_path} gone: No such file or directory",
        "/ True True True",
    ]


@ROOT
def test_a_folder_that_is_not_mounted_is_no_root_of_mounts(tmp_path: Path) -> None:
    needs(MOUNTS)
    for path in needed():
        Path(inside(str(tmp_path), path)).mkdir(parents=True, exist_ok=True)
    (tmp_path / "old").mkdir()
    script = """
from penstock.process.isolation import kernel
from penstock.process.root import pivot
kernel.unshare(0x00020000)
try:
    pivot(folder + " old")
except StartError as error:
    print(error)
"""
    text = f"pivot-root {tmp_path} old: "
    assert ran(script, tmp_path) in (f"{text}Invalid argument", f"{text}Device or resource busy")
