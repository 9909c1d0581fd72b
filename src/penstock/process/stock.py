"""The shared caches of a process: made where a server or a generation begins, attached to elsewhere.

Runs in every kind of process, at its beginning. Nothing of caches is imported where settings ask for none.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.logs.setup import Diary

if TYPE_CHECKING:
    from penstock.interprocess.cache.caches import Caches
    from penstock.process.boot import Boot


def made(settings: Settings, diary: Diary) -> "Caches | None":
    """New ones, empty but for what is loaded at the start. Raises StartError."""
    if not (settings.cache or settings.cache2):
        return None
    from penstock.interprocess.cache.caches import Caches

    return Caches.of(settings, diary.warn_once)


@contextmanager
def following(settings: Settings, old: Any, anew: bool, diary: Diary) -> "Iterator[Caches | None]":
    """Those of the generation that comes after ``old``: empty ones where uWSGI would start itself anew
    (``anew``), else those of the old one, unless others are asked for. New ones are closed again where what
    is done meanwhile fails. Raises StartError."""
    before = None if old is None else old.caches
    caches = before if not anew and same(settings, old) else made(settings, diary)
    try:
        yield caches
    except BaseException:
        close_but(before, caches)
        raise


def same(settings: Settings, old: Any) -> bool:
    """Whether the caches of ``old`` are what is asked for."""
    if old is None or old.caches is None:
        return False
    from penstock.config.site.caches import forms

    return forms(settings) == forms(old.settings)


def close_but(kept: Any, caches: Any) -> None:
    """Close ``caches`` in this process, unless they are those that are kept."""
    if caches is not None and caches is not kept:
        caches.close()


def fds_of(caches: "Caches | None") -> tuple[int, ...]:
    """Their descriptors."""
    return () if caches is None else caches.fds


def regained(settings: Settings, fds: Sequence[int], diary: Diary) -> "Caches | None":
    """Those of the program before us. Where their memory has another form there is no going on with them:
    the reload that follows a takeover has new ones."""
    if fds:
        from penstock.interprocess.cache.caches import Caches

        with suppress(StartError):
            return Caches.attach(settings, fds, diary.warn_once)
    return None


def attached(boot: "Boot", diary: Diary) -> None:
    """In a prototype, before the application is loaded: those that the supervisor made. Raises StartError."""
    if boot.caches:
        from penstock.interprocess.cache import caches

        caches.known = caches.Caches.attach(boot.settings, boot.caches, diary.warn_once)


def inherited(boot: "Boot", diary: Diary) -> "Caches | None":
    """In whoever the prototype forked: the same, which tell this process's log from now on."""
    if not boot.caches:
        return None
    from penstock.interprocess.cache import caches

    if caches.known is not None:
        caches.known.tell(diary.warn_once)
    return caches.known
