"""All caches of a server: by name, made once, attached to elsewhere, filled at the start."""

import gzip
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.interprocess.cache.caches import Caches
from tests.interprocess.cache.stores import Said

TWO = ("name=a,items=10,keysize=100,blocksize=100", "name=b,items=10,math_initial=1")
OTHER = """
import sys
from penstock.config.settings import Settings
from penstock.interprocess.cache.caches import Caches
caches = Caches.attach(Settings(cache2=tuple(sys.argv[3:])), [int(fd) for fd in sys.argv[1:3]])
assert caches.get(b"k", "b") == b"v" and caches.set(b"k", b"w") and caches.inc(b"n", 41, 0, "b") == 42
"""


def made(**more: object) -> Caches:
    settings = Settings(cache2=TWO)
    for name, value in more.items():
        settings = Settings(**{"cache2": TWO, name: value})
    found = Caches.of(settings)
    assert found is not None
    return found


def test_settings_without_caches() -> None:
    assert Caches.of(Settings()) is None and Caches.attach(Settings(), []) is None


def test_names() -> None:
    caches = made()
    assert caches.set(b"k", b"first") and caches.set(b"k", b"second", name="b")
    assert caches.get(b"k") == caches.get(b"k", "a") == b"first" and caches.get(b"k", "b") == b"second"
    assert caches.fetch(b"k") == (b"first", 0) and caches.exists(b"k", "b") and caches.keys("b") == [b"k"]
    assert caches.delete(b"k", "b") and not caches.exists(b"k", "b") and caches.exists(b"k")
    assert caches.clear() and caches.keys() == []
    assert [each["name"] for each in caches.figures()] == ["a", "b"]
    caches.close()


def test_a_name_that_there_is_not_has_nothing() -> None:
    caches = made()
    assert [caches.store("c"), caches.get(b"k", "c"), caches.fetch(b"k", "c"), caches.keys("c")] == [None] * 4
    assert not caches.set(b"k", b"v", name="c") and not caches.delete(b"k", "c") and not caches.clear("c")
    assert caches.inc(b"k", name="c") is None and caches.num(b"k", "c") == 0 and not caches.exists(b"k", "c")
    caches.close()


def test_numbers() -> None:
    caches = made()
    deeds: list[Callable[..., int | None]] = [
        caches.inc,
        caches.inc,
        caches.dec,
        caches.mul,
        caches.mul,
        caches.div,
    ]
    assert [deed(b"n") for deed in deeds] == [1, 2, 1, 2, 4, 2]
    assert caches.dec(b"n", 9) == -7 and caches.div(b"n", 2) == -3 and caches.div(b"n", -2) == 1
    assert caches.mul(b"n", -1) == -1 == caches.num(b"n") and caches.div(b"n", 0) == 0
    assert caches.mul(b"n", name="b") == 2 and caches.get(b"n", "b") == b"\2" + bytes(7)
    caches.close()


def test_another_process_has_the_same() -> None:
    caches = made()
    assert caches.set(b"k", b"v", name="b")
    words = [sys.executable, "-c", OTHER, *map(str, caches.fds), *TWO]
    subprocess.run(words, pass_fds=caches.fds, check=True, timeout=30)
    assert caches.get(b"k") == b"w" and caches.num(b"n", "b") == 42
    caches.close()


def test_what_was_handed_over_must_be_what_is_asked_for() -> None:
    caches = made()
    with pytest.raises(StartError, match="2 caches are asked for, and 1 were handed over"):
        Caches.attach(Settings(cache2=TWO), caches.fds[:1])
    with pytest.raises(StartError, match="cache b: what was handed over"):
        Caches.attach(Settings(cache2=TWO), (os.dup(caches.fds[0]), caches.fds[0]))
    assert caches.set(b"k", b"v")
    caches.close()


def test_a_text_that_says_nothing_is_a_start_error() -> None:
    with pytest.raises(StartError, match="cache2: a name=… is expected"):
        Caches.of(Settings(cache2=("items=1",)))


def test_what_is_there_from_the_start(tmp_path: Path) -> None:
    page, large = tmp_path / "page.html", tmp_path / "large"
    page.write_bytes(b"<b>page</b>")
    large.write_bytes(b"x" * 101)
    said = Said()
    settings = Settings(
        cache2=TWO,
        load_file_in_cache=(str(page), f"a {large}", f"b {large}", f"{tmp_path}/nothing"),
        load_file_in_cache_gzip=(f"b {large}", f"a {large}"),
        add_cache_item=("k=v w", "b k=other", f"a {page}=not this", "c k=v"),
    )
    caches = Caches.of(settings, said)
    assert caches is not None
    assert caches.get(str(page).encode()) == caches.get(str(page).encode(), "b") == b"<b>page</b>"
    assert caches.get(str(large).encode(), "b") == b"x" * 101
    assert gzip.decompress(caches.get(str(large).encode()) or b"") == b"x" * 101
    assert caches.get(b"k") == b"v w" == caches.get(b"k", "b")
    assert [line.split(" is not kept: ")[-1] for line in said.lines] == [
        "it does not fit, or is there already",
        f"load-file-in-cache: '{tmp_path}/nothing' cannot be read: [Errno 2] No such file or directory: "
        f"'{tmp_path}/nothing'",
        "it does not fit, or is there already",
        "it does not fit, or is there already",
        "it does not fit, or is there already",
        "there is no cache 'c'",
    ]
    caches.close()


def test_who_is_told() -> None:
    caches, said = made(), Said()
    caches.tell(said)
    assert all(caches.set(b"%d" % number, b"v") for number in range(10)) and not caches.set(b"more", b"v")
    assert said.lines == ["cache a is full: 10 items"]
    caches.close()


def test_nothing_is_left_open() -> None:
    before = sorted(os.listdir("/proc/self/fd"))
    caches = made()
    assert len(caches.fds) == 2
    caches.close()
    assert sorted(os.listdir("/proc/self/fd")) == before
    with pytest.raises(StartError):
        Caches.of(Settings(cache2=TWO, add_cache_item=("nothing",)))
    assert sorted(os.listdir("/proc/self/fd")) == before
