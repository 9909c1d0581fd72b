"""Texts to values, as uWSGI reads them where it is sane. Raises ValueError with what was expected."""

import re

OFF = ("false", "off", "no", "0")
UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
SPANS = {"": 1.0, "s": 1.0, "ms": 0.001, "m": 60.0, "h": 3600.0}
SIZE = re.compile(r"([0-9]+)\s*([kmg]?)(?:i?b)?", re.IGNORECASE)
SPAN = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|)", re.IGNORECASE)


def flag(text: str | None) -> bool:
    """On, unless it says false, off, no or 0 (uWSGI's rule)."""
    return text is None or text.strip().lower() not in OFF


def integer(text: str) -> tuple[int, str]:
    """Leading digits, as uWSGI's atoi, and a warning when something follows them."""
    match = re.match(r"\s*([0-9]+)", text)
    if match is None:
        raise ValueError("a whole number is expected")
    rest = text[match.end() :].strip()
    return int(match[1]), f"only the leading number {match[1]} is used" if rest else ""


def size(text: str) -> int:
    """Bytes: ``65536``, ``64k``, ``1g``."""
    match = SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError("a number of bytes is expected, such as 65536, 64k or 1g")
    return int(match[1]) * UNITS[match[2].lower()]


def seconds(text: str) -> float:
    """Seconds: ``30``, ``1.5``, ``500ms``, ``2m``."""
    match = SPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError("a time is expected, such as 30, 500ms or 2m")
    return float(match[1]) * SPANS[match[2].lower()]


def mode(text: str) -> int:
    """An octal file mode of three digits (uWSGI), or four that begin with 0."""
    if re.fullmatch(r"0?[0-7]{3}", text) is None:
        raise ValueError("three octal digits are expected, such as 660")
    return int(text, 8)


def commas(text: str) -> tuple[str, ...]:
    """The parts between commas, without empty ones."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def is_threads(text: str) -> bool:
    """Whether it is a number of threads, ``auto``, or nothing."""
    if text in ("", "auto"):
        return True
    return text.isdecimal() and 0 < int(text) <= 4096
