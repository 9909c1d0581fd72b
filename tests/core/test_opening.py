"""Files that root writes: whose links are followed, and what is not waited for."""

import errno
import os
from pathlib import Path

import pytest

from penstock.core.opening import open_unled

ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root can make a link of somebody else's")
APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT


def test_a_file_is_made_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for text in (b"one ", b"two"):
        fd = open_unled(str(path), APPEND, 0o600)
        assert os.get_blocking(fd)
        assert not os.get_inheritable(fd)
        os.write(fd, text)
        os.close(fd)
    assert path.read_bytes() == b"one two"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_of_ours_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    os.close(open_unled(str(tmp_path / "link"), APPEND, 0o600))
    assert (tmp_path / "target").exists()


@ROOT
def test_a_link_of_somebody_else_s_is_not(tmp_path: Path) -> None:
    link, target = tmp_path / "link", tmp_path / "target"
    link.symlink_to(target)
    os.lchown(link, 65534, 65534)
    with pytest.raises(OSError, match="it is a link of user 65534's, which is not followed"):
        open_unled(str(link), APPEND, 0o600)
    assert not target.exists()


def test_a_pipe_that_nobody_reads_is_an_error_and_no_hang(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(OSError) as caught:
        open_unled(str(path), APPEND, 0o600)
    assert caught.value.errno == errno.ENXIO
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    fd = open_unled(str(path), APPEND, 0o600)
    os.write(fd, b"heard")
    assert os.read(reader, 9) == b"heard"
    os.close(fd)
    os.close(reader)
