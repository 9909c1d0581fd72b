"""All shared caches of a server by their names, as rules and applications ask for them.

``Caches.of`` makes them in the process that starts, before others are; whoever is given their descriptors
attaches. Used by any thread. It does not know who asks, nor why.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from penstock.config.site.caches import Asked, Form, forms, item, preloaded
from penstock.core.errors import StartError
from penstock.interprocess.cache.memory import Memory
from penstock.interprocess.cache.store import Store, Warn


class Wanted(Asked, Protocol):
    """The settings that are looked at where caches are made."""

    @property
    def add_cache_item(self) -> Sequence[str]: ...

    @property
    def load_file_in_cache(self) -> Sequence[str]: ...

    @property
    def load_file_in_cache_gzip(self) -> Sequence[str]: ...


def unheard(key: str, text: str) -> None:
    """Nobody listens."""


known: "Caches | None" = None
"""Those of this process, for whoever is asked by the application; set where they are made or attached to."""


class Caches:
    """Caches by name; "" is the first one.

    No method raises for a name that there is not: it has nothing, and keeps nothing.
    """

    def __init__(self, stores: Sequence[Store]) -> None:
        self.stores = tuple(stores)
        self.named = {store.form.name: store for store in reversed(self.stores)}
        if self.stores:
            self.named[""] = self.stores[0]

    @classmethod
    def of(cls, settings: Wanted, warn: Warn = unheard) -> "Caches | None":
        """New ones as the settings ask for them, with what is in them from the start; None where they ask
        for none. Raises StartError."""
        stores: list[Store] = []
        try:
            for form in _forms(settings):
                stores.append(Store(Memory.create(form), warn))
            made = cls(stores)
            _load(made, settings, warn)
        except BaseException:
            for store in stores:
                store.close()
            raise
        return made if stores else None

    @classmethod
    def attach(cls, settings: Asked, fds: Sequence[int], warn: Warn = unheard) -> "Caches | None":
        """Those that another process made with the same settings, behind their descriptors (``fds`` there),
        which are closed with them; None where there are none. Raises StartError."""
        wanted = _forms(settings)
        if len(wanted) != len(fds):
            raise StartError(f"{len(wanted)} caches are asked for, and {len(fds)} were handed over")
        stores = [Store(Memory.attach(form, fd), warn) for form, fd in zip(wanted, fds, strict=True)]
        return cls(stores) if stores else None

    def tell(self, warn: Warn) -> None:
        """Whom they tell from now on: a process that was forked has a log of its own."""
        for store in self.stores:
            store.warn = warn

    @property
    def fds(self) -> tuple[int, ...]:
        """Their descriptors, for processes that are to have the same."""
        return tuple(store.memory.fd for store in self.stores)

    def store(self, name: str = "") -> Store | None:
        """One of them."""
        return self.named.get(name)

    def get(self, key: bytes, name: str = "") -> bytes | None:
        """As ``Store.get``."""
        store = self.named.get(name)
        return None if store is None else store.get(key)

    def fetch(self, key: bytes, name: str = "") -> tuple[bytes, int] | None:
        """As ``Store.fetch``."""
        store = self.named.get(name)
        return None if store is None else store.fetch(key)

    def set(self, key: bytes, value: bytes, expires: int = 0, name: str = "", update: bool = True) -> bool:
        """As ``Store.set``."""
        store = self.named.get(name)
        return store is not None and store.set(key, value, expires, update)

    def delete(self, key: bytes, name: str = "") -> bool:
        """As ``Store.delete``."""
        store = self.named.get(name)
        return store is not None and store.delete(key)

    def exists(self, key: bytes, name: str = "") -> bool:
        """As ``Store.exists``."""
        store = self.named.get(name)
        return store is not None and store.exists(key)

    def clear(self, name: str = "") -> bool:
        """As ``Store.clear``."""
        store = self.named.get(name)
        return store is not None and store.clear()

    def num(self, key: bytes, name: str = "") -> int:
        """As ``Store.num``."""
        store = self.named.get(name)
        return 0 if store is None else store.num(key)

    def keys(self, name: str = "") -> list[bytes] | None:
        """As ``Store.keys``; None where there is no such cache."""
        store = self.named.get(name)
        return None if store is None else store.keys()

    def inc(self, key: bytes, number: int = 1, expires: int = 0, name: str = "") -> int | None:
        """Add to a number; what it is now, None where it could not be kept (``Store.alter``)."""
        return self._alter(name, key, _added, (number, expires))

    def dec(self, key: bytes, number: int = 1, expires: int = 0, name: str = "") -> int | None:
        """Take from a number, likewise."""
        return self._alter(name, key, _added, (-number, expires))

    def mul(self, key: bytes, number: int = 2, expires: int = 0, name: str = "") -> int | None:
        """Multiply a number, likewise."""
        return self._alter(name, key, _multiplied, (number, expires))

    def div(self, key: bytes, number: int = 2, expires: int = 0, name: str = "") -> int | None:
        """Divide a number and cut what is behind the point, likewise; by 0 it is 0."""
        return self._alter(name, key, _divided, (number, expires))

    def _alter(
        self, name: str, key: bytes, how: Callable[[int, int], int], given: tuple[int, int]
    ) -> int | None:
        store = self.named.get(name)
        return None if store is None else store.alter(key, how, *given)

    def figures(self) -> list[dict[str, int | str]]:
        """What there is to say of each."""
        return [store.figures() for store in self.stores]

    def close(self) -> None:
        """Give their memory back in this process, where nobody is using them any more."""
        for store in self.stores:
            store.close()


def _added(there: int, number: int) -> int:
    return there + number


def _multiplied(there: int, number: int) -> int:
    return there * number


def _divided(there: int, number: int) -> int:
    quotient = abs(there) // abs(number) if number else 0
    return quotient if (there < 0) == (number < 0) else -quotient


def _forms(settings: Asked) -> tuple[Form, ...]:
    try:
        return forms(settings)
    except ValueError as error:
        raise StartError(f"cache2: {error}") from error


def _load(caches: Caches, settings: Wanted, warn: Warn) -> None:
    """Files first, then items, as uWSGI does it; nothing of it takes the place of what is there."""
    for option, texts in (
        ("load-file-in-cache", settings.load_file_in_cache),
        ("load-file-in-cache-gzip", settings.load_file_in_cache_gzip),
    ):
        for text in texts:
            _load_file(caches, option, text, warn)
    for text in settings.add_cache_item:
        try:
            cache, key, value = item(text)
        except ValueError as error:
            raise StartError(f"add-cache-item: {error}") from error
        _add(caches, ("add-cache-item", text), (cache, key, value.encode(errors="surrogateescape")), warn)


def _load_file(caches: Caches, option: str, text: str, warn: Warn) -> None:
    try:
        cache, path = preloaded(text)
        value = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        warn(f"{option} {text}", f"{option}: {text!r} cannot be read: {error}")
        return
    if option.endswith("gzip"):
        import gzip

        value = gzip.compress(value)
    _add(caches, (option, text), (cache, path, value), warn)


def _add(caches: Caches, said: tuple[str, str], given: tuple[str, str, bytes], warn: Warn) -> None:
    """To the cache that is named, or to all."""
    cache, key, value = given
    stores = [store for store in caches.stores if cache in ("", store.form.name)]
    kept = [store.set(key.encode(errors="surrogateescape"), value, update=False) for store in stores]
    if not (kept and all(kept)):
        why = "it does not fit, or is there already" if stores else f"there is no cache {cache!r}"
        warn(" ".join(said), f"{said[0]}: {said[1]!r} is not kept: {why}")
