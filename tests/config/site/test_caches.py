"""``cache2`` and what stands beside it: what they say, what is refused, and what is probably not meant."""

from dataclasses import replace

import pytest

from penstock.config.settings import Settings
from penstock.config.site.caches import Form, classic, forms, item, missing, parse, preloaded


def test_a_cache_has_a_name_and_items() -> None:
    form = parse("name=pages,items=100")
    assert form == Form(name="pages", items=100, blocks=100)
    assert (form.blocksize, form.keysize, form.largest, form.expires) == (65536, 2048, 65536, True)


@pytest.mark.parametrize("items", ["items", "maxitems", "max_items"])
@pytest.mark.parametrize("lru", ["purge_lru", "lru"])
@pytest.mark.parametrize("lazy", ["lazy_expire", "lazy"])
def test_names_of_keys(items: str, lru: str, lazy: str) -> None:
    form = parse(f"{items}=5,name=a,{lru}=1,{lazy}=1,key_size=64,hash_size=7,hash=djb33x,lastmod=1")
    assert form == Form(name="a", items=5, blocks=5, keysize=64, purge_lru=True, lazy_expire=True)


def test_a_bitmap_has_larger_values() -> None:
    form = parse(
        "name=a,items=5,blocks=50,blocksize=100,bitmap=1,math_initial=-3,sweep_on_full=9,clear_on_full=y"
    )
    assert form.largest == 5000 and replace(form, bitmap=False).largest == 100
    assert (form.math_initial, form.sweep, form.clear_on_full) == (-3, 9, True)
    assert (
        not parse("name=a,items=1,no_expire=1").expires and parse("name=a,items=1,no_expire=1,lazy=1").expires
    )


def test_commas_in_a_name_and_the_last_of_a_key() -> None:
    assert parse(r"name=a\,b,items=1,items=2") == Form(name="a,b", items=2, blocks=2)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("items=1", "a name=…"),
        ("name=,items=1", "a name=…"),
        ("name=a", "items=…"),
        ("name=a,items=0", "from 1 to"),
        ("name=a,items=1k", "a number is expected, not '1k'"),
        ("name=a,items=-1", "a number is expected"),
        ("name=a,items=1000000000", "from 1 to"),
        ("name=a,items=1,keysize=0", "from 1 to 65535"),
        ("name=a,items=1,keysize=65536", "from 1 to 65535"),
        ("name=a,items=1,blocksize=7", "at least 8 bytes"),
        ("name=a,items=2,blocks=1", "at least as many as items"),
        ("name=a,items=100000000", "less than 4 TB"),
        ("name=a,items=1,math_initial=x", "a number is expected"),
        ("name=a@b,items=1", "without @"),
        ("name=a,items=1,nodes=127.0.0.1:1", "other servers"),
        ("name=a,items=1,udp=127.0.0.1:1", "other servers"),
        ("name=a,items=1,sync=127.0.0.1:1", "other servers"),
    ],
)
def test_what_cannot_be(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse(text)


def test_what_is_probably_not_meant() -> None:
    form = parse("name=a,items=1,bitmap=0,itms=3,word,store=/var/cache")
    assert form.bitmap
    assert [line.split()[0] for line in form.doubtful] == ["bitmap=0", "'itms'", "'word'", "store:"]


def test_the_old_cache_comes_first() -> None:
    settings = Settings(cache2=("name=b,items=2", "name=b,items=3", "name=default,items=9"), cache=10)
    assert forms(settings) == (classic(10, 0), parse("name=b,items=2"))
    assert classic(10, 100) == Form(name="default", items=10, blocks=10, blocksize=100)
    assert forms(Settings()) == ()


def test_what_is_said_for_all() -> None:
    texts = ("name=a,items=1", "name=b,items=1,sweep_on_full=7")
    first, second = forms(Settings(cache2=texts, cache_no_expire=True, cache_expire_freq=20.0))
    assert (first.sweep, second.sweep) == (20, 7) and first.no_expire and second.no_expire


def test_a_cache_that_there_is_not() -> None:
    two = forms(Settings(cache2=("name=a,items=1", "name=b,items=1")))
    assert missing("", two) == missing("b", two) == ""
    assert missing("c", two) == "there is no cache 'c': there are a, b"
    assert missing("", ()) == missing("a", ()) == "there is no cache: cache2 makes one"


def test_what_is_there_from_the_start() -> None:
    assert item("k=v=w") == ("", "k", "v=w") and item("pages k=a b") == ("pages", "k", "a b")
    assert preloaded("/srv/a.html") == ("", "/srv/a.html") and preloaded("pages a b") == ("pages", "a b")
    assert item("k=v w") == ("", "k", "v w") and item("pages a b=c") == ("pages", "a b", "c")
    for text in ("", "pages ", "k", "=v", "k=", "pages =v"):
        with pytest.raises(ValueError, match=r"\[CACHE \]"):
            item(text)
