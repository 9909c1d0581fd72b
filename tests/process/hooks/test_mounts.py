"""mount(2) and umount2(2), in a mount namespace that is thrown away."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.process.hooks import mounts
from tests.e2e.surroundings import environment

APART = pytest.mark.skipif(
    os.getuid() != 0 or shutil.which("unshare") is None, reason="only root can mount, apart by unshare(1)"
)
BEGIN = """
import os, sys
from penstock.config.household.hooks import mount_of, umount_of
from penstock.process.hooks.mounts import mount, umount
os.chdir(sys.argv[1])
"""


def ran(folder: Path, text: str) -> str:
    words = ["unshare", "-m", "--propagation", "private", sys.executable, "-c", BEGIN + text, str(folder)]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@APART
def test_there_and_gone_again(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    script = """
mount(mount_of("tmpfs none x ro,nosuid size=64k"))
print(os.path.ismount("x"))
try:
    open("x/file", "w")
except OSError as error:
    print(error.strerror)
umount(umount_of("x"))
print(os.path.ismount("x"))
"""
    assert ran(tmp_path, script).split("\n")[:3] == ["True", "Read-only file system", "False"]


@APART
def test_all_that_is_below(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    script = """
from penstock.config.household.hooks import Mount
from penstock.process.hooks.mounts import below
top = os.path.abspath("x")
mount(Mount("tmpfs", "none", top))
for name in ("one", "two words"):
    os.mkdir(f"{top}/{name}")
    mount(Mount("tmpfs", "none", f"{top}/{name}"))
os.mkdir(f"{top}-beside")
mount(Mount("tmpfs", "none", f"{top}-beside"))
print(sorted(os.path.basename(path) for path in below(top)))
umount(umount_of(f"{top} rec"))
print(os.path.ismount(top), os.path.ismount(f"{top}-beside"))
"""
    assert ran(tmp_path, script) == "['one', 'two words']\nFalse True\n"


@APART
@pytest.mark.parametrize(
    ("mount", "umount"),
    [
        ("mount-asap", "umount-asap"), ("mount-pre-jail", "umount-pre-jail"),
        ("mount-post-jail", "umount-post-jail"), ("mount-in-jail", "umount-in-jail"),
        ("mount-as-root", "umount-as-root"), ("mount-as-emperor", "umount-as-emperor"),
        ("mount-as-vassal", "umount-as-vassal"),
    ],
)  # fmt: skip
def test_at_each_phase(tmp_path: Path, mount: str, umount: str) -> None:
    (tmp_path / "x").mkdir()
    script = f"""
from penstock.config.settings import Settings
from penstock.process.hooks.start import run
for option, text in (("{mount}", "tmpfs none x"), ("{umount}", "x")):
    run(Settings(**{{option.replace("-", "_"): (text,)}}), option.partition("-")[2], print)
    print(os.path.ismount("x"))
"""
    assert ran(tmp_path, script).splitlines() == [
        f'penstock: {mount}: "mount:tmpfs none x"', "True", f'penstock: {umount}: "umount:x"', "False",
    ]  # fmt: skip


def test_what_the_system_says(tmp_path: Path) -> None:
    with pytest.raises(OSError) as caught:
        mounts.unmount(str(tmp_path / "none"), 0)
    assert caught.value.filename == str(tmp_path / "none") and caught.value.strerror


def test_names_in_the_table_of_mounts() -> None:
    assert mounts.unescaped(b"/a\\040b\\134040") == b"/a b\\040"
