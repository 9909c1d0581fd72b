"""The Grafana dashboard asks for metrics and labels that there are, and shows each family of them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families as read_classic

from penstock.services.exposition import render
from tests.services.test_exposition import snapshot

DASHBOARD = Path(__file__).parents[2] / "configs" / "grafana-dashboard.json"
SELECTOR = re.compile(r"(penstock_\w+)\{([^}]*)\}")
NOT_SHOWN = {
    "penstock_lane_requests_total",
    "penstock_busy_seconds_total",
    "penstock_served_otherwise_total",
    "penstock_start_time_seconds",
    "penstock_workers_wanted",
}
"""For other questions: docs/metrics.md has them."""
OF_PROMETHEUS = {"job", "instance"}


def expressions() -> Iterator[str]:
    found: dict[str, Any] = json.loads(DASHBOARD.read_text())
    for panel in found["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    yield from (one["expr"] for one in found["annotations"]["list"])
    yield from (one["query"]["query"] for one in found["templating"]["list"][1:])


def known() -> dict[str, set[str]]:
    """Each sample's name, with its labels."""
    names: dict[str, set[str]] = {}
    for family in read_classic(render(snapshot(), "")[1].decode()):
        for sample in family.samples:
            names.setdefault(sample.name, set()).update(sample.labels)
    return names


def test_it_asks_for_what_there_is() -> None:
    names, asked = known(), set[str]()
    for expression in expressions():
        for name in re.findall(r"penstock_\w+", expression):
            assert name in names, expression
            asked.add(name)
        for name, selector in SELECTOR.findall(expression):
            assert set(re.findall(r"(\w+)=", selector)) <= names[name] | OF_PROMETHEUS, expression
        for labels in re.findall(r"by \(([^)]*)\)", expression):
            (name, *_) = SELECTOR.findall(expression)[0]
            assert {label.strip() for label in labels.split(",")} <= names[name], expression
    shown = {name.removesuffix("_bucket") for name in asked}
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}
    assert families - shown == NOT_SHOWN


def test_panels_do_not_lie_over_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    found = json.loads(DASHBOARD.read_text())
    for panel in found["panels"]:
        place = panel["gridPos"]
        mine = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not mine & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= mine
    assert len({panel["id"] for panel in found["panels"]}) == len(found["panels"])
