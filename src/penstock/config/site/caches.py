"""Shared caches as the options write them: ``cache``, ``cache2`` and what stands beside them.

Pure: texts in, ``Form`` out. It knows nothing of memory, and makes no cache.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from penstock.config.household.daemons import halves, split

DEFAULT = "default"
"""The name of the cache that ``cache`` makes."""
BLOCK = 64 << 10  # bytes of a block where nothing is said
KEY = 2048  # bytes of a key likewise
MOST_ITEMS = 100_000_000
MOST_BYTES = 1 << 42  # of a whole cache: beyond it no machine has that much, and a number was mistyped

ALIASES = {
    "max_items": "items",
    "maxitems": "items",
    "hash_size": "hashsize",
    "key_size": "keysize",
    "storesync": "store_sync",
    "storedelete": "store_delete",
    "lru": "purge_lru",
    "lazy": "lazy_expire",
    **dict.fromkeys(("node", "nodes", "sync", "udp", "udp_server", "udpserver", "udpservers"), "udp_servers"),
}
NUMBERS = ("items", "blocksize", "blocks", "keysize", "sweep_on_full")
FLAGS = ("bitmap", "purge_lru", "lazy_expire", "no_expire", "clear_on_full", "ignore_full")
"""On whatever their value is, as in uWSGI: only a key that is left out is off."""
NEEDLESS = ("hash", "hashsize", "lastmod")
"""They change nothing that could be seen."""
KEYS = ("name", *NUMBERS, *FLAGS, *NEEDLESS, "math_initial", "store", "store_sync", "store_delete")


@dataclass(frozen=True, kw_only=True)
class Form:
    """One cache.

    ``items``         the most that it holds
    ``blocksize``     bytes of a block; a value is in one, with ``bitmap`` in as many in a row as it needs
    ``blocks``        how many there are
    ``keysize``       bytes of the longest key
    ``purge_lru``     where it is full the item goes that was not asked for longest
    ``lazy_expire``   what has expired is not found; it is so without it, and this wins over ``no_expire``
    ``no_expire``     nothing expires
    ``sweep``         seconds between two looks for what has expired, which a full cache takes
    ``clear_on_full``  a full cache that finds nothing expired is emptied
    ``ignore_full``   nobody is told that it is full
    ``math_initial``  what the first ``inc`` or ``mul`` of a key starts from
    ``doubtful``      what is written, and probably not meant
    """

    name: str
    items: int
    blocksize: int = BLOCK
    blocks: int = 0
    keysize: int = KEY
    bitmap: bool = False
    purge_lru: bool = False
    lazy_expire: bool = False
    no_expire: bool = False
    sweep: int = 3
    clear_on_full: bool = False
    ignore_full: bool = False
    math_initial: int = 0
    doubtful: tuple[str, ...] = ()

    @property
    def largest(self) -> int:
        """Bytes of the largest value."""
        return self.blocksize * self.blocks if self.bitmap else self.blocksize

    @property
    def expires(self) -> bool:
        """Whether anything does."""
        return self.lazy_expire or not self.no_expire


class Asked(Protocol):
    """The settings that are looked at, named like their options."""

    @property
    def cache(self) -> int: ...

    @property
    def cache_blocksize(self) -> int: ...

    @property
    def cache2(self) -> Sequence[str]: ...

    @property
    def cache_no_expire(self) -> bool: ...

    @property
    def cache_expire_freq(self) -> float: ...


def parse(text: str) -> Form:
    """``cache2``: ``key=value`` with commas between them; a backslash takes the meaning from a comma.
    Raises ValueError."""
    found, doubtful = known(text)
    if not found.get("name"):
        raise ValueError("a name=… is expected among the keys")
    if "items" not in found:
        raise ValueError("items=… is expected among the keys: the most that the cache holds")
    if "udp_servers" in found:
        raise ValueError("a cache is not copied to or from other servers (nodes, sync, udp)")
    if "store" in found:
        doubtful.append("store: the cache is kept in memory alone, and begins empty")
    if "@" in found["name"]:
        raise ValueError("a name without @ is expected: behind it uWSGI reads an address")
    items = number("items", found["items"])
    return sound(
        Form(
            name=found["name"],
            items=items,
            blocksize=number("blocksize", found.get("blocksize", str(BLOCK))),
            blocks=number("blocks", found.get("blocks", str(items))),
            keysize=number("keysize", found.get("keysize", str(KEY))),
            bitmap="bitmap" in found,
            purge_lru="purge_lru" in found,
            lazy_expire="lazy_expire" in found,
            no_expire="no_expire" in found,
            sweep=number("sweep_on_full", found.get("sweep_on_full", "0")) or Form.sweep,
            clear_on_full="clear_on_full" in found,
            ignore_full="ignore_full" in found,
            math_initial=whole("math_initial", found.get("math_initial", "0")),
            doubtful=tuple(doubtful),
        )
    )


def known(text: str) -> tuple[dict[str, str], list[str]]:
    """The keys that mean something, the last of a name counts; and what is doubtful."""
    found: dict[str, str] = {}
    doubtful: list[str] = []
    for item in split(text, ","):
        key, value = halves(item)
        key = ALIASES.get(key.strip(), key.strip())
        if value is None:
            doubtful.append(f"{item!r} is no key=value and is left out")
        elif key == "udp_servers" or key in KEYS:
            found[key] = value.strip()
            if key in FLAGS and value.strip().lower() in ("0", "false", "no", "off", ""):
                doubtful.append(f"{item} switches it on: only a key that is left out is off")
        else:
            doubtful.append(f"{key!r} is no key that there is, and is left out")
    return found, doubtful


def sound(form: Form) -> Form:
    """The same, when there can be such a cache. Raises ValueError."""
    if not 0 < form.items <= MOST_ITEMS:
        raise ValueError(f"items: a number from 1 to {MOST_ITEMS} is expected")
    if not 0 < form.keysize < 1 << 16:
        raise ValueError("keysize: bytes from 1 to 65535 are expected")
    if form.blocksize < 8:
        raise ValueError("blocksize: at least 8 bytes are expected")
    if form.blocks < form.items:
        raise ValueError(f"blocks: at least as many as items are expected, {form.items}")
    if form.blocks * form.blocksize + form.items * form.keysize > MOST_BYTES:
        raise ValueError("blocks times blocksize: less than 4 TB are expected")
    return form


def number(key: str, text: str) -> int:
    """Raises ValueError."""
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"{key}: a number is expected, not {text!r}")
    return int(text[:18])


def whole(key: str, text: str) -> int:
    """The same, below zero as well, of 63 bits. Raises ValueError."""
    value = number(key, text.removeprefix("-"))
    return -value if text.startswith("-") else value


def classic(items: int, blocksize: int) -> Form:
    """``cache`` with ``cache-blocksize``, 0 for 64 KB. Raises ValueError."""
    return sound(Form(name=DEFAULT, items=items, blocksize=blocksize or BLOCK, blocks=items))


def forms(asked: Asked) -> tuple[Form, ...]:
    """All caches that settings ask for: that of ``cache`` first, as in uWSGI; the first one of a name counts.

    Raises ValueError.
    """
    found = [classic(asked.cache, asked.cache_blocksize)] if asked.cache else []
    found += [parse(text) for text in asked.cache2]
    named: dict[str, Form] = {}
    for form in found:
        sweep = form.sweep if form.sweep != Form.sweep else int(asked.cache_expire_freq) or Form.sweep
        form = replace(form, no_expire=form.no_expire or asked.cache_no_expire, sweep=sweep)
        named.setdefault(form.name, form)
    return tuple(named.values())


def missing(name: str, caches: Sequence[Form]) -> str:
    """What is wrong with the name of a cache, "" being the first one; "" for nothing."""
    if not caches:
        return "there is no cache: cache2 makes one"
    if name and name not in [form.name for form in caches]:
        return f"there is no cache {name!r}: there are {', '.join(form.name for form in caches)}"
    return ""


def preloaded(text: str) -> tuple[str, str]:
    """A value of ``load-file-in-cache`` or ``add-cache-item``: the cache before the first blank, "" for every
    one, and what follows. Raises ValueError."""
    cache, blank, rest = text.partition(" ")
    if not blank:
        cache, rest = "", text
    if not rest:
        raise ValueError("[CACHE ]WHAT is expected")
    return cache, rest


def item(text: str) -> tuple[str, str, str]:
    """``add-cache-item``: the cache or "", the key, the value. Raises ValueError."""
    before, found, value = text.partition("=")
    cache, key = preloaded(before) if found and value else ("", "")
    if not key:
        raise ValueError("[CACHE ]KEY=VALUE is expected")
    return cache, key, value


PARSERS: Mapping[str, Callable[[str], object]] = {
    "cache2": parse,
    "add-cache-item": item,
    "load-file-in-cache": preloaded,
    "load-file-in-cache-gzip": preloaded,
}
"""What takes a value apart, by its option."""
