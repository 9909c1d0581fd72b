"""What the options beside ``cache2`` make of a cache: ``cache``, ``cache-blocksize`` and when items go."""

from penstock.config.settings import Settings
from penstock.interprocess.cache.caches import Caches


def made(**options: object) -> Caches:
    found = Caches.of(Settings(**options))
    assert found is not None
    return found


def test_cache_has_room_for_so_many_items() -> None:
    """The option ``cache``."""
    caches = made(cache=2)
    assert caches.set(b"a", b"1", name="default") and caches.set(b"b", b"2")
    assert not caches.set(b"c", b"3")
    caches.close()


def test_an_item_is_as_large_as_a_block() -> None:
    """``cache-blocksize``; 64 KB without it."""
    small, usual = made(cache=2, cache_blocksize=100), made(cache=2)
    assert small.set(b"a", bytes(100)) and not small.set(b"b", bytes(101))
    assert usual.set(b"b", bytes(101))
    small.close()
    usual.close()


def test_when_items_go() -> None:
    """``cache-no-expire`` and ``cache-expire-freq``."""
    for asked, expires, sweep in (({}, True, 3), ({"cache_no_expire": True}, False, 3)):
        caches = made(cache=2, **asked)
        form = caches.stores[0].form
        assert (form.expires, form.sweep) == (expires, sweep)
        caches.close()
    caches = made(cache=2, cache_expire_freq=20.0)
    assert caches.stores[0].form.sweep == 20
    caches.close()
