"""The real PCRE2 by ctypes, compiled as uWSGI does: octets, no UTF, no options."""

import ctypes
from functools import cache
from typing import Any

NO_MATCH = -1


@cache
def library() -> Any:
    """libpcre2-8; None where there is none."""
    for name in ("libpcre2-8.so.0", "libpcre2-8.so"):
        try:
            found = ctypes.CDLL(name)
        except OSError:
            continue
        found.pcre2_compile_8.restype = ctypes.c_void_p
        found.pcre2_match_data_create_from_pattern_8.restype = ctypes.c_void_p
        found.pcre2_get_ovector_pointer_8.restype = ctypes.POINTER(ctypes.c_size_t)
        return found
    return None


class Pcre:
    """A compiled expression. Raises ValueError for one that PCRE2 refuses."""

    def __init__(self, text: str) -> None:
        self.lib = library()
        octets = text.encode("latin-1")
        error, offset = ctypes.c_int(), ctypes.c_size_t()
        self.code = self.lib.pcre2_compile_8(
            octets, ctypes.c_size_t(len(octets)), 0, ctypes.byref(error), ctypes.byref(offset), None
        )
        if not self.code:
            raise ValueError(f"PCRE2 refuses {text!r}: {error.value} at {offset.value}")
        self.data = self.lib.pcre2_match_data_create_from_pattern_8(ctypes.c_void_p(self.code), None)

    def search(self, subject: str) -> tuple[str | None, ...] | None:
        """The whole match and each group; None without a match."""
        octets = subject.encode("latin-1")
        count = self.lib.pcre2_match_8(
            ctypes.c_void_p(self.code), octets, ctypes.c_size_t(len(octets)), ctypes.c_size_t(0), 0,
            ctypes.c_void_p(self.data), None,
        )  # fmt: skip
        if count == NO_MATCH:
            return None
        assert count > 0, f"PCRE2 says {count}"
        total = self.lib.pcre2_get_ovector_count_8(ctypes.c_void_p(self.data))
        places = self.lib.pcre2_get_ovector_pointer_8(ctypes.c_void_p(self.data))
        found: list[str | None] = []
        for at in range(total):
            begin, end = places[2 * at], places[2 * at + 1]
            taken = at < count and begin <= len(octets)
            found.append(octets[begin:end].decode("latin-1") if taken else None)
        return tuple(found)

    def close(self) -> None:
        """Give the memory back."""
        self.lib.pcre2_match_data_free_8(ctypes.c_void_p(self.data))
        self.lib.pcre2_code_free_8(ctypes.c_void_p(self.code))
