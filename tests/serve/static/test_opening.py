"""Opening below a folder: the kernel's way and ours say the same, and neither loses a descriptor."""

import errno
import gc
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.serve.static.opening import PEEK, READ, Openat2, probe
from penstock.serve.static.roots import Means, Root, names_of
from penstock.serve.static.walking import FOLDER, Outside, walk
from tests.serve.static.sites import OPENERS, PUBLIC, Said, make_site, opener


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_site(tmp_path_factory.mktemp("top"))


@pytest.fixture
def folder(site: Path) -> Iterator[int]:
    fd = os.open(site, FOLDER)
    yield fd
    os.close(fd)


def root_of(name: str, path: Path, *safe: Path) -> Root:
    return Root(os.fsencode(path), Means(opener(name), Said()), tuple(os.fsencode(one) for one in safe))


def kernels() -> Openat2:
    found = probe()
    if found is None:
        pytest.skip("this system has no openat2")
    return found


@pytest.mark.parametrize("name", OPENERS)
@pytest.mark.parametrize(
    ("path", "real"),
    [
        ("a.txt", "a.txt"),
        ("dir/b.txt", "dir/b.txt"),
        ("in", "a.txt"),
        ("in_dir/b.txt", "dir/b.txt"),
        ("in_up", "a.txt"),
        ("in_absolute", "a.txt"),
        ("in_absolute_dir/b.txt", "dir/b.txt"),
        ("in_round", "a.txt"),
        ("in_chain", "a.txt"),
    ],
)
def test_what_lies_inside_has_its_real_names(name: str, path: str, real: str, site: Path) -> None:
    fd, names = root_of(name, site).open(names_of(path.encode()), READ, named=True)
    assert os.read(fd, 6) == PUBLIC
    os.close(fd)
    assert b"/" + b"/".join(names) == os.fsencode(site / real)


@pytest.mark.parametrize("name", OPENERS)
@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("out", errno.EXDEV),
        ("out_absolute", errno.EXDEV),
        ("out_dir/key.pem", errno.EXDEV),
        ("out_evil/x.txt", errno.EXDEV),
        ("out_by_in", errno.EXDEV),
        ("passwd", errno.EXDEV),
        ("zero", errno.EXDEV),
        ("loop", errno.ELOOP),
        ("loop_1", errno.ELOOP),
        ("nowhere", errno.ENOENT),
        ("not", errno.ENOENT),
        ("a.txt/x", errno.ENOTDIR),
        ("file_slash", errno.ENOTDIR),
        ("a" * 256, errno.ENAMETOOLONG),
    ],
)
def test_what_does_not_says_why(name: str, path: str, code: int, site: Path) -> None:
    with pytest.raises(
        OSError, match=re.escape(os.strerror(code)) if code != errno.EXDEV else "out of"
    ) as said:
        root_of(name, site).open(names_of(path.encode()), READ)
    assert said.value.errno == code


@pytest.mark.parametrize("name", OPENERS)
def test_no_descriptor_is_lost(name: str, site: Path) -> None:
    root = root_of(name, site)
    root.base()
    gc.collect()  # what other tests have left is not ours to count
    before = len(os.listdir("/dev/fd"))
    for path in ("a.txt", "in_absolute_dir/b.txt", "out_absolute", "loop", "in_round/..", "a.txt/x", "dir"):
        for flags in (PEEK, READ):
            try:
                fd, _ = root.open(names_of(path.encode()), flags, named=True)
            except OSError:
                continue
            os.close(fd)
    assert len(os.listdir("/dev/fd")) == before


@pytest.mark.parametrize("name", OPENERS)
def test_a_fifo_is_never_waited_for(name: str, site: Path) -> None:
    fd, _ = root_of(name, site).open((b"fifo",), READ)
    os.close(fd)


def test_the_kernel_keeps_us_below(folder: int) -> None:
    openat2 = kernels()
    for path in (b"..", b"../secret.txt", b"/etc/passwd", b"out", b"in_absolute", b"dir/../../secret.txt"):
        with pytest.raises(OSError) as said:
            openat2.open(folder, path, PEEK)
        assert said.value.errno == errno.EXDEV
    fd = openat2.open(folder, b"dir/../a.txt", READ)
    assert os.read(fd, 6) == PUBLIC
    os.close(fd)


