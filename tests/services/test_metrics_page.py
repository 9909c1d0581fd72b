"""docs/metrics.md names every metric and its labels, and nothing else; what it says of options is read."""

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families as read_classic

from penstock.config.assemble import from_keywords
from penstock.interprocess.ledger import CAUSES, CONNECTIONS, EDGES, MOUNTS, PHASES
from penstock.services.exposition import render
from tests.services.test_exposition import snapshot

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
ROW = re.compile(r"^\| `(penstock_\w+)` \|([^|]*)\|", re.MULTILINE)


def test_the_tables_are_the_metrics() -> None:
    told = {name: set(filter(None, labels.strip().split(", "))) for name, labels in ROW.findall(PAGE)}
    found: dict[str, set[str]] = {}
    for family in read_classic(render(snapshot(), "")[1].decode()):
        for sample in family.samples:
            name = re.sub(r"_(bucket|sum|count)$", "", sample.name)
            found.setdefault(name, set()).update(set(sample.labels) - {"le"})
    assert told == found


def test_words_of_labels_and_edges_are_as_they_are() -> None:
    for word in (*CAUSES, *CONNECTIONS, *PHASES[:-1]):
        assert f"`{word}`" in PAGE, word
    assert f"beyond the {MOUNTS - 2}nd" in PAGE
    small, large = (
        PAGE.partition("The bins of the histograms end at ")[2].partition(".\n")[0].split(" ms and ")
    )
    edges = [float(word) / 1000 for word in small.split(", ")]
    edges += [float(word) for word in large.removesuffix(" s").split(", ")]
    assert tuple(edges) == EDGES


def test_what_it_asks_has_names_that_there_are() -> None:
    names = {name for name, _ in ROW.findall(PAGE)}
    for query in re.findall(r"```promql\n(.*?)```", PAGE, re.DOTALL):
        for name in re.findall(r"penstock_\w+", query):
            assert name.removesuffix("_bucket") in names


def test_the_example_is_a_configuration() -> None:
    block = PAGE.partition("```ini\n[uwsgi]\n")[2].partition("```")[0]
    words = dict(line.split(" = ") for line in block.splitlines())
    settings = from_keywords({name.replace("-", "_"): value for name, value in words.items()})
    assert settings.metrics == "127.0.0.1:9090"
