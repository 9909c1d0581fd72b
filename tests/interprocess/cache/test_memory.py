"""A cache's memory: who may have it, and what is no cache."""

import os

import pytest

from penstock.config.site.caches import parse
from penstock.core.errors import StartError
from penstock.interprocess.cache.memory import Memory
from penstock.interprocess.cache.store import Store
from tests.interprocess.cache.stores import Said, store_of

TEXT = "name=a,items=10,blocksize=100"


def test_another_mapping_sees_the_same() -> None:
    with store_of(TEXT) as store:
        assert not os.get_inheritable(store.memory.fd)
        other = Store(Memory.attach(parse(TEXT), os.dup(store.memory.fd)), Said())
        assert store.set(b"k", b"v") and other.get(b"k") == b"v"
        assert other.delete(b"k") and store.get(b"k") is None
        other.close()
        assert store.set(b"k", b"v") and store.get(b"k") == b"v"


@pytest.mark.parametrize("text", ["name=a,items=11,blocksize=100", "name=a,items=10,blocksize=101"])
def test_another_form_is_refused(text: str) -> None:
    with store_of(TEXT) as store:
        assert store.set(b"k", b"v")
        with pytest.raises(StartError, match="cache a: what was handed over"):
            Memory.attach(parse(text), store.memory.fd)
        assert store.get(b"k") == b"v"


def test_what_is_no_memory_is_refused() -> None:
    reader, writer = os.pipe()
    try:
        with pytest.raises(StartError, match="is not its memory"):
            Memory.attach(parse(TEXT), reader)
    finally:
        os.close(reader)
        os.close(writer)


def test_nobody_can_shorten_it() -> None:
    with store_of(TEXT) as store, pytest.raises(PermissionError):
        os.ftruncate(store.memory.fd, 0)


def test_memory_that_the_system_does_not_give_is_an_error() -> None:
    largest = "name=a,items=100000000,blocksize=8,keysize=40000"
    before = len(os.listdir("/proc/self/fd"))
    try:
        Memory.create(parse(largest)).close()
    except StartError as error:
        assert "cache a: no memory for it" in str(error)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_closed_cache_has_nothing() -> None:
    store = Store(Memory.create(parse(TEXT)), Said())
    assert store.set(b"k", b"v")
    store.close()
    store.close()
    assert store.get(b"k") is None and not store.set(b"k", b"v") and store.keys() == [] and not store.clear()
