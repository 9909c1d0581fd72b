"""Texts to values, as uWSGI reads them where it is sane.

Each reader gives the value and, where something was odd about the text, what to warn of; it raises ValueError
with what was expected. Whole numbers are read by their leading digits, as uWSGI's ``atoi`` does.
"""

import re

OFF = ("false", "off", "no", "0")
ON = ("true", "on", "yes", "1", "")
UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
SPANS = {"": 1.0, "s": 1.0, "ms": 0.001, "m": 60.0, "h": 3600.0}
# A unit counts when nothing that could be more of a word follows it: "2 g", not "2 gunicorns".
NUMBER = re.compile(r"\s*(-?[0-9]+)")
SIZE = re.compile(r"\s*([0-9]+)(?:\s*(?:([kmg])(?:i?b)?|b)(?![0-9A-Za-z]))?", re.IGNORECASE)
SPAN = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)(?:\s*(ms|s|m|h)(?![0-9A-Za-z]))?", re.IGNORECASE)
MODE = re.compile(r"\s*(0?[0-7]{3})(?![0-9A-Za-z])")
MASK = re.compile(r"\s*(0?[0-7]{1,3})(?![0-9A-Za-z])")
LONGEST = 18
"""Digits that a number may have: what is longer fits no counter of the kernel's, nor a double."""
MOST_THREADS = 4096
MOST_PROCESSES = 1024


def flag(text: str) -> tuple[bool, str]:
    """On, unless it says false, off, no or 0 (uWSGI's rule)."""
    word = text.strip().lower()
    if word in OFF:
        return False, ""
    if word in ON:
        return True, ""
    comment = re.search(r"\s([;#].*)", text)
    tail = _no_comment(comment[1]) if comment else ""
    return True, f"taken for on: only false, off, no and 0 turn a flag off{tail}"


def memory_report(text: str) -> tuple[int, str]:
    """On or off as a flag, or 2 for more of it, which uWSGI has from 2.1 on."""
    if text.strip() == "2":
        return 2, ""
    value, warning = flag(text)
    return int(value), warning


def integer(text: str) -> tuple[int, str]:
    """A whole number that is not negative."""
    return _whole(text, NUMBER, "a whole number is expected")[1:]


def signed(text: str) -> tuple[int, str]:
    """A whole number."""
    match = _match(text, NUMBER, "a whole number is expected")
    return int(match[1]), _rest(text, match)


def size(text: str, unit: int = 1) -> tuple[int, str]:
    """Bytes: ``65536``, ``64k``, ``1g``; ``unit`` is what a plain number counts."""
    match, number, warning = _whole(text, SIZE, "a number of bytes is expected, such as 65536, 64k or 1g")
    spelled = match is not None and match[0].strip() != match[1]
    if match is not None and spelled:
        unit = UNITS[(match[2] or "").lower()]
    return number * unit, warning


def kilobytes(text: str) -> tuple[int, str]:
    """Bytes, of which a plain number counts 1,024."""
    return size(text, 1 << 10)


def megabytes(text: str) -> tuple[int, str]:
    """Bytes, of which a plain number counts 1,048,576."""
    return size(text, 1 << 20)


def seconds(text: str, unit: float = 1.0) -> tuple[float, str]:
    """Seconds: ``30``, ``1.5``, ``500ms``, ``2m``; ``unit`` is what a plain number counts."""
    expected = "a time is expected, such as 30, 500ms or 2m"
    if word := _word(text):
        return 0.0, word
    match = _match(text, SPAN, expected)
    spelled = match[2]
    return float(match[1]) * (SPANS[spelled.lower()] if spelled else unit), _rest(text, match)


def milliseconds(text: str) -> tuple[float, str]:
    """Seconds, of which a plain number counts thousandths."""
    return seconds(text, 0.001)


def mode(text: str) -> tuple[int, str]:
    """An octal file mode of three digits (uWSGI), or four that begin with 0; ``1`` is 666, as in uWSGI."""
    if text.strip().lower() in ("", "1", "true"):
        return 0o666, ""
    match = _match(text, MODE, "three octal digits are expected, such as 660")
    return int(match[1], 8), _rest(text, match)


def mask(text: str) -> tuple[int, str]:
    """An octal mask of one to three digits, or more that begin with 0."""
    match = _match(text, MASK, "octal digits are expected, such as 022")
    return int(match[1], 8), _rest(text, match)


def threads(text: str) -> tuple[str, str]:
    """A number of threads as text, ``auto``, or nothing."""
    return _counted(text, MOST_THREADS, "as uWSGI does")


def processes(text: str) -> tuple[str, str]:
    """A number of processes as text, ``auto``, or nothing."""
    return _counted(text, MOST_PROCESSES, "where uWSGI would serve nothing")


def _counted(text: str, most: int, none: str) -> tuple[str, str]:
    """``none``: what is said of 0, which is read as 1."""
    if text.strip() in ("", "auto"):
        return text.strip(), ""
    expected = f"a number from 1 to {most} is expected, or auto"
    try:
        number, warning = integer(text)
    except ValueError as error:
        raise ValueError(expected) from error
    if number > most:
        raise ValueError(expected)
    if number == 0:
        return "1", warning or f"{expected}: read as 1, {none}"
    return str(number), warning


def keyval(text: str) -> tuple[dict[str, str], str]:
    """``key=value,key=value``; a comma that is part of a value is written ``\\,``."""
    found: dict[str, str] = {}
    for item in re.split(r"(?<!\\),", text):
        key, equals, value = item.partition("=")
        if item.strip() and not (equals and key.strip()):
            raise ValueError("KEY=VALUE,KEY=VALUE is expected")
        if equals:
            found[key.strip()] = value.replace("\\,", ",")
    return found, ""


def commas(text: str) -> tuple[str, ...]:
    """The parts between commas, without empty ones."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _whole(text: str, pattern: re.Pattern[str], expected: str) -> tuple[re.Match[str] | None, int, str]:
    if word := _word(text):
        return None, 0, word
    match = _match(text, pattern, expected)
    if match[1].startswith("-"):
        raise ValueError(f"{expected}, and none that is negative")
    return match, int(match[1]), _rest(text, match)


def _match(text: str, pattern: re.Pattern[str], expected: str) -> re.Match[str]:
    match = pattern.match(text)
    if match is None or len(match[1]) > LONGEST:
        raise ValueError(expected)
    return match


def _word(text: str) -> str:
    """What to warn of where a flag's word stands for a number."""
    word = text.strip().lower()
    if word.isalpha() and word in (*ON, *OFF):
        return "no number: read as 0, as uWSGI does"
    return ""


def _rest(text: str, match: re.Match[str]) -> str:
    """What to warn of where more than a number stands there."""
    rest = text[match.end() :].strip()
    if not rest:
        return ""
    said = f"only the leading number {match[0].strip()} is used"
    return said + (_no_comment(rest) if rest[0] in ";#" else "")


def _no_comment(tail: str) -> str:
    return f": a comment is a line of its own, '{tail}' is part of the value"
