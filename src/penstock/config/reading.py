"""The value of an option from its text: which reader each kind has, and the options that are read otherwise.

Called by ``assemble`` while a configuration is put together. It knows of one value at a time, not of what
other options say.
"""

from collections.abc import Callable
from typing import Any

from penstock.config import values
from penstock.config.option import (
    FLAG,
    HARMLESS,
    INT,
    KEYVAL,
    KILOBYTES,
    LIST,
    MEGABYTES,
    MILLISECONDS,
    MODE,
    NUMBERS,
    SECONDS,
    SIGNED,
    SIZE,
    Option,
)
from penstock.config.settings.sizing import ALGORITHMS

Reader = Callable[[str], tuple[Any, str]]


def peers(text: str) -> tuple[tuple[str, ...], str]:
    """Several in one value, as gunicorn has them."""
    return values.commas(text), ""


def keepalive(text: str) -> tuple[float | None, str]:
    """uWSGI's flag form, on with the time-out as it is, or a time."""
    return (None, "") if text in ("", "1", "true") else values.seconds(text)


def store(text: str) -> tuple[str, str]:
    """uWSGI's flag form, the first cache there is, or a cache's name."""
    return ("" if text in ("1", "true") else text), ""


def algorithm(text: str) -> tuple[str, str]:
    """A way to size that there is; uWSGI takes spare for any other, and so do we."""
    name = text.strip().lower()
    if name in ALGORITHMS:
        return name, ""
    return "spare", f"{', '.join(ALGORITHMS)} is expected: read as spare, as uWSGI does"


BY_KIND: dict[str, Reader] = {
    FLAG: values.flag,
    INT: values.integer,
    SIGNED: values.signed,
    SIZE: values.size,
    KILOBYTES: values.kilobytes,
    MEGABYTES: values.megabytes,
    SECONDS: values.seconds,
    MILLISECONDS: values.milliseconds,
    MODE: values.mode,
    KEYVAL: values.keyval,
    LIST: lambda text: ((text,), ""),
}
BY_NAME: dict[str, Reader] = {
    "cheaper-algo": algorithm,
    "check-cache": store,
    "compress": peers,
    "compress-types": peers,
    "http-keepalive": keepalive,
    "memory-report": values.memory_report,
    "processes": values.processes,
    "threads": values.threads,
    "trusted-proxies": peers,
    "umask": values.mask,
    "uwsgi-allow": peers,
}


def read(option: Option, text: str | None) -> tuple[Any, str]:
    """The value of ``option``'s text (None: given without one) and what to warn of. Raises ValueError with
    what was expected."""
    if text is None:
        text = "" if option.kind == FLAG else option.bare
    if text is None:
        raise ValueError(
            f"a value is expected: {option.metavar}" if option.metavar else "a value is expected"
        )
    reader = BY_NAME.get(option.name) or BY_KIND.get(option.kind)
    return reader(text) if reader is not None else (text, "")


def asks(option: Option, text: str | None) -> bool:
    """Whether an option that is not acted on asks, with this value, for anything that is missing: one worker
    is what there is. Raises ValueError with what was expected."""
    if option.state == HARMLESS:
        return False
    if text is None:
        return "" not in option.unasked
    value, _ = read(option, text)
    if not value and option.kind not in NUMBERS:
        return False
    said = f"{value:g}" if option.kind in NUMBERS else text.strip()
    # A flag without a value is on: in a file its value is then "".
    return (bool(said) or option.kind == FLAG) and said not in option.unasked