def test_links_of_proc_are_no_way(tmp_path: Path) -> None:
    """They are jumps, and no paths; by their text they are followed as any other link."""
    openat2 = kernels()
    folder = os.open("/proc/self", FOLDER)
    try:
        with pytest.raises(OSError) as said:
            openat2.open(folder, b"root/etc/passwd", READ)
        assert said.value.errno in (errno.ELOOP, errno.EXDEV)
        with pytest.raises(Outside):
            walk((folder, (b"proc", b"self")), [b"root", b"etc", b"passwd"], READ, lambda names: False)
    finally:
        os.close(folder)


def test_above_the_top_is_the_top(folder: int, site: Path) -> None:
    (up := site / "above").symlink_to("../" * 50 + "etc")
    try:
        with pytest.raises(Outside) as said:
            walk((folder, names_of(os.fsencode(site))), [b"above", b"passwd"], PEEK, lambda names: False)
        assert said.value.real == b"/etc/passwd"
    finally:
        up.unlink()


@pytest.mark.parametrize("name", OPENERS)
def test_safe_is_a_folder_and_not_a_beginning(name: str, site: Path) -> None:
    """uWSGI compares text: ``/srv/sha`` would allow ``/srv/shared``."""
    top = site.parent.parent
    fd, names = root_of(name, site, top / "private").open((b"out_dir", b"key.pem"), READ, named=True)
    os.close(fd)
    assert names[-2:] == (b"private", b"key.pem")
    for safe in (top / "priv", top / "private" / "dir", top / "nowhere"):
        with pytest.raises(Outside):
            root_of(name, site, safe).open((b"out_dir", b"key.pem"), READ)


@pytest.mark.parametrize("name", OPENERS)
def test_safe_may_be_a_link_itself(name: str, site: Path, tmp_path: Path) -> None:
    (link := tmp_path / "link").symlink_to(site.parent.parent / "private")
    fd, _ = root_of(name, site, link).open((b"out_dir", b"key.pem"), READ)
    os.close(fd)


@pytest.mark.parametrize("name", OPENERS)
def test_the_refusal_is_said_once_with_where_to(name: str, site: Path) -> None:
    said = Said()
    root = Root(os.fsencode(site), Means(opener(name), said))
    with pytest.raises(Outside):
        root.open((b"out_absolute",), PEEK)
    secret = site.parent.parent / "secret.txt"
    assert said.lines == [
        f"static files: {secret} is not below {site} nor static-safe; such files are not served"
    ]


@pytest.mark.parametrize("name", OPENERS)
def test_real_names_are_opened_by_the_same_rights(name: str, site: Path) -> None:
    top = site.parent.parent
    root = root_of(name, site, top / "private")
    for path in (site / "a.txt", top / "private" / "key.pem"):
        fd, names = root.open_real(names_of(os.fsencode(path)), READ, named=True)
        os.close(fd)
        assert names == names_of(os.fsencode(path))
    for path in (top / "secret.txt", site / "out", Path("/etc/passwd")):
        with pytest.raises(Outside):
            root.open_real(names_of(os.fsencode(path)), READ)


# ---- Where the kernel's check may not be used ---------------------------------------------------------

FILTERED = """
import ctypes, os, struct, sys
from penstock.serve.static.opening import READ, probe
from penstock.serve.static.roots import Means, Root

site, code = os.fsencode(sys.argv[1]), int(sys.argv[2])
libc = ctypes.CDLL(None, use_errno=True)
# Load the number of the call; is it openat2? Then it fails with the code; all others pass.
steps = ((0x20, 0, 0, 0), (0x15, 0, 1, 437), (0x06, 0, 0, 0x00050000 | code), (0x06, 0, 0, 0x7FFF0000))
code_of = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code_of))
assert libc.prctl(38, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS"
if libc.prctl(22, 2, program, 0, 0):
    sys.exit(77)
assert probe() is None
root = Root(site, Means(probe(), print))
assert os.read(root.open((b"in_absolute_dir", b"b.txt"), READ)[0], 6) == b"PUBLIC"
"""


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOSYS, errno.EINVAL])
def test_a_filter_that_refuses_it_leaves_us_walking(code: int, site: Path) -> None:
    words = [sys.executable, "-c", FILTERED, str(site), str(code)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode == 77:
        pytest.skip("this system lets us set no filter")
    assert (done.returncode, done.stderr) == (0, "")
