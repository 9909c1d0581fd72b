"""Codings of bodies: gzip from the standard library, br and zstd from packages that are asked for only here.

Called by pool threads, one coder a reply. What is compressed and for whom is decided elsewhere.
"""

import zlib
from collections.abc import Callable
from typing import Any, Protocol

GZIP_LEVEL, BR_QUALITY, ZSTD_LEVEL = 4, 4, 3
"""Where the last percents of size begin to cost more than they save, for replies that are made each time."""

PACKAGES = {"br": "brotli", "zstd": "zstandard"}


class Coder(Protocol):
    """Compresses one body."""

    def feed(self, data: bytes) -> bytes:
        """What is ready after a block."""

    def flush(self) -> bytes:
        """What was kept back, so that all that was fed can be read from what went out."""

    def finish(self) -> bytes:
        """The end."""


class Gzip:
    """RFC 1952; without a time in its header, so that the same body gives the same bytes."""

    def __init__(self) -> None:
        self.coder = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS | 16)
        self.feed = self.coder.compress

    def flush(self) -> bytes:
        """What was kept back."""
        return self.coder.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        """The end."""
        return self.coder.flush()


class Brotli:
    """RFC 7932."""

    def __init__(self, package: Any) -> None:
        coder = package.Compressor(quality=BR_QUALITY)
        self.feed: Callable[[bytes], bytes] = coder.process
        self.flush: Callable[[], bytes] = coder.flush
        self.finish: Callable[[], bytes] = coder.finish


class Zstandard:
    """RFC 8878; ``block`` and ``end`` are the package's words for how far a flush goes."""

    def __init__(self, coder: Any, feed: Callable[[bytes], bytes], block: int, end: int) -> None:
        self.coder = coder
        self.feed = feed
        self.block = block
        self.end = end

    def flush(self) -> bytes:
        """What was kept back."""
        data: bytes = self.coder.flush(self.block)
        return data

    def finish(self) -> bytes:
        """The end."""
        data: bytes = self.coder.flush(self.end)
        return data


def coder_of(way: str) -> Callable[[], Coder]:
    """What makes a coder for each reply; ``way``: gzip, br or zstd.

    Raises ValueError for another one, and where the package is missing that it needs.
    """
    if way == "gzip":
        return Gzip
    makes = {"br": _brotli, "zstd": _zstandard}.get(way)
    if makes is None:
        raise ValueError(f"{way!r}: gzip, br or zstd is expected")
    try:
        return makes()
    except ImportError as error:
        raise ValueError(
            f"{way} needs a package that is not installed: pip install 'penstock[{PACKAGES[way]}]'"
        ) from error


def _brotli() -> Callable[[], Coder]:
    from importlib import import_module

    package = import_module("brotli")
    return lambda: Brotli(package)


def _zstandard() -> Callable[[], Coder]:
    from importlib import import_module

    try:
        standard = import_module("compression.zstd")  # Python 3.14
    except ImportError:
        package = import_module("zstandard")
        block, end = package.COMPRESSOBJ_FLUSH_BLOCK, package.COMPRESSOBJ_FLUSH_FINISH

        def make() -> Coder:
            coder = package.ZstdCompressor(level=ZSTD_LEVEL).compressobj()
            return Zstandard(coder, coder.compress, block, end)

        return make

    def make_standard() -> Coder:
        coder = standard.ZstdCompressor(level=ZSTD_LEVEL)
        return Zstandard(coder, coder.compress, coder.FLUSH_BLOCK, coder.FLUSH_FRAME)

    return make_standard
