"""Metrics of the operator's own: what the words of ``metric`` come to, by uWSGI's rules.

Pure, at boot and at a reload. The words are taken apart by ``config/observing``; no figure is known here.
"""

import re
from dataclasses import dataclass

from penstock.config.observing.figures import Metric as Said
from penstock.config.observing.figures import leading

COUNTER, GAUGE, ABSOLUTE, ALIAS = range(4)
"""Kinds of metrics, by uWSGI's numbers."""
KINDS = {"counter": COUNTER, "gauge": GAUGE, "absolute": ABSOLUTE, "alias": ALIAS}
NAME = re.compile(r"[0-9A-Za-z._-]+")
OID = re.compile(r"[0-9.]*")
SUMS = ("sum", "accumulator", "adder", "multiplier", "avg")
NOBODY = ("", "manual")


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of the operator's own. ``collector`` "" for one that nobody collects; ``freq`` in seconds;
    ``path`` and ``number`` are the file collector's file and word, and else what is added or multiplied
    with; ``children`` and ``alias`` are names of other metrics; ``fleeting``: it begins anew once it was
    sent."""

    name: str
    oid: str = ""
    kind: int = COUNTER
    initial: int = 0
    collector: str = ""
    freq: int = 1
    path: str = ""
    number: int = 0
    children: tuple[str, ...] = ()
    alias: str = ""
    fleeting: bool = False


def metric_of(said: Said) -> Metric:
    """What a value of ``metric`` comes to. Raises ValueError for what cannot be."""
    words = said.words
    collector = words.get("collector", "")
    if NAME.fullmatch(said.name) is None:
        raise ValueError(f"{said.name}: letters, digits, dots, hyphens and underscores make a name")
    if OID.fullmatch(words.get("oid", "")) is None:
        raise ValueError(f"oid={words['oid']}: numbers with dots between them are expected")
    if (said.type == "alias") != bool(words.get("alias")):
        raise ValueError(f"{said.name}: type=alias and alias=NAME belong together")
    return Metric(
        name=said.name,
        oid=words.get("oid", ""),
        kind=KINDS[said.type],
        initial=number(words, "initial_value"),
        collector="" if collector in NOBODY else collector,
        freq=max(1, number(words, "freq")),
        path=words.get("arg1", ""),
        number=number(words, "arg1n"),
        children=tuple(name for name in words.get("children", "").split(";") if name),
        alias=words.get("alias", ""),
        fleeting="reset_after_push" in words,
    )


def number(words: dict[str, str], key: str) -> int:
    """A key's number, 0 without one. Raises ValueError."""
    return leading(words[key], key) if key in words else 0
