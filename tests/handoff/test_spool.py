"""Temporary files between the two sides."""

import os

from penstock.handoff.spool import FilePart, ReplySpool, temporary


def test_a_spool_gives_the_range_of_what_it_took_and_starts_again_when_told() -> None:
    spool = ReplySpool("")
    assert spool.write(b"abc") == (0, 3)
    assert spool.write(memoryview(b"defg")) == (3, 7)
    assert os.pread(spool.fd, 10, 0) == b"abcdefg"
    spool.rewind()
    assert os.fstat(spool.fd).st_size == 0
    assert spool.write(b"x") == (0, 1)
    spool.close()


def test_a_part_closes_only_what_is_its_own() -> None:
    with temporary("") as file:
        part = FilePart(os.dup(file.fileno()), 0, 1, owned=True)
        part.close()
        part.close()
        lent = FilePart(file.fileno(), 0, 1, owned=False)
        lent.close()
        assert os.fstat(file.fileno())
