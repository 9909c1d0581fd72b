"""Files in memory: whole, where they were left, and of one size for ever."""

import mmap
import os

import pytest

from penstock.interprocess.inmemory import BLOCK, contents, filled, fix, shared


@pytest.mark.parametrize("size", [0, 1, 2 * BLOCK + 1])
def test_what_is_written_is_read_by_whoever_has_it(size: int) -> None:
    data = os.urandom(size)
    fd = filled("penstock-test", data)
    try:
        assert not os.get_inheritable(fd)
        assert contents(fd) == data == contents(fd)
        assert os.read(fd, size + 1)[:100] == data[:100], (
            "it reads from its beginning, as standard input does"
        )
    finally:
        os.close(fd)


def test_shared_memory_keeps_its_size() -> None:
    fd = shared("penstock-test", "tests")
    try:
        fix(fd, 8192)
        for size in (0, 4096, 16384):
            with pytest.raises(PermissionError):
                os.ftruncate(fd, size)
        with pytest.raises(PermissionError):
            fix(fd, 8192)
        with mmap.mmap(fd, 8192) as one, mmap.mmap(fd, 8192) as other:
            one[5000] = 7
            assert other[5000] == 7
        assert not os.get_inheritable(fd)
    finally:
        os.close(fd)
