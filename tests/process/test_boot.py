"""What a prototype is given: it comes back whole, and a stranger's is known by its first line."""

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from penstock import __version__
from penstock.config.assemble import from_keywords
from penstock.core.errors import StartError
from penstock.interprocess.inmemory import BLOCK, contents
from penstock.process import boot
from penstock.process.boot import Boot


def a_boot(**more: Any) -> Boot:
    options: dict[str, Any] = {"bind": ["127.0.0.1:0", "unix:/run/a.sock"], "env": ["A=ü", "B"], **more}
    return Boot(
        settings=from_keywords(options, application=True),
        generation=3,
        lazy=False,
        supervisor=os.getpid(),
        listeners=((0, 7, ""), (1, 8, "/run/a.sock")),
        scoreboard=9,
        lifeline=10,
        errors=(11, "/var/log/a"),
        access=(12, ""),
        path=("/srv/ä", "/usr/lib"),
        watch_files=True,
        doors=(("any", 13, 14), ("mule 1", 15, 16)),
    )


@pytest.fixture
def blank() -> Iterator[int]:
    """A file in memory with nothing in it."""
    fd = os.memfd_create("blank")
    yield fd
    os.close(fd)


def test_it_comes_back_as_it_was() -> None:
    given = a_boot(threads=4, add_header=["X: y"])
    fd = boot.write(given)
    try:
        assert not os.get_inheritable(fd)
        found = boot.read(fd)
        assert boot.read(fd) == found, "a second reader finds the same"
    finally:
        os.close(fd)
    assert found == given
    assert found.settings.listeners == given.settings.listeners
    assert found.settings.thread_count == 4
    assert found.settings.env_pairs == (("A", "ü"), ("B", None))


def test_a_large_one_comes_back_whole() -> None:
    given = replace(a_boot(), path=tuple(f"/srv/{number:0200d}" for number in range(8000)))
    fd = boot.write(given)
    try:
        assert os.fstat(fd).st_size > BLOCK
        assert boot.read(fd).path == given.path
    finally:
        os.close(fd)


def test_every_descriptor_is_named_once() -> None:
    given = a_boot()
    assert given.descriptors == (7, 8, 9, 10, 11, 13, 14, 15, 16, 12)
    assert replace(given, access=given.errors, doors=()).descriptors == (7, 8, 9, 10, 11)
    assert replace(given, access=None, doors=()).descriptors == (7, 8, 9, 10, 11)


def test_another_version_is_known_before_anything_is_read(blank: int) -> None:
    os.write(blank, b"penstock 99.1\nnothing that anybody could read")
    with pytest.raises(StartError, match=rf"^version '99\.1' wrote this, and this is {__version__}"):
        boot.read(blank)


@pytest.mark.parametrize("text", [b"", b"penstock", b"\xff\xfe\n", b"x" * 10_000])
def test_what_nobody_wrote_is_no_version_of_ours(blank: int, text: bytes) -> None:
    os.write(blank, text)
    with pytest.raises(StartError, match=r"^version ") as caught:
        boot.read(blank)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("body", [b"", b"\x00", b"i\x01\x00\x00\x00", b"{0", b"\xff" * 100])
def test_a_body_that_is_cut_is_an_error_with_a_reason(blank: int, body: bytes) -> None:
    os.write(blank, boot.first_line().encode() + body)
    with pytest.raises(StartError, match="cannot be read"):
        boot.read(blank)


def test_a_setting_that_is_unknown_is_an_error_with_a_reason(blank: int) -> None:
    import marshal

    fd = boot.write(a_boot())
    try:
        data = marshal.loads(contents(fd).partition(b"\n")[2])
    finally:
        os.close(fd)
    data["settings"]["of-tomorrow"] = 1
    os.write(blank, boot.first_line().encode() + marshal.dumps(data))
    with pytest.raises(StartError, match="of-tomorrow"):
        boot.read(blank)
